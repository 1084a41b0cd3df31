"""What do nets see of an image?"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem

GRID = 8
"""Patches a side, at most: what is done at every place costs its parameters times the places to compute."""


def side(problem: Problem) -> int:
    """Pixels a side of a patch."""
    return max(1, -(-max(problem.shape[1:]) // GRID))


def grid(problem: Problem) -> tuple[int, int]:
    """Patches down and across, the last ones filled up with zeros."""
    _, h, w = problem.shape
    return -(-h // side(problem)), -(-w // side(problem))


def depth(problem: Problem) -> int:
    """Numbers a patch: its pixels and, for masked pixels, whether each is hidden."""
    return (problem.shape[0] + (problem.goal == "masked pixels")) * side(problem) ** 2


def patches(problem: Problem, batch: Batch) -> Tensor:
    """(models, depth, down, across, rows), hidden pixels blotted out."""
    x = batch["pixels"]  # (models, rows, k, h, w)
    if problem.goal == "masked pixels":
        hidden = batch["hidden"].unsqueeze(2)
        x = torch.cat([x * (1 - hidden), hidden], 2)
    s, (down, across) = side(problem), grid(problem)
    x = functional.pad(x, (0, across * s - x.shape[-1], 0, down * s - x.shape[-2]))
    x = x.reshape(*x.shape[:3], down, s, across, s).permute(0, 2, 4, 6, 3, 5, 1)
    return x.flatten(1, 3)


def together(problem: Problem, patches: Tensor) -> Tensor:
    """(models, k x side^2, down, across, rows) to (models, rows, k x h x w)."""
    (k, h, w), s, (down, across) = problem.shape, side(problem), grid(problem)
    x = patches.reshape(len(patches), k, s, s, down, across, -1).permute(0, 6, 1, 4, 2, 5, 3)
    return x.reshape(*x.shape[:3], down * s, across * s)[..., :h, :w].flatten(2)
