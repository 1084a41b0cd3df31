"""Does a user see how far a long stage is, on a terminal and in a pipe?"""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.progress import Progress

from foretrain.cli import progress
from foretrain.cli.progress import Lines, Live, Silence
from foretrain.pipeline import BY_NAME, Step
from foretrain.progress import Advance
from foretrain.record import NotRun
from foretrain.runner import Result

STEP = Step(BY_NAME["cascade"])
HALF = Advance(0.5, "training mlp, step 300 of 1200", {"rows/s": 51234.0, "device": "cpu", "seconds left": 12.3})
DONE = Result(NotRun(reason="-"), "key", seconds=24.0, finding="[12% (8 to 17)] is lost")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What time it is."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_on_a_terminal_a_bar_with_figures_until_it_ends() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    with Progress(*progress.columns(), console=console, auto_refresh=False) as display:
        live = Live(display)

        def shown() -> str:
            page = io.StringIO()
            Console(file=page, width=80).print(display.get_renderable())
            return page.getvalue()

        live.waiting("server")
        assert "server" in shown()
        live.started(STEP)
        assert "server" not in shown()
        assert "%" not in shown()
        live.advanced(STEP, HALF)
        lines = shown().splitlines()
        assert " 50% training mlp, step 300 of 1200" in lines[0]
        assert "━" in lines[0]
        assert "rows/s 51,234, device cpu, seconds left 12.3" in " ".join(line.strip() for line in lines[1:])
        assert max(map(len, lines)) <= 80
        live.ended(STEP, DONE)
        assert "24.0 s [12% (8 to 17)] is lost" in shown()
        assert "training mlp" not in shown()
        assert live.done == ["cascade"]
        live.started(STEP)
        live.failed(STEP, ValueError())
        assert "failed" in shown()


def test_elsewhere_a_plain_line_at_most_every_ten_seconds(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = Lines()
    lines.started(STEP)
    for _ in range(21):
        lines.advanced(STEP, HALF)
        clock[0] += 1.0
    lines.ended(STEP, DONE)
    said = capsys.readouterr().err.splitlines()
    assert said[:3] == ["cascade            50% training mlp, step 300 of 1200, " + HALF.figures] * 3
    assert said[3:] == ["cascade              24.0 s  [12% (8 to 17)] is lost"]
    lines.started(STEP)  # of another step the first word passes at once
    lines.advanced(STEP, HALF)
    assert capsys.readouterr().err.count("50%") == 1


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    silence = Silence()
    silence.started(STEP)
    silence.advanced(STEP, HALF)
    silence.ended(STEP, DONE)
    assert capsys.readouterr() == ("", "")
    assert silence.done == ["cascade"]
