"""What does the cascade say: what happens to small models that learn from the candidate instead of the original?"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from foretrain.record import Interval, Record, Share

ArmName = Literal["original", "candidate", "child", "grandchild"]
"""Whose rows a model learns from. Child: a generator refitted on the candidate and drawn from."""

Data = Literal["table", "text", "image"]

Goal = Literal["classification", "regression", "masked columns", "next byte", "masked pixels"]
"""What the models learn to predict."""

Ending = Literal["converged", "ran out of steps", "diverged", "stalled", "failed"]


class Point(Record):
    """One point of a learning curve."""

    step: int
    seconds: float
    train: float
    """Mean loss of the rows learned from since the point before."""
    validation: float
    """Mean loss of the arm's own rows that were held back to stop early."""


class Probe(Record):
    """One property of a model or of its gradients, by name (see `foretrain.cascade.probes`)."""

    name: str
    value: float


class Model(Record):
    """One of the 18 models."""

    tier: str
    """Name of its tier, smallest first: e.g. "trees", "mlp", "resonance"."""
    architecture: str
    """For people, e.g. "Resonance NN, 16 a column, 2 FFT mixers"."""
    seed: int
    """0 or 1: number of the repetition."""
    arm: ArmName
    parameters: int
    """Trained numbers; leaves for trees."""
    ending: Ending
    reason: str | None = None
    """Why it did not end well."""
    loss: float | None
    """Mean loss on held-out original rows; None where it has none to give."""
    metric: float | None
    """On the same rows, see `Cascade.metric`."""
    steps: int
    seconds: float
    curve: tuple[Point, ...]
    probes: tuple[Probe, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the result rests on it."""
        return self.loss is not None


class Difference(Record):
    """How much worse one arm's models do than another's, on the same held-out rows."""

    tier: str
    """Name of the tier; "all" for the three together."""
    arms: tuple[ArmName, ArmName]
    """(worse, better): the loss of the first less that of the second."""
    loss: float
    """Mean paired difference of loss."""
    interval: Interval
    """Over seeds and a bootstrap of held-out rows."""
    metric: float
    """The same of the metric: below 0 is worse."""
    metric_interval: Interval
    share: float
    """The difference of loss as a share of what there is to learn: the loss of a constant guess less that of the
    original arm. 0: nothing is lost; 1: as if nothing had been learned."""
    share_interval: Interval


class Contrast(Record):
    """One probe, of the candidate's models against the original's, paired by seed and tier."""

    name: str
    title: str
    """For people, in the field's term."""
    tier: str
    candidate: float
    original: float
    difference: float
    noise: float = Field(ge=0.0)
    """Standard deviation of the difference between two fresh samples of the original."""
    scored: bool
    """Whether it has shown power on the calibration's tables, and so enters a dimension's score."""


class Cascade(Record):
    """The cascade's result."""

    data: Data
    goal: Goal
    target: str | None
    """The predicted column; None where the task is to fill in what was masked, or the next byte."""
    metric: str
    """Name of the metric, higher is better, e.g. "accuracy", "R squared", "bits saved a byte"."""
    arms: tuple[ArmName, ArmName, ArmName]
    generator: str
    """What made the child, e.g. "sequential CART"."""
    rows: int
    """Rows each model learned from."""
    held_out: int
    """Rows of the original that all were judged on; one that was asked for several of its columns counts once."""
    guess: float
    """Loss on those of the best constant guess (from the original arm's rows)."""
    models: tuple[Model, ...]
    """18, those that did not finish too."""
    harm: tuple[Difference, ...]
    """Candidate against original: a tier each, then all together. Empty without an original."""
    decay: tuple[Difference, ...]
    """Child against candidate: what one more generation would do."""
    agreement: Share
    """Share of finished tiers whose difference has the sign of the whole."""
    slope: float | None
    """Change of the lost share for tenfold parameters, over the tiers."""
    margin: float
    """Lost share above which it counts as harm."""
    probability_of_harm: Share | None
    """That the lost share exceeds the margin; None without an original."""
    contrasts: tuple[Contrast, ...]
    device: str
    rows_per_second: float
    """Of the nets' training."""
    peak_bytes: int
    """Memory of the device, or of the process on a CPU."""
    resumed: int = 0
    """How often it went on from a snapshot."""
    weights: dict[str, str] = {}
    """URL of the nets' best weights by tier: safetensors, named "arm/seed/parameter"."""
    notes: tuple[str, ...] = ()
    """What to know before trusting this."""

    @property
    def finished(self) -> int:
        """On how many of the 18 models it rests."""
        return sum(model.finished for model in self.models)
