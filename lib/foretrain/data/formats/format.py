"""What must a format be able to do?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import pyarrow as pa

from foretrain.data.access import Access


class Format(Protocol):
    """One way to store a table in a file. Formats are stateless: everything is in the arguments."""

    name: str
    suffixes: tuple[str, ...]
    """Extensions that mean this format, the usual one first."""
    untyped: bool
    """Whether it knows text only, so that numbers, dates and truth values are to be found in the words."""
    sparse: bool
    """Whether a column that a file or part of it does not name is null there, rather than missing."""

    def recognises(self, head: bytes) -> bool:
        """Whether a file that starts so is of this format."""

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        """The file's rows in order, in batches of bounded size; at least one batch, if without rows.

        Raises:
            DataError: the file is not what the format says, with the row where known.
        """
