"""What must be set before Prefect is imported? A value that the user has set is left alone."""

from __future__ import annotations

import os

DEFAULTS = {
    # nothing is reported to anyone: not by Prefect's client, not by its server
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # where no server is configured, one is started inside, on SQLite under PREFECT_HOME; its first start migrates
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
    "PREFECT_LOGGING_EXTRA_LOGGERS": "foretrain",
    # the terminal shows our own progress, and a run must outlive its terminal; logs still reach the API
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_INTERNAL_LEVEL": "CRITICAL",
}


def prepare() -> None:
    """Set what is not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
