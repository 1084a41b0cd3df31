"""What does refitting a Gaussian copula with empirical marginals make of a table?"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from foretrain.collapse.loops.generator import Nulls, complete
from foretrain.collapse.table import Floats, Table


class Copula:
    """Normal scores of every column, one correlation matrix, quantiles of the fitted rows back.

    Args:
        interpolate: draw between the fitted values rather than only the values themselves.
    """

    def __init__(self, interpolate: bool = True) -> None:
        self.interpolate = interpolate

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        self.nulls, full = Nulls(table), complete(table)
        self.like = full
        columns: Floats = np.hstack([full.numbers, full.codes.astype(np.float64)])
        n = max(len(columns), 1)
        ties: Floats = np.asarray(chance.random(columns.shape))
        ranks = np.empty_like(columns)
        for j in range(columns.shape[1]):
            ranks[np.lexsort((ties[:, j], columns[:, j])), j] = np.arange(len(columns))
        score = ndtri((ranks + 0.5) / n)
        spread = np.atleast_2d(np.corrcoef(score, rowvar=False)) if n > 2 else np.eye(columns.shape[1])
        value, vector = np.linalg.eigh(np.nan_to_num(spread))
        self.root = vector * np.sqrt(np.clip(value, 0, None))
        self.sorted: Floats = np.sort(columns, axis=0)

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        level = ndtr(chance.standard_normal((rows, len(self.root))) @ self.root.T)
        n, p = len(self.sorted), self.like.numbers.shape[1]
        out = np.take_along_axis(self.sorted, np.clip((level * n).astype(np.intp), 0, n - 1), axis=0)
        if self.interpolate:
            place = np.clip(level[:, :p] * n - 0.5, 0, n - 1)
            low = np.floor(place).astype(np.intp)
            high = np.minimum(low + 1, n - 1)
            below, above = (np.take_along_axis(self.sorted[:, :p], at, axis=0) for at in (low, high))
            numbers = below + (place - low) * (above - below)
            whole = np.asarray(self.like.schema.whole, dtype=bool)
            numbers[:, whole] = out[:, :p][:, whole]
            out[:, :p] = numbers
        made = self.like.with_columns(out[:, :p], out[:, p:].astype(np.int64))
        return self.nulls.put_back(made, chance)
