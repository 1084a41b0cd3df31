"""Profiles of tables written to a folder, for tests that start from references."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from foretrain.checkpoint import LocalFolder
from foretrain.data.reference import Column, DatasetRef
from foretrain.profile import ProfileRef, profile
from foretrain.settings import Settings


def stored(table: pa.Table, columns: list[Column], root: Path, settings: Settings | None = None) -> ProfileRef:
    """The stored profile of a table in canonical types."""
    folder = LocalFolder(root)
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
