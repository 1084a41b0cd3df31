"""What does a trained model show beside its loss: how fast it got there, how steep it is there, what it listens to?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch

from foretrain.cascade.catalogue import BY_NAME, load
from foretrain.cascade.probes import fisher
from foretrain.cascade.probes.gradients import Replicas
from foretrain.cascade.problem import Problem, Rows, length, take
from foretrain.cascade.record import ArmName, Contrast, Point, Probe
from foretrain.cascade.tiers.tier import NetTier, Run, Tier, Trained
from foretrain.seeds import number

NEARLY = 0.05
"""Share of the fall of the validation loss that may be left for training to count as converged."""

ROWS = 128
"""Held-out rows that the curvature is taken from."""

LOW = 0.25
"""Share of frequencies, from the lowest, that count as low."""

TINY = 1e-12


def trained(problem: Problem, tier: Tier, model: Trained, held_out: Rows, most_steps: int, seed: int) -> list[Probe]:
    """What one model shows after training; empty for one that did not end well.

    Args:
        problem: what it learned.
        tier: what it is; curvature and gates are those of nets.
        model: how it ended.
        held_out: original rows that no model learned from; all arms' models are looked at on the same.
        most_steps: that it was allowed.
        seed: the run's.
    """
    if model.loss is None:
        return []
    return [Probe(name=name, value=value) for name, value in _shown(problem, tier, model, held_out, most_steps, seed)]


def _shown(
    problem: Problem, tier: Tier, model: Trained, held_out: Rows, most_steps: int, seed: int
) -> Iterator[tuple[str, float]]:
    if model.curve:
        assert model.loss is not None
        best = min(model.curve, key=lambda point: point.validation)
        yield "convergence", converged(model.curve) / most_steps
        yield "gap", float(model.loss.mean()) - best.train
    if isinstance(tier, NetTier) and model.state:
        replicas = Replicas(problem, tier, 0, model.state)
        rows = take(held_out, slice(0, ROWS))
        draws = torch.Generator().manual_seed(number(seed, "cascade", "probes", "draws") % 2**63)
        steep = replicas.gradients(rows, draws, partial(fisher.drawn, problem, chance=draws))
        values = fisher.spectrum(torch.cat([each for (each,) in steep]), np.arange(length(rows)))
        yield "trained_curvature", float(np.log10(values.sum() + TINY))
        yield "sharpness", float(np.log10(values[0] + TINY))
        spectra = getattr(replicas.net, "spectra", None)
        if spectra is not None:
            with torch.no_grad():
                yield from gates(spectra()[0].double().numpy()).items()


def converged(curve: Sequence[Point]) -> int:
    """The first step from which no more than `NEARLY` of the fall of the validation loss was left."""
    losses = [point.validation for point in curve]
    least = min(losses)
    near = least + NEARLY * (losses[0] - least)
    return next(point.step for point in curve if point.validation <= near)


def gates(size: npt.NDArray[np.float64]) -> Mapping[str, float]:
    """Centroid, entropy and share of low frequencies of gates, each a share of 1; the mean over the filters.

    Args:
        size: (filters, frequencies) absolute values, lowest frequency first.
    """
    share = size / np.maximum(size.sum(-1, keepdims=True), TINY)
    count = share.shape[-1]
    if count < 2:
        return {}
    logs = np.log(np.maximum(share, TINY))
    return {
        "gate_centroid": float((share @ (np.arange(count) / (count - 1))).mean()),
        "gate_entropy": float(-(share * logs).sum(-1).mean() / np.log(count)),
        "gate_low": float(share[:, : max(1, round(LOW * count))].sum(-1).mean()),
    }


def contrasts(tier: str, found: Mapping[Run, Sequence[Probe]]) -> list[Contrast]:
    """The candidate's trained models against the original's, paired by seed; empty where no two seeds have both.

    The noise is what the seeds show: the variance between the seeds of one arm, averaged over the arms, twice, over the
    number of seeds. It is not paired by seed, since so few pairs agree to the bit now and then. It holds no noise of
    drawing other rows.

    Args:
        tier: its name.
        found: what `trained` gave, by run.
    """
    values = {run: {probe.name: probe.value for probe in probes} for run, probes in found.items()}
    out = []
    for name in dict.fromkeys(name for of in values.values() for name in of):
        arms: dict[ArmName, dict[int, float]] = {}
        for run, of in values.items():
            if name in of:
                arms.setdefault(run.arm, {})[run.seed] = of[name]
        if {"original", "candidate"} <= arms.keys():
            seeds = sorted(arms["original"].keys() & arms["candidate"].keys())
            if len(seeds) >= 2:
                out.append(_contrast(tier, name, arms, seeds))
    return out


def _contrast(tier: str, name: str, arms: Mapping[ArmName, Mapping[int, float]], seeds: Sequence[int]) -> Contrast:
    scatter = [float(np.var([of[seed] for seed in seeds], ddof=1)) for of in arms.values() if set(seeds) <= of.keys()]
    made, real = (float(np.mean([arms[arm][seed] for seed in seeds])) for arm in ("candidate", "original"))
    fitted = load().get((name, tier))
    return Contrast(
        name=name,
        title=BY_NAME[name].title,
        tier=tier,
        candidate=made,
        original=real,
        difference=made - real,
        noise=float(np.sqrt(2 * np.mean(scatter) / len(seeds))),
        scored=fitted is not None and fitted.scored,
    )
