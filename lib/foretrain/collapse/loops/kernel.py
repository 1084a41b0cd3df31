"""What does resampling with a little noise (a kernel density estimate) make of a table?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.loops.generator import Nulls, complete
from foretrain.collapse.table import Table


class Kernel:
    """Rows drawn with replacement, numbers moved by Gaussian noise, categories redrawn now and then.

    Args:
        bandwidth: noise as a share of each column's standard deviation; None for Silverman's rule.
        flip: probability that a category is redrawn from its column.
    """

    def __init__(self, bandwidth: float | None = None, flip: float = 0.02) -> None:
        self.bandwidth, self.flip = bandwidth, flip

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        self.nulls, self.rows = Nulls(table), complete(table)
        n, d = self.rows.numbers.shape
        silverman = (4 / (d + 2)) ** (1 / (d + 4)) * max(n, 1) ** (-1 / (d + 4))
        h = silverman if self.bandwidth is None else self.bandwidth
        self.noise = h * self.rows.numbers.std(axis=0)

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        out = self.rows.take(chance.integers(len(self.rows), size=rows))
        numbers = out.numbers + self.noise * chance.standard_normal(out.numbers.shape)
        whole = np.asarray(out.schema.whole, dtype=bool)
        numbers[:, whole] = np.rint(numbers[:, whole])
        other = self.rows.codes[chance.integers(len(self.rows), size=out.codes.shape), np.arange(out.codes.shape[1])]
        codes = np.where(chance.random(out.codes.shape) < self.flip, other, out.codes)
        return self.nulls.put_back(out.with_columns(numbers, codes), chance)
