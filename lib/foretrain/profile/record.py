"""What does the profile stage hand on?"""

from __future__ import annotations

from foretrain.data.reference import DatasetRef, Kind
from foretrain.record import Record

Value = float | str
"""A number, or a time as text."""


class Frequent(Record):
    """A value that occurs often."""

    value: str
    share: float
    """Share of the column's rows, 0 to 1."""


class ColumnSummary(Record):
    """One column, for people. Lengths are in characters; times are text: "2024-02-29T12:30:00", "1 days 02:03:04"."""

    name: str
    kind: Kind
    nulls: int
    infinities: int
    distinct: float
    """Different values; an estimate where not exact."""
    distinct_exact: bool
    of: str
    """What the numbers below are about: "value" or "length"; "" where there are none."""
    minimum: Value | None
    maximum: Value | None
    mean: Value | None
    deviation: Value | None
    """Standard deviation."""
    quartiles: tuple[Value, Value, Value] | None
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
