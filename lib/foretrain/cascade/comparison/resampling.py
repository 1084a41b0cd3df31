"""How far could the mean over the held-out rows be off?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

AT_ONCE = 200
"""Draws whose counts are in memory together."""


@dataclass(frozen=True)
class HeldOut:
    """The held-out rows, in groups that are drawn together.

    Attributes:
        place: (rows,) group of each row, from 0.
        sizes: (groups,) rows of each.
    """

    place: npt.NDArray[np.intp]
    sizes: Floats

    @classmethod
    def of(cls, groups: npt.NDArray[np.int64]) -> Self:
        """Rows with the same number belong together."""
        _, place = np.unique(groups, return_inverse=True)
        return cls(place, np.bincount(place).astype(np.float64))

    def sums(self, values: Floats) -> Floats:
        """(..., rows) to (..., groups)."""
        flat = values.reshape(-1, values.shape[-1])
        summed = [np.bincount(self.place, each, len(self.sizes)) for each in flat]
        return np.asarray(summed, dtype=np.float64).reshape(*values.shape[:-1], -1)

    def variance(self, values: Floats) -> Floats:
        """Of the mean over the rows, the last axis, by how the groups scatter."""
        groups = len(self.sizes)
        rest = self.sums(values - values.mean(-1, keepdims=True)) / self.sizes.sum()
        return np.asarray((rest**2).sum(-1) * groups / max(groups - 1, 1))

    def bootstrap(self, values: Floats, draws: int, chance: np.random.Generator) -> Floats:
        """Means over as many groups, drawn with replacement: (draws, ...) of (..., rows), all from the same draws.

        References:
            Davison and Hinkley (1997), Bootstrap methods and their application, section 3.8 (clusters).
        """
        sums, groups = self.sums(values), len(self.sizes)
        out = []
        for start in range(0, draws, AT_ONCE):
            count = min(AT_ONCE, draws - start)
            drawn = chance.integers(groups, size=(count, groups)) + groups * np.arange(count)[:, None]
            times = np.bincount(drawn.ravel(), minlength=count * groups).reshape(count, groups)
            rows = (times @ self.sizes).reshape(-1, *[1] * (sums.ndim - 1))
            out.append(np.tensordot(times.astype(np.float64), sums, (1, -1)) / rows)
        return np.concatenate(out)
