"""What does the prescreen say, and what is known of a signature?"""

from __future__ import annotations

from typing import Literal

from pydantic import JsonValue

from foretrain.record import Record, Share

HEALTHY = "healthy"
"""The mechanism of what did not collapse."""

Origin = Literal["loops", "validation", "user"]


class Signature(Record):
    """What is known of one candidate that was embedded; its vector is kept beside it."""

    id: str
    mechanism: str | None
    """How it was made: "healthy", "copula", "tail_cut", ...; None where nobody knows."""
    strength: float | None = None
    """Of the mechanism: generations, or a share."""
    generations: float
    """The damage as generations of self-consumption."""
    damage: Share
    """Share of utility or diversity lost."""
    collapsed: bool | None
    """By measured harm, or as its user says; None where only a validation has judged it."""
    origin: Origin
    """Made by the project's own loops, left by a validation, or labelled by a user."""
    dataset: str
    """Name of the original it was held against."""
    name: str = ""
    """Of the candidate, for people."""
    cluster: int | None = None
    """Group of signatures that lie close together; None where it lies alone."""
    verdict: str | None = None
    """Of the validation that left it."""
    settings: dict[str, JsonValue] = {}
    """What it was embedded with, and where both tables lie."""


class Match(Record):
    """A known signature near the candidate's."""

    similarity: float
    """Cosine of the angle between both, -1 to 1; 1 is the same departure."""
    signature: Signature


class MechanismShare(Record):
    """A mechanism and its share of a vote, or of a cluster."""

    mechanism: str
    share: Share


class Cluster(Record):
    """A group of known signatures that lie close together."""

    id: int
    members: int
    share: Share
    """Of the neighbours' vote that falls into it."""
    mechanisms: tuple[MechanismShare, ...]
    """What it is made of, largest share first; at most three."""


class Prescreen(Record):
    """The prescreen stage's result: what the candidate looks like among known failures. It decides nothing."""

    matches: tuple[Match, ...]
    """The nearest known signatures, nearest first."""
    mechanisms: tuple[MechanismShare, ...]
    """The vote of the neighbours on the mechanism, largest share first; at most five."""
    generations: float
    """Of self-consumption, by the same vote."""
    prior: Share
    """Probability of collapse by the neighbours, calibrated on held-out datasets."""
    novelty: Share
    """Share of known signatures that lie as far from all those of other datasets: a conformal p-value."""
    novel: bool
    """Whether nothing like this was seen: novelty is below 0.05. The prior means little then."""
    cluster: Cluster | None
    """Where most of the vote falls; None where the neighbours lie in no cluster."""
    sentence: str
    library: int
    """Signatures that were searched."""
    version: int
    """Of the embedding."""
    pair: str
    """Names the content of both tables; the id of the candidate's own signature."""
    vector: str
    """URL of the file with the candidate's embedding."""
    notes: tuple[str, ...] = ()
