"""How are two tables compared at the same number of rows, with what a fresh real sample would show beside it?

A measure is taken on n rows of the candidate and, beside it, on n rows of the original; where it needs a reference,
that is n other rows of the original for both. n is what half of the original, and the candidate, can give. Repeats
of the draw give the band in which a fresh sample of the original lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.special import stdtrit

from foretrain.diversity.record import Measure
from foretrain.profile.sample import COPIES, HASH
from foretrain.seeds import stream

Index = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Better = Literal["higher", "lower", "near_original"]


@dataclass(frozen=True)
class Draw:
    """One repeat: rows of the candidate, as many of the original, and as many others of it."""

    candidate: Index
    half: Index | None
    rest: Index | None


@dataclass(frozen=True)
class Pools:
    """Rows to draw from, each as often as it occurs in its table, and the draws."""

    candidate: pa.Table
    original: pa.Table | None
    draws: tuple[Draw, ...]

    @property
    def taken(self) -> float:
        """Share of the original's pool that a draw takes."""
        return self.rows / max(self.original.num_rows, 1) if self.original is not None else 0.0

    @property
    def rows(self) -> int:
        """Rows a draw."""
        return len(self.draws[0].candidate)

    @classmethod
    def of(
        cls, candidate: pa.Table, original: pa.Table | None, rows: int, repeats: int, seed: int, *names: str
    ) -> Pools:
        """Pools from two samples (see `foretrain.profile.read_sample`).

        Args:
            candidate: its sample.
            original: its sample, or None.
            rows: most rows a draw.
            repeats: draws; one where a draw would take all rows anyway.
            seed: the run's seed.
            names: who draws.
        """
        left = _occurrences(candidate, 2 * rows, stream(seed, "diversity", *names, "candidate"))
        if original is None:
            n = min(rows, left.num_rows)
            repeats = 1 if n == left.num_rows else repeats
        else:
            right = _occurrences(original, 4 * rows, stream(seed, "diversity", *names, "original"))
            n = min(rows, left.num_rows, right.num_rows // 2)
        draws = []
        for repeat in range(repeats):
            rng = stream(seed, "diversity", *names, "draw", repeat)
            mine = np.sort(rng.permutation(left.num_rows)[:n])
            if original is None:
                draws.append(Draw(mine, None, None))
                continue
            theirs = rng.permutation(right.num_rows)
            draws.append(Draw(mine, np.sort(theirs[:n]), np.sort(theirs[n : 2 * n])))
        return cls(left, right if original is not None else None, tuple(draws))


def compared(
    name: str,
    title: str,
    unit: str,
    better: Better,
    candidate: Values,
    original: Values | None,
    taken: float,
    columns: Sequence[str] = (),
    words: Callable[[float], str] | None = None,
) -> Measure | None:
    """A measure from its repeats; None where it came out as no finite number.

    The fresh band is the prediction interval for one further sample of the source, from the spread of the halves
    (Student's t: few repeats make it wider, not narrower).

    Args:
        name: in snake_case.
        title: for people.
        unit: "share", "count", ...
        better: which way is better.
        candidate: its value in each repeat, shape (repeats,).
        original: the same of the original, None without one.
        taken: share of the original's rows that each of its values rests on.
        columns: those that differ most.
        words: how a value reads.
    """
    words = words or plain
    mine = float(candidate.mean())
    if not np.isfinite(candidate).all() or (original is not None and not np.isfinite(original).all()):
        return None
    if original is None:
        return Measure(
            name=name, title=title, unit=unit, better=better, candidate=mine, original=None, fresh=None,
            columns=tuple(columns), sentence=f"{title}: {words(mine)}.",
        )  # fmt: skip
    theirs = float(original.mean())
    fresh = band(original, taken)
    sentence = f"{title}: {words(mine)}, against {words(theirs)} in the original"
    if fresh is not None:
        sentence += f" (a fresh sample: {words(fresh[0])} to {words(fresh[1])})"
    return Measure(
        name=name, title=title, unit=unit, better=better, candidate=mine, original=theirs, fresh=fresh,
        columns=tuple(columns), sentence=f"{sentence}.",
    )  # fmt: skip


def band(halves: Values, taken: float) -> tuple[float, float] | None:
    """5th and 95th percentile of a fresh sample's value, by the values of halves, shape (repeats,); None below two.

    Halves of one table share rows, so that they vary less than fresh samples do: by 1 - taken, the finite population
    correction, taken being the share of the table in each.
    """
    if halves.size < 2:
        return None
    spread = halves.std(ddof=1) * np.sqrt((1.0 + 1.0 / halves.size) / max(1.0 - taken, 0.1))
    reach = float(stdtrit(halves.size - 1, 0.95) * spread)
    low, high = float(halves.mean()) - reach, float(halves.mean()) + reach
    if (halves >= 0).all():
        low = max(low, 0.0)
    return low, high


def plain(value: float) -> str:
    """A number, for people."""
    return f"{value:.3g}"


def percent(value: float) -> str:
    """A share, for people."""
    return f"{100 * value:.3g} %"


def _occurrences(sample: pa.Table, most: int, rng: np.random.Generator) -> pa.Table:
    """Up to so many rows, drawn without replacement from the table whose sample this is."""
    ends = np.cumsum(sample[COPIES].to_numpy())
    total = int(ends[-1]) if ends.size else 0
    taken = np.arange(total) if total <= most else np.sort(rng.choice(total, most, replace=False, shuffle=False))
    rows = np.searchsorted(ends, taken, side="right")
    return sample.drop_columns([HASH, COPIES]).take(pa.array(rows)).combine_chunks()
