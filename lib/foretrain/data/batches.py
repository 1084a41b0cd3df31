"""How does a stage read a dataset's rows?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pyarrow as pa

from foretrain.data.access import access
from foretrain.data.convert import canonical_batches
from foretrain.data.locate import locate
from foretrain.data.raw import choose, parquet
from foretrain.data.reference import DatasetRef
from foretrain.errors import DataError, InternalError

_BATCH_VALUES = 8_000_000


def open_batches(
    ref: DatasetRef, columns: Sequence[str] | None = None, batch_rows: int = 65536, *, encoded: bool = False
) -> Iterator[pa.RecordBatch]:
    """Stream a dataset's rows in file order, in canonical types: flat, no NaN (null instead), zones in UTC.

    Args:
        ref: the dataset.
        columns: names of those wanted, in the order wanted; all when None.
        batch_rows: most rows a batch; fewer where the table is very wide.
        encoded: give categorical and ordinal columns as dictionary<int32, string>, batch by batch, instead of string:
            a third of the time where values are counted.

    Raises:
        DataError: the file is gone, or is not any more what it was when it was loaded.
        StorageError: storage did not answer.
    """
    from foretrain.settings import DataSettings

    by_name = {column.name: column for column in ref.columns}
    unknown = [name for name in columns or () if name not in by_name]
    if unknown:
        raise InternalError(f"no such column: {unknown[0]!r}", file=ref.table)
    wanted = ref.columns if columns is None else tuple(by_name[name] for name in columns)
    limits = DataSettings(format="parquet")
    rows = max(1024, min(batch_rows, _BATCH_VALUES // max(1, sum(column.width for column in wanted))))
    with ExitStack() as stack:
        _, files = choose(locate(ref.table), limits)
        opened = [stack.enter_context(access(file, limits)) for file in files]
        raw = parquet(opened, rows)
        lost = next((column.name for column in wanted if column.name not in raw.types), None)
        if lost is not None or raw.rows != ref.rows:
            raise DataError(
                f"changed since it was loaded: {ref.rows:,} rows then, {raw.rows:,} now"
                if lost is None
                else "changed since it was loaded: this column is gone",
                file=ref.uri,
                column=lost,
                hint="Leave sources alone while they are being validated, then start again",
            )
        yield from canonical_batches(raw, wanted, encoded=encoded)
