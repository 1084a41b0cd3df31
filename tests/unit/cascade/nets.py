"""Which problems, and which batches of them, are nets tried on?"""

from __future__ import annotations

import torch

from foretrain.cascade.losses import Batch, corrupt
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.convolution import CONVOLUTION
from foretrain.cascade.tiers.filter import FILTER
from foretrain.cascade.tiers.mlp import MLP
from foretrain.cascade.tiers.resonance import RESONANCE
from foretrain.cascade.tiers.spectral import SPECTRAL
from foretrain.cascade.tiers.tier import NetTier
from foretrain.cascade.tiers.transformer import TRANSFORMER

TABLES = (
    Problem("table", "classification", "y", 3, (2, 5), 4),
    Problem("table", "regression", "y", 2, ()),
    Problem("table", "regression", "y", 0, (3,)),
    Problem("table", "classification", "y", 66, (4,), 2),  # too many columns for the short way of mixing
    Problem("table", "masked columns", None, 3, (2, 5)),
    Problem("table", "masked columns", None, 1, ()),
)
TEXT = Problem("text", "next byte", None, shape=(21,))
IMAGES = (
    Problem("image", "classification", "y", classes=3, shape=(1, 8, 8)),
    Problem("image", "regression", "y", shape=(3, 11, 6)),
    Problem("image", "masked pixels", None, shape=(1, 8, 8)),
    Problem("image", "masked pixels", None, shape=(2, 17, 5)),
)
CASES: list[tuple[NetTier, Problem]] = [
    *((tier, problem) for tier in (MLP, RESONANCE) for problem in TABLES),
    *((tier, TEXT) for tier in (TRANSFORMER, SPECTRAL)),
    *((tier, problem) for tier in (CONVOLUTION, FILTER) for problem in IMAGES),
]
NAMES = [f"{tier.name}-{problem.goal}-{problem.numbers or ''}{problem.shape or ''}" for tier, problem in CASES]


def batch(problem: Problem, models: int, rows: int = 7, seed: int = 0) -> Batch:
    """Random rows as they are prepared, different for each model but for what is hidden."""
    chance = torch.Generator().manual_seed(seed)
    made: dict[str, torch.Tensor] = {}
    if problem.data == "table":
        nulls = (torch.rand(models, rows, problem.numbers, generator=chance) < 0.2).float()
        made["numbers"] = torch.randn(models, rows, problem.numbers, generator=chance) * (1 - nulls)
        made["nulls"] = nulls
        made["codes"] = torch.empty(models, rows, len(problem.levels), dtype=torch.int64)
        for column, levels in enumerate(problem.levels):
            made["codes"][..., column] = torch.randint(levels + 1, (models, rows), generator=chance)
    elif problem.data == "text":
        tokens = torch.randint(1, 257, (models, rows, *problem.shape), generator=chance)
        lengths = torch.randint(problem.shape[0] + 1, (models, rows, 1), generator=chance)
        made["tokens"] = tokens * (torch.arange(problem.shape[0]) < lengths)
    else:
        made["pixels"] = torch.randn(models, rows, *problem.shape, generator=chance)
    if problem.goal == "classification":
        made["goal"] = torch.randint(problem.classes, (models, rows), generator=chance)
    if problem.goal == "regression":
        made["goal"] = torch.randn(models, rows, generator=chance)
    return corrupt(problem, made, chance)


def only(rows: Batch, model: int) -> Batch:
    """One model's rows, as a batch of one model."""
    return {name: values[model : model + 1] for name, values in rows.items()}
