"""How is HDF5 read, without ever running a pickle that it may hold?"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from foretrain.data.access import Access
from foretrain.data.faults import guard
from foretrain.errors import DataError

if TYPE_CHECKING:
    import h5py

BATCH_ROWS = 65536
_PICKLED = "holds pickled Python objects, which can run code and are never read"

Reader = Callable[[int, int], pa.Array]
"""Rows from, rows to: the values of a column."""


class Hdf5:
    """Datasets of one length in a group (a column each), one compound dataset, or a frame written by pandas.

    Of pandas' two layouts, "table" is read whole, and "fixed" unless it holds strings, which it stores as pickles.
    """

    name = "hdf5"
    suffixes: tuple[str, ...] = (".h5", ".hdf5", ".hdf", ".he5")
    untyped = False
    sparse = False

    def recognises(self, head: bytes) -> bool:
        return head.startswith(b"\x89HDF\r\n\x1a\n")

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        import h5py

        with guard(file.name, "HDF5"), h5py.File(file.path(), "r") as stored:
            columns, rows = _columns(stored, file.name)
            for start in range(0, max(rows, 1), BATCH_ROWS):
                end = min(start + BATCH_ROWS, rows)
                yield pa.RecordBatch.from_arrays([read(start, end) for read in columns.values()], names=list(columns))


def _columns(root: h5py.Group, name: str) -> tuple[dict[str, Reader], int]:
    import h5py

    group = root
    while True:
        kind = _text(group.attrs.get("pandas_type", ""))
        if kind == "frame_table":
            return _pandas_table(group)
        if kind == "frame":
            return _pandas_fixed(group, name)
        datasets = {key: item for key, item in group.items() if isinstance(item, h5py.Dataset)}
        groups = [item for item in group.values() if isinstance(item, h5py.Group)]
        if datasets:
            break
        if len(groups) != 1:
            raise DataError(
                f"expected one table, found {len(groups)} groups ({', '.join(map(str, group))})",
                file=name,
                hint="Keep one table a file",
            )
        group = groups[0]
    if len(datasets) == 1 and (only := next(iter(datasets.values()))).dtype.names:
        return {field: _field(only, field) for field in only.dtype.names}, len(only)
    lengths = {key: item.shape[0] if item.shape else 0 for key, item in datasets.items()}
    odd = next((key for key in lengths if lengths[key] != next(iter(lengths.values()))), None)
    if odd is not None or any(item.ndim > 2 or item.ndim == 0 for item in datasets.values()):
        raise DataError("expected datasets of one length, one or two-dimensional", file=name, column=odd)
    return {key: _dataset(item) for key, item in datasets.items()}, next(iter(lengths.values()))


def _dataset(item: h5py.Dataset) -> Reader:
    boolean = _is_bits(item.id.get_type())
    return lambda start, end: _array(item[start:end], boolean)


def _field(item: h5py.Dataset, field: str) -> Reader:
    kind = item.id.get_type()
    boolean = _is_bits(kind.get_member_type(kind.get_member_index(field.encode())))
    return lambda start, end: _array(item.fields(field)[start:end], boolean)


def _pandas_table(group: h5py.Group) -> tuple[dict[str, Reader], int]:
    table = group["table"]
    attrs = table.attrs
    missing = _text(group.attrs.get("nan_rep", "nan"))
    found: dict[str, Reader] = {}
    for field in table.dtype.names:
        if f"{field}_kind" not in attrs or field == "index":
            continue
        codes = f"meta/{field}/meta/table"
        levels = _array(group[codes]["values"], False) if codes in group else None
        for at, column in enumerate(_strings(attrs[f"{field}_kind"])):
            found[column] = _block(table, field, at, _text(attrs[f"{field}_dtype"]), missing, levels)
    order = _strings(group.attrs["non_index_axes"])
    return {name: found[name] for name in order if name in found}, len(table)


def _block(table: h5py.Dataset, field: str, at: int, dtype: str, missing: str, levels: pa.Array | None) -> Reader:
    def read(start: int, end: int) -> pa.Array:
        values = table.fields(field)[start:end]
        values = values[:, at] if values.ndim == 2 else values
        if levels is not None:
            codes = pa.array(values, mask=values < 0)
            return pa.DictionaryArray.from_arrays(codes, levels)
        array = _array(_timed(values, dtype), dtype == "bool")
        if pa.types.is_string(array.type):
            kept = [None if value == missing else value for value in array.to_pylist()]
            return pa.array(kept, pa.string())
        return array

    return read


def _pandas_fixed(group: h5py.Group, name: str) -> tuple[dict[str, Reader], int]:
    found: dict[str, Reader] = {}
    for block in range(int(group.attrs["nblocks"])):
        values = group[f"block{block}_values"]
        if "PSEUDOATOM" in values.attrs:
            raise DataError(_PICKLED, file=name, hint="Write it with to_hdf(..., format='table')")
        dtype = _text(values.attrs.get("value_type", ""))
        for at, column in enumerate(group[f"block{block}_items"][:]):
            found[_text(column)] = _fixed(values, at, dtype)
    order = [_text(column) for column in group["axis0"][:]]
    return {column: found[column] for column in order if column in found}, len(group["axis1"])


def _fixed(values: h5py.Dataset, at: int, dtype: str) -> Reader:
    boolean = _is_bits(values.id.get_type())
    return lambda start, end: _array(_timed(values[start:end, at], dtype), boolean)


def _timed(values: np.ndarray, dtype: str) -> np.ndarray:
    """Integers that stand for times, as such; pandas' NaT becomes null on its way to Arrow."""
    if dtype.startswith(("datetime64", "timedelta64")):
        return values.view(dtype if "[" in dtype else f"{dtype}[ns]")
    return values


def _array(values: Any, boolean: bool) -> pa.Array:
    values = np.asarray(values)
    if boolean:
        return pa.array(values.astype(bool))
    if values.dtype.kind == "S":
        return pa.array([value.decode() for value in values.tolist()], pa.string())
    if values.dtype.kind == "O":
        return pa.array([_text(value) if isinstance(value, (str, bytes)) else value for value in values.tolist()])
    if values.ndim == 2:  # (rows, width)
        return pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(values).reshape(-1)), values.shape[1])
    return pa.array(values.astype(values.dtype.newbyteorder("=")))


def _is_bits(kind: Any) -> bool:
    """Whether an HDF5 type is one of those that stand for truth values."""
    import h5py

    if isinstance(kind, h5py.h5t.TypeArrayID):
        kind = kind.get_super()
    return bool(kind.get_class() == h5py.h5t.BITFIELD or kind.dtype == np.bool_)


def _strings(pickled: bytes) -> list[str]:
    """The strings in a pickled list of column names, read off its opcodes; nothing is run."""
    names = [arg for op, arg, _ in pickletools.genops(bytes(pickled)) if "UNICODE" in op.name or "STRING" in op.name]
    return [_text(name) for name in names]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


HDF5 = Hdf5()
