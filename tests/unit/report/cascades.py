"""Which cascades is the report tried on? Curves fall and losses scatter as trained models' do."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from foretrain.cascade.catalogue import PROBES
from foretrain.cascade.record import ArmName, Cascade, Contrast, Difference, Ending, Model, Point
from foretrain.record import Interval
from foretrain.seeds import stream

TIERS = {
    "trees": ("boosted trees (LightGBM)", 1_240, 0.46, 180),
    "mlp": ("MLP, 2 layers of 84, 10,082 parameters", 10_082, 0.41, 640),
    "resonance": (
        "Resonance NN, 8 a column, 2 FFT mixers, head of 2 layers of 232, 99,870 parameters",
        99_870,
        0.44,
        480,
    ),
}
"""By name: architecture, parameters, share of the guess's loss that is learned from the original, steps."""

GUESS = 0.67
ALL: Collection[tuple[str, ArmName]] = [
    (tier, arm) for tier in TIERS for arm in ("original", "candidate", "child", "grandchild")
]


def cascade(
    lost: float = 0.12,
    decay: float = 0.06,
    *,
    original: bool = True,
    target: str | None = "weight_kg",
    learned: float = 1.0,
    wide: float = 0.025,
    failed: Collection[tuple[str, ArmName]] = (),
    **changes: Any,
) -> Cascade:
    """A cascade whose candidate costs a share `lost`, and each further generation `decay`.

    Args:
        learned: how much there is to learn, as a factor.
        wide: half the width of the intervals.
        failed: tiers and arms whose second model diverged; both models where named twice.
    """
    arms: tuple[ArmName, ArmName, ArmName] = (
        ("original", "candidate", "child") if original else ("candidate", "child", "grandchild")
    )
    costs = dict(zip(arms, (0.0, lost if original else decay, lost + decay if original else 2 * decay), strict=True))
    models = tuple(
        _model(tier, arm, seed, costs, learned, list(failed).count((tier, arm)) > 1 - seed)
        for tier in TIERS
        for arm in arms
        for seed in (0, 1)
    )
    there = {(tier, arm) for tier, arm in ALL if list(failed).count((tier, arm)) < 2}
    steps = [(worse, better) for better, worse in pairwise(arms)]
    told = {step: _differences(step, costs, learned, wide, there) for step in steps}
    given: dict[str, Any] = {
        "data": "table",
        "goal": "masked columns" if target is None else "classification",
        "target": target,
        "metric": "nats saved a cell" if target is None else "accuracy",
        "arms": arms,
        "generator": "sequential CART",
        "rows": 8_000,
        "held_out": 4_000,
        "guess": GUESS,
        "models": models,
        "harm": told.pop(("candidate", "original"), ()),
        "decay": tuple(each for step in told.values() for each in step),
        "agreement": 1.0,
        "slope": 0.012,
        "margin": 0.05,
        "probability_of_harm": (0.97 if lost > 0.07 else 0.02) if original else None,
        "contrasts": _contrasts(lost) if original else (),
        "device": "AMD EPYC",
        "rows_per_second": 41_230.0,
        "peak_bytes": 812_000_000,
        "notes": ("Models learn from 8,000 of the original's 20,190 rows.",),
    }
    if original and not given["harm"]:
        given["probability_of_harm"] = None
    return Cascade.model_validate(given | changes)


def badly(**changes: Any) -> Cascade:
    """One whose models often diverged, or learned little."""
    failed: list[tuple[str, ArmName]] = [("mlp", "candidate"), ("resonance", "child"), ("resonance", "child")]
    return cascade(0.3, 0.1, learned=0.05, wide=0.6, failed=failed, resumed=2, **changes)


def _model(tier: str, arm: ArmName, seed: int, costs: Mapping[ArmName, float], learned: float, diverged: bool) -> Model:
    architecture, parameters, share, most = TIERS[tier]
    draw = stream(seed, "report", "cascade", tier, arm)
    gain = share * learned * GUESS
    loss = GUESS - gain * (1 - costs[arm]) + 0.004 * float(draw.normal())
    steps = round(most * draw.uniform(0.8, 1.2))
    curve = _curve(steps, loss - 0.6 * gain * costs[arm], draw, tier == "trees")
    ending: Ending = "diverged" if diverged else "converged" if steps < 1.1 * most else "ran out of steps"
    return Model(
        tier=tier,
        architecture=architecture,
        seed=seed,
        arm=arm,
        parameters=parameters,
        ending=ending,
        reason="by step 40 the training loss was no longer a finite number" if diverged else None,
        loss=None if diverged else loss,
        metric=None if diverged else 0.62 + 0.6 * (GUESS - loss),
        steps=40 if diverged else steps,
        seconds=4.2,
        curve=tuple(point for point in curve if point.step <= 40) if diverged else curve,
    )


def _curve(steps: int, end: float, draw: np.random.Generator, trees: bool) -> tuple[Point, ...]:
    at = np.unique(np.round(np.linspace(1 if trees else 0, steps, 30)).astype(int))
    start = GUESS * (1 if trees else 1.08)
    fall = np.exp(-4 * (at / steps) ** 0.6)
    falls = end + (start - end) * fall + draw.normal(0, 0.002, len(at)) + 0.02 * (at / steps) ** 4 * GUESS
    return tuple(
        Point(step=int(step), seconds=0.01 * float(step), train=float(loss - 0.05 * (1 - gone)), validation=float(loss))
        for step, loss, gone in zip(at, falls, fall, strict=True)
    )


def _differences(
    arms: tuple[ArmName, ArmName],
    costs: Mapping[ArmName, float],
    learned: float,
    wide: float,
    there: Collection[tuple[str, ArmName]],
) -> tuple[Difference, ...]:
    share = costs[arms[0]] - costs[arms[1]]
    tiers = [tier for tier in TIERS if {(tier, arm) for arm in arms} <= set(there)]
    if not tiers:
        return ()
    shares = {tier: (share * factor, wide * 1.4) for tier, factor in zip(TIERS, (1.15, 0.8, 1.05), strict=True)}
    found = {tier: shares[tier] for tier in tiers} | {"all": (share, wide)}

    def scaled(interval: Interval, factor: float) -> Interval:
        low, high = sorted(end * factor for end in interval)
        return low, high

    return tuple(
        Difference(
            tier=tier,
            arms=arms,
            loss=value * 0.3 * learned,
            interval=scaled((value - half, value + half), 0.3 * learned),
            metric=-value * 0.18,
            metric_interval=scaled((value - half, value + half), -0.18),
            share=value,
            share_interval=(value - half, value + 1.2 * half),
        )
        for tier, (value, half) in found.items()
    )


def _contrasts(lost: float) -> tuple[Contrast, ...]:
    draw = stream(5, "report", "contrasts")
    found = []
    for index, probe in enumerate(PROBES):
        for tier in ("resonance",) if probe.name.startswith("gate") else ("mlp", "resonance"):
            original, noise = float(draw.uniform(0.2, 3)), float(draw.uniform(0.02, 0.2))
            difference = float(noise * draw.normal(30 * lost if index % 3 == 0 else 0, 1))
            found.append(
                Contrast(
                    name=probe.name,
                    title=probe.title,
                    tier=tier,
                    candidate=original + difference,
                    original=original,
                    difference=difference,
                    noise=noise,
                    scored=index % 3 == 0,
                )
            )
    return tuple(found)
