"""How does a dataset become a stored profile and a sample, and how are these read again?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from foretrain import storage
from foretrain.data.reference import DatasetRef, Kind
from foretrain.profile.column import ColumnProfile
from foretrain.profile.record import ColumnSummary, Frequent, ProfileRef, Value
from foretrain.profile.table import Profile
from foretrain.profile.times import duration, instant
from foretrain.settings import Settings

if TYPE_CHECKING:
    from foretrain.checkpoint import Folder

SKETCHES, SAMPLE = "profile.safetensors", "sample.parquet"


def profile(ref: DatasetRef, settings: Settings, folder: Folder) -> ProfileRef:
    """Profile a dataset in one pass, in memory that does not grow with its rows.

    Args:
        ref: the dataset.
        settings: seed and profile settings.
        folder: takes the sketches and the sample.
    """
    from foretrain.data import open_batches

    found = Profile.of(ref.columns, open_batches(ref, encoded=True), settings)
    sample = found.sample()
    folder.path(SKETCHES).write_bytes(found.to_bytes(sample=False))
    pq.write_table(sample, folder.path(SAMPLE), compression="zstd")
    return ProfileRef(
        dataset=ref,
        rows=found.rows,
        distinct_rows=min(found.distinct_rows, float(found.rows)),
        duplicate_rows=found.duplicate_share(),
        sketches=folder.url(SKETCHES),
        sample=folder.url(SAMPLE),
        sample_rows=sample.num_rows,
        sample_complete=found.sample_complete,
        summary=tuple(summary(column) for column in found.columns.values()),
    )


def open_profile(ref: ProfileRef) -> Profile:
    """The live profile that a reference names.

    Raises:
        ResourceError: it cannot be read (StorageError where trying again can help).
        DataError: it is damaged.
    """
    return Profile.from_bytes(storage.read(ref.sketches), read_sample(ref))


def read_sample(ref: ProfileRef) -> pa.Table:
    """The seeded sample of a profiled dataset (see `RowSample`): at most settings.profile.sample_rows rows.

    Returns:
        the table's columns, then ``__hash__`` (uint64, the row's content) and ``__copies__`` (int64, how often the
        row occurs in the whole dataset), sorted by ``__hash__``.

    Raises:
        ResourceError: it cannot be read (StorageError where trying again can help).
    """
    return pq.read_table(pa.BufferReader(storage.read(ref.sample)))


def summary(column: ColumnProfile) -> ColumnSummary:
    """A column's profile, for people."""
    told, spread = _TOLD.get(column.kind, (_number, _number))
    ordered = column.mean is not None and column.quantiles_ is not None
    low, middle, high = column.quantiles([0.25, 0.5, 0.75]).tolist() if ordered else (0.0, 0.0, 0.0)
    frequent = list(column.counts().values.items())[:5]
    return ColumnSummary(
        name=column.name,
        kind=column.kind,
        nulls=column.nulls,
        infinities=column.infinities,
        distinct=column.distinct,
        distinct_exact=column.values.complete,
        of=("length" if column.kind in ("text", "identifier") else "value") if ordered else "",
        minimum=told(column.minimum) if column.minimum is not None else None,
        maximum=told(column.maximum) if column.maximum is not None else None,
        mean=told(column.mean) if column.mean is not None else None,
        deviation=spread(math.sqrt(column.variance)) if column.variance is not None else None,
        quartiles=(told(low), told(middle), told(high)) if ordered else None,
        frequent=tuple(
            Frequent(value=_shown(column.kind, value), share=count / column.rows) for value, count in frequent
        ),
    )


def _number(value: float) -> Value:
    return value


_TOLD: dict[Kind, tuple[Callable[[float], Value], Callable[[float], Value]]] = {
    Kind.DATETIME: (instant, duration),
    Kind.DURATION: (duration, duration),
}
"""How a value of this kind reads, and how a difference of two."""


def _shown(kind: Kind, value: str | float) -> str:
    """A counted value as people write it."""
    if isinstance(value, str):
        return value
    if kind is Kind.BOOLEAN:
        return "true" if value else "false"
    return str(_TOLD[kind][0](value)) if kind in _TOLD else f"{value:.15g}"
