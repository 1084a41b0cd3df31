"""How is a table given from Python (pandas, polars, pyarrow, any Arrow stream) read?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from foretrain.data.flatten import check_names, flat_schema, flatten
from foretrain.data.raw import Raw
from foretrain.errors import DataError

NAME = "memory"
BATCH_ROWS = 65536


def as_arrow(table: Any) -> pa.Table:
    """Any supported table as an Arrow table, without copying where the memory allows.

    Args:
        table: a pandas or polars frame (also lazy), an Arrow table or batch, or anything that exports its rows to
            Arrow. The index of a pandas frame is left out.

    Raises:
        DataError: it is no table, names a column twice, or a column mixes types.
    """
    library = type(table).__module__.partition(".")[0]
    if library == "pandas" and hasattr(table, "columns"):
        return _from_pandas(table)
    if library == "polars" and hasattr(table, "collect"):
        table = table.collect()
    if isinstance(table, pa.RecordBatchReader):
        raise DataError("a stream of batches can be read only once", hint="Give reader.read_all()")
    if isinstance(table, pa.RecordBatch):
        table = pa.Table.from_batches([table])
    if isinstance(table, pa.Table):
        check_names(table.schema.names, NAME)
        return table
    if library == "polars" and hasattr(table, "columns") and hasattr(table, "to_arrow"):
        found = table.to_arrow()
        return found if isinstance(found, pa.Table) else pa.table(found)
    if hasattr(table, "__arrow_c_stream__"):
        found = pa.table(table)
        check_names(found.schema.names, NAME)
        return found
    raise DataError(
        f"expected a path, a URL, or a pandas, polars or pyarrow table, got {type(table).__name__}",
        hint="Read it into one of these first",
    )


def raw(table: pa.Table) -> Raw:
    """The rows of an Arrow table, flat."""

    def batches(columns: Sequence[str], *, encoded: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:  # noqa: ARG001
        for batch in table.select(_roots(table.schema, columns)).to_batches(BATCH_ROWS):
            yield flatten(batch).select(list(columns))

    found = Raw(NAME, False, False, batches)
    found.note(0, flat_schema(table.schema, NAME))
    found.ends.append((table.num_rows, NAME))
    return found


def _roots(schema: pa.Schema, columns: Sequence[str]) -> list[str]:
    """The top-level columns that hold the named flat ones."""
    wanted = {column[:at] for column in columns for at, sign in enumerate(f"{column}.") if sign == "."}
    return [name for name in schema.names if name in wanted]


def _from_pandas(frame: Any) -> pa.Table:
    names = [".".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    check_names(names, NAME)
    arrays = []
    for at, name in enumerate(names):
        series = frame.iloc[:, at]
        try:
            arrays.append(pa.array(series, from_pandas=True))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as fault:
            row, value, first = _odd(series)
            if row is None:
                raise DataError(f"no values that Arrow can hold: {fault}", file=NAME, column=name) from fault
            raise DataError(
                f"mixed types: {type(value).__name__} {str(value)[:40]!r} among {first}",
                file=NAME,
                column=name,
                row=row,
                hint="Store the column with one type",
            ) from fault
    return pa.Table.from_arrays(arrays, names=names)


def _odd(series: Any) -> tuple[int | None, Any, str]:
    """Row (from 1) and value of the first value whose type differs from the first one's, and that type."""
    first: type | None = None
    for row, (value, missing) in enumerate(zip(series, series.isna(), strict=True), start=1):
        if missing:
            continue
        first = first or type(value)
        if type(value) is not first:
            return row, value, first.__name__
    return None, None, ""
