"""What does the collapse stage say: eight dimensions, a score, a severity, a probability, a verdict?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from foretrain.record import Interval, Record, Score, Share

Verdict = Literal["approve", "review", "reject", "underpowered"]

DimensionName = Literal[
    "distribution_fidelity",
    "correlation_preservation",
    "entropy_stability",
    "gradient_health",
    "loss_landscape",
    "spectral_coherence",
    "generalization_gap",
    "statistical_consistency",
]


class Evidence(Record):
    """One measured fact behind a dimension's score."""

    statistic: str
    """What was measured, in the field's term, e.g. "Kolmogorov-Smirnov distance"."""
    columns: tuple[str, ...] = ()
    """The columns it speaks of; empty for the whole table."""
    value: float
    """The statistic between candidate and original."""
    fresh: float | None
    """The same between two halves of the original: what a fresh real sample shows."""
    badness: Share
    """0 = as a fresh sample, 1 = as far as a table that must be rejected."""
    sentence: str
    """The same for people, with the number in it."""


class Dimension(Record):
    """One of the eight dimensions. Score 0 to 100, higher is better, 100 = as a fresh real sample."""

    title: str
    """For people, e.g. "Distribution Fidelity"."""
    question: str
    """What it answers, one sentence."""
    measured: bool
    score: Score | None
    """None where not measured: never a number in its place."""
    interval: Interval | None
    """90 % interval over the repeats."""
    fresh: Interval | None
    """Where real split-halves lie, 5th to 95th percentile: the band that means "as good as real"."""
    smallest_effect: str | None
    """The smallest departure this many rows could have shown, in words with a number."""
    evidence: tuple[Evidence, ...] = ()
    """Worst first."""
    reason: str | None = None
    """Why it was not measured."""


class Severity(Record):
    """The expected damage of training on the candidate instead of the original."""

    damage: Share
    """Share of utility or diversity lost."""
    interval: Interval
    class_: Literal["none", "mild", "medium", "severe"] = Field(alias="class")
    generations: float = Field(ge=0.0)
    """The same damage as this many generations of self-consumption; at most 20, read as "20 or more"."""


class Histogram(Record):
    """Two distributions on the same axis, for the picture of a column."""

    edges: tuple[float, ...] = ()
    """Bin edges of a numeric axis, one more than shares; empty for categories."""
    labels: tuple[str, ...] = ()
    """Category names, as many as shares; empty for a numeric axis."""
    original: tuple[float, ...]
    """Share of rows a bin, 0 to 1."""
    candidate: tuple[float, ...]


class ColumnComparison(Record):
    """How one column of the candidate differs from the original's."""

    name: str
    kind: str
    distance: Share
    """Kolmogorov-Smirnov distance, or total variation for categories; whole data."""
    fresh_distance: Share
    """The same for a fresh real sample of this size (95th percentile)."""
    lost_mass: Share
    """Share of the original's rows whose category, or tail region, the candidate lacks."""
    tail_ratio: float | None
    """Width between the 1st and 99th percentile, candidate over original; numeric columns."""
    nulls: tuple[float, float]
    """Share of nulls, original and candidate."""
    distinct: tuple[float, float]
    """Distinct values, original and candidate (estimates on large data)."""
    histogram: Histogram | None
    """For the worst columns only."""


class Matrices(Record):
    """Correlations of the same columns in both tables, for the heat map."""

    columns: tuple[str, ...]
    original: tuple[tuple[float, ...], ...]
    candidate: tuple[tuple[float, ...], ...]


class Spectrum(Record):
    """Variance along the original's principal axes, largest first, as shares of the original's total."""

    original: tuple[float, ...]
    candidate: tuple[float, ...]
    fresh: tuple[Interval, ...]
    """Where split-halves of the original lie, axis by axis."""


class ErrorRates(Record):
    """How often this version's verdict is wrong, measured leave-one-dataset-out on its test pairs."""

    pairs: int
    auroc: Share
    accuracy: Share
    false_alarms: Share
    misses: Share
    misses_by_severity: dict[str, float]
    command: str
    """Measures these figures again."""


class Collapse(Record):
    """The collapse stage's result."""

    verdict: Verdict
    score: Score
    score_interval: Interval
    probability_of_collapse: Share
    probability_interval: Interval
    severity: Severity
    dimensions: dict[DimensionName, Dimension]
    """All eight, in the order above; those not measured say why."""
    reasons: tuple[str, ...]
    """The strongest reasons for the verdict, each a sentence with a number, strongest first; at most 5."""
    sentence: str
    """The verdict in one sentence that a manager can repeat."""
    columns: tuple[ColumnComparison, ...]
    """Worst first; empty without an original."""
    correlations: Matrices | None
    """The (at most 30) columns that changed most."""
    spectrum: Spectrum | None
    smallest_effect: str
    """What this many rows could have shown, in words with a number."""
    rows_compared: int
    """Rows a side that the paired comparisons drew on."""
    repeats: int
    """Split-halves drawn."""
    calibration: str
    """Version of the calibration that the score rests on."""
    error_rates: ErrorRates | None
    notes: tuple[str, ...] = ()
    """What to know before trusting this: sampling, caps, columns left out."""
