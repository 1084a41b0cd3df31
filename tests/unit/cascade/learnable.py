"""A small table that can be learned, in three arms, for tests of training."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.record import ArmName
from foretrain.cascade.tiers.tier import Net, NetTier, Run

NUMBERS, CLASSES, HIDDEN = 7, 3, 13
ARMS: tuple[ArmName, ...] = ("original", "candidate", "child")
RUNS = [Run(seed, arm) for seed in (0, 1) for arm in ARMS]
PROBLEM = Problem("table", "classification", "y", numbers=NUMBERS, levels=(4,), classes=CLASSES)


def rows(count: int, seed: int, noise: float = 0.0) -> Rows:
    """Three classes along a bent line, some labels drawn anew."""
    chance = np.random.default_rng([7, seed])
    x = chance.normal(size=(count, NUMBERS)).astype(np.float32)
    goal = np.digitize(x[:, 0] * x[:, 1] + x[:, 2], [-0.5, 0.5])
    drawn = chance.random(count) < noise
    goal[drawn] = chance.integers(0, CLASSES, drawn.sum())
    return {"numbers": x, "nulls": np.zeros_like(x), "codes": chance.integers(0, 5, (count, 1)), "goal": goal}


def arms(count: int = 400) -> dict[ArmName, Arm]:
    return {
        name: Arm(rows(count, 2 * at, at / 4), rows(count // 4 + 3, 2 * at + 1, at / 4)) for at, name in enumerate(ARMS)
    }


HELD_OUT = rows(203, 99)


class Tiny(Net):
    """Numbers, one hidden layer in a list."""

    def __init__(self, problem: Problem, seeds: Sequence[int]) -> None:
        super().__init__()
        self.models = len(seeds)
        shapes = {"a": (NUMBERS, HIDDEN), "b": (HIDDEN, HIDDEN), "c": (HIDDEN, problem.outputs)}
        drawn = [torch.Generator().manual_seed(seed) for seed in seeds]
        for name, shape in shapes.items():
            weights = [torch.randn(shape, generator=chance) / shape[0] ** 0.5 for chance in drawn]
            self.register_parameter(name, nn.Parameter(torch.stack(weights)))
        self.layers = nn.ModuleList([Layer(self.models)])

    def hidden(self, batch: Batch) -> Tensor:
        x = functional.relu(torch.bmm(batch["numbers"], self.a))
        return self.layers[0](torch.bmm(x, self.b))

    def output(self, hidden: Tensor) -> Tensor:
        return torch.bmm(hidden, self.c)


class Layer(nn.Module):
    def __init__(self, models: int) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(models, HIDDEN))

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.shift[:, None])


TINY = NetTier("tiny", Tiny, lambda problem: "a hidden layer")


class Hungry(Tiny):
    """Out of memory while it learns from more than 31 rows at once, and slow: there is time to kill it."""

    def hidden(self, batch: Batch) -> Tensor:
        time.sleep(0.01)
        if self.training and batch["numbers"].shape[1] > 31:
            raise torch.OutOfMemoryError("out of memory")
        return super().hidden(batch)


HUNGRY = NetTier("tiny", Hungry, lambda problem: "a hidden layer")
