"""What does a user see while stages run?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from foretrain import runner
from foretrain.pipeline import Step
from foretrain.progress import Advance, Pace
from foretrain.record import Record
from foretrain.runner import Result


class Lines:
    """Plain lines for logs and pipes, when a step ends and every ten seconds of a long one. Remembers what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def waiting(self, what: str) -> None:
        """Say what is waited for until the first step."""

    def started(self, step: Step) -> None:
        self._pace = Pace()

    def advanced(self, step: Step, made: Advance) -> None:
        if self._pace.due(time.monotonic()):
            print(f"{step!s:<18} {made}", file=sys.stderr, flush=True)

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.done.append(str(step))
        print(f"{step!s:<18} {_time(result)}  {result.finding}", file=sys.stderr, flush=True)

    def failed(self, step: Step, error: BaseException) -> None:
        pass


class Silence(Lines):
    """Nothing; remembers what was done."""

    def advanced(self, step: Step, made: Advance) -> None:
        pass

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.done.append(str(step))


class _Seconds(ProgressColumn):
    """Time so far of what runs, time taken of what ran."""

    def render(self, task: Task) -> Text:
        return Text(task.fields["time"] or f"{task.elapsed or 0.0:>6.1f} s", style="cyan")


class _Finding(ProgressColumn):
    """How far it is while it runs, a bar above the figures; then what was found."""

    def render(self, task: Task) -> RenderableType:
        made: Advance | None = task.fields["made"]
        if made is None or task.finished:
            return Text.assemble(task.fields["finding"])
        head = Table.grid(padding=(0, 1))
        text = Text(made.text, no_wrap=True, overflow="ellipsis")
        head.add_row(ProgressBar(1.0, made.done, width=12), f"{made.done:>4.0%}", text)
        return Group(head, Text(made.figures, style="dim"))


class Live(Lines):
    """Steps appear as they start, with a clock, how far they are, and what was found when they end."""

    def __init__(self, display: Progress) -> None:
        super().__init__()
        self._display = display
        self._running: dict[Step, TaskID] = {}
        self._waiting: TaskID | None = None

    def waiting(self, what: str) -> None:
        self._waiting = self._display.add_task(what, total=None, finding="", time="", made=None)

    def started(self, step: Step) -> None:
        if self._waiting is not None:
            self._display.remove_task(self._waiting)
            self._waiting = None
        if step in self._running:  # tried again
            self._display.remove_task(self._running[step])
        self._running[step] = self._display.add_task(str(step), total=1, finding="", time="", made=None)

    def advanced(self, step: Step, made: Advance) -> None:
        self._display.update(self._running[step], made=made)

    def ended(self, step: Step, result: Result[Record]) -> None:
        self.done.append(str(step))
        self._display.update(self._running[step], completed=1, finding=result.finding, time=_time(result))

    def failed(self, step: Step, error: BaseException) -> None:
        self._display.update(self._running[step], completed=1, finding=("failed", "red"))


def columns() -> tuple[ProgressColumn, ...]:
    """What `Live` fills."""
    return SpinnerColumn(finished_text="✓"), TextColumn("{task.description:<18}"), _Seconds(), _Finding()


@contextmanager
def shown(*, quiet: bool) -> Iterator[Lines]:
    """Show the steps run inside the block: live on a terminal, as plain lines elsewhere, not at all when quiet."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        lines = Silence() if quiet else Lines()
        with runner.told(lines):
            yield lines
        return
    with Progress(*columns(), console=console) as display:
        live = Live(display)
        with runner.told(live):
            yield live


def _time(result: Result[Record]) -> str:
    return "restored" if result.restored else f"{result.seconds:>6.1f} s"
