"""How is Parquet read?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from foretrain.data.access import Access, check_expansion
from foretrain.data.faults import guard

BATCH_ROWS = 65536


class Parquet:
    """Apache Parquet: typed, columnar, any part readable at any time."""

    name = "parquet"
    suffixes: tuple[str, ...] = (".parquet", ".pq", ".parq")
    untyped = False
    sparse = False

    def recognises(self, head: bytes) -> bool:
        return head.startswith((b"PAR1", b"PARE"))

    def read(
        self,
        file: Access,
        columns: Sequence[str] | None = None,
        batch_rows: int = BATCH_ROWS,
        encoded: Sequence[str] = (),
    ) -> Iterator[pa.RecordBatch]:
        """Read rows.

        Args:
            file: the file.
            columns: dotted names of those wanted; all when None.
            batch_rows: most rows a batch.
            encoded: string columns to give dictionary-encoded, which is cheaper where they are stored so.
        """
        with self.open(file, encoded) as parquet, guard(file.name, "Parquet"):
            if parquet.metadata.num_rows == 0:
                yield pa.RecordBatch.from_pylist([], schema=parquet.schema_arrow)
            yield from parquet.iter_batches(
                batch_rows, columns=list(columns) if columns is not None else None, use_threads=True
            )

    @contextmanager
    def open(self, file: Access, encoded: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
        """The file's footer: schema, rows, statistics."""
        with guard(file.name, "Parquet"):
            source = file.seekable()
            with (
                nullcontext() if isinstance(source, Path) else source,
                pq.ParquetFile(source, read_dictionary=list(encoded), pre_buffer=not file.file.local) as parquet,
            ):
                groups = (parquet.metadata.row_group(i) for i in range(parquet.metadata.num_row_groups))
                check_expansion(sum(group.total_byte_size for group in groups), 2**62, file.name, file.limits)
                yield parquet


PARQUET = Parquet()
