"""Which rows are the worst, seen batch by batch, in memory that does not grow with the table?"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.profile.hashing import Hashes

KEPT = 100_000
"""Rows kept at most."""

BLAMED = 3
"""Columns named a row at most."""


@dataclass(frozen=True)
class Rows:
    """Scored rows, as arrays of equal length.

    Attributes:
        row: place in the source, from 0.
        confidence: that the row is bad, 0 to 1.
        axes: the same by each axis, (rows, axes).
        mechanism: place of the likeliest one among the mixture's.
        columns: features that carry the evidence, strongest first, -1 where there is none, (rows, `BLAMED`).
        weights: of each, minus the natural logarithm of its probability, same shape.
        values: of each, as the features read it, same shape.
        times: how often the row's content occurs in the candidate.
        other: how often in the original.
        content: hash of the row's content.
    """

    row: np.ndarray
    confidence: Floats
    axes: Floats
    mechanism: np.ndarray
    columns: np.ndarray
    weights: Floats
    values: Floats
    times: np.ndarray
    other: np.ndarray
    content: Hashes

    def __len__(self) -> int:
        return len(self.row)

    def take(self, places: np.ndarray) -> Rows:
        """The rows at these places, in this order."""
        return replace(self, **{each.name: getattr(self, each.name)[places] for each in fields(self)})

    @staticmethod
    def together(parts: list[Rows]) -> Rows:
        """All rows of the parts."""
        return Rows(*(np.concatenate([getattr(part, each.name) for part in parts]) for each in fields(Rows)))

    def surest(self, most: int) -> Rows:
        """So many rows, surest first; equally sure ones in the order of the source."""
        return self.take(np.lexsort((self.row, -self.confidence))[:most])


class Worst:
    """Takes in scored rows and keeps the surest `KEPT`."""

    def __init__(self, most: int = KEPT) -> None:
        self.most = most
        self._parts: list[Rows] = []
        self._held = 0

    def update(self, rows: Rows) -> None:
        """Take in a batch."""
        self._parts.append(rows)
        self._held += len(rows)
        if self._held > 2 * self.most:
            self._parts = [self.rows()]
            self._held = len(self._parts[0])

    def rows(self) -> Rows:
        """The rows kept, surest first."""
        return Rows.together(self._parts).surest(self.most)
