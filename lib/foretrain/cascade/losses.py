"""How wrong is a model's output, row by row?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from foretrain.cascade.problem import Problem

Batch = Mapping[str, Tensor]
"""`Rows` as tensors with a leading axis for the models trained together: (models, rows, ...)."""

MASKED = 0.3
"""Share of columns, or of rows and columns of pixels, that is hidden while learning."""


def losses(problem: Problem, output: Tensor, batch: Batch) -> Tensor:
    """Each row's loss for each model, (models, rows): nats, or squared error in deviations of the target.

    Masked columns: the mean over the hidden ones, nats of a category and half the squared error of a number. Next byte:
    nats a byte, averaged over the row's bytes and its end.

    Args:
        problem: what was learned.
        output: (models, rows, outputs), texts (models, rows, t + 1, outputs).
        batch: what the output was made from.
    """
    match problem.goal:
        case "classification":
            return functional.cross_entropy(output.movedim(-1, 1), batch["goal"], reduction="none")
        case "regression":
            return (output[..., 0] - batch["goal"]) ** 2
        case "masked columns":
            return _masked_columns(problem, output, batch)
        case "next byte":
            return _next_byte(output, batch["tokens"])
        case "masked pixels":
            hidden = batch["hidden"].unsqueeze(-3)
            wrong = (output.reshape(batch["pixels"].shape) - batch["pixels"]) ** 2 * hidden
            return wrong.sum((-1, -2, -3)) / (hidden.sum((-1, -2, -3)) * batch["pixels"].shape[-3]).clamp(min=1)


def right(problem: Problem, output: Tensor, batch: Batch) -> Tensor | None:
    """1 where the likeliest class is the true one, (models, rows); None for other goals."""
    return (output.argmax(-1) == batch["goal"]).float() if problem.goal == "classification" else None


def corrupt(problem: Problem, batch: Batch, chance: torch.Generator) -> Batch:
    """The batch with what is drawn anew at every step: which columns or pixels are hidden; the same for all models."""
    if problem.goal == "masked columns":
        rows, columns = batch["codes"].shape[1], problem.numbers + len(problem.levels)
        order = torch.rand(rows, columns, generator=chance).argsort(-1)
        masked = (order < max(1, round(MASKED * columns))).float().to(batch["codes"].device)
        return {**batch, "masked": masked.expand(batch["codes"].shape[0], -1, -1)}
    if problem.goal == "masked pixels":
        models, rows, _, h, w = batch["pixels"].shape
        down = torch.rand(rows, h, 1, generator=chance) < MASKED
        across = torch.rand(rows, 1, w, generator=chance) < MASKED
        return {**batch, "hidden": (down | across).float().to(batch["pixels"].device).expand(models, -1, -1, -1)}
    return batch


def _masked_columns(problem: Problem, output: Tensor, batch: Batch) -> Tensor:
    p, masked = problem.numbers, batch["masked"]
    known = torch.cat([1.0 - batch["nulls"], torch.ones_like(masked[..., p:])], -1) * masked
    parts = [0.5 * (output[..., :p] - batch["numbers"]) ** 2]
    at = p
    for j, k in enumerate(problem.levels):
        block = output[..., at : at + k + 1].movedim(-1, 1)
        parts.append(functional.cross_entropy(block, batch["codes"][..., j], reduction="none").unsqueeze(-1))
        at += k + 1
    wrong = torch.cat(parts, -1)
    return (wrong * known).sum(-1) / known.sum(-1).clamp(min=1)


def _next_byte(output: Tensor, tokens: Tensor) -> Tensor:
    goal = functional.pad(tokens, (0, 1))
    length = (tokens > 0).sum(-1, keepdim=True)
    asked = (torch.arange(goal.shape[-1], device=goal.device) <= length).float()
    wrong = functional.cross_entropy(output.movedim(-1, 1), goal, reduction="none")
    return (wrong * asked).sum(-1) / asked.sum(-1)
