"""Load one dataset: what an operator sees of it."""

from __future__ import annotations

from foretrain.data.reference import DatasetRef
from foretrain_tasks.stage import Rows, stage_task


def table(dataset: DatasetRef) -> Rows:
    return [
        {"column": column.name, "kind": column.kind.value, "type in the source": column.source_type}
        for column in dataset.columns
    ]


def text(dataset: DatasetRef) -> str:
    return f"`{dataset.uri}` ({dataset.bytes:,} bytes), fingerprint `{dataset.fingerprint[:16]}`."


load = stage_task("load", table, text)
