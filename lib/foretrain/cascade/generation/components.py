"""What does refitting principal components, with a Gaussian along them for each class, make of images?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.loops.generator import Nulls, complete
from foretrain.collapse.table import Floats, Table

KEPT = 0.99
"""Share of the variance that the components hold."""

MOST = 128
"""Components at most."""


class Components:
    """Classes are drawn by frequency; each class's numbers are drawn from its Gaussian along its own components.

    Numbers stay within the range seen, as pixels do. Without classes there is one Gaussian; other categories are drawn
    with the class from the rows.

    References:
        Turk and Pentland (1991), Eigenfaces for recognition.
    """

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        self.nulls, self.like = Nulls(table), complete(table)
        numbers, target = self.like.numbers, self.like.schema.target
        self.low, self.high = numbers.min(axis=0), numbers.max(axis=0)
        label = np.zeros(len(table), np.int64)
        if target is not None and target.task == "classification":
            label = self.like.codes[:, target.position]
        self.groups = {int(k): np.flatnonzero(label == k) for k in np.unique(label)}
        self.shapes = {k: _gaussian(numbers[rows]) for k, rows in self.groups.items()}
        self.label = label

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        label = self.label[chance.integers(len(self.label), size=rows)]
        numbers = np.empty((rows, self.like.numbers.shape[1]))
        codes = np.empty((rows, self.like.codes.shape[1]), np.int64)
        for k, group in self.groups.items():
            at = np.flatnonzero(label == k)
            centre, axes = self.shapes[k]
            numbers[at] = centre + chance.standard_normal((len(at), len(axes))) @ axes
            codes[at] = self.like.codes[group[chance.integers(len(group), size=len(at))]]
        numbers = np.clip(numbers, self.low, self.high)
        whole = np.asarray(self.like.schema.whole, dtype=bool)
        numbers[:, whole] = np.rint(numbers[:, whole])
        return self.nulls.put_back(self.like.with_columns(numbers, codes), chance)


def _gaussian(numbers: Floats) -> tuple[Floats, Floats]:
    """Mean, (columns,), and components scaled to a deviation each, (components, columns)."""
    centre = numbers.mean(axis=0)
    if len(numbers) < 2 or not numbers.size:
        return centre, np.zeros((0, numbers.shape[1]))
    _, value, axes = np.linalg.svd(numbers - centre, full_matrices=False)
    power = np.cumsum(value**2)
    kept = min(MOST, int((power < KEPT * power[-1]).sum()) + 1)
    return centre, axes[:kept] * (value[:kept, None] / np.sqrt(len(numbers) - 1))
