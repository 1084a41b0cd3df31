"""Is this still the same data?"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from foretrain.data import memory
from foretrain.data.faults import guard, patiently
from foretrain.data.locate import File, locate
from foretrain.data.raw import choose
from foretrain.data.reference import Column

if TYPE_CHECKING:
    from foretrain.settings import Settings

_VALIDATORS = ("ETag", "etag", "md5Hash", "crc32c", "content_md5", "generation", "LastModified", "last_modified",
               "mtime", "updated")  # fmt: skip


def fingerprint(source: Any, settings: Settings) -> str:
    """Identity of a source: SHA-256 that changes when its content does, in hexadecimal.

    Content of local files and tables is hashed (about 1.8 GB/s); of remote objects, size and the store's own
    validator (ETag, checksum or time of change), or the content where the store has none.
    Names and folders do not count, but for the columns that the folders of a partitioned source carry.

    Args:
        source: path, URL or table.
        settings: the settings it will be loaded with.
    """
    if not isinstance(source, (str, os.PathLike)):
        return of_table(memory.as_arrow(source))
    return of_files(choose(locate(source), settings.data)[1])


def of_files(files: Sequence[File]) -> str:
    """SHA-256 over the files' content in order, and the columns that their folders carry."""
    total = hashlib.sha256()
    for file in files:
        total.update(json.dumps([file.size, file.partition, _of_file(file)]).encode())
    return total.hexdigest()


def of_table(table: pa.Table) -> str:
    """SHA-256 over a table's schema and values, whatever its chunks."""
    total = hashlib.sha256(str(table.schema.remove_metadata()).encode())
    for name, column in zip(table.schema.names, table.columns, strict=True):
        sink = _HashSink(total)
        array = column.combine_chunks()
        chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
        schema = pa.schema([(name, column.type)])
        with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), schema) as writer:
            for chunk in chunks:
                writer.write_batch(pa.RecordBatch.from_arrays([chunk], schema=schema))
    return total.hexdigest()


def of_dataset(content: str, columns: tuple[Column, ...]) -> str:
    """A dataset's fingerprint: its source's content, and the schema it was read with."""
    schema = [column.model_dump(mode="json") for column in columns]
    return hashlib.sha256(json.dumps([content, schema], sort_keys=True).encode()).hexdigest()


class _HashSink:
    """A file that only hashes what is written to it."""

    closed = False

    def __init__(self, total: Any) -> None:
        self._total = total

    def write(self, data: Any) -> int:
        self._total.update(data)
        return len(data)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None


def _of_file(file: File) -> str:
    if file.local:
        with guard(file.name):
            stat = Path(file.path).stat()
            return _of_local(file.path, file.name, (stat.st_ino, stat.st_size, stat.st_mtime_ns))
    validators = {key: str(file.info[key]) for key in _VALIDATORS if file.info.get(key)}
    return json.dumps(validators, sort_keys=True) if validators else patiently(_of_remote, file)


@lru_cache(maxsize=256)
def _of_local(path: str, name: str, _state: tuple[int, int, int]) -> str:
    """Hash of a local file; remembered for as long as nobody wrote to it."""
    with guard(name), Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _of_remote(file: File) -> str:
    with guard(file.name), file.fs.open(file.path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
