"""How do stored columns become a table's: nested ones flat, and those that only number the rows left out?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

import pyarrow as pa

from foretrain.errors import DataError

_UNNAMED = re.compile(r"__index_level_\d+__")
"""What pandas calls the columns of an index without a name."""


def flatten(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The same rows with structs as dotted columns ("a.b"), extension types as what they store, views as plain.

    An index of pandas is left out where it has no name.
    """
    index = _unnamed_index(batch.schema)
    if index:
        batch = batch.drop_columns(index)
    if all(_plain(dtype) == dtype for dtype in batch.schema.types):
        return batch
    names, arrays = [], []
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        for leaf, values in _leaves(name, array):
            names.append(leaf)
            arrays.append(values)
    return pa.RecordBatch.from_arrays(arrays, names=names)


def flat_schema(schema: pa.Schema, file: str) -> dict[str, pa.DataType]:
    """Dotted name and type of each flat column, in order.

    Raises:
        DataError: two columns have the same name, before or after flattening.
    """
    empty = flatten(pa.RecordBatch.from_arrays([pa.array([], field.type) for field in schema], schema=schema))
    check_names(empty.schema.names, file)
    return dict(zip(empty.schema.names, empty.schema.types, strict=True))


def check_names(names: Sequence[str], file: str) -> None:
    """Refuse columns that share a name.

    Raises:
        DataError: naming the first that occurs twice.
    """
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        places = [str(at + 1) for at, name in enumerate(names) if name == twice[0]]
        raise DataError(
            f"expected column names to differ, found this one {len(places)} times (columns {', '.join(places)})",
            file=file,
            column=twice[0],
            hint="Rename or drop one",
        )


def _unnamed_index(schema: pa.Schema) -> list[str]:
    """Columns that pandas' metadata lists as its index, and that pandas had to name itself."""
    names = [name for name in schema.names if _UNNAMED.fullmatch(name)]
    if not names:
        return []
    try:
        listed = set(map(str, schema.pandas_metadata["index_columns"]))
    except (KeyError, TypeError, ValueError):  # no such metadata, or damaged
        return []
    return [name for name in names if name in listed]


def _plain(dtype: pa.DataType) -> pa.DataType | None:
    """The type that stands for this one; None if it is to be taken apart."""
    if pa.types.is_struct(dtype) or isinstance(dtype, pa.BaseExtensionType):
        return None
    if pa.types.is_large_string(dtype) or pa.types.is_string_view(dtype):
        return pa.string()
    if pa.types.is_large_binary(dtype) or pa.types.is_binary_view(dtype):
        return pa.binary()
    if pa.types.is_large_list(dtype) or pa.types.is_list_view(dtype) or pa.types.is_large_list_view(dtype):
        return pa.list_(dtype.value_field)
    return dtype


def _leaves(name: str, array: pa.Array) -> Iterator[tuple[str, pa.Array]]:
    if isinstance(array, pa.ExtensionArray):
        yield from _leaves(name, array.storage)
    elif pa.types.is_struct(array.type):
        # flatten() carries the struct's own nulls into its children.
        for field, values in zip(array.type, array.flatten(), strict=True):
            yield from _leaves(f"{name}.{field.name}", values)
    else:
        plain = _plain(array.type)
        yield name, array if plain == array.type else array.cast(plain)
