"""What does the profile stage hand on?"""

from __future__ import annotations

from foretrain.data.reference import DatasetRef, Kind
from foretrain.record import Record


class Frequent(Record):
    """A value that occurs often."""

    value: str
    share: float
    """Share of the column's rows, 0 to 1."""


class ColumnSummary(Record):
    """One column, for people. Times are in microseconds (datetimes since 1970); lengths in characters."""

    name: str
    kind: Kind
    nulls: int
    infinities: int
    distinct: float
    """Different values; an estimate where not exact."""
    distinct_exact: bool
    of: str
    """What the numbers below are about: "value" or "length"; "" where there are none."""
    minimum: float | None
    maximum: float | None
    mean: float | None
    deviation: float | None
    """Standard deviation."""
    quartiles: tuple[float, float, float] | None
    frequent: tuple[Frequent, ...]
    """At most five, most frequent first."""


class ProfileRef(Record):
    """A profile by reference, with what people read of it."""

    dataset: DatasetRef
    rows: int
    distinct_rows: float
    duplicate_rows: float
    """Share of the rows that repeat an earlier one exactly, 0 to 1."""
    sketches: str
    """URL of the serialized Profile."""
    sample: str
    """URL of the sample's Parquet."""
    sample_rows: int
    """Rows in the sample; all different rows of the table where sample_complete."""
    sample_complete: bool
    summary: tuple[ColumnSummary, ...]
