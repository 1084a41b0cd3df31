"""How are Excel and OpenDocument sheets read?"""

from __future__ import annotations

import datetime as dt
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa

from foretrain.data.access import Access, check_expansion
from foretrain.data.faults import guard
from foretrain.data.words import NULLS
from foretrain.errors import DataError

_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_BATCH_ROWS = 8192
_NULLS = frozenset(NULLS)


class Excel:
    """The first sheet of a workbook, its first row being the header.

    A cell has a type of its own; a column whose cells differ in type is read as words. Excel knows no integers:
    a column of whole numbers is one.
    """

    name = "excel"
    suffixes: tuple[str, ...] = (".xlsx", ".xls", ".xlsm", ".xlsb", ".ods")
    untyped = True
    sparse = False

    def recognises(self, head: bytes) -> bool:
        return head.startswith((_ZIP, _OLE))

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        import python_calamine as calamine

        path = file.path()
        if file.head(4) == _ZIP:
            with guard(file.name, "Excel"), zipfile.ZipFile(path) as archive:
                parts = archive.infolist()
                if not any(part.filename.startswith(("xl/", "content.xml")) for part in parts):
                    raise DataError(
                        "a zip archive, but no workbook",
                        file=file.name,
                        hint="Unpack it; files packed one by one with gzip, zstd, bz2 or xz are read as they are",
                    )
                unpacked = sum(part.file_size for part in parts)
                check_expansion(unpacked, path.stat().st_size, file.name, file.limits)
        try:
            sheet = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
        except calamine.PasswordError as fault:
            raise DataError(
                "the workbook is encrypted", file=file.name, hint="Save it without a password, or as CSV"
            ) from fault
        except calamine.CalamineError as fault:
            raise DataError(f"not readable as Excel: {fault}", file=file.name, hint="It may be damaged") from fault
        header = next(iter(sheet.iter_rows()), None)
        if header is None:
            raise DataError("the first sheet is empty", file=file.name)
        names = [_title(cell, at) for at, cell in enumerate(header)]
        readers = _readers(islice(sheet.iter_rows(), 1, None), len(names))
        rows = islice(sheet.iter_rows(), 1, None)
        while True:
            block = list(islice(rows, _BATCH_ROWS))
            columns = zip(*block, strict=True) if block else [()] * len(names)
            arrays = [read(column) for read, column in zip(readers, columns, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, names=names)
            if len(block) < _BATCH_ROWS:
                return


def _title(cell: Any, at: int) -> str:
    return _word(cell) or f"unnamed_{at + 1}"


def _readers(rows: Iterator[list[Any]], width: int) -> list[Callable[[Any], pa.Array]]:
    """How to read each column, from the types of all its cells."""
    types: list[set[type]] = [set() for _ in range(width)]
    for row in rows:
        for seen, cell in zip(types, row, strict=True):
            if cell != "":
                seen.add(int if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53 else type(cell))
    return [_reader(seen) for seen in types]


def _reader(types: set[type]) -> Callable[[Any], pa.Array]:
    for known, target, change in _TYPED:
        if types and types <= known:
            return partial(_cells, change, target)
    return partial(_cells, _word, pa.string())


def _cells(change: Callable[[Any], Any], target: pa.DataType, cells: Sequence[Any]) -> pa.Array:
    return pa.array([None if cell == "" else change(cell) for cell in cells], target)


def _moment(cell: dt.date) -> dt.datetime:
    return cell if isinstance(cell, dt.datetime) else dt.datetime.combine(cell, dt.time())


def _span(cell: dt.time | dt.timedelta) -> dt.timedelta:
    if isinstance(cell, dt.timedelta):
        return cell
    return dt.timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)


def _word(cell: Any) -> str | None:
    """A cell as it would stand in a CSV file; None for those that stand for "no value"."""
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    text = cell.isoformat() if isinstance(cell, (dt.date, dt.time)) else str(cell)
    return None if text in _NULLS else text


_TYPED: list[tuple[set[type], pa.DataType, Callable[[Any], Any]]] = [
    ({bool}, pa.bool_(), bool),
    ({int}, pa.int64(), int),
    ({int, float}, pa.float64(), float),
    ({dt.date, dt.datetime}, pa.timestamp("us"), _moment),
    ({dt.timedelta, dt.time}, pa.duration("us"), _span),
]
EXCEL = Excel()
