"""What does the localization stage say: which rows, how sure, and why?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from foretrain.record import Record, Share

Mechanism = Literal[
    "copy",
    "copy_of_original",
    "out_of_range",
    "unlikely_target",
    "unlikely_combination",
    "looks_synthetic",
    "crowded",
    "misleads_neighbours",
    "harms_models",
]
"""What is wrong with a row. Copy: it repeats a row of the candidate more often than chance explains. Unlikely target or
combination: the row's other values, by models that learned from both tables, lead to expect another. Crowded: it lies
where the candidate's rows crowd and the original's do not. Misleads neighbours: a nearest-neighbour model that learns
it does worse on the original's rows. Harms models: so do the cascade's nets."""

Axis = Literal["looks_synthetic", "does_harm"]
"""Where a row comes from, and what it does."""

AXES: dict[Axis, tuple[Mechanism, ...]] = {
    "looks_synthetic": ("copy", "copy_of_original", "looks_synthetic", "crowded"),
    "does_harm": ("out_of_range", "unlikely_target", "unlikely_combination", "misleads_neighbours", "harms_models"),
}
"""The mechanisms of each axis."""


class Blame(Record):
    """What one column adds to a row's evidence."""

    column: str
    value: str
    """As it stands in the row, shortened; "missing" where it is."""
    one_in: float = Field(ge=1.0)
    """One row in so many of the original holds one that is as far out; where a row looks synthetic or is crowded, how
    many times likelier the value makes that it is the candidate's; where it harms models, e to the column's part of the
    harm, in held-out rows'."""


class Row(Record):
    """One flagged row."""

    row: int = Field(ge=0)
    """Place in the source, the first row of data being 0."""
    confidence: Share
    """Probability that the row is bad: the larger of the two axes'."""
    looks_synthetic: Share
    """The same by where it comes from."""
    does_harm: Share
    """The same by what it does to a model."""
    mechanism: Mechanism
    sentence: str
    """The evidence for people, with numbers."""
    columns: tuple[Blame, ...]
    """What carries the evidence, strongest first; empty for copies."""


class Group(Record):
    """Rows that are bad for the same cause."""

    mechanism: Mechanism
    columns: tuple[str, ...]
    """The columns that carry the evidence, most often first; empty for copies."""
    rows: int
    """Rows in the group."""
    examples: tuple[int, ...]
    """Places of a few, surest first."""
    confidence: Share
    """Mean of its rows."""
    sentence: str
    """The cause for people."""


class Importance(Record):
    """How much of the evidence against the flagged rows lies in one column."""

    column: str
    share: Share
    """Of all columns' evidence; they add to one."""


class Localization(Record):
    """The localization stage's result."""

    rows: int
    """Rows of the candidate, all of which were scored."""
    flagged: int
    """Rows whose confidence is at least `flag_at`; 0 where it abstained."""
    flag_at: Share
    expected_bad: float = Field(ge=0.0)
    """The sum of all rows' confidence: how many bad rows are to be expected."""
    auc: Share | None
    """How well the rows' score tells the candidate's rows from the original's; 0.5 is not at all. None without an
    original."""
    flagged_of_original: Share | None
    """Share of the original's own rows that would be flagged, scored in the same way: false alarms."""
    abstained: str | None
    """Why no row is flagged though all were scored; None where it did not abstain."""
    by_mechanism: dict[Mechanism, int]
    """Flagged rows, most first."""
    groups: tuple[Group, ...]
    """Largest first; at most 20."""
    top: tuple[Row, ...]
    """Flagged rows, surest first; at most 100."""
    importance: tuple[Importance, ...]
    """Columns, most important first; at most 20."""
    nets: bool = False
    """Whether the cascade's nets were asked which rows harm them; `notes` says why not."""
    table: str
    """URL of rows.parquet: row, confidence, both axes, mechanism and evidence, surest first, flagged or not."""
    table_rows: int
    """Rows in it."""
    flagged_rows: tuple[int, ...]
    """Places of the flagged rows, surest first; at most 10,000."""
    notes: tuple[str, ...] = ()
    """What was sampled, and what was not looked at and why."""
