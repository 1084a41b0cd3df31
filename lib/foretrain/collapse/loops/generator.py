"""What is a generator: something fitted on a table that draws new rows like it?"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from foretrain.collapse.table import Floats, Schema, Table


class Generator(Protocol):
    """Fit on a table, then draw as many rows as wanted."""

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        """Learn the table's distribution."""

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        """New rows of the same schema."""


def complete(table: Table) -> Table:
    """The table without nulls: numbers by the column's median, codes by its commonest level.

    The generators here model complete rows; nulls are put back by `Nulls`.
    """
    numbers, codes = table.numbers, table.codes
    if np.isnan(numbers).any():
        numbers = np.where(np.isnan(numbers).all(axis=0), 0.0, numbers)
        middle = np.nanmedian(numbers, axis=0)
        numbers = np.where(np.isnan(numbers), middle, numbers)
    if (codes < 0).any():
        common = [np.bincount(column[column >= 0], minlength=1).argmax() for column in codes.T]
        codes = np.where(codes < 0, np.asarray(common, dtype=np.int64), codes)
    return table.with_columns(numbers, codes)


class Nulls:
    """The share of nulls a column, put back at random into drawn rows."""

    def __init__(self, table: Table) -> None:
        self.numbers = np.isnan(table.numbers).mean(axis=0)
        self.codes = (table.codes < 0).mean(axis=0)

    def put_back(self, table: Table, chance: np.random.Generator) -> Table:
        """The table with nulls."""
        if not self.numbers.any() and not self.codes.any():
            return table
        numbers = np.where(chance.random(table.numbers.shape) < self.numbers, np.nan, table.numbers)
        codes = np.where(chance.random(table.codes.shape) < self.codes, -1, table.codes)
        return table.with_columns(numbers, codes)


class Axes:
    """A table as one real matrix: numbers standardised, a column for each level of each category.

    Drawing back rounds integer columns and takes the largest of a category's columns.
    """

    def __init__(self, table: Table) -> None:
        self.schema: Schema = table.schema
        self.centre = table.numbers.mean(axis=0)
        scale = table.numbers.std(axis=0)
        self.scale = np.where(scale > 0, scale, 1.0)
        self.low, self.high = (
            (table.numbers.min(axis=0), table.numbers.max(axis=0)) if len(table) else (self.centre, self.centre)
        )
        self.ends = np.cumsum((0, *self.schema.levels))

    def forward(self, table: Table) -> Floats:
        """(rows, numbers + levels) float64."""
        flags = [np.eye(k)[column] for column, k in zip(table.codes.T, self.schema.levels, strict=True)]
        return np.hstack([(table.numbers - self.centre) / self.scale, *flags])

    def back(self, matrix: Floats, table: Table, chance: np.random.Generator | None = None) -> Table:
        """Rows from a matrix like `forward`'s; categories by the largest column, or drawn by weight with `chance`."""
        p = len(self.schema.numbers)
        numbers = matrix[:, :p] * self.scale + self.centre
        whole = np.asarray(self.schema.whole, dtype=bool)
        numbers[:, whole] = np.rint(numbers[:, whole])
        codes = np.empty((len(matrix), len(self.schema.codes)), dtype=np.int64)
        for j, (start, end) in enumerate(zip(self.ends[:-1], self.ends[1:], strict=True)):
            block = matrix[:, p + start : p + end]
            if chance is not None:
                weight = np.cumsum(np.clip(block, 1e-9, None), axis=1)
                codes[:, j] = (weight < chance.random((len(block), 1)) * weight[:, -1:]).sum(axis=1)
            else:
                codes[:, j] = block.argmax(axis=1)
        return table.with_columns(numbers, codes)
