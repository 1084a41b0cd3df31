"""How far is each value of a row from what the row's other values lead to expect?

A column is predicted from the others: by a ridge regression in closed form, and by boosted trees on what that leaves
(numbers) or with its predictions as further inputs (categories). The loss of a number is its distance from the
prediction on the scale of normal scores; of a category, minus the logarithm of its level's probability.

References:
    Noto, Brodley, Slonim (2012), FRaC: a feature-modeling approach for semi-supervised and unsupervised anomaly
    detection, Data Mining and Knowledge Discovery 25. Here the models learn from both tables, and the losses are read
    against the original's (see `evidence`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from foretrain.collapse.statistics.models import boosted
from foretrain.collapse.table import Floats
from foretrain.localization.features import Feature
from foretrain.localization.scale import Scale

ROUNDS = 20
"""Trees a number, or a category of two classes."""

TARGET_ROUNDS = 60
"""The same of the target at most, where a wrong value does most harm: one in `ROWS_A_ROUND` rows."""

ROWS_A_ROUND = 30

TREES = 80
"""Trees of a category of more classes, one a class and round, at most."""

CLASSES = 9
"""Classes of a category: its commonest levels, and all others."""

RIDGE, RIDGE_OF_AXES = 0.05, 0.3
"""Penalty of the ridge regression on variables of variance one: the first, and the second times axes a row."""

_LEAST = 1e-6


@dataclass(frozen=True)
class Conditional:
    """Predictions of each column from the others.

    Attributes:
        weights: of the ridge regressions, (axes, axes): an axis from those of the other columns.
        trees: by the feature that they predict; None where the ridge regression alone does.
    """

    features: tuple[Feature, ...]
    scale: Scale
    weights: Floats
    trees: dict[int, Any]

    @staticmethod
    def fit(
        rows: Floats,
        reference: Floats,
        features: Sequence[Feature],
        predicted: Sequence[int],
        target: int | None,
        *,
        linear: bool = False,
    ) -> Conditional:
        """Learn from rows of both tables.

        Args:
            rows: (rows, features).
            reference: those of them that are the original's: they set the scale.
            features: what the columns hold.
            predicted: the features to predict.
            target: the one among them that is learned longest.
            linear: whether all but the target are predicted by the ridge regressions alone.
        """
        scale = Scale.of(rows, reference, features)
        placed = scale.place(rows)
        weights = _ridge(placed, scale.owners)
        fitted = Conditional(tuple(features), scale, weights, {})
        told = placed @ weights
        for k in predicted:
            if linear and k != target:
                fitted.trees[k] = None
                continue
            inputs, wanted, classes = fitted._question(k, rows, placed, told)
            if inputs.shape[1] and classes != 1:
                rounds = ROUNDS if classes <= 2 else max(8, TREES // classes)
                if k == target:
                    rounds = max(ROUNDS, min(TARGET_ROUNDS, len(rows) // ROWS_A_ROUND))
                trees = boosted(inputs, wanted, classes, rounds, k)
                if trees.num_trees():  # none where all inputs are constant
                    fitted.trees[k] = trees
        return fitted

    def losses(self, rows: Floats) -> Floats:
        """Of each value, (rows, features), 0 or above; 0 where it is missing or not predicted."""
        placed = self.scale.place(rows)
        linear = placed @ self.weights
        out = np.zeros(rows.shape)
        for k, trees in self.trees.items():
            if trees is None:
                out[:, k] = self._apart(k, rows, placed, linear)
                continue
            inputs, wanted, classes = self._question(k, rows, placed, linear)
            answer = np.asarray(trees.predict(inputs, num_threads=1))
            if classes == 0:
                out[:, k] = np.where(np.isnan(rows[:, k]), 0.0, np.abs(wanted - answer))
                continue
            chance = np.column_stack([1 - answer, answer]) if classes == 2 else answer
            out[:, k] = -np.log(np.maximum(chance[np.arange(len(rows)), wanted.astype(int)], _LEAST))
        return out

    def _apart(self, k: int, rows: Floats, placed: Floats, linear: Floats) -> Floats:
        """Distance of a feature's axes from their linear prediction, (rows,)."""
        own = self.scale.owners == k
        distance = np.sqrt(((placed[:, own] - linear[:, own]) ** 2).sum(axis=1))
        return np.asarray(np.where(np.isnan(rows[:, k]), 0.0, distance))

    def _question(self, k: int, rows: Floats, placed: Floats, linear: Floats) -> tuple[Floats, Floats, int]:
        """What the trees of a feature read, what they must say, and in how many classes (0 for a number)."""
        others = np.delete(rows, k, axis=1)
        own = self.scale.owners == k
        levels = self.features[k].levels
        if levels is None:
            if not own.any():
                return others, np.zeros(len(rows)), 1
            return others, (placed[:, own] - linear[:, own])[:, 0], 0
        classes = min(max(len(levels), 1), CLASSES)
        return np.hstack([others, linear[:, own]]), np.minimum(rows[:, k], classes - 1), classes


def _ridge(placed: Floats, owners: np.ndarray) -> Floats:
    """Each axis from those of the other features: by blocks of the precision matrix, one inversion for all."""
    axes = placed.shape[1]
    if not axes:
        return np.zeros((0, 0))
    second = placed.T @ placed / len(placed)
    second[np.diag_indices(axes)] += RIDGE + RIDGE_OF_AXES * axes / len(placed)
    precision = np.linalg.inv(second)
    weights = np.zeros((axes, axes))
    for owner in np.unique(owners):
        own = np.flatnonzero(owners == owner)
        others = np.flatnonzero(owners != owner)
        if len(others):
            weights[np.ix_(others, own)] = -np.linalg.solve(
                precision[np.ix_(own, own)], precision[np.ix_(own, others)]
            ).T
    return weights
