"""How do rows become what models read, by what the first arm knows alone?

Everything is fitted on the first arm: the original's, or the candidate's where there is no original.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from foretrain.cascade.problem import Problem, Rows
from foretrain.collapse.table import Floats, Ints, Table, Target

QUANTILES = 1000
"""Points of a column's distribution, at most."""

FAR = 6.0
"""Prepared numbers lie within plus and minus this."""

LEVELS = 64
"""Levels of a category that models tell apart; rarer ones are read as unseen."""

LONGEST = 128
"""Bytes of a text that are read: twice as many cost the transformer 3.2 times as much, the FFT-mixing net 1.9 times."""

TYPICAL = 0.95
"""Share of texts that is read whole, where it is not longer than that."""


@dataclass(frozen=True)
class Normal:
    """Numbers brought to a normal shape: mean 0, deviation 1 and normal quantiles on the rows it was fitted on.

    A value that occurs often gets the middle of its ranks. Beyond the values seen, what follows is a straight line from
    the median through the outermost value: wider data stays wider.

    Attributes:
        points: different values, ascending.
        scores: of the points.
        slopes: scores a unit below the first point and above the last.
    """

    points: Floats
    scores: Floats
    slopes: tuple[float, float]

    @staticmethod
    def of(values: Floats) -> Normal:
        """Fitted on the finite ones of these."""
        known = np.sort(values[np.isfinite(values)])
        if not len(known):
            return Normal(np.zeros(1), np.zeros(1), (0.0, 0.0))
        points, first, count = np.unique(known, return_index=True, return_counts=True)
        scores = ndtri((first + count / 2) / len(known))
        mean = float((scores * count).sum() / len(known))
        spread = float(np.sqrt((scores**2 * count).sum() / len(known) - mean**2))
        scores = (scores - mean) / (spread if len(points) > 1 else 1.0)
        if len(points) > QUANTILES:
            kept = np.unique(np.rint(np.linspace(0, len(points) - 1, QUANTILES)).astype(np.intp))
            points, scores = points[kept], scores[kept]
        middle = float(np.median(known))
        unit = float(known.std()) or max(abs(middle), 1.0)
        slopes = tuple(
            abs(score) / abs(point - middle) if abs(point - middle) > 1e-9 * unit else 1.0 / unit
            for point, score in ((points[0], scores[0]), (points[-1], scores[-1]))
        )
        return Normal(points, scores, (slopes[0], slopes[1]))

    def __call__(self, values: Floats) -> Floats:
        """Scores, NaN where the value is."""
        inside = np.interp(values, self.points, self.scores)
        below = np.minimum(values - self.points[0], 0.0) * self.slopes[0]
        above = np.maximum(values - self.points[-1], 0.0) * self.slopes[1]
        return np.asarray(np.clip(inside + below + above, -FAR, FAR), np.float64)


@dataclass(frozen=True)
class Tables:
    """Prepares tables of one schema.

    Attributes:
        normals: of each number column, the target among them.
        levels: of each category among the inputs, at most `LEVELS`.
        target: what is predicted.
    """

    normals: tuple[Normal, ...]
    levels: tuple[int, ...]
    target: Target | None

    @staticmethod
    def of(first: Table) -> Tables:
        """Fitted on the first arm, whose codes are in order of its levels' frequency."""
        levels = tuple(min(len(np.unique(column[column >= 0])), LEVELS) for column in first.codes.T)
        return Tables(tuple(Normal.of(column) for column in first.numbers.T), levels, first.schema.target)

    def rows(self, table: Table) -> Rows:
        """Prepared rows, without masks."""
        shaped = np.column_stack([n(c) for n, c in zip(self.normals, table.numbers.T, strict=True)] or [_none(table)])
        missing = ~np.isfinite(shaped)
        shaped = np.where(missing, 0.0, shaped)
        codes = np.where(table.codes < np.asarray(self.levels, np.int64), table.codes + 1, 0)
        out: dict[str, npt.NDArray[Any]] = {}
        if self.target is not None and self.target.task == "classification":
            out["goal"] = table.codes[:, self.target.position].astype(np.int64)
            codes = np.delete(codes, self.target.position, axis=1)
        elif self.target is not None:
            out["goal"] = shaped[:, self.target.position].astype(np.float32)
            shaped, missing = (np.delete(each, self.target.position, axis=1) for each in (shaped, missing))
        return {
            "numbers": shaped.astype(np.float32),
            "nulls": missing.astype(np.float32),
            "codes": codes.astype(np.int64),
            **out,
        }

    def problem(self, table: Table, name: str | None) -> Problem:
        """What is learned from rows like these."""
        target, levels = self.target, self.levels
        numbers, classes = len(self.normals), 0
        if target is not None and target.task == "classification":
            classes = table.schema.levels[target.position]
            levels = tuple(k for j, k in enumerate(levels) if j != target.position)
        numbers -= target is not None and target.task == "regression"
        goal = target.task if target is not None else "masked columns"
        return Problem("table", goal, name, numbers, levels, classes)


def _none(table: Table) -> Floats:
    return np.empty((len(table), 0))


def width(lengths: Ints) -> int:
    """Bytes of a text that are read, so that most are read whole; at least 1.

    Args:
        lengths: bytes of the first arm's texts.
    """
    return int(np.clip(np.ceil(np.quantile(lengths, TYPICAL)), 1, LONGEST))


def tokens(texts: list[str], t: int) -> Ints:
    """UTF-8 bytes + 1 of each text, cut or filled up with 0 to t, (rows, t)."""
    joined = b"".join(text.encode()[:t].ljust(t, b"\xff") for text in texts)
    # no byte of UTF-8 is 255: it marks what lies beyond the end
    out = np.frombuffer(joined, np.uint8).reshape(len(texts), t).astype(np.int64) + 1
    return np.where(out == 256, 0, out)


@dataclass(frozen=True)
class Scale:
    """Centres and scales pixels, channel by channel.

    Attributes:
        centre: (k,)
        spread: (k,)
    """

    centre: Floats
    spread: Floats

    @staticmethod
    def of(images: Floats) -> Scale:
        """Fitted on (rows, k, h, w) images."""
        spread = images.std(axis=(0, 2, 3))
        return Scale(images.mean(axis=(0, 2, 3)), np.where(spread > 0, spread, 1.0))

    def __call__(self, images: Floats) -> npt.NDArray[np.float32]:
        """Scaled images, within 6 deviations."""
        scaled = (images - self.centre[:, None, None]) / self.spread[:, None, None]
        return np.clip(scaled, -FAR, FAR).astype(np.float32)
