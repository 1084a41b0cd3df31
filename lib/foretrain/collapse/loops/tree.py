"""What does refitting a tree a column (sequential CART synthesis) make of a table?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.collapse.loops.generator import Nulls, complete
from foretrain.collapse.table import Floats, Table

TRIED = 12
"""Columns tried at each split."""

MOST_TRIED = 48
"""The same of the target's tree in a wide table."""

READ = 16
"""Columns that each tree reads in a wide table."""


class Trees:
    """Each column is drawn from the leaf, of a tree on the columns before it, that the new row falls into.

    Args:
        leaf: rows a leaf at least.
        quick: for wide tables, several times faster: split at random places instead of the best, and read of the
            columns before only those that correlate most. The target is drawn last, with neither shortcut.

    References:
        Reiter (2005), Using CART to generate partially synthetic public use microdata.
        Geurts, Ernst, Wehenkel (2006), Extremely randomized trees.
    """

    def __init__(self, leaf: int = 5, quick: bool = False) -> None:
        self.leaf, self.quick = leaf, quick

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        self.nulls, full = Nulls(table), complete(table)
        self.like = full
        p, q = full.numbers.shape[1], full.codes.shape[1]
        self.order = chance.permutation(p + q)
        goal = full.schema.target
        if self.quick and goal is not None:
            last = goal.position + (p if goal.task == "classification" else 0)
            self.order = np.append(self.order[self.order != last], last)
        columns = np.hstack([full.numbers, full.codes.astype(np.float64)])
        self.read = self._read(columns)
        self.steps: list[tuple[Any, Leaves]] = []
        for place, j in enumerate(self.order):
            if place == 0:
                self.steps.append((None, Leaves.of(np.zeros(len(columns), np.intp), columns[:, j])))
                continue
            short = len(self.read[place]) < place
            kind = DecisionTreeRegressor if j < p else DecisionTreeClassifier
            tree = kind(
                splitter="random" if short else "best",
                min_samples_leaf=self.leaf,
                max_features=min(place, MOST_TRIED if self.quick and not short else TRIED),
                random_state=int(chance.integers(2**31)),
            )
            inputs = columns[:, self.read[place]].astype(np.float32)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # nearly as many levels as rows are levels all the same
                tree.fit(inputs, columns[:, j])
            self.steps.append((tree, Leaves.of(tree.apply(inputs), columns[:, j])))

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        out = np.empty((rows, len(self.order)))
        for place, (j, (tree, leaves)) in enumerate(zip(self.order, self.steps, strict=True)):
            if tree is None:
                out[:, j] = chance.choice(leaves.values, rows)
                continue
            leaf = tree.apply(out[:, self.read[place]].astype(np.float32))
            by_leaf = np.argsort(leaf, kind="stable")
            out[by_leaf, j] = leaves.draw(leaf[by_leaf], chance)
        p = self.like.numbers.shape[1]
        made = self.like.with_columns(out[:, :p], out[:, p:].astype(np.int64))
        return self.nulls.put_back(made, chance)

    def _read(self, columns: Floats) -> list[npt.NDArray[np.intp]]:
        """The columns that each tree reads, by the place of its own column in the order."""
        before = [np.asarray(self.order[:place], np.intp) for place in range(len(self.order))]
        if not self.quick:
            return before
        with np.errstate(all="ignore"):
            ties = np.nan_to_num(np.abs(np.atleast_2d(np.corrcoef(columns, rowvar=False))))
        whole = len(before) - (self.like.schema.target is not None)
        nearest = [
            others[np.argsort(-ties[j, others], kind="stable")[:READ]]
            for j, others in zip(self.order[:whole], before, strict=False)
        ]
        return nearest + before[whole:]


@dataclass(frozen=True)
class Leaves:
    """The values in each leaf of a tree.

    Attributes:
        values: (rows,) leaf by leaf.
        start: (nodes,) where a leaf's values begin.
        size: (nodes,) how many there are.
    """

    values: Floats
    start: npt.NDArray[np.intp]
    size: npt.NDArray[np.intp]

    @staticmethod
    def of(leaf: npt.NDArray[np.intp], values: Floats) -> Leaves:
        """Values by the leaf each fell into."""
        size = np.bincount(leaf)
        return Leaves(values[np.argsort(leaf, kind="stable")], np.cumsum(size) - size, size)

    def draw(self, leaf: npt.NDArray[np.intp], chance: np.random.Generator) -> Floats:
        """One value of each of these leaves."""
        return np.asarray(self.values[self.start[leaf] + chance.integers(self.size[leaf])], np.float64)
