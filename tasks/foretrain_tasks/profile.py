"""Profile one dataset: what an operator sees of it."""

from __future__ import annotations

from foretrain.profile.record import ProfileRef
from foretrain_tasks.stage import Rows, stage_task


def table(profile: ProfileRef) -> Rows:
    return [
        {
            "column": column.name,
            "kind": column.kind.value,
            "nulls": column.nulls,
            "distinct": round(column.distinct),
            "lowest": column.minimum,
            "highest": column.maximum,
            "mean": column.mean,
        }
        for column in profile.summary
    ]


def text(profile: ProfileRef) -> str:
    sample = "all different rows" if profile.sample_complete else f"{profile.sample_rows:,} rows"
    return f"{profile.rows:,} rows read in one pass; the sample holds {sample}."


profile = stage_task("profile", table, text)
