"""A few rows of each kind that nets learn from, and the nets."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.record import ArmName
from foretrain.cascade.tiers import tiers
from foretrain.cascade.tiers.tier import NetTier
from foretrain.cascade.training.joint import hide

ARMS: tuple[ArmName, ...] = ("original", "candidate", "child")
Draw = Callable[[np.random.Generator, int, float], Rows]


def texts(chance: np.random.Generator, count: int, noise: float) -> Rows:
    steps = chance.integers(0, 2 + int(4 * noise), (count, 16))
    tokens = 98 + np.cumsum(steps, 1) % 20
    tokens[np.arange(16) >= chance.integers(4, 17, (count, 1))] = 0
    return {"tokens": tokens}


def images(chance: np.random.Generator, count: int, noise: float) -> Rows:
    goal = chance.integers(0, 4, count)
    pixels = chance.normal(size=(count, 1, 8, 8)) * noise
    pixels[np.arange(count), 0, 2 * goal] += 1
    return {"pixels": pixels.astype(np.float32), "goal": goal}


def numbers(chance: np.random.Generator, count: int, noise: float) -> Rows:
    x = chance.normal(size=(count, 6)).astype(np.float32)
    x[:, 1] = x[:, 0] + noise * x[:, 1]
    nulls = (chance.random((count, 6)) < 0.1).astype(np.float32)
    goal = x[:, 0] - x[:, 2]
    return {"numbers": x * (1 - nulls), "nulls": nulls, "codes": chance.integers(0, 4, (count, 2)), "goal": goal}


def without_goal(draw: Draw) -> Draw:
    return lambda *given: {name: values for name, values in draw(*given).items() if name != "goal"}


KINDS: dict[str, tuple[Problem, Draw]] = {
    "texts": (Problem("text", "next byte", None, shape=(16,)), texts),
    "images": (Problem("image", "classification", "y", classes=4, shape=(1, 8, 8)), images),
    "pixels": (Problem("image", "masked pixels", None, shape=(1, 8, 8)), without_goal(images)),
    "table": (Problem("table", "regression", "y", numbers=6, levels=(3, 3)), numbers),
    "columns": (Problem("table", "masked columns", None, numbers=6, levels=(3, 3)), without_goal(numbers)),
}
NETS = [(kind, tier) for kind, (problem, _) in KINDS.items() for tier in tiers(problem) if isinstance(tier, NetTier)]


def arms(kind: str) -> dict[ArmName, Arm]:
    draw, chance = KINDS[kind][1], np.random.default_rng(3)
    return {name: Arm(draw(chance, 90, 0.5 * at), draw(chance, 37, 0.5 * at)) for at, name in enumerate(ARMS)}


def held_out(kind: str) -> Rows:
    problem, draw = KINDS[kind]
    return hide(problem, draw(np.random.default_rng(4), 45, 0.1), 5)
