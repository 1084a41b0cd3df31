"""In which space do rows have distances?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretrain.collapse.table import Floats, Table

MOST_AXES = 128
"""Wider spaces are projected down to this many axes by a seeded Gaussian projection."""

_FAR = 6.0


@dataclass(frozen=True)
class Space:
    """Real coordinates for rows of mixed columns, fixed by one reference table.

    Numbers are standardised and cut at 6 standard deviations, nulls sit at the centre with a flag of their own, each
    level of a category is an axis scaled so that two different levels are a distance 1 apart.
    """

    centre: Floats
    scale: Floats
    null_axes: np.ndarray
    levels: tuple[int, ...]
    projection: Floats | None

    @staticmethod
    def of(reference: Table, chance: np.random.Generator) -> Space:
        """The space of a reference table."""
        numbers = reference.numbers
        with np.errstate(all="ignore"):
            count = np.maximum((~np.isnan(numbers)).sum(axis=0), 1)
            centre = np.nansum(numbers, axis=0) / count
            scale = np.sqrt(np.nansum((numbers - centre) ** 2, axis=0) / count)
        scale = np.where(scale > 1e-12 * np.abs(centre), scale, 1.0)
        null_axes = np.flatnonzero(np.isnan(numbers).any(axis=0))
        axes = numbers.shape[1] + len(null_axes) + sum(reference.schema.levels)
        projection = None
        if axes > MOST_AXES:
            projection = chance.standard_normal((axes, MOST_AXES)) / np.sqrt(MOST_AXES)
        return Space(centre, scale, null_axes, reference.schema.levels, projection)

    def place(self, table: Table) -> Floats:
        """Coordinates, (rows, axes) float64."""
        missing = np.isnan(table.numbers)
        z = np.clip((table.numbers - self.centre) / self.scale, -_FAR, _FAR)
        dense = np.hstack([np.where(missing, 0.0, z), missing[:, self.null_axes].astype(np.float64)])
        if self.projection is None:
            flags = [_flags(np.eye(k))[column] for column, k in zip(table.codes.T, self.levels, strict=True)]
            return np.hstack([dense, *flags])
        out: Floats = dense @ self.projection[: dense.shape[1]]
        start = dense.shape[1]
        for column, k in zip(table.codes.T, self.levels, strict=True):  # thousands of levels are never laid out
            out += _flags(self.projection[start : start + k])[column]
            start += k
        return out


def _flags(rows: Floats) -> Floats:
    """A row a level, scaled so that two levels lie 1 apart; the last row, zero, is for nulls."""
    return np.asarray(np.vstack([rows, np.zeros((1, rows.shape[1]))]) * np.sqrt(0.5), dtype=np.float64)
