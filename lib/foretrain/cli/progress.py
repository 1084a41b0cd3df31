"""What does a user see while stages run?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.text import Text

from foretrain import runner
from foretrain.pipeline import Step
from foretrain.record import Record
from foretrain.runner import Result


class Lines:
    """One plain line a step, when it ends: for logs and pipes. Remembers what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def waiting(self, what: str) -> None:
        """Say what is waited for until the first step."""

    def started(self, step: Step) -> None:
        pass

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.done.append(str(step))
        print(f"{step!s:<18} {_time(result)}  {result.finding}", file=sys.stderr, flush=True)

    def failed(self, step: Step, error: BaseException) -> None:
        pass


class Silence(Lines):
    """Nothing; remembers what was done."""

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.done.append(str(step))


class _Seconds(ProgressColumn):
    """Time so far of what runs, time taken of what ran."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["time"] or f"{task.elapsed or 0.0:>6.1f} s", style="cyan")


class Live(Lines):
    """Steps appear as they start, with a clock, and with what was found when they end."""

    def __init__(self, display: Progress) -> None:
        super().__init__()
        self._display = display
        self._running: dict[Step, TaskID] = {}
        self._waiting: TaskID | None = None

    def waiting(self, what: str) -> None:
        self._waiting = self._display.add_task(what, total=None, finding="", time="")

    def started(self, step: Step) -> None:
        if self._waiting is not None:
            self._display.remove_task(self._waiting)
            self._waiting = None
        if step in self._running:  # tried again
            self._display.remove_task(self._running[step])
        self._running[step] = self._display.add_task(str(step), total=1, finding="", time="")

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.done.append(str(step))
        self._display.update(self._running[step], completed=1, finding=result.finding, time=_time(result))

    def failed(self, step: Step, error: BaseException) -> None:
        self._display.update(self._running[step], completed=1, finding=Text("failed", style="red"))


@contextmanager
def shown(*, quiet: bool) -> Iterator[Lines]:
    """Show the steps run inside the block: live on a terminal, as plain lines elsewhere, not at all when quiet."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        lines = Silence() if quiet else Lines()
        with runner.told(lines):
            yield lines
        return
    columns = (SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<18}"), _Seconds())
    with Progress(*columns, TextColumn("{task.fields[finding]}"), console=console) as display:
        live = Live(display)
        with runner.told(live):
            yield live


def _time(result: Result[Record]) -> str:
    return "restored" if result.restored else f"{result.seconds:>6.1f} s"
