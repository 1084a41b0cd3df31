"""What does the diversity stage say?"""

from __future__ import annotations

from typing import Literal

from foretrain.record import Record, Share


class Measure(Record):
    """One diversity measure, for one dataset alone or for both."""

    name: str
    """snake_case, e.g. "effective_rank"."""
    title: str
    unit: str
    """ "share", "count", "ratio", "bits", ..."""
    better: Literal["higher", "lower", "near_original"]
    candidate: float
    original: float | None
    """None without an original."""
    fresh: tuple[float, float] | None
    """5th to 95th percentile of the same measure on seeded halves of the original, at the candidate's sample size."""
    columns: tuple[str, ...] = ()
    sentence: str
    """The same for people, with the numbers in it."""


class LostOrInvented(Record):
    """A category or combination that one table has and the other lacks."""

    columns: tuple[str, ...]
    values: tuple[str, ...]
    original: Share
    """Share of the original's rows."""
    candidate: Share
    kind: Literal["lost", "invented"]


class Diversity(Record):
    """The diversity stage's result."""

    statistical: tuple[Measure, ...]
    """Hill numbers, support, hapax, Good-Turing coverage."""
    structural: tuple[Measure, ...]
    """Effective rank, cluster coverage, duplicates, neighbour distances."""
    rare: tuple[Measure, ...]
    rare_values: tuple[LostOrInvented, ...]
    """Largest lost or invented share first; at most 50."""
    semantic: tuple[Measure, ...]
    """Of text columns; empty where there is none."""
    duplicate_rows: Share
    """Share of the candidate's rows that repeat an earlier row exactly, over all rows."""
    copies_of_original: Share | None
    """Share of the candidate's rows that occur exactly in the original, over all rows; None without an original."""
    notes: tuple[str, ...] = ()
    """What was sampled, and what was not measured and why."""
