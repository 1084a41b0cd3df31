"""What does the Resonance NN learn from a table: periodic embeddings, mixed over the columns by a learned spectrum?"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.mixing import Block, Mixing, mixer
from foretrain.cascade.tiers.stacked import QUIET, RELU, Linear, Start
from foretrain.cascade.tiers.table import Codes, Seen, flags, seen
from foretrain.cascade.tiers.tier import Net, NetTier

BLOCKS = 2

MOST, LEAST, WIDE = 8, 4, 512
"""Channels of a column, and of all columns together. Few, because what is shared by all columns costs its parameters
times the columns to compute."""

WAVES = 4
"""Frequencies a number."""

SPREAD = 0.05
"""Deviation of the frequencies at the start, periods in a deviation of the number."""


class Periodic(nn.Module):
    """Numbers to vectors: sines and cosines of learned frequencies, the number itself and its flags, then linear.

    Each column has frequencies and weights of its own.

    References:
        Gorishniy, Rubachev and Babenko (2022), On embeddings for numerical features in tabular deep learning.
    """

    def __init__(self, start: Start, problem: Problem, channels: int) -> None:
        super().__init__()
        p, plain = problem.numbers, 1 + flags(problem)
        deviation = RELU * (plain + WAVES) ** -0.5  # the squares of a sine and its cosine add to 1
        self.frequencies = start.normal(p, WAVES, 1, deviation=SPREAD)
        self.waves = start.normal(p, channels, 2 * WAVES, deviation=deviation)
        self.plain = start.normal(p, channels, plain, deviation=deviation)
        self.bias = start.constant(p, channels, 1, value=0.0)

    def forward(self, row: Seen) -> Tensor:
        """(models, channels, p, rows)."""
        together = torch.stack([row.numbers, *row.flags], 2).flatten(0, 1)  # (models x p, 1 + flags, rows)
        phase = torch.bmm(self.frequencies.flatten(0, 1), 2 * pi * together[:, :1])
        vectors = torch.baddbmm(self.bias.flatten(0, 1), self.plain.flatten(0, 1), together)
        waves = torch.cat([phase.sin(), phase.cos()], 1)
        vectors = functional.relu(torch.baddbmm(vectors, self.waves.flatten(0, 1), waves))
        return vectors.reshape(*row.numbers.shape[:2], *vectors.shape[1:]).transpose(1, 2)


class Resonance(Net):
    """Embedded columns, two blocks of mixing, two hidden layers over all columns' channels.

    Args:
        hidden: width of the hidden layers.
        mixing: how columns are mixed; all but "fft" are controls.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], hidden: int, mixing: Mixing = "fft") -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        start = Start(seeds, "resonance")
        columns, each = problem.numbers + len(problem.levels), channels(problem)
        self.numbers = Periodic(start, problem, each)
        self.codes = Codes(start, problem, each)
        self.blocks = nn.ModuleList(Block(start, mixer(mixing, start, columns, each), each) for _ in range(BLOCKS))
        self.first = Linear(start, columns * each, hidden)
        self.second = Linear(start, hidden, hidden)
        self.last = Linear(start, hidden, problem.outputs, gain=QUIET)

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, width)."""
        row = seen(self.problem, batch)
        x = torch.cat([self.numbers(row), self.codes(row)], 2)  # (models, channels, columns, rows)
        for block in self.blocks:
            x = block(x)
        return functional.relu(self.second(functional.relu(self.first(x.flatten(1, 2))))).mT

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, outputs), float32."""
        y: Tensor = self.last(hidden.mT)
        return y.mT.float()

    def spectra(self) -> Tensor:
        """(models, blocks, frequencies): magnitude of each gate, root mean square over channels, slowest first."""
        return torch.stack([block.mixer.magnitude() for block in self.blocks if isinstance(block, Block)], 1)


def channels(problem: Problem) -> int:
    """Of a column."""
    return max(LEAST, min(MOST, WIDE // max(1, problem.numbers + len(problem.levels))))


def build(problem: Problem, seeds: Sequence[int], mixing: Mixing = "fft") -> Resonance:
    """As many hidden units as about 100,000 parameters allow."""
    return Resonance(problem, seeds, _width(problem), mixing)


def describe(problem: Problem) -> str:
    """For people."""
    net = Resonance(problem, (), _width(problem))
    head = f"head of 2 layers of {net.second.weight.shape[1]}"
    return f"Resonance NN, {channels(problem)} a column, {BLOCKS} FFT mixers, {head}, {sizes.told(net, sizes.LARGE)}"


def _width(problem: Problem) -> int:
    return sizes.width(lambda hidden: sizes.parameters(Resonance(problem, (), hidden)), sizes.LARGE)


RESONANCE = NetTier("resonance", build, describe)
