"""What does a fix do to rows that pass by in batches?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from foretrain.collapse.table import Floats
from foretrain.profile.hashing import mix
from foretrain.seeds import number

BLOCK = 32_768
"""New rows that are drawn at once."""

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rows:
    """Rows of the candidate in canonical types.

    Attributes:
        table: their values.
        place: of each in the source, the first row of data being 0, (rows,).
    """

    table: pa.Table
    place: Places

    def __len__(self) -> int:
        return len(self.place)

    def keep(self, these: Flags) -> Self:
        """Those rows."""
        return self if these.all() else replace(self, table=self.table.filter(pa.array(these)), place=self.place[these])

    def put(self, column: str, values: pa.Array) -> Self:
        """The rows with other values in a column."""
        at = self.table.schema.get_field_index(column)
        return replace(self, table=self.table.set_column(at, self.table.schema.field(at), values))

    def chance(self, seed: int, *names: str | int) -> Floats:
        """A number in [0, 1) a row, by its place alone: the same however the rows are cut into batches."""
        salt = np.uint64(number(seed, *names))
        return np.asarray((mix(mix(self.place.astype(np.uint64) + salt) ^ salt) >> np.uint64(11)) * 2.0**-53)


@dataclass(frozen=True)
class Wanted:
    """Rows of the original that are to be added.

    Attributes:
        rows: how many at most, on the whole dataset.
        which: tells the rows that will do; None where all will.
    """

    rows: int
    which: Callable[[pa.Table], Flags] | None = None


@dataclass(frozen=True)
class Edit:
    """A fix that knows all it must: what becomes of the candidate's rows, and what is added.

    Attributes:
        change: takes rows out, or changes their values, batch by batch; None where it does neither.
        real: rows of the original to add.
        made: draws so many new rows (`BLOCK` at most) in place of the candidate's, each time with the next number.
    """

    change: Callable[[Rows], Rows] | None = None
    real: Wanted | None = None
    made: Callable[[int, int], pa.Table] | None = None
