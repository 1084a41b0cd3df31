"""Does every architecture start from nothing, and learn what can be learned?"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from unit.cascade.nets import CASES, NAMES, batch

from foretrain.cascade.losses import Batch, corrupt, losses
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.convolution import CONVOLUTION
from foretrain.cascade.tiers.filter import FILTER
from foretrain.cascade.tiers.mlp import MLP
from foretrain.cascade.tiers.resonance import RESONANCE
from foretrain.cascade.tiers.spectral import SPECTRAL
from foretrain.cascade.tiers.tier import NetTier
from foretrain.cascade.tiers.transformer import TRANSFORMER

ROWS = 64
REGRESSION = Problem("table", "regression", "y", 2, (3,))
CLASSES = Problem("table", "classification", "y", 2, (3,), 3)
COLUMNS = Problem("table", "masked columns", None, 3, (3,))
TEXT = Problem("text", "next byte", None, shape=(12,))
LABELS = Problem("image", "classification", "y", classes=2, shape=(1, 8, 8))
HEIGHTS = Problem("image", "regression", "y", shape=(1, 8, 8))
PIXELS = Problem("image", "masked pixels", None, shape=(1, 8, 8))


def rows(problem: Problem, chance: torch.Generator) -> Batch:
    """Rows whose goal follows from their inputs, one batch for two models."""
    made: dict[str, torch.Tensor] = {}
    if problem.data == "table":
        numbers = torch.randn(ROWS, problem.numbers, generator=chance)
        codes = torch.randint(1, 4, (ROWS, 1), generator=chance)
        goal = numbers[:, 0] * (codes[:, 0] - 2) + (3 * numbers[:, 1]).sin()
        if problem.goal == "masked columns":  # each column says what the others are
            numbers = (codes - 2).float() * torch.tensor([1.2, -1.2, 1.2])
        made |= {"numbers": numbers, "nulls": torch.zeros_like(numbers), "codes": codes}
        made["goal"] = goal / 1.1 if problem.goal == "regression" else codes[:, 0] - 1
    elif problem.data == "text":  # the first two bytes say the rest
        first = torch.randint(98, 122, (ROWS, 2), generator=chance)
        made["tokens"] = first.repeat(1, 6)
    elif problem.goal == "masked pixels":  # a wave across, which every row and column shows
        phase = torch.rand(ROWS, 1, 1, generator=chance) + (torch.arange(8) + torch.arange(8).unsqueeze(-1)) / 8
        made["pixels"] = 2**0.5 * (2 * np.pi * phase).sin().unsqueeze(1)
    else:  # a bar, upright or lying, somewhere
        place = torch.randint(8, (ROWS,), generator=chance)
        upright = torch.rand(ROWS, generator=chance) < 0.5
        bar = (torch.arange(8) == place.unsqueeze(-1)).float().unsqueeze(1).expand(-1, 8, -1)
        made["pixels"] = 2 * torch.where(upright[:, None, None], bar, bar.mT).unsqueeze(1)
        made["goal"] = upright.long() if problem.goal == "classification" else (place - 3.5) / 2.3
    stacked = {name: values.expand(2, *values.shape) for name, values in made.items()}
    return corrupt(problem, stacked, chance)


@pytest.mark.parametrize(
    ("tier", "problem", "steps", "rate", "guess"),
    [
        *((tier, problem, 80, 1e-2, guess) for tier in (MLP, RESONANCE)
          for problem, guess in ((REGRESSION, 1.0), (CLASSES, np.log(3)), (COLUMNS, 0.6))),
        (TRANSFORMER, TEXT, 80, 2e-2, 3.0),
        (SPECTRAL, TEXT, 40, 1e-2, 3.0),
        *((tier, problem, 40, 1e-2, guess) for tier in (CONVOLUTION, FILTER)
          for problem, guess in ((LABELS, np.log(2)), (HEIGHTS, 1.0), (PIXELS, 1.0))),
    ],
)  # fmt: skip
def test_learns(tier: NetTier, problem: Problem, steps: int, rate: float, guess: float) -> None:
    chance = torch.Generator().manual_seed(3)
    net = tier.build(problem, (0, 1))
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, fused=True)
    for _ in range(steps):
        made = rows(problem, chance)
        optimiser.zero_grad()
        losses(problem, net(made), made).mean(1).sum().backward()
        optimiser.step()
    with torch.no_grad():
        fresh = rows(problem, chance)
        found = losses(problem, net(fresh), fresh).mean(1)
    assert (found < 0.5 * guess).all()


@pytest.mark.parametrize(("tier", "problem"), CASES, ids=NAMES)
def test_starts_with_nothing_to_say(tier: NetTier, problem: Problem) -> None:
    made = batch(problem, 1, 200)
    with torch.no_grad():
        output = tier.build(problem, (0,))(made)
        found, silent = (losses(problem, each, made).mean().item() for each in (output, torch.zeros_like(output)))
    assert 0.9 * silent < found < 1.2 * silent
