"""What does a small multilayer perceptron learn from a table?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.stacked import Linear, Start
from foretrain.cascade.tiers.table import Codes, flags, seen
from foretrain.cascade.tiers.tier import Net, NetTier

RELU = 2.0**0.5
SHARE = 0.3
"""Of the parameters, at most for the embeddings of codes, where one channel each leaves a choice."""


class Mlp(Net):
    """Numbers, flags and embedded codes, two hidden layers.

    Args:
        hidden: width of both.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        start = Start(seeds, "mlp")
        entries = sum(problem.levels) + len(problem.levels)
        self.codes = Codes(start, problem, channels=min(8, max(1, int(SHARE * sizes.SMALL) // max(1, entries))))
        inputs = problem.numbers * (1 + flags(problem)) + self.codes.width
        self.first = Linear(start, inputs, hidden, gain=RELU)
        self.second = Linear(start, hidden, hidden, gain=RELU)
        self.last = Linear(start, hidden, problem.outputs)

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, width)."""
        row = seen(self.problem, batch)
        parts = [row.numbers, row.flags.flatten(2), self.codes(row).flatten(2)]
        x = functional.relu(self.first(torch.cat(parts, -1)))
        return functional.relu(self.second(x))

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, outputs), float32."""
        y: Tensor = self.last(hidden)
        return y.float()


def build(problem: Problem, seeds: Sequence[int]) -> Mlp:
    """As many hidden units as about 10,000 parameters allow."""
    return Mlp(problem, seeds, _width(problem))


def describe(problem: Problem) -> str:
    """For people."""
    net = Mlp(problem, (), _width(problem))
    return f"MLP, 2 layers of {net.second.weight.shape[-1]}, {sizes.told(net, sizes.SMALL)}"


def _width(problem: Problem) -> int:
    return sizes.width(lambda hidden: sizes.parameters(Mlp(problem, (), hidden)), sizes.SMALL)


MLP = NetTier("mlp", build, describe)
