"""Which properties of gradients, minima and trained models are compared, and what does a departure of each mean?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import TypeAdapter, ValidationError, model_validator

from foretrain.errors import InternalError
from foretrain.record import Record, Share

FITTED = "fitted.json"
"""What departures of probes mean, beside this module."""

DimensionName = Literal["gradient_health", "loss_landscape", "generalization_gap"]


@dataclass(frozen=True)
class Property:
    """A property that a probe measures.

    Attributes:
        name: its key in `Probe` and `Contrast`.
        title: the field's term for it.
        worse: which departure from a fresh sample of the original is a loss: more, less, or any.
        dimension: which dimension it speaks for.
        words: a sentence; `{value}` and `{fresh}` stand for the candidate's and the original's value.
        log: whether the value is a log10; people are told the number itself.
    """

    name: str
    title: str
    worse: Literal["more", "less", "any"]
    dimension: DimensionName
    words: str
    log: bool = False

    def sentence(self, value: float, fresh: float) -> str:
        """The same for people, at most three digits a number."""
        told = (10**x if self.log else x for x in (value, fresh))
        return self.words.format(**{name: f"{x:.3g}" for name, x in zip(("value", "fresh"), told, strict=True)})


PROBES: tuple[Property, ...] = (
    Property("noise_scale", "gradient-noise scale in rows, log10", "any", "gradient_health",
             "Before training, {value} rows are needed for a gradient that is as much signal as noise; "
             "of the original, {fresh}.", log=True),
    Property("norm_spread", "spread of per-row gradient norms, deviation of the log", "any", "gradient_health",
             "Before training, the log of a row's gradient norm scatters by {value}; on the original, by {fresh}."),
    Property("norm_tail", "largest per-row gradient norms, 99th to 50th percentile, log10", "any", "gradient_health",
             "Before training, the largest gradients are {value} times the middle one; on the original, {fresh} times.",
             log=True),
    Property("alignment", "alignment of mean gradients, cosine between two halves", "any", "gradient_health",
             "Before training, the mean gradients of two halves of the rows have a cosine of {value}; "
             "on the original, {fresh}."),
    Property("direction", "direction of the mean gradient, cosine with the original's", "less", "gradient_health",
             "Before training, the mean gradient has a cosine of {value} with the original's; "
             "a fresh sample's, {fresh}."),
    Property("tangent", "direction of the mean gradient of the outputs, cosine with the original's", "less",
             "gradient_health",
             "Before training, a net sees the rows where the original's are with a cosine of {value}; "
             "a fresh sample's, {fresh}."),
    Property("convergence", "convergence, share of the allowed steps", "any", "gradient_health",
             "The best loss is nearly reached after a share of {value} of the allowed steps; "
             "on the original, {fresh}."),
    Property("curvature", "trace of the Fisher information, log10", "any", "loss_landscape",
             "Before training, the total curvature is {value}; on the original, {fresh}.", log=True),
    Property("effective_dimension", "effective dimension of the Fisher information, log10", "any", "loss_landscape",
             "Before training, {value} directions of the weights are steep; on the original, {fresh}.", log=True),
    Property("participation", "participation ratio of the Fisher information, log10", "any", "loss_landscape",
             "Before training, the curvature is spread over {value} directions; on the original, {fresh}.", log=True),
    Property("condition", "condition of the Fisher information, largest to median eigenvalue, log10", "any",
             "loss_landscape",
             "Before training, the steepest direction is {value} times the middle one; on the original, {fresh} times.",
             log=True),
    Property("trained_curvature", "trace of the Fisher information after training, log10", "any", "loss_landscape",
             "Where training ended, the total curvature is {value}; on the original, {fresh}.", log=True),
    Property("sharpness", "sharpness: largest eigenvalue of the Fisher information after training, log10", "any",
             "loss_landscape", "Where training ended, the steepest curvature is {value}; on the original, {fresh}.",
             log=True),
    Property("gate_centroid", "centroid of the FFT gates, share of the highest frequency", "any", "loss_landscape",
             "The learned gates have their centre at {value} of the highest frequency; on the original, {fresh}."),
    Property("gate_entropy", "entropy of the FFT gates, share of the largest possible", "any", "loss_landscape",
             "The learned gates have an entropy of {value} of the largest possible; on the original, {fresh}."),
    Property("gate_low", "share of the FFT gates in the lowest quarter of frequencies", "any", "loss_landscape",
             "The learned gates give {value} of their size to low frequencies; on the original, {fresh}."),
    Property("gap", "gap between training and held-out loss", "more", "generalization_gap",
             "The loss on held-out original rows is {value} above that of training; on the original, {fresh}."),
)  # fmt: skip
"""All, in the order they are shown."""

BY_NAME: Mapping[str, Property] = {known.name: known for known in PROBES}


class Fitted(Record):
    """What a departure of one property in one tier meant in the calibration's tables."""

    curve: tuple[tuple[float, float], ...]
    """(departure, loss): the share of what can be learned that went with a departure of this size; both rise from 0."""
    power: Share
    """Area under the ROC curve of the departure: harmful candidates against harmless ones, held out by dataset."""
    scored: bool
    """Whether that is enough to enter a dimension's score."""

    @model_validator(mode="after")
    def _rises(self) -> Fitted:
        departures, losses = zip(*self.curve, strict=True) if self.curve else ((), ())
        if list(departures) != sorted(departures) or list(losses) != sorted(losses) or not losses:
            raise ValueError("the points of a curve must rise")
        if min(*losses, *departures) < 0 or max(losses) > 1:
            raise ValueError("departures are 0 or more, losses 0 to 1")
        return self


class Calibrated(Record):
    """What `fitted.json` holds."""

    version: str
    command: str
    """Measures it again."""
    probes: dict[str, dict[str, Fitted]]
    """By name and tier."""


@cache
def load() -> Mapping[tuple[str, str], Fitted]:
    """What departures mean, by (name, tier); empty for a version that was never calibrated.

    Raises:
        InternalError: the file is damaged.
    """
    file = files("foretrain.cascade.catalogue") / FITTED
    if not file.is_file():
        return {}
    try:
        found = TypeAdapter(Calibrated).validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise InternalError(f"the calibration of the probes cannot be read: {error}", file=str(file)) from error
    return {(name, tier): fitted for name, tiers in found.probes.items() for tier, fitted in tiers.items()}
