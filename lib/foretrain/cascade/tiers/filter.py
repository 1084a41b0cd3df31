"""What does a global filter net learn from images: places mixed by a learned spectrum of two dimensions?"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.mixing import Block, Fourier
from foretrain.cascade.tiers.pixels import depth, grid, patches, side, together
from foretrain.cascade.tiers.stacked import QUIET, RELU, Linear, Start
from foretrain.cascade.tiers.tier import Net, NetTier

BLOCKS = 2

CHANNELS = 16
"""A place's. Few, because what all places share costs its parameters times the places to compute."""


class Filter(Net):
    """Patches and where they are, two blocks of mixing, a layer over all places' channels.

    For masked pixels a second such layer carries what was found back to the places, and each patch is read from its
    own.

    Args:
        hidden: width of the layer over all places.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], hidden: int) -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        start = Start(seeds, "filter")
        places = grid(problem)
        self.pixelwise = problem.goal == "masked pixels"
        self.patch = Linear(start, depth(problem), CHANNELS)
        self.places = start.normal(CHANNELS, *places, 1, deviation=0.5)
        self.blocks = nn.ModuleList(Block(start, Fourier(start, places, CHANNELS), CHANNELS) for _ in range(BLOCKS))
        self.first = Linear(start, CHANNELS * prod(places), hidden, gain=RELU)
        if self.pixelwise:
            self.back = Linear(start, hidden, CHANNELS * prod(places), gain=QUIET)
            self.last = Linear(start, CHANNELS, problem.shape[0] * side(problem) ** 2, gain=QUIET)
        else:
            self.last = Linear(start, hidden, problem.outputs, gain=QUIET)

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, features)."""
        x = self.patch(patches(self.problem, batch)) + self.places  # (models, channels, down, across, rows)
        for block in self.blocks:
            x = block(x)
        found = functional.relu(self.first(x.flatten(1, 3)))
        if self.pixelwise:
            found = x.flatten(1, 3) + self.back(found)
        return found.mT

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, outputs), float32."""
        y: Tensor
        if self.pixelwise:
            y = self.last(hidden.mT.reshape(len(hidden), CHANNELS, *grid(self.problem), -1))
            return together(self.problem, y.float())
        y = self.last(hidden.mT)
        return y.mT.float()

    def spectra(self) -> Tensor:
        """(models, blocks, frequencies): magnitude of each gate, root mean square over channels, slowest first."""
        return torch.stack([block.mixer.magnitude() for block in self.blocks if isinstance(block, Block)], 1)


def build(problem: Problem, seeds: Sequence[int]) -> Filter:
    """As many hidden units as about 100,000 parameters allow."""
    return Filter(problem, seeds, _width(problem))


def describe(problem: Problem) -> str:
    """For people."""
    net = Filter(problem, (), _width(problem))
    down, across = grid(problem)
    head = f"layer of {net.first.weight.shape[1]}"
    told = sizes.told(net, sizes.LARGE)
    return f"global filter net, {down} x {across} places of {CHANNELS} channels, {BLOCKS} FFT mixers, {head}, {told}"


def _width(problem: Problem) -> int:
    return sizes.width(lambda hidden: sizes.parameters(Filter(problem, (), hidden)), sizes.LARGE)


FILTER = NetTier("filter", build, describe)
