"""What does a statistic get to see of one side of a comparison?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foretrain.collapse.space import Space
from foretrain.collapse.table import Floats, Table


@dataclass(frozen=True)
class Side:
    """A sample of one table with its coordinates.

    Attributes:
        table: the rows.
        points: (rows, axes) coordinates of the rows in the comparison's space.
    """

    table: Table
    points: Floats

    @staticmethod
    def of(table: Table, space: Space) -> Side:
        """A table placed in a space."""
        return Side(table, space.place(table))

    def take(self, rows: np.ndarray) -> Side:
        """The given rows."""
        return Side(self.table.take(rows), self.points[rows])

    def __len__(self) -> int:
        return len(self.points)

    @cached_property
    def features(self) -> Floats:
        """(rows, numbers + codes): every column as a number, nulls NaN; what tree models read."""
        codes = np.where(self.table.codes < 0, np.nan, self.table.codes)
        return np.hstack([self.table.numbers, codes])

    @cached_property
    def squares(self) -> Floats:
        """Squared length of each point."""
        return np.asarray(np.einsum("ij,ij->i", self.points, self.points), dtype=np.float64)


def distances(a: Side, b: Side) -> Floats:
    """Euclidean distances, (rows of a, rows of b)."""
    square = a.squares[:, None] + b.squares[None, :] - 2.0 * (a.points @ b.points.T)
    return np.sqrt(np.maximum(square, 0.0, out=square), out=square)
