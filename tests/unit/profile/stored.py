"""Profiles of tables written to a folder, for tests that start from references."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from foretrain.data.reference import Column, DatasetRef
from foretrain.profile import ProfileRef, profile
from foretrain.settings import Settings


class Here:
    """A `Folder` that is where it will be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def path(self, name: str) -> Path:
        return self.root / name

    def url(self, name: str) -> str:
        return str(self.root / name)


def stored(table: pa.Table, columns: list[Column], root: Path, settings: Settings | None = None) -> ProfileRef:
    """The stored profile of a table in canonical types."""
    folder = Here(root)
    pq.write_table(table, folder.path("table.parquet"))
    ref = DatasetRef(
        name=root.name,
        uri=root.name,
        table=folder.url("table.parquet"),
        format="parquet",
        columns=tuple(columns),
        rows=table.num_rows,
        bytes=1,
        fingerprint="0",
    )
    return profile(ref, settings or Settings(), folder)
