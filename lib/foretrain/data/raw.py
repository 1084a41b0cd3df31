"""What are a source's rows, as its format gives them, readable as often as needed and in bounded memory?"""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from foretrain.data.access import Access, access
from foretrain.data.flatten import check_names, flat_schema, flatten
from foretrain.data.formats import Format, by_content, by_name, by_suffix
from foretrain.data.formats.parquet import BATCH_ROWS, PARQUET
from foretrain.data.locate import File, Source
from foretrain.errors import DataError

if TYPE_CHECKING:
    from foretrain.settings import DataSettings


class Batches(Protocol):
    """Rows in order, only the named columns; again from the start at every call."""

    def __call__(self, columns: Sequence[str], *, encoded: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        """`encoded` names string columns that may come dictionary-encoded, where that is cheaper."""


@dataclass
class Raw:
    """The rows of a source, flat, before their kinds are known."""

    format: str
    untyped: bool
    """Whether all strings are words that may mean numbers, dates or truth values."""
    lasting: bool
    """Whether it is Parquet that can be read where it lies, now and later."""
    batches: Batches
    types: dict[str, list[tuple[int, pa.DataType]]] = field(default_factory=dict)
    """Each column's types as (first row that has it, type), rows counted from 0 over the whole source."""
    ends: list[tuple[int, str]] = field(default_factory=list)
    """(rows up to the end of the file, its name), file by file."""
    first: Sequence[str] = ()
    """Columns of the first file."""
    partitions: frozenset[str] = frozenset()
    """Columns that come from folder names."""

    @property
    def rows(self) -> int:
        return self.ends[-1][0] if self.ends else 0

    def words(self, name: str) -> bool:
        """Whether a column's strings may mean something else."""
        return self.untyped or name in self.partitions

    def place(self, row: int) -> tuple[str, int]:
        """File, and row in it counted from 1, of a row counted from 0 over the whole source."""
        at = min(bisect.bisect_right([end for end, _ in self.ends], row), len(self.ends) - 1)
        return self.ends[at][1], row - (self.ends[at - 1][0] if at else 0) + 1

    def note(self, first_row: int, types: dict[str, pa.DataType]) -> None:
        for name, dtype in types.items():
            seen = self.types.setdefault(name, [])
            if all(dtype != known for _, known in seen):
                seen.append((first_row, dtype))


@contextmanager
def open_raw(form: Format, files: Sequence[File], limits: DataSettings, scratch: Path) -> Iterator[Raw]:
    """Read a source's files, so far that all rows can be read again.

    Args:
        form: the format of all files.
        files: in the order of their rows.
        limits: limits of expansion.
        scratch: local folder for a spool of what cannot be read twice; the caller removes it.
    """
    with ExitStack() as stack:
        if form is PARQUET:
            raw = parquet([stack.enter_context(access(file, limits)) for file in files])
        else:
            raw = spooled(files, form, limits, scratch)
        raw.partitions = frozenset(key for file in files for key, _ in file.partition)
        yield raw


def choose(source: Source, limits: DataSettings) -> tuple[Format, tuple[File, ...]]:
    """The one format of a source, and those of its files that are in it.

    Raises:
        DataError: the files are in several formats, or in none that is known.
    """
    files = source.files
    for file in files:
        if file.info.get("size") == 0:
            raise DataError("the file is empty", file=file.name)
    by_file: dict[File, Format | None] = {file: by_suffix(file) for file in files}
    if limits.format is not None:
        wanted = by_name(limits.format)
        return wanted, tuple(file for file in files if by_file[file] is wanted) or files
    known = {form.name: form for form in by_file.values() if form is not None}
    if not known:
        with access(files[0], limits) as first:
            return by_content(first), files
    if len(known) > 1:
        examples = [next(file.name for file in files if by_file[file] is form) for form in known.values()]
        raise DataError(
            f"expected files of one format, found {', '.join(known)} ({', '.join(examples)})",
            file=source.uri,
            hint="Give a glob, or name the format with --format",
        )
    (form,) = known.values()
    return form, tuple(file for file in files if by_file[file] is form)


def parquet(files: Sequence[Access], batch_rows: int = BATCH_ROWS) -> Raw:
    """Parquet: read in place, as often as needed, a column at a time."""

    def batches(columns: Sequence[str], *, encoded: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:
        for file in files:
            # Of the wanted columns those that lie in the file rather than in the names of its folders.
            outside = {key for key, _ in file.file.partition}
            inside = [name for name in columns if name not in outside]
            for batch in PARQUET.read(file, inside, batch_rows, [name for name in encoded if name not in outside]):
                yield _ordered(_partitioned(flatten(batch), file.file), columns)

    raw = Raw("parquet", False, all(file.ranged and file.compression is None for file in files), batches)
    for file in files:
        with PARQUET.open(file) as opened:
            types = _flat(opened.schema_arrow, file.file)
            _check_drift(raw, list(types), file.name)
            raw.note(raw.rows, types)
            raw.ends.append((raw.rows + opened.metadata.num_rows, file.name))
    return raw


def spooled(files: Sequence[File], form: Format, limits: DataSettings, scratch: Path) -> Raw:
    """Any other format: read once, kept as Arrow streams on local disk, a new one whenever a type changes."""
    segments: list[tuple[Path, pa.Schema]] = []

    def batches(columns: Sequence[str], *, encoded: Sequence[str] = ()) -> Iterator[pa.RecordBatch]:  # noqa: ARG001
        for path, schema in segments:
            fields = [at for name in columns if (at := schema.get_field_index(name)) >= 0]
            options = pa.ipc.IpcReadOptions(included_fields=fields)
            with pa.OSFile(str(path)) as stored, pa.ipc.open_stream(stored, options=options) as reader:
                for batch in reader:
                    yield _ordered(batch, columns)

    raw = Raw(form.name, form.untyped, False, batches)
    with ExitStack() as segment:
        for file in files:
            rows = raw.rows
            names: dict[str, None] = {}
            with access(file, limits) as opened:
                for read in form.read(opened):
                    check_names(read.schema.names, file.name)
                    batch = _partitioned(flatten(read), file)
                    names |= dict.fromkeys(batch.schema.names)
                    if not segments or batch.schema != segments[-1][1]:
                        segment.close()
                        raw.note(rows, _flat(batch.schema, file))
                        path = scratch / f"segment-{len(segments)}.arrow"
                        writer = segment.enter_context(pa.ipc.new_stream(path, batch.schema, options=_SPOOL))
                        segments.append((path, batch.schema))
                    if batch.num_rows:
                        writer.write_batch(batch)
                    rows += batch.num_rows
            if not form.sparse:
                _check_drift(raw, list(names), file.name)
            raw.ends.append((rows, file.name))
    # Null in one part where another part has an object: the object's columns say it all.
    outer = {name[:at] for name in raw.types for at, sign in enumerate(name) if sign == "."}
    for name in outer & raw.types.keys():
        if all(pa.types.is_null(dtype) for _, dtype in raw.types[name]):
            del raw.types[name]
    return raw


_SPOOL = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)


def _flat(schema: pa.Schema, file: File) -> dict[str, pa.DataType]:
    types = flat_schema(schema, file.name)
    return types | {key: pa.string() for key, _ in file.partition}


def _check_drift(raw: Raw, names: Sequence[str], file: str) -> None:
    """All files of a source must have the same columns; their order may differ."""
    if not raw.ends:
        raw.first = names
        return
    missing = [name for name in raw.first if name not in set(names)]
    added = [name for name in names if name not in set(raw.first)]
    if missing or added:
        raise DataError(
            f"expected the columns of {raw.ends[0][1]}"
            + (f", lacks {listed(missing)}" if missing else "")
            + (f", has {listed(added)} besides" if added else ""),
            file=file,
            hint="All files of one dataset must have the same columns",
        )


def listed(names: Sequence[str], most: int = 5) -> str:
    """Names for a message, the first few of many."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more


def _partitioned(batch: pa.RecordBatch, file: File) -> pa.RecordBatch:
    """With the columns of the folder names, which win over equally named ones in the file, as in Spark."""
    for key, value in file.partition:
        words = pa.repeat(pa.scalar(value, pa.string()), batch.num_rows)
        at = batch.schema.get_field_index(key)
        batch = batch.append_column(key, words) if at < 0 else batch.set_column(at, key, words)
    return batch


def _ordered(batch: pa.RecordBatch, columns: Sequence[str]) -> pa.RecordBatch:
    here = set(batch.schema.names)
    return batch.select([name for name in columns if name in here])
