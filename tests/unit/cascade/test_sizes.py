"""Has every net about the parameters of its tier, whatever the rows look like?"""

from __future__ import annotations

import pytest
from unit.cascade.nets import CASES, NAMES, TEXT

from foretrain.cascade.problem import Problem
from foretrain.cascade.record import Goal
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.convolution import CONVOLUTION
from foretrain.cascade.tiers.filter import FILTER
from foretrain.cascade.tiers.mlp import MLP, Mlp
from foretrain.cascade.tiers.resonance import RESONANCE
from foretrain.cascade.tiers.spectral import SPECTRAL
from foretrain.cascade.tiers.tier import NetTier
from foretrain.cascade.tiers.transformer import TRANSFORMER

GOALS: tuple[tuple[Goal, int], ...] = (
    ("classification", 2), ("classification", 50), ("regression", 0), ("masked columns", 0)
)  # fmt: skip


def near(tier: NetTier, problem: Problem, budget: int) -> bool:
    count = sizes.parameters(tier.build(problem, ()))
    said = tier.describe(problem)
    assert f"{count:,} parameters" in said
    within = abs(count - budget) <= 0.25 * budget
    assert within != ("as near to" in said)
    return within


@pytest.mark.parametrize("columns", [1, 2, 20, 256])
@pytest.mark.parametrize("kind", ["numbers", "twos", "many", "mixed"])
def test_tables(columns: int, kind: str) -> None:
    numbers = {"numbers": columns, "mixed": columns - columns // 2}.get(kind, 0)
    levels = tuple({"twos": 2, "many": 25}.get(kind, 2 + k % 24) for k in range(columns - numbers))
    for goal, classes in GOALS:
        problem = Problem("table", goal, None, numbers, levels, classes)
        assert near(RESONANCE, problem, sizes.LARGE), problem
        least = sizes.parameters(Mlp(problem, (), 1))
        assert near(MLP, problem, sizes.SMALL) or least > sizes.SMALL, problem


@pytest.mark.parametrize("shape", [(1, 3, 3), (1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 48)])
def test_images(shape: tuple[int, ...]) -> None:
    for goal, classes in (*GOALS[:3], ("masked pixels", 0)):
        problem = Problem("image", goal, None, classes=classes, shape=shape)
        assert near(CONVOLUTION, problem, sizes.SMALL), problem
        assert near(FILTER, problem, sizes.LARGE), problem


def test_texts() -> None:
    assert near(TRANSFORMER, TEXT, sizes.SMALL)
    assert near(SPECTRAL, TEXT, sizes.LARGE)


@pytest.mark.parametrize(("tier", "problem"), CASES, ids=NAMES)
def test_parameters_are_counted_a_model(tier: NetTier, problem: Problem) -> None:
    net = tier.build(problem, (0, 1, 2))
    assert sizes.parameters(net) == sum(weights.numel() for weights in net.parameters()) // 3


def test_width() -> None:
    assert sizes.width(lambda w: 100 * w, 3_333) == 32  # even, and within a twentieth
    assert sizes.width(lambda w: 100 * w, 1_149) == 11
    assert sizes.width(lambda w: 100 * w, 1_151) == 12
    assert sizes.width(lambda w: 100 * w, 1) == sizes.NARROWEST
    assert sizes.width(lambda w: w, 10**9) == sizes.WIDEST
