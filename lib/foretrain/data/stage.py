"""How does a source become a dataset by reference?"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from foretrain.data import convert, memory
from foretrain.data.canonical import in_place
from foretrain.data.compare import impose
from foretrain.data.identity import of_dataset, of_files, of_table
from foretrain.data.kinds import columns as find_columns
from foretrain.data.locate import Source, locate
from foretrain.data.raw import Raw, choose, open_raw
from foretrain.data.reference import Column, DatasetRef
from foretrain.errors import DataError

if TYPE_CHECKING:
    from foretrain.settings import Settings

TABLE = "table.parquet"


class Folder(Protocol):
    """Where to write now, and where that will be found later."""

    def path(self, name: str) -> Path: ...

    def url(self, name: str) -> str: ...


def load(
    source: Any, settings: Settings, folder: Folder, *, like: DatasetRef | None = None, name: str | None = None
) -> DatasetRef:
    """Read a source's schema and kinds, and make it streamable: in place, or as canonical Parquet in `folder`.

    Args:
        source: path, glob, folder or URL; or a pandas, polars or pyarrow table.
        settings: format, kinds and limits in `settings.data`; target and time column.
        folder: where a canonical copy goes if one is needed.
        like: the original, whose columns and kinds a candidate must have.
        name: for people; the file's or folder's stem when not given.

    Raises:
        DataError: the source is not a table of at least two rows and a column, or not like the original.
        StorageError: storage did not answer.
    """
    if isinstance(source, (str, os.PathLike)):
        where = locate(source)
        form, files = choose(where, settings.data)
        with (
            tempfile.TemporaryDirectory(prefix="foretrain-") as scratch,
            open_raw(form, files, settings.data, Path(scratch)) as raw,
        ):
            columns, table = _read(raw, where, settings, folder, like)
        title, uri, size, content = where.name, where.uri, sum(file.size for file in files), of_files(files)
    else:
        arrow = memory.as_arrow(source)
        raw = memory.raw(arrow)
        columns, table = _read(raw, None, settings, folder, like)
        title, uri, size, content = memory.NAME, memory.NAME, arrow.nbytes, of_table(arrow)
    return DatasetRef(
        name=name or title,
        uri=uri,
        table=table,
        format=raw.format,
        columns=columns,
        rows=raw.rows,
        bytes=size,
        fingerprint=of_dataset(content, columns),
    )


def _read(
    raw: Raw, where: Source | None, settings: Settings, folder: Folder, like: DatasetRef | None
) -> tuple[tuple[Column, ...], str]:
    """The columns of a source, and the URL of its canonical table."""
    file = where.uri if where else memory.NAME
    if raw.rows < 2:
        raise DataError(f"expected at least two rows, found {'one' if raw.rows else 'none'}", file=file)
    if not raw.types:
        raise DataError("expected at least one column, found none", file=file)
    named = {"target": settings.target, "time_column": settings.time_column}
    features = {column: setting for setting, column in named.items() if column is not None}
    columns = impose(raw, like) if like else find_columns(raw, settings.data.kinds, features)
    if (
        where
        and raw.lasting
        and all(in_place(dtype, column) for column in columns for _, dtype in raw.types[column.name])
    ):
        return columns, where.address
    convert.write(raw, columns, folder.path(TABLE), like)
    return columns, folder.url(TABLE)
