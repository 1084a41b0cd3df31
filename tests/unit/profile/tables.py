"""Tables that the profile's tests share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from foretrain.data.reference import Column, Kind
from foretrain.profile import Profile
from foretrain.settings import ProfileSettings, Settings

KINDS = {
    "size": Kind.NUMERIC,
    "count": Kind.INTEGER,
    "flag": Kind.BOOLEAN,
    "colour": Kind.CATEGORICAL,
    "grade": Kind.ORDINAL,
    "when": Kind.DATETIME,
    "lasted": Kind.DURATION,
    "note": Kind.TEXT,
    "key": Kind.IDENTIFIER,
    "vector": Kind.EMBEDDING,
}


def columns(kinds: dict[str, Kind] | None = None, width: int = 3) -> list[Column]:
    return [
        Column(name=name, kind=kind, source_type="", width=width if kind is Kind.EMBEDDING else 1)
        for name, kind in (kinds or KINDS).items()
    ]


def mixed(rows: int, seed: int = 0, gaps: float = 0.1) -> pa.Table:
    """A table with one column of every kind, and gaps."""
    rng = np.random.default_rng(seed)

    def gap(values: Sequence[object], kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind, mask=rng.random(rows) < gaps)

    numbers = rng.integers(0, 50, rows)
    size = np.where(rng.random(rows) < 0.02, np.inf, rng.normal(1e3, 2.0, rows))
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(size=3 * rows), pa.float32()), 3)
    return pa.table(
        {
            "size": gap(size, pa.float64()),
            "count": gap(numbers, pa.int64()),
            "flag": gap(rng.random(rows) < 0.3, pa.bool_()),
            "colour": gap([f"colour {x}" for x in rng.zipf(1.8, rows).clip(0, 40)], pa.string()),
            "grade": gap([f"grade {x}" for x in numbers % 5], pa.string()),
            "when": gap(1_700_000_000_000_000 + rng.integers(0, 10**12, rows), pa.timestamp("us")),
            "lasted": gap(rng.integers(0, 10**6, rows), pa.duration("us")),
            "note": gap([f"word {x} ünd more" for x in rng.integers(0, 10**6, rows)], pa.string()),
            "key": gap([f"id-{x}" for x in range(rows)], pa.string()),
            "vector": vectors,
        }
    )


def small(**options: int) -> Settings:
    """Settings under which a few thousand rows overflow every sketch."""
    chosen = {"sample_rows": 1000, "distinct_k": 256, "max_categories": 16, "quantile_k": 64} | options
    return Settings(seed=7, profile=ProfileSettings(**chosen))


def profiled(table: pa.Table, settings: Settings | None = None, batch: int = 500) -> Profile:
    known = [column for column in columns() if column.name in table.column_names]
    return Profile.of(known, table.to_batches(max_chunksize=batch), settings)
