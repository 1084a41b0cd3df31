"""The command line `foretrain`, which can also record its runs."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

from foretrain.cli import app
from foretrain.settings import Settings

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from foretrain.validation import Validation


class PrefectRecorder:
    """Runs a validation as a Prefect flow. Prefect is imported where it is needed only: that takes a second."""

    def configured(self) -> bool:
        if os.environ.get("PREFECT_API_URL"):
            return True
        home = Path(os.environ.get("PREFECT_HOME", "~/.prefect")).expanduser()
        if not any(file.exists() for file in (home / "profiles.toml", Path("prefect.toml"), Path(".env"))):
            return False
        from prefect.settings import PREFECT_API_URL

        return bool(PREFECT_API_URL.value())

    def validate(self, candidate: str, original: str | None, settings: Settings, out: str) -> Validation:
        from foretrain_flows.validate import validate

        logging.raiseExceptions = False  # a server that ends before the last log line arrives is no user's business
        with _interruptible():
            _start_server()
            state = cast("State[Validation]", validate(candidate, original, out, settings, return_state=True))
            return state.result()


def _start_server() -> None:
    """Start Prefect's embedded server, where no other is set up, so that Ctrl-C does not reach it.

    It is told of the interruption then, and the run is recorded as crashed, not as running for ever. A process inherits
    which signals are held off from the thread that starts it.
    """
    from prefect.server.api.server import SubprocessASGIServer
    from prefect.settings import PREFECT_API_URL

    def start() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        with suppress(Exception):  # the flow tries again, and says what is wrong
            SubprocessASGIServer().start()

    if not PREFECT_API_URL.value():
        starter = threading.Thread(target=copy_context().run, args=(start,), daemon=True)
        starter.start()
        starter.join()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the run at once, though a server may be gone that Prefect then tries to tell."""
    from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    with ExitStack() as after:

        def interrupt(*_: object) -> NoReturn:
            after.enter_context(temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}))
            raise KeyboardInterrupt

        before = signal.signal(signal.SIGINT, interrupt)
        after.callback(signal.signal, signal.SIGINT, before)
        try:
            yield
        except Exception as error:
            if _behind(error):
                raise KeyboardInterrupt from error
            raise


def _behind(error: BaseException | None) -> bool:
    """Whether an interruption is behind this error."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def main() -> NoReturn:
    """Run the command line and end the process with its status."""
    try:
        app.main(recorder=PrefectRecorder())
    except SystemExit as ended:
        if ended.code == app.INTERRUPTED and "prefect.flow_engine" in sys.modules:
            _end_now()
        raise


def _end_now() -> NoReturn:
    """End without waiting for Prefect's threads, which may go on for minutes to report to a server that is gone."""
    from prefect.server.api.server import SubprocessASGIServer

    SubprocessASGIServer().stop()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(app.INTERRUPTED)
