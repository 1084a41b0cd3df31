"""How wide may a net be, so that it has as many parameters as its tier?"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from torch import nn

SMALL = 10_000
"""Parameters of a model of the small nets' tier."""

LARGE = 100_000
"""Parameters of a model of the large nets' tier."""

NEAR = 0.25
"""Share by which a model may miss its tier's size."""

NARROWEST, WIDEST = 3, 4096
"""Below the first a net learns next to nothing."""

EVEN = 8
"""Matrices of a multiple of this are multiplied fastest."""


def parameters(net: nn.Module) -> int:
    """Parameters of one of the stacked models."""
    return sum(prod(weights.shape[1:]) for weights in net.parameters())


def width(size: Callable[[int], int], budget: int) -> int:
    """The width whose size is nearest the budget; a multiple of 8 where that comes near too.

    Args:
        size: parameters at a width; never falls as that grows.
        budget: parameters wanted.
    """
    even = _nearest(size, budget, EVEN)
    return even if abs(size(even) - budget) <= 0.2 * NEAR * budget else _nearest(size, budget, 1)


def _nearest(size: Callable[[int], int], budget: int, step: int) -> int:
    least = -(-NARROWEST // step)
    low, high = least, WIDEST // step
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if size(middle * step) < budget else (low, middle)
    # `low` is the first that reaches the budget; the one before it may be nearer
    return min((max(least, low - 1) * step, low * step), key=lambda each: abs(size(each) - budget))


def told(net: nn.Module, budget: int) -> str:
    """The number of parameters for people, and whether it misses the tier's size."""
    count = parameters(net)
    if abs(count - budget) <= NEAR * budget:
        return f"{count:,} parameters"
    return f"{count:,} parameters, as near to {budget:,} as its inputs and outputs allow"
