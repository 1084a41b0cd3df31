"""What does a small multilayer perceptron learn from a table?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.stacked import QUIET, RELU, Linear, Start
from foretrain.cascade.tiers.table import Codes, flags, seen
from foretrain.cascade.tiers.tier import Net, NetTier

SHARE = 0.3
"""Of the parameters, for the embeddings of codes; more where one channel each is more."""

MOST = 4
"""Channels of a code."""


class Mlp(Net):
    """Numbers, flags and embedded codes, two hidden layers.

    Args:
        hidden: width of both.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        start = Start(seeds, "mlp")
        channels = min(MOST, max(1, int(SHARE * sizes.SMALL) // max(1, sum(problem.levels))))
        self.codes = Codes(start, problem, channels)
        inputs = problem.numbers * (1 + flags(problem)) + len(problem.levels) * channels
        self.first = Linear(start, inputs, hidden, gain=RELU)
        self.second = Linear(start, hidden, hidden, gain=RELU)
        self.last = Linear(start, hidden, problem.outputs, gain=QUIET)

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, width)."""
        row = seen(self.problem, batch)
        x = torch.cat([row.numbers, *row.flags, self.codes(row).flatten(1, 2)], 1)
        return functional.relu(self.second(functional.relu(self.first(x)))).mT

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, outputs), float32."""
        y: Tensor = self.last(hidden.mT)
        return y.mT.float()


def build(problem: Problem, seeds: Sequence[int]) -> Mlp:
    """As many hidden units as about 10,000 parameters allow."""
    return Mlp(problem, seeds, _width(problem))


def describe(problem: Problem) -> str:
    """For people."""
    net = Mlp(problem, (), _width(problem))
    return f"MLP, 2 layers of {net.second.weight.shape[1]}, {sizes.told(net, sizes.SMALL)}"


def _width(problem: Problem) -> int:
    return sizes.width(lambda hidden: sizes.parameters(Mlp(problem, (), hidden)), sizes.SMALL)


MLP = NetTier("mlp", build, describe)
