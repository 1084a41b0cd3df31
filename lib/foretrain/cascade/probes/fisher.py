"""How steep is the loss, and in how many directions: the spectrum of the Fisher information?

The Fisher information of a model is the mean outer product of its per-row gradients, each by a label drawn from the
model itself; for these losses it is the generalised Gauss-Newton matrix. Its eigenvalues other than 0 are those of the
rows' Gram matrix, which is small.

References:
    Martens (2020), New insights and perspectives on the natural gradient method; Kunstner, Hennig and Balles (2019),
    Limitations of the empirical Fisher approximation (why labels are drawn).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem

Floats = npt.NDArray[np.float64]

STEEP = 0.01
"""Curvature, as a share of the original's trace, at which a direction counts half in the effective dimension."""

LEAST = 1e-7
"""Eigenvalues below this share of the largest are rounding."""

TINY = 1e-30


def drawn(problem: Problem, output: Tensor, batch: Batch, chance: torch.Generator) -> Tensor:
    """What to carry back from the outputs for labels drawn from the model, one draw a row.

    Squared errors are those of a normal with the variance that makes them its negative log likelihood. A row's loss
    that is a mean over k draws is scaled by the root of k, so that the expected outer product is the Gauss-Newton
    matrix of the loss as it is.

    Args:
        problem: what is learned.
        output: (models, rows, outputs), texts (models, rows, t + 1, outputs).
        batch: what it was made from.
        chance: draws the labels.
    """
    match problem.goal:
        case "classification":
            return _categories(output, chance)
        case "regression":
            return 2**0.5 * _normal(output, chance)
        case "masked columns":
            return _masked_columns(problem, output, batch, chance)
        case "next byte":
            length = (batch["tokens"] > 0).sum(-1, keepdim=True)
            asked = (torch.arange(output.shape[-2]) <= length).float()
            return _categories(output, chance) * (asked / asked.sum(-1, keepdim=True).sqrt()).unsqueeze(-1)
        case "masked pixels":
            hidden = batch["hidden"].unsqueeze(-3).expand(batch["pixels"].shape).flatten(-3)
            return 2**0.5 * _normal(output, chance) * hidden / hidden.sum(-1, keepdim=True).clamp(min=1).sqrt()


def _masked_columns(problem: Problem, output: Tensor, batch: Batch, chance: torch.Generator) -> Tensor:
    p, masked = problem.numbers, batch["masked"]
    asked = torch.cat([masked[..., :p] * (1.0 - batch["nulls"]), masked[..., p:]], -1)
    asked = asked / asked.sum(-1, keepdim=True).clamp(min=1).sqrt()
    parts = [_normal(output[..., :p], chance) * asked[..., :p]]
    at = p
    for j, k in enumerate(problem.levels):
        parts.append(_categories(output[..., at : at + k + 1], chance) * asked[..., p + j : p + j + 1])
        at += k + 1
    return torch.cat(parts, -1)


def _categories(output: Tensor, chance: torch.Generator) -> Tensor:
    chances = output.softmax(-1)
    # the place of a uniform number among the summed chances: several times faster than torch.multinomial
    drawn = torch.rand((*output.shape[:-1], 1), generator=chance)
    label = (chances.cumsum(-1) < drawn).sum(-1, keepdim=True).clamp(max=output.shape[-1] - 1)
    return chances.scatter_add(-1, label, -torch.ones_like(drawn))


def _normal(like: Tensor, chance: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=chance)


def spectrum(gradients: Tensor, subsets: npt.NDArray[np.intp]) -> Floats:
    """Eigenvalues of the Fisher information of each subset of rows, largest first, (..., rows or parameters if fewer).

    Args:
        gradients: (rows, parameters) by drawn labels.
        subsets: (..., rows) which rows.
    """
    gram = gradients @ gradients.T
    products = gram.numpy().astype(np.float64)[subsets[..., :, None], subsets[..., None, :]] / subsets.shape[-1]
    with threadpool_limits(1, user_api="blas"):  # matrices are small: more threads cost more than they give
        return np.clip(np.linalg.eigvalsh(products)[..., : -1 - gradients.shape[1] : -1], 0.0, None)


def shape(values: Floats, damping: float) -> Mapping[str, Floats]:
    """What a spectrum says, by name, an array of the leading axes each.

    Args:
        values: eigenvalues, largest first, (..., rows).
        damping: curvature at which a direction counts half in the effective dimension.

    References:
        MacKay (1992), Bayesian interpolation (effective dimension).
    """
    trace = values.sum(-1)
    values = np.maximum(values, np.maximum(LEAST * values[..., :1], TINY))
    return {
        "curvature": np.log10(np.maximum(trace, TINY)),
        "effective_dimension": np.log10((values / (values + damping)).sum(-1)),
        "participation": np.log10(values.sum(-1) ** 2 / (values**2).sum(-1)),
        "condition": np.log10(values[..., 0] / np.median(values, axis=-1)),
    }
