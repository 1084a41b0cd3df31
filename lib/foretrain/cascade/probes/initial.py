"""Before any training, does the candidate pull a model as the original does?

All arms meet the same initial weights, and outputs centred on the first arm, so that a difference is one of the rows.
Three disjoint subsets of an arm's rows are drawn `SPLITS` times, and every property is measured on each: the arm's
value is the mean. The noise of a contrast comes from the scatter between disjoint subsets of the original: with a
variance of v between subsets of a third of the rows, the mean over the thirds has v / 3, and the difference of two
fresh samples 2 v / 3. That holds for what is nearly linear in the rows; of the cosine between halves, which varies with
the halves, it is an upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from foretrain.cascade.catalogue import BY_NAME, load
from foretrain.cascade.probes import fisher, noise
from foretrain.cascade.probes.gradients import Replicas, of_loss, of_output
from foretrain.cascade.problem import Arm, Problem, Rows, length, take
from foretrain.cascade.record import ArmName, Contrast, Probe
from foretrain.cascade.tiers.tier import NetTier
from foretrain.seeds import number, stream

Floats = npt.NDArray[np.float64]

SPLITS = 8
THIRDS = 3

ROWS = 576
"""Rows of an arm whose gradients are taken, at most."""

BYTES = 2**15
"""Bytes of texts whose gradients are taken: each costs what a row of a table does."""

FISHER_ROWS = 384
"""Rows of these that the Fisher information is taken from; its cost rises with their square."""

FEWEST = 24
"""Rows of an arm below which nothing is measured."""


@dataclass(frozen=True)
class _Seen:
    """One arm: sums over its gradients and tangents, eigenvalues of its Fisher information (splits, thirds, rows)."""

    sums: noise.Sums
    tangents: noise.Sums
    eigenvalues: Floats


def measure(
    problem: Problem, tier: NetTier, arms: Mapping[ArmName, Arm], seed: int
) -> tuple[list[Contrast], dict[ArmName, list[Probe]]]:
    """Gradients and curvature at one initialisation, of every arm.

    Args:
        problem: what is learned.
        tier: the nets.
        arms: by name, in order; the first is what the others are compared with. Of those after the second a third of
            the rows is looked at, since their values are only shown.
        seed: the run's.

    Returns:
        The candidate against the original, empty without an original; and every arm's values. Both empty below
        `FEWEST` rows.
    """
    most = max(2 * FEWEST, BYTES // (problem.shape[0] + 1)) if problem.data == "text" else ROWS
    rows = min(ROWS, most, *(length(arm.train) for arm in arms.values())) // (2 * THIRDS) * (2 * THIRDS)
    if rows < FEWEST:
        return [], {}
    replicas = Replicas(problem, tier, number(seed, "cascade", "probes", "weights") % 2**31)
    replicas.centre(next(iter(arms.values())).train, _draws(seed))
    seen = {name: _look(replicas, arm.train, rows, seed, whole=k < 2) for k, (name, arm) in enumerate(arms.items())}
    first = next(iter(seen.values()))
    damping = fisher.STEEP * float(first.eigenvalues.sum(-1).mean())
    values = {name: _values(arm, first, damping) for name, arm in seen.items()}
    probes = {
        name: [Probe(name=key, value=float(found.mean())) for key, found in of.items()] for name, of in values.items()
    }
    if "original" not in values or "candidate" not in values:
        return [], probes
    made, real = values["candidate"], values["original"]
    return [_contrast(key, tier.name, made[key], real[key]) for key in real], probes


def _look(replicas: Replicas, rows: Rows, count: int, seed: int, *, whole: bool) -> _Seen:
    """The same places, splits, hidden columns and draws of labels in every arm; one subset of what is only shown."""
    chance, problem = stream(seed, "cascade", "probes", "rows"), replicas.problem
    pool = take(rows, chance.permutation(length(rows))[:count])
    few = min(count, FISHER_ROWS)
    subsets, few_subsets = _subsets(count, chance), _subsets(few, chance)
    if not whole:
        few, count = few // THIRDS, count // THIRDS
        subsets, few_subsets = np.arange(count).reshape(1, 1, -1), np.arange(few).reshape(1, 1, -1)
    tangent = of_output(problem, number(seed, "cascade", "probes", "tangent") % 2**63)
    own = replicas.gradients(take(pool, slice(0, count)), _draws(seed), of_loss(problem), tangent)
    sums, tangents = noise.sums(own, subsets)
    draws = _draws(seed)
    steep = replicas.gradients(take(pool, slice(0, few)), draws, partial(fisher.drawn, problem, chance=draws))
    return _Seen(sums, tangents, fisher.spectrum(torch.cat([each for (each,) in steep]), few_subsets))


def _draws(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(number(seed, "cascade", "probes", "draws") % 2**63)


def _subsets(rows: int, chance: np.random.Generator) -> npt.NDArray[np.intp]:
    """(splits, thirds, rows): disjoint within a split."""
    return np.stack([chance.permutation(rows) for _ in range(SPLITS)]).reshape(SPLITS, THIRDS, -1)


def _values(arm: _Seen, first: _Seen, damping: float) -> dict[str, Floats]:
    """By name, (splits, subsets). The last third of the first arm is what directions are compared with."""
    return {
        **noise.health(arm.sums),
        "direction": noise.cosine(arm.sums.means[:, : THIRDS - 1], first.sums.means[:, -1:]),
        "tangent": noise.cosine(arm.tangents.means[:, : THIRDS - 1], first.tangents.means[:, -1:]),
        **fisher.shape(arm.eigenvalues, damping),
    }


def _contrast(name: str, tier: str, made: Floats, real: Floats) -> Contrast:
    fitted = load().get((name, tier))
    return Contrast(
        name=name,
        title=BY_NAME[name].title,
        tier=tier,
        candidate=float(made.mean()),
        original=float(real.mean()),
        difference=float(made.mean() - real.mean()),
        noise=float(np.sqrt(real.var(axis=1, ddof=1).mean() * 2 / THIRDS)),
        scored=fitted is not None and fitted.scored,
    )
