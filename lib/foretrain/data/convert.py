"""How do raw rows become canonical ones, a batch at a time, and a canonical Parquet file?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from foretrain.data.canonical import (
    STRINGS,
    Family,
    Misfit,
    canonical,
    canonical_schema,
    canonical_type,
    family,
)
from foretrain.data.faults import guard
from foretrain.data.raw import Raw
from foretrain.data.reference import Column, DatasetRef, Kind
from foretrain.errors import DataError

_ENCODED = pa.dictionary(pa.int32(), pa.string())
_FRACTIONAL = ("double", "float", "halffloat", "decimal")
_GROUP_ROWS = 131072
_GROUP_BYTES = 64 * 2**20


def canonical_batches(
    raw: Raw, columns: tuple[Column, ...], original: DatasetRef | None = None, encoded: bool = False
) -> Iterator[pa.RecordBatch]:
    """A source's rows in canonical types, in the order of `columns`.

    Args:
        raw: the source's rows.
        columns: what to make of them; a column that a part of the source lacks is null there.
        original: the dataset whose kinds these are, when they were imposed.
        encoded: whether categorical and ordinal columns come as dictionary<int32, string>.

    Raises:
        DataError: a value is not of its column's kind, with file, column and row.
    """
    repeated = {column.name for column in columns if encoded and column.kind in (Kind.CATEGORICAL, Kind.ORDINAL)}
    strings = [name for name in repeated if all(family(dtype) is Family.STRING for _, dtype in raw.types.get(name, ()))]
    schema = pa.schema(
        [(column.name, _ENCODED if column.name in repeated else canonical_type(column)) for column in columns]
    )
    fractional = {c.name for c in original.columns if c.source_type.startswith(_FRACTIONAL)} if original else set()
    row = 0
    for batch in raw.batches([column.name for column in columns], encoded=strings):
        arrays = []
        for column in columns:
            try:
                whole = original is not None and column.name not in fractional
                arrays.append(_array(batch, column, whole, column.name in repeated))
            except Misfit as misfit:
                file, place = raw.place(row + misfit.at)
                said = f"kinds differ: {column.kind} in the original" if original else f"expected kind {column.kind}"
                raise DataError(
                    f"{said}, found {str(misfit.value)[:60]!r}",
                    file=file,
                    column=column.name,
                    row=place,
                    hint=f"Correct it, or name a kind that fits with data.kinds.{column.name}",
                ) from None
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
        row += batch.num_rows


def write(raw: Raw, columns: tuple[Column, ...], path: Path, original: DatasetRef | None = None) -> None:
    """Write a source as one canonical Parquet file: whole under its final name, or not at all."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    schema = canonical_schema(columns)
    repeated = [column.name for column in columns if column.kind in (Kind.CATEGORICAL, Kind.ORDINAL)]
    try:
        with guard(str(path)), pq.ParquetWriter(unfinished, schema, use_dictionary=repeated) as writer:
            for group in _groups(canonical_batches(raw, columns, original)):
                writer.write_table(pa.Table.from_batches(group, schema), row_group_size=_GROUP_ROWS)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _array(batch: pa.RecordBatch, column: Column, whole: bool, encoded: bool) -> pa.Array:
    at = batch.schema.get_field_index(column.name)
    if at < 0:
        return pa.nulls(batch.num_rows, _ENCODED if encoded else canonical_type(column))
    array = batch.column(at)
    if encoded:
        return array if array.type == _ENCODED else _array(batch, column, whole, False).dictionary_encode()
    if whole and column.kind in STRINGS and family(array.type) is Family.NUMERIC:
        # Labels that a missing value turned into floats; a fraction shows that they are none.
        array = canonical(array, column.model_copy(update={"kind": Kind.INTEGER}))
    return canonical(array, column)


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches gathered into row groups of a size that reads well and fits in memory."""
    group: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in batches:
        group.append(batch)
        rows, size = rows + batch.num_rows, size + batch.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield group
            group, rows, size = [], 0, 0
    if group:
        yield group
