"""How does an operator see how far a run is, and its parent that it lives?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from foretrain.pipeline import Step
from foretrain.progress import HEARTBEAT, Advance, regularly
from foretrain.record import Record
from foretrain.runner import Result, told

KEY = "progress"
"""Of the artifact."""


@contextmanager
def progress_artifact(seconds: float = HEARTBEAT) -> Iterator[None]:
    """Keep a progress artifact of the flow run up to date, which so says every so many seconds that the run lives."""
    shown = _Shown()
    identity = UUID(str(create_progress_artifact(shown.percent, key=KEY, description=shown.text)))

    def update() -> None:
        update_progress_artifact(identity, shown.percent, description=shown.text)

    with told(shown), regularly(update, seconds):
        yield


class _Shown:
    """What the artifact shows: the last word of the running step."""

    def __init__(self) -> None:
        self.percent, self.text = 0.0, "starting"

    def started(self, step: Step) -> None:
        self.percent, self.text = 0.0, f"{step}"

    def advanced(self, step: Step, made: Advance) -> None:
        self.percent = 100.0 * made.done
        self.text = f"{step}: " + ", ".join(filter(None, (made.text, made.figures)))

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.percent, self.text = 100.0, f"{step}: {result.finding}"

    def failed(self, step: Step, error: BaseException) -> None:
        self.text = f"{step}: failed"
