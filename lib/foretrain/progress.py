"""How far is the running stage, and who is told?"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

HEARTBEAT = 10.0
"""Seconds after which the last word is said again, when there is no new one."""

TICK = 0.5
"""Seconds that a word may wait."""

PATIENCE = 5.0
"""Seconds that a listener is waited for at the end."""


@dataclass(frozen=True)
class Advance:
    """How far a stage is.

    Attributes:
        done: share of the stage, 0 to 1.
        text: what it does now, for people, a few words.
        fields: the same in figures, by name, e.g. {"rows/s": 51000.0, "device": "cpu", "seconds left": 12.0}.
    """

    done: float
    text: str
    fields: Mapping[str, str | float] = field(default_factory=dict)

    @property
    def figures(self) -> str:
        """The fields in one line."""
        return ", ".join(f"{name} {_short(value)}" for name, value in self.fields.items())

    def __str__(self) -> str:
        return ", ".join(filter(None, (f"{self.done:.0%} {self.text}", self.figures)))


Listener = Callable[[Advance], None]

_last: ContextVar[_Last | None] = ContextVar("last", default=None)


class _Last:
    """The last word said."""

    def __init__(self) -> None:
        self.word: Advance | None = None


def advance(made: Advance) -> None:
    """Say how far the running stage is. Costs nothing: it may be called at every step."""
    if (last := _last.get()) is not None:
        last.word = made


@contextmanager
def heard(listener: Listener) -> Iterator[None]:
    """Hand what `advance` is told inside the block to the listener.

    The listener is called on a thread of its own, so that it can hold up no work: at once for a new word, again after
    `HEARTBEAT` seconds without one, and for the last word before the block ends.
    """
    last = _Last()
    told: Advance | None = None
    again = 0.0

    def tell() -> None:
        nonlocal told, again
        word, now = last.word, time.monotonic()
        if word is not None and (word is not told or now >= again):
            told, again = word, now + HEARTBEAT - TICK
            listener(word)

    token = _last.set(last)
    try:
        with regularly(tell, TICK):
            yield
    finally:
        _last.reset(token)


@contextmanager
def regularly(call: Callable[[], None], seconds: float) -> Iterator[None]:
    """Call this every so many seconds while the block runs, on a thread of its own, and once at its end.

    What goes wrong in it is logged: nobody's work ends because of a progress bar.
    """
    over = threading.Event()

    def run() -> None:
        while True:
            ended = over.wait(seconds)
            try:
                call()
            except Exception:
                log.warning("progress could not be told", exc_info=True)
            if ended:
                return

    thread = threading.Thread(target=copy_context().run, args=(run,), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(PATIENCE)


class Pace:
    """Lets a word through at most every so many seconds, the first at once.

    Args:
        seconds: between two words; a tick is forgiven, so that a heartbeat is never skipped.
    """

    def __init__(self, seconds: float = HEARTBEAT) -> None:
        self._seconds = seconds - TICK
        self._next = -math.inf

    def due(self, now: float) -> bool:
        """Whether a word may pass at this time, seconds of any clock that only goes forward."""
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


def _short(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
