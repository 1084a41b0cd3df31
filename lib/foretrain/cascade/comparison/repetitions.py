"""How far could the difference of two arms be off because each was tried with few seeds?

Two seeds tell little of a variance. So it is estimated from every pair of arms of a tier, whose differences have the
same variance if the arms are alike, and drawn towards the mean over the tiers.

References:
    Smyth (2004), Linear models and empirical Bayes methods: a variance by few degrees of freedom is averaged with what
    others show, weighed by degrees of freedom. There the weight is fitted; with three tiers it is fixed here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
import numpy.typing as npt

from foretrain.cascade.comparison.resampling import HeldOut
from foretrain.cascade.record import ArmName

Floats = npt.NDArray[np.float64]

Values = Mapping[tuple[ArmName, int], Floats]
"""(measures, rows) of each model, by arm and seed: its loss, its metric."""

PRIOR = 2.0
"""Degrees of freedom that the mean over the tiers weighs, beside the two that a tier has of its own."""

FREEDOM = 4.0
"""Degrees of freedom of the result, for three alike tiers of three arms and two seeds: 1 / (sum of squared weights / 2)
with weights 2/3, 1/6, 1/6 (Satterthwaite 1946)."""


@dataclass(frozen=True)
class Scatter:
    """How the differences of two arms vary between the seeds of one tier.

    Attributes:
        variance: (measures,) of the difference at one seed.
        freedom: degrees of freedom it was estimated with; 0 where it could not be.
    """

    variance: Floats
    freedom: int

    @classmethod
    def of(cls, values: Values) -> Self:
        """The mean over the pairs of arms: with all models there, twice the mean square of arms by seeds."""
        arms = dict.fromkeys(arm for arm, _ in values)
        found = []
        for one, other in combinations(arms, 2):
            apart = differences(values, one, other)
            if apart is not None and len(apart) >= 2:
                found.append(apart.mean(-1).var(axis=0, ddof=1))
        if not found:
            return cls(np.zeros(1), 0)
        return cls(np.mean(found, axis=0), (len(arms) - 1) * (len({seed for _, seed in values}) - 1))


def differences(values: Values, worse: ArmName, better: ArmName) -> Floats | None:
    """(seeds, measures, rows) over the seeds that both arms have; None where there is none."""
    seeds = sorted({seed for _, seed in values})
    found = [
        values[worse, seed] - values[better, seed] for seed in seeds if {(worse, seed), (better, seed)} <= values.keys()
    ]
    return np.stack(found) if found else None


def pooled(scatters: Sequence[Scatter]) -> list[Floats]:
    """Each tier's variance of the difference at one seed, (measures,), drawn towards the mean over the tiers."""
    known = [scatter for scatter in scatters if scatter.freedom]
    if not known:
        return [scatter.variance for scatter in scatters]
    mean = sum(s.freedom * s.variance for s in known) / sum(s.freedom for s in known)
    return [np.asarray((s.freedom * s.variance + PRIOR * mean) / (s.freedom + PRIOR)) for s in scatters]


def noise(apart: Floats, variance: Floats, held_out: HeldOut, stretch: Floats, chance: np.random.Generator) -> Floats:
    """Draws of what other seeds would add to the mean difference, (draws, measures).

    What of the variance is only the rows' own scatter at each seed is taken off: a bootstrap of rows has it already.

    Args:
        apart: (seeds, measures, rows) differences.
        variance: (measures,) of the difference at one seed.
        held_out: the rows.
        stretch: (draws,) see `stretches`.
        chance: draws.
    """
    seeds = len(apart)
    rest = apart - apart.mean(0)
    rows = held_out.variance(rest).sum(0) / max(seeds - 1, 1)
    left = np.sqrt(np.maximum(0.0, variance - rows) / seeds)
    return np.asarray(left * stretch[:, None] * chance.standard_normal((len(stretch), apart.shape[1])))


def stretches(draws: int, chance: np.random.Generator) -> Floats:
    """(draws,) by how much the variance's root may be off, the same for all tiers, which it was estimated from."""
    return np.sqrt(FREEDOM / chance.chisquare(FREEDOM, draws))
