"""On which scale are columns of any shape and unit alike, so that a linear model can read them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from foretrain.collapse.table import Floats
from foretrain.localization.features import Feature

KNOTS = 512
"""Points of a column's distribution kept at most."""

LEVELS = 10
"""Levels of a category that have an axis of their own, the commonest."""


@dataclass(frozen=True)
class Scale:
    """Normal scores of numbers, an axis a level of categories, all centred and of variance one.

    A number beyond the reference's ends goes on linearly, in the reference's standard deviations.

    Attributes:
        owners: which feature each axis is of, (axes,).
        levels: which level it stands for, -1 for a number, (axes,).
        knots: of each number's axis, values and normal scores.
        centre: (axes,).
        spread: (axes,).
    """

    owners: np.ndarray
    levels: np.ndarray
    knots: dict[int, tuple[Floats, Floats, float]]
    centre: Floats
    spread: Floats

    @staticmethod
    def of(rows: Floats, reference: Floats, features: Sequence[Feature]) -> Scale:
        """The scale set by a reference, centred on all rows, (rows, features)."""
        owners: list[int] = []
        levels: list[int] = []
        knots: dict[int, tuple[Floats, Floats, float]] = {}
        for k, feature in enumerate(features):
            if feature.levels is not None:
                axes = min(len(feature.levels), LEVELS)
                owners += [k] * axes
                levels += range(axes)
                continue
            known = np.sort(reference[~np.isnan(reference[:, k]), k])
            if len(known) > 1 and known[0] < known[-1]:
                knots[k] = (*_knots(known), float(known.std()))
                owners.append(k)
                levels.append(-1)
        raw = Scale(np.array(owners, int), np.array(levels, int), knots, np.zeros(len(owners)), np.ones(len(owners)))
        placed = raw.place(rows)
        spread = placed.std(axis=0)
        return Scale(raw.owners, raw.levels, knots, placed.mean(axis=0), np.where(spread > 1e-9, spread, 1.0))

    def place(self, rows: Floats) -> Floats:
        """(rows, axes); a missing number lies at the centre."""
        out = np.empty((len(rows), len(self.owners)))
        for axis, (owner, level) in enumerate(zip(self.owners, self.levels, strict=True)):
            if level >= 0:
                out[:, axis] = rows[:, owner] == level
                continue
            values, scores, unit = self.knots[owner]
            x = rows[:, owner]
            inside = np.interp(x, values, scores)
            out[:, axis] = inside + np.maximum(x - values[-1], 0) / unit - np.maximum(values[0] - x, 0) / unit
        placed = (out - self.centre) / self.spread
        return np.where(np.isnan(placed), 0.0, placed)


def _knots(known: Floats) -> tuple[Floats, Floats]:
    """Values and their normal scores at mid-ranks."""
    n = len(known)
    values = np.unique(known)
    if len(values) > KNOTS:
        values = values[np.linspace(0, len(values) - 1, KNOTS).round().astype(int)]
    rank = (np.searchsorted(known, values, "left") + np.searchsorted(known, values, "right")) / (2 * n)
    return values, ndtri(np.clip(rank, 0.5 / n, 1 - 0.5 / n))
