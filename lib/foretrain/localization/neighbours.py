"""What do a row's neighbours in both tables say about it?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.localization.density import Density
from foretrain.localization.features import Feature
from foretrain.localization.scale import Scale
from foretrain.localization.shapley import Shapley

MOST = 4000
"""Rows of a table among which neighbours are looked for."""

MOST_TAUGHT = 2000
"""Rows of the candidate that a nearest-neighbour model learns from."""

JUDGES, QUICK_JUDGES = 200, 50
"""Rows of the original that judge it, and at quick effort."""


@dataclass(frozen=True)
class Neighbours:
    """Rows of both tables, to be searched.

    Attributes:
        weights: of the scale's axes, so that a category counts as much as a number, (axes,).
        inputs: axes that are not the target's, (axes,).
        target: feature that is predicted, None without one.
        classes: whether it is a category.
        density: of the candidate against the original.
        value: of a row to a nearest-neighbour model; None where there is nothing to predict, or nothing to do so by.
    """

    scale: Scale
    weights: Floats
    inputs: np.ndarray
    target: int | None
    classes: bool
    density: Density
    value: Shapley | None

    @staticmethod
    def of(
        scale: Scale,
        candidate: Floats,
        original: Floats,
        features: Sequence[Feature],
        target: int | None,
        chance: np.random.Generator,
        judges: int = JUDGES,
    ) -> Neighbours:
        """Of rows of both tables, each (rows, features).

        Args:
            scale: on which rows are near each other.
            candidate: its rows.
            original: the same.
            features: what the columns hold.
            target: the one to predict.
            chance: draws what is left out.
            judges: how many of the original's rows judge what a row is worth.
        """
        weights = np.array([1.0 / np.sqrt((scale.owners == owner).sum()) for owner in scale.owners])
        inputs = scale.owners != target
        classes = target is not None and features[target].levels is not None
        made, real = (rows[chance.permutation(len(rows))[:MOST]] for rows in (candidate, original))
        places = [scale.place(rows) * weights for rows in (made, real)]
        known = Neighbours(scale, weights, inputs, target, classes, Density.of(*places), None)
        if target is None or not inputs.any() or not (classes or (scale.owners == target).any()):
            return known
        value = Shapley.of(
            places[0][:MOST_TAUGHT, inputs],
            known._answers(made[:MOST_TAUGHT], places[0][:MOST_TAUGHT]),
            places[1][:judges, inputs],
            known._answers(real[:judges], places[1][:judges]),
            classes=classes,
        )
        return Neighbours(scale, weights, inputs, target, classes, known.density, value)

    def read(self, rows: Floats) -> tuple[Floats, Floats]:
        """How much the candidate crowds there, and how little a row is worth, each (rows,), the larger the worse."""
        places = self.scale.place(rows) * self.weights
        crowded = self.density.log_ratio(places)
        if self.value is None:
            return crowded, np.zeros(len(rows))
        return crowded, -self.value(places[:, self.inputs], self._answers(rows, places))

    def _answers(self, rows: Floats, places: Floats) -> Floats:
        """What the target holds: the level's place, or the number on the scale."""
        assert self.target is not None
        if self.classes:
            return np.asarray(rows[:, self.target])
        return np.asarray(places[:, np.flatnonzero(~self.inputs)[0]])
