"""Is a listener told how far a stage is: soon, at least every ten seconds, and at nobody's cost?"""

from __future__ import annotations

import logging
import threading
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretrain import progress
from foretrain.progress import Advance, Pace, advance, heard, regularly

HALF = Advance(0.5, "mlp, step 300", {"rows/s": 51234.0, "device": "cpu", "loss": 0.31234})


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "TICK", 0.01)
    monkeypatch.setattr(progress, "HEARTBEAT", 0.1)


def test_a_word_for_people_and_in_figures() -> None:
    assert str(HALF) == "50% mlp, step 300, rows/s 51,234, device cpu, loss 0.312"
    assert str(Advance(1.0, "compared")) == "100% compared"


def test_nobody_listens_and_nothing_happens() -> None:
    advance(HALF)


def test_the_last_word_is_told_though_it_comes_right_before_the_end() -> None:
    told: list[Advance] = []
    with heard(told.append):
        for step in range(1000):
            advance(Advance(step / 1000, "training"))
    assert told[-1].done == 0.999
    assert len(told) < 1000
    advance(HALF)
    assert told[-1].done == 0.999


def test_a_stage_that_says_nothing_more_is_heard_again_and_again() -> None:
    told: list[tuple[float, Advance]] = []
    with heard(lambda made: told.append((time.monotonic(), made))):
        advance(HALF)
        time.sleep(0.6)
    assert all(made is HALF for _, made in told)
    assert 3 <= len(told) <= 8
    assert min(later[0] - earlier[0] for earlier, later in pairwise(told[:-1])) >= 0.08


def test_a_stage_that_never_speaks_is_not_spoken_for() -> None:
    told: list[Advance] = []
    with heard(told.append):
        time.sleep(0.2)
    assert told == []


def test_a_stage_inside_another_has_its_own_listener() -> None:
    outer: list[Advance] = []
    inner: list[Advance] = []
    with heard(outer.append):
        with heard(inner.append):
            advance(HALF)
        advance(Advance(1.0, "outer"))
    assert (outer, inner) == ([Advance(1.0, "outer")], [HALF])


def test_a_listener_that_fails_ends_nobodys_work(caplog: pytest.LogCaptureFixture) -> None:
    def fails(made: Advance) -> None:
        raise OSError("the server is away")

    with caplog.at_level(logging.WARNING), heard(fails):
        advance(HALF)
    assert "progress could not be told" in caplog.text
    assert "the server is away" in caplog.text


def test_a_listener_that_hangs_holds_up_no_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.1)
    over = threading.Event()
    began = time.monotonic()
    with heard(lambda _: over.wait(30)):
        advance(HALF)
    assert time.monotonic() - began < 5
    over.set()


def test_the_work_may_fail() -> None:
    told: list[Advance] = []
    with pytest.raises(ValueError, match="diverged"), heard(told.append):
        advance(HALF)
        raise ValueError("diverged")
    assert told == [HALF]


def test_regularly_and_once_at_the_end() -> None:
    calls: list[float] = []
    with regularly(lambda: calls.append(time.monotonic()), 0.05):
        time.sleep(0.28)
    assert 2 <= len(calls) <= 7
    before = len(calls)
    time.sleep(0.1)
    assert len(calls) == before


@given(st.lists(st.floats(0.001, 3.0), min_size=1, max_size=200))
def test_a_pace_lets_no_two_through_sooner_and_none_wait_longer(gaps: list[float]) -> None:
    pace, now, through = Pace(5.0), 0.0, []
    for gap in gaps:
        now += gap
        if pace.due(now):
            through.append(now)
    assert through[0] == gaps[0]
    waits = [later - earlier for earlier, later in pairwise(through)]
    assert all(4.9 <= wait <= 5.0 + 3.0 for wait in waits)
    assert now - through[-1] < 5.0
