"""How much worse are models that learned from one arm than from another, and how sure is that?

Losses are compared row by row on the same held-out rows, and seed by seed, since models of one seed start alike. With
D_s the mean over the rows at seed s, of S, the mean over the seeds has the variance

    (what the rows have in common at all seeds) / rows + var(D_s) / S

The rows' part is a bootstrap (see `resampling`), from the same draws for all tiers; the seeds' part see `repetitions`.
That other rows to learn from would have been drawn is in neither, and moves all tiers alike: see `STRETCH`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np
import numpy.typing as npt

from foretrain.cascade.comparison import repetitions
from foretrain.cascade.comparison.metric import metric
from foretrain.cascade.comparison.repetitions import Scatter, Values
from foretrain.cascade.comparison.resampling import HeldOut
from foretrain.cascade.problem import Study, length
from foretrain.cascade.record import ArmName, Difference
from foretrain.cascade.sentences import LITTLE
from foretrain.cascade.tiers.tier import Trained
from foretrain.record import Interval
from foretrain.seeds import stream

Floats = npt.NDArray[np.float64]

DRAWS = 2000
INTERVAL = (0.05, 0.95)

STRETCH = 1.2
"""By how much intervals are widened for the draw of the rows that are learned from. Without it, those of all tiers
together held 0 for 82 % instead of 90 % of 34 pairs of fresh samples, and the differences were 1.2 of their standard
deviations wide (`tests/benchmarks/cascade_noise.py`)."""


@dataclass(frozen=True)
class Outcome:
    """What the losses of all models say; the fields are those of `Cascade`.

    Attributes:
        notes: what to know, for people.
    """

    harm: tuple[Difference, ...]
    decay: tuple[Difference, ...]
    agreement: float
    slope: float | None
    probability_of_harm: float | None
    notes: tuple[str, ...]


def compare(
    trained: Mapping[str, Sequence[Trained]],
    study: Study,
    seed: int,
    margin: float,
    groups: npt.NDArray[np.int64] | None = None,
) -> Outcome:
    """Candidate against original, child against candidate (and grandchild against child), by tier and together.

    Models that did not end well are left out together with those of the same seed they would be compared with.

    Args:
        trained: the models of each tier, smallest tier first.
        study: what they learned.
        seed: the run's.
        margin: lost share above which it counts as harm.
        groups: (held-out rows,) rows with the same number are drawn together; each alone when not given.
    """
    arms = tuple(study.arms)
    steps = [(worse, better) for better, worse in pairwise(arms)]
    held_out = HeldOut.of(np.arange(length(study.held_out)) if groups is None else groups)
    tiers = [_Models.of(name, models, study) for name, models in trained.items()]
    found = _steps(tiers, steps, held_out, stream(seed, "cascade", "compare"))
    harm = found.pop(("candidate", "original"), None)
    decay = list(found.values())
    told = harm or decay[0]
    return Outcome(
        harm=harm.record if harm else (),
        decay=tuple(difference for step in decay for difference in step.record),
        agreement=told.agreement,
        slope=told.slope,
        probability_of_harm=harm.beyond(margin) if harm and harm.record else None,
        notes=tuple(_notes(tiers, arms[0])),
    )


def weigh(shares: Floats, variances: Floats) -> Floats:
    """How much each tier counts for all together, (tiers,), the sum 1.

    Inverse variances, with the variance between tiers added to each: where the tiers differ by more than their noise
    all count about the same, where they do not the certain ones count more.

    Args:
        shares: (tiers,) lost share of each.
        variances: (tiers,) of these.

    References:
        DerSimonian and Laird (1986), Meta-analysis in clinical trials.
    """
    if not (variances > 0).all():
        return np.full(len(shares), 1.0 / len(shares))
    weight = 1.0 / variances
    mean = (weight * shares).sum() / weight.sum()
    spread = (weight * (shares - mean) ** 2).sum() - (len(shares) - 1)
    between = max(0.0, spread / max(weight.sum() - (weight**2).sum() / weight.sum(), 1e-300))
    weight = 1.0 / (variances + between)
    return np.asarray(weight / weight.sum())


@dataclass(frozen=True)
class _Tier:
    """One tier's difference between two arms.

    Attributes:
        draws: (draws, 2) of the difference of loss and metric.
        scale: what a share of 1 is, in units of loss.
        weak: whether that is the whole loss of the guess.
    """

    name: str
    arms: tuple[ArmName, ArmName]
    loss: float
    metric: float
    draws: Floats
    scale: float
    weak: bool
    parameters: float

    @property
    def share(self) -> float:
        return self.loss / self.scale

    @property
    def shares(self) -> Floats:
        """(draws,)"""
        return self.draws[:, 0] / self.scale

    @property
    def record(self) -> Difference:
        return _difference(
            self.name, self.arms, (self.loss, self.metric, self.share), np.column_stack([self.draws, self.shares])
        )


@dataclass(frozen=True)
class _Step:
    """One arm against another, all tiers."""

    tiers: tuple[_Tier, ...]
    arms: tuple[ArmName, ArmName]

    @property
    def counted(self) -> list[int]:
        """The tiers that count for all together: those whose models learned something, or all where none did."""
        strong = [k for k, tier in enumerate(self.tiers) if not tier.weak]
        return strong or list(range(len(self.tiers)))

    @property
    def weights(self) -> Floats:
        """(tiers,) of each in all together."""
        of, out = [self.tiers[k] for k in self.counted], np.zeros(len(self.tiers))
        out[self.counted] = weigh(
            np.asarray([tier.share for tier in of]), np.asarray([tier.shares.var() for tier in of])
        )
        return out

    @property
    def shares(self) -> Floats:
        """(draws,) of all tiers together."""
        return np.asarray(self.weights @ np.stack([tier.shares for tier in self.tiers]))

    @property
    def record(self) -> tuple[Difference, ...]:
        if not self.tiers:
            return ()
        means = self.weights @ np.asarray([(tier.loss, tier.metric, tier.share) for tier in self.tiers])
        draws = np.tensordot(self.weights, np.stack([tier.draws for tier in self.tiers]), 1)
        whole = _difference("all", self.arms, tuple(means), np.column_stack([draws, self.shares]))
        return (*(tier.record for tier in self.tiers), whole)

    @property
    def agreement(self) -> float:
        """Share of tiers whose difference has the sign of the whole."""
        if not self.tiers:
            return 0.0
        shares = np.asarray([tier.share for tier in self.tiers])
        return float((np.sign(shares) == np.sign(self.weights @ shares)).mean())

    @property
    def slope(self) -> float | None:
        """Change of the lost share for tenfold parameters, by least squares."""
        of = [self.tiers[k] for k in self.counted]
        x = np.log10([tier.parameters for tier in of])
        if len(x) < 2 or np.ptp(x) == 0:
            return None
        return float(np.polyfit(x, [tier.share for tier in of], 1)[0])

    def beyond(self, margin: float) -> float:
        """Probability that the lost share of all tiers together exceeds the margin."""
        return float((self.shares > margin).mean())


def _difference(name: str, arms: tuple[ArmName, ArmName], means: tuple[float, ...], draws: Floats) -> Difference:
    low, high = np.quantile(draws, INTERVAL, axis=0)
    ends: list[Interval] = [(min(a, m), max(b, m)) for a, b, m in zip(low, high, means, strict=True)]
    loss, metric, share = map(float, means)
    return Difference(
        tier=name,
        arms=arms,
        loss=loss,
        interval=ends[0],
        metric=metric,
        metric_interval=ends[1],
        share=share,
        share_interval=ends[2],
    )


@dataclass(frozen=True)
class _Models:
    """The models of one tier.

    Attributes:
        values: (2, rows) loss and metric of each model that ended well.
        scale: what a lost share of 1 is, in units of loss.
        weak: whether that is the whole loss of the guess, since the first arm's models hardly learned anything.
    """

    name: str
    values: Values
    scale: float
    weak: bool
    parameters: float

    @classmethod
    def of(cls, name: str, models: Sequence[Trained], study: Study) -> Self:
        """Those of a tier that ended well."""
        values = {}
        for model in models:
            told = metric(study.problem.goal, model, study.guess)
            if model.loss is not None and told is not None:
                values[model.run.arm, model.run.seed] = np.stack([model.loss, told])
        first = next(iter(study.arms))
        learned = [study.guess - float(value[0].mean()) for (arm, _), value in values.items() if arm == first]
        enough = bool(learned) and float(np.mean(learned)) >= LITTLE * study.guess
        return cls(
            name,
            values,
            float(np.mean(learned)) if enough else study.guess,
            not enough,
            float(np.mean([model.parameters for model in models])),
        )


def _notes(tiers: Sequence[_Models], first: ArmName) -> list[str]:
    weak = [tier.name for tier in tiers if tier.weak]
    if not weak:
        return []
    said = (
        f"Models of the {first} learned less than {LITTLE:.0%} of what a constant guess gets wrong "
        f"in {', '.join(weak)}: there, what others lose is a share of the whole loss of that guess"
    )
    return [f"{said}." if len(weak) == len(tiers) else f"{said}, and does not count for all tiers together."]


def _steps(
    tiers: Sequence[_Models],
    steps: Sequence[tuple[ArmName, ArmName]],
    held_out: HeldOut,
    chance: np.random.Generator,
) -> dict[tuple[ArmName, ArmName], _Step]:
    """Every step, each with the tiers that have models for it."""
    found: dict[tuple[ArmName, ArmName], list[_Tier]] = {step: [] for step in steps}
    variances = repetitions.pooled([Scatter.of(tier.values) for tier in tiers])
    cells = [
        (step, tier, variance, apart)
        for step in steps
        for tier, variance in zip(tiers, variances, strict=True)
        if (apart := repetitions.differences(tier.values, *step)) is not None
    ]
    if cells:
        rows = held_out.bootstrap(np.stack([apart.mean(0) for *_, apart in cells]), DRAWS, chance)
        stretch = repetitions.stretches(DRAWS, chance)
        for k, (step, tier, variance, apart) in enumerate(cells):
            middle = apart.mean((0, -1))
            draws = rows[:, k] + repetitions.noise(apart, variance, held_out, stretch, chance)
            draws = middle + STRETCH * (draws - middle)
            loss, told = middle.tolist()
            found[step].append(_Tier(tier.name, step, loss, told, draws, tier.scale, tier.weak, tier.parameters))
    return {step: _Step(tuple(of), step) for step, of in found.items()}
