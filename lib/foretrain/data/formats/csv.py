"""How is CSV and its kin (tabs, semicolons, pipes) read?"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from typing import IO

import pyarrow as pa
import pyarrow.csv as pv

from foretrain.data.access import Access
from foretrain.data.faults import guard
from foretrain.data.words import NULLS
from foretrain.errors import DataError

DELIMITERS = ",;\t|"
_TO_UTF8 = "Convert the file, e.g. with iconv -f LATIN1 -t UTF-8"
_BLOCK = 2**21
"""Bytes parsed at once; the reader fetches up to 32 of them ahead."""
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Csv:
    """Delimited text with one header row. Every value comes as text; kinds are found later, over all rows.

    UTF-8, with or without a byte order mark, or UTF-16 with one. Values that hold line ends must be quoted.
    """

    untyped = True
    sparse = False

    def __init__(self, name: str, suffixes: tuple[str, ...], delimiter: str | None) -> None:
        self.name, self._delimiter = name, delimiter
        self.suffixes: tuple[str, ...] = suffixes

    def recognises(self, head: bytes) -> bool:
        if head.startswith(_UTF16):
            return True
        first = head.lstrip().split(b"\n", 1)[0]
        return b"\0" not in head and any(mark.encode() in first for mark in self._delimiter or DELIMITERS)

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        head, size = file.head(), 2**18
        while len(head) == size and b"\n" not in head.lstrip():  # thousands of columns with long names
            size *= 8
            head = file.head(size)
        with guard(file.name, "CSV"):
            delimiter, names, blank = self._header(head, file.name)
        rows = 0
        with file.stream() as stream:
            try:
                reader = pv.open_csv(
                    _as_utf8(stream, head),
                    read_options=pv.ReadOptions(
                        block_size=_BLOCK, column_names=names, skip_rows=blank, skip_rows_after_names=1
                    ),
                    parse_options=pv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
                    convert_options=pv.ConvertOptions(
                        column_types=dict.fromkeys(names, pa.string()),
                        strings_can_be_null=True,
                        null_values=NULLS,
                        check_utf8=True,
                    ),
                )
                for batch in reader:
                    rows += batch.num_rows
                    yield batch
            except pa.ArrowInvalid as fault:
                self._explain(file, delimiter, len(names), rows, fault)
        if rows == 0:
            yield pa.RecordBatch.from_pylist([], schema=pa.schema([(name, pa.string()) for name in names]))

    def _header(self, head: bytes, name: str) -> tuple[str, list[str], int]:
        """Delimiter, column names, blank lines before the header."""
        decoder = codecs.getincrementaldecoder("utf-16" if head.startswith(_UTF16) else "utf-8-sig")("surrogateescape")
        lines = list(io.StringIO(decoder.decode(head), newline=""))
        blank = next((at for at, line in enumerate(lines) if line.strip()), None)
        if blank is None:
            raise DataError("the file is empty", file=name)
        first = lines[blank]
        delimiter = self._delimiter or max(DELIMITERS, key=lambda mark: len(next(_fields([first], delimiter=mark))))
        names = next(_fields(lines[blank:], delimiter=delimiter))
        for title in names:
            if not _is_text(title):
                raise DataError("the header is not UTF-8", file=name, hint=_TO_UTF8)
        return delimiter, [title if title.strip() else f"unnamed_{at + 1}" for at, title in enumerate(names)], blank

    def _explain(self, file: Access, delimiter: str, width: int, rows: int, fault: Exception) -> None:
        """Find the row that the fast reader stumbled over, and say so."""
        with file.stream() as stream:
            text = io.TextIOWrapper(_as_utf8(stream, file.head()), "utf-8-sig", errors="surrogateescape", newline="")
            reader = _fields(text, delimiter=delimiter)
            filled = (fields for fields in reader if fields)
            names = next(filled)
            for row, fields in enumerate(filled, start=1):
                if len(fields) != width:
                    raise DataError(
                        f"expected {width} columns as in the header, found {len(fields)}",
                        file=file.name,
                        row=row,
                        hint="Quote values that hold the delimiter or a line end",
                    ) from fault
                wrong = next((at for at, value in enumerate(fields) if not _is_text(value)), None)
                if wrong is not None:
                    raise DataError(
                        f"{fields[wrong].encode('utf-8', 'surrogateescape')!r:.60} is not UTF-8",
                        file=file.name,
                        column=names[wrong],
                        row=row,
                        hint=_TO_UTF8,
                    ) from fault
        raise DataError(f"not readable as CSV after row {rows}: {fault}", file=file.name) from fault


def _fields(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(2**31 - 1)
    return csv.reader(lines, delimiter=delimiter)


def _is_text(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def _as_utf8(stream: IO[bytes], head: bytes) -> IO[bytes]:
    if not head.startswith(_UTF16):
        return stream
    return codecs.EncodedFile(stream, "utf-8", "utf-16")


CSV = Csv("csv", (".csv",), None)
TSV = Csv("tsv", (".tsv", ".tab"), "\t")
