"""What does the recommendations stage say: which fix was measured to help, by how much, at what cost?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from foretrain.collapse.record import Verdict
from foretrain.record import Interval, Record, Score, Share


class Action(Record):
    """One fix with its parameters: what `foretrain fix` applies."""

    fix: str
    """Its name, e.g. "deduplicate"."""
    parameters: dict[str, JsonValue] = {}


class Cost(Record):
    """What a fix costs, on the whole dataset."""

    rows_after: int = Field(ge=0)
    """Rows of the result."""
    rows_lost: int = Field(ge=0)
    """Rows of the candidate that are not in it."""
    rows_changed: int = Field(ge=0)
    """Rows of the candidate whose values are changed."""
    real_rows: int = Field(ge=0)
    """Real rows that the result holds."""
    new_real_rows: int = Field(ge=0)
    """Of these, the ones that must be collected first."""
    money: float = Field(ge=0.0)
    """By the prices in the settings, in their currency."""
    seconds: float = Field(ge=0.0)
    """Of one core, to apply it; from the time it took on the sample."""


class Change(Record):
    """A measured change, after less before, on the same rows of the original."""

    value: float
    interval: Interval
    """90 %: between these, another validation would find it."""


class Measured(Record):
    """What a fix did to the sample."""

    score: Change
    """In points of 100; above 0 is better."""
    probability: Change
    """Of collapse; below 0 is better."""
    damage: Change
    """Share of utility or diversity lost; below 0 is better."""
    before: Score
    after: Score
    verdict: Verdict
    """After the fix, by the statistics."""
    confidence: Share
    """Share of the half-samples in which the score rose, or (where it could not) the damage fell."""
    held_out: bool
    """Whether it was scored against rows of the original that the fix had not seen, half of them; else against all."""
    trained: Change | None = None
    """Share of what can be learned that boosted trees lose by it, after less before, in held-out rows; None where none
    were trained."""


class Recommendation(Record):
    """A fix, or several one after the other, that was thought of for this candidate."""

    id: str
    """What `foretrain fix --apply` takes."""
    actions: tuple[Action, ...]
    title: str
    """What to do, in a few words."""
    why: str
    """The finding that suggests it."""
    predicted: float
    """Points of score it was expected to bring before it was tried."""
    measured: Measured | None
    """None where it was not tried."""
    cost: Cost
    front: bool
    """Whether no other is better in gain, money and confidence at once: the Pareto front."""
    not_tried: str | None = None
    """Why it was not."""


class Recommendations(Record):
    """The recommendations stage's result."""

    run: str
    """Names candidate, original and settings: what `foretrain outcome` takes."""
    found: tuple[Recommendation, ...]
    """Those that were measured to help most first, then the others."""
    best: str | None
    """The id of the one to apply first; None where none was measured to help."""
    first: tuple[str, ...]
    """The questions and answers that chose what was tried first."""
    predicted_by: Literal["prior", "history"]
    """What expected gains come from: the tree that ships with this version, or a model of the user's history."""
    history: int = Field(ge=0)
    """Measured gains in the user's history that were read."""
    situation: dict[str, float]
    """The numbers of the findings from which gains are expected."""
    tried: int = Field(ge=0)
    rows: int = Field(ge=0)
    """Rows of the candidate that each was tried on."""
    notes: tuple[str, ...] = ()

    def named(self, id_: str) -> Recommendation | None:
        """The one with this id."""
        return next((each for each in self.found if each.id == id_), None)


class Mended(Record):
    """A mended dataset."""

    dataset: str
    """Path or URL of its file."""
    rows: int
    held_out: str | None
    """Path or URL of the original's rows that no fix has seen, for the score to be taken against; None where none
    needed any."""
