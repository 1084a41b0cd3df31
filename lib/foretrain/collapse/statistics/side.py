"""What does a statistic get to see of one side of a comparison?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foretrain.collapse.space import Space
from foretrain.collapse.statistics.summary import Columns
from foretrain.collapse.table import Floats, Table

LIVE = 1e-9
"""Variance above which an axis is taken to vary."""

_BLOCK = 64
"""Rows whose distances are made at a time, so that they stay in the processor's cache."""


@dataclass(frozen=True)
class Side:
    """A sample of one table with its coordinates, and what is known of it alone, which is found once.

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
    def columns(self) -> Columns:
        """The number columns."""
        return Columns.of(self.table.numbers)

    @cached_property
    def covariance(self) -> Floats:
        """Of the axes, (axes, axes)."""
        centred = self.points - self.points.mean(axis=0)
        return np.asarray(centred.T @ centred / max(len(self.points) - 1, 1), dtype=np.float64)

    @cached_property
    def principal(self) -> tuple[Floats, Floats]:
        """Variances along the principal axes of the axes that vary, in their deviations, and those axes; ascending."""
        live = np.diag(self.covariance) > LIVE
        scale = np.sqrt(np.diag(self.covariance)[live])
        value, axes = np.linalg.eigh(self.covariance[np.ix_(live, live)] / np.outer(scale, scale))
        return np.asarray(value, dtype=np.float64), np.asarray(axes, dtype=np.float64)

    @cached_property
    def squares(self) -> Floats:
        """Squared length of each point."""
        return np.asarray(np.einsum("ij,ij->i", self.points, self.points), dtype=np.float64)


def distances(a: Side, b: Side) -> Floats:
    """Euclidean distances, (rows of a, rows of b)."""
    found: Floats = a.points @ b.points.T
    for start in range(0, len(found), _BLOCK):
        part = found[start : start + _BLOCK]
        part *= 2.0
        np.subtract(a.squares[start : start + _BLOCK, None] + b.squares, part, out=part)
        np.sqrt(np.maximum(part, 0.0, out=part), out=part)
    return found
