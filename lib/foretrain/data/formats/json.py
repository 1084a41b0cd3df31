"""How are JSON Lines and JSON documents read?"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import IO, Any

import pyarrow as pa
import pyarrow.json as pj

from foretrain.data.access import Access
from foretrain.data.faults import guard
from foretrain.errors import DataError

_CHUNK = 4 * 2**20
_LARGEST = 256 * 2**20
"""Bytes of the largest single object."""
_SPACE = re.compile(r"[\s,]*")


class JsonLines:
    """One JSON object a line; a key that an object lacks is null there."""

    name = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson", ".jsonlines")
    untyped = False
    sparse = True

    def recognises(self, head: bytes) -> bool:
        """Whether the first line is a whole object, and not a table by columns."""
        first = head.removeprefix(codecs.BOM_UTF8).lstrip().split(b"\n", 1)[0]
        return first.startswith(b"{") and _is_object(first) and not _is_columns(head)

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        with file.stream() as stream:
            yield from _parsed(_lines(stream, file.name), file.name)


class Json:
    """A document: an array of objects, streamed; or an object of columns (lists, or pandas' index to value)."""

    name = "json"
    suffixes: tuple[str, ...] = (".json",)
    untyped = False
    sparse = True

    def recognises(self, head: bytes) -> bool:
        return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"[", b"{")

    def read(self, file: Access) -> Iterator[pa.RecordBatch]:
        head = file.head()
        if not head.strip():
            raise DataError("the file is empty", file=file.name)
        size = len(head)
        while head.lstrip().startswith(b"{") and b"\n" not in head and len(head) == size:  # a line of many columns
            size *= 8
            head = file.head(size)
        if JSONL.recognises(head):
            yield from JSONL.read(file)
            return
        with file.stream() as stream:
            if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
                yield from _parsed(_objects(stream, file.name), file.name)
            else:
                yield _columns(stream.read(), file.name)


def _parsed(chunks: Iterator[tuple[int, list[bytes]]], name: str) -> Iterator[pa.RecordBatch]:
    """Objects as batches. Strings that look like times stay strings: kinds are found over all rows, not over a chunk.

    Args:
        chunks: (row of the first, from 1; the objects' texts).
        name: the file's, for errors.
    """
    strings: pa.Schema = pa.schema([])
    empty = True
    for row, texts in chunks:
        block = b"\n".join(texts)
        try:
            block.decode()  # the fast reader does not look
            table = _read(block, strings)
            times = _as_strings(table.schema)
            if times:
                strings = pa.unify_schemas([strings, pa.schema(times)], promote_options="permissive")
                table = _read(block, strings).select(table.schema.names)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, UnicodeDecodeError) as fault:
            raise _explained(texts, row, name, fault) from fault
        empty = False
        yield from table.combine_chunks().to_batches()
    if empty:
        raise DataError("expected at least two rows, found none", file=name)


def _read(block: bytes, strings: pa.Schema) -> pa.Table:
    return pj.read_json(
        pa.BufferReader(block),
        read_options=pj.ReadOptions(use_threads=False, block_size=len(block) + 1),
        parse_options=pj.ParseOptions(
            explicit_schema=strings if len(strings) else None,
            newlines_in_values=True,
            unexpected_field_behavior="infer",
        ),
    )


def _as_strings(fields: Any) -> list[pa.Field]:
    """Of some fields those that hold times, with strings in their place."""
    return [field.with_type(swapped) for field in fields if (swapped := _swapped(field.type)) is not None]


def _swapped(dtype: pa.DataType) -> pa.DataType | None:
    if pa.types.is_timestamp(dtype):
        return pa.string()
    if pa.types.is_struct(dtype):
        inner = _as_strings(dtype)
        return pa.struct(inner) if inner else None
    if pa.types.is_list(dtype):
        item = _swapped(dtype.value_type)
        return pa.list_(item) if item is not None else None
    return None


def _explained(texts: list[bytes], row: int, name: str, fault: Exception) -> DataError:
    """Find the object that the fast reader stumbled over, and say what is wrong with it."""
    for at, text in enumerate(texts, start=row):
        try:
            found = json.loads(text)
        except UnicodeDecodeError as wrong:
            return DataError(f"{text[wrong.start : wrong.end]!r} is not UTF-8", file=name, row=at)
        except ValueError as broken:
            return DataError(f"broken JSON: {broken}", file=name, row=at, hint="Correct or remove this line")
        if not isinstance(found, dict):
            return DataError(f"expected an object of column names and values, found {text[:40]!r}", file=name, row=at)
    changed = re.search(r"Column\(/?(.*?)\) changed from (\w+) to (\w+)(?: in row (\d+))?", str(fault))
    if changed:
        return DataError(
            f"mixed types: {changed[1] and changed[2]} in some rows, {changed[3]} in others",
            file=name,
            column=changed[1].replace("/", "."),
            row=row + int(changed[4] or 0),
            hint="Store the column with one type",
        )
    twice = re.search(r"Column\(/?(.*?)\) was specified twice(?: in row (\d+))?", str(fault))
    if twice:
        return DataError(
            "expected column names to differ, found this one twice",
            file=name,
            column=twice[1].replace("/", "."),
            row=row + int(twice[2] or 0),
        )
    return DataError(f"not readable as JSON: {fault}", file=name, row=row)


def _lines(stream: IO[bytes], name: str) -> Iterator[tuple[int, list[bytes]]]:
    """A stream's lines that are not blank, in chunks, with the line number of each chunk's first."""
    row, rest = 1, b""
    first = True
    while True:
        block = stream.read(_CHUNK)
        if first:
            block, first = block.removeprefix(codecs.BOM_UTF8), False
        whole, rest = rest + block, b""
        if block:
            whole, _, rest = whole.rpartition(b"\n")
        lines = [line for line in whole.split(b"\n") if line.strip()]
        if lines:
            yield row, lines
            row += len(lines)
        if not block:
            return
        if len(rest) > _LARGEST:
            raise DataError(f"a line is longer than {_LARGEST:,} bytes", file=name, row=row)


def _objects(stream: IO[bytes], name: str) -> Iterator[tuple[int, list[bytes]]]:
    """The elements of a top-level array, in chunks, without holding the whole document."""
    decode = codecs.getincrementaldecoder("utf-8-sig")().decode
    scan = json.JSONDecoder().raw_decode
    with guard(name, "JSON"):
        text = decode(stream.read(_CHUNK)).lstrip()[1:]
    at, row, last = 0, 1, False
    while True:
        found: list[bytes] = []
        at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
        while at < len(text) and text[at] != "]":
            try:
                _, end = scan(text, at)
            except ValueError as fault:
                if not last and len(text) - at < _LARGEST:
                    break  # perhaps only cut by the chunk's end
                raise DataError(
                    f"broken JSON: {fault}", file=name, row=row + len(found), hint="It may be cut short"
                ) from fault
            found.append(text[at:end].encode())
            at = _SPACE.match(text, end).end()  # type: ignore[union-attr]
        if found:
            yield row, found
            row += len(found)
        if at < len(text) and text[at] == "]":
            return
        if last:
            raise DataError("broken JSON: the array does not end", file=name, row=row, hint="It may be cut short")
        with guard(name, "JSON"):
            block = stream.read(_CHUNK)
            text, at, last = text[at:] + decode(block, final=not block), 0, not block


def _columns(content: bytes, name: str) -> pa.RecordBatch:
    try:
        found = json.loads(content.removeprefix(codecs.BOM_UTF8))
    except ValueError as fault:
        raise DataError(f"broken JSON: {fault}", file=name, hint="It may be damaged or cut short") from fault
    columns = {key: list(v.values()) if isinstance(v, dict) else v for key, v in found.items()}
    if not columns or not all(isinstance(values, list) for values in columns.values()):
        raise DataError("expected an array of objects, or an object of columns", file=name)
    lengths = {key: len(values) for key, values in columns.items()}
    if len(set(lengths.values())) > 1:
        key = next(key for key, length in lengths.items() if length != next(iter(lengths.values())))
        raise DataError("expected columns of one length", file=name, column=key)
    arrays = []
    for key, values in columns.items():
        try:
            arrays.append(pa.array(values))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as fault:
            raise DataError(f"mixed types: {fault}", file=name, column=key) from fault
    return pa.RecordBatch.from_arrays(arrays, names=list(columns))


def _is_object(text: bytes) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _is_columns(head: bytes) -> bool:
    """Whether a whole first line is an object of columns rather than the first row of many."""
    lines = head.removeprefix(codecs.BOM_UTF8).strip().split(b"\n")
    if len(lines) > 1:
        return False
    found = json.loads(lines[0])
    return bool(found) and all(isinstance(values, (list, dict)) for values in found.values())


JSONL = JsonLines()
JSON = Json()
