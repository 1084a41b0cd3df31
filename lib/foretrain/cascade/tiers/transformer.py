"""What does a small causal transformer learn from the bytes of texts?"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.bytes import Bytes
from foretrain.cascade.tiers.stacked import QUIET, RELU, Attention, Linear, Start, normal
from foretrain.cascade.tiers.tier import Net, NetTier

CHANNELS = 16
BLOCKS = 2
HEADS = 2


class Block(nn.Module):
    """x + attention(normal(x)), then x + MLP(normal(x))."""

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.attention = Attention(start, CHANNELS, HEADS)
        self.up = Linear(start, CHANNELS, 3 * CHANNELS, gain=RELU)
        self.down = Linear(start, 3 * CHANNELS, CHANNELS, gain=QUIET)

    def forward(self, x: Tensor) -> Tensor:
        """(models, channels, rows, t + 1) to the same."""
        x = x + self.attention(normal(x))
        y: Tensor = self.down(functional.relu(self.up(normal(x))))
        return x + y


class Transformer(Net):
    """Bytes and where they stand, two blocks of causal attention, the bytes' own vectors to say what comes next."""

    def __init__(self, problem: Problem, seeds: Sequence[int]) -> None:
        super().__init__()
        self.models = len(seeds)
        start = Start(seeds, "transformer")
        self.bytes = Bytes(start, CHANNELS)
        self.register_buffer("places", _places(problem.shape[0] + 1), persistent=False)
        self.places: Tensor
        self.blocks = nn.ModuleList(Block(start) for _ in range(BLOCKS))

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, t + 1, channels)."""
        x = self.bytes(batch)
        x = x + self.places[:, : x.shape[-1]].unsqueeze(1)
        for block in self.blocks:
            x = block(x)
        return normal(x).movedim(1, -1)

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, t + 1, 257), float32."""
        return self.bytes.next(hidden)


def _places(t: int) -> Tensor:
    """(channels, t): sines and cosines of 8 frequencies from a turn in 6 bytes to a turn in 60,000."""
    turns = 10_000.0 ** -(torch.arange(0, CHANNELS, 2) / CHANNELS)
    phase = turns.unsqueeze(-1) * torch.arange(t)
    return torch.cat([phase.sin(), phase.cos()])


def build(problem: Problem, seeds: Sequence[int]) -> Transformer:
    """About 10,000 parameters."""
    return Transformer(problem, seeds)


def describe(problem: Problem) -> str:
    """For people."""
    told = sizes.told(Transformer(problem, ()), sizes.SMALL)
    return f"byte-level causal transformer, {BLOCKS} blocks of {CHANNELS} channels and {HEADS} heads, {told}"


TRANSFORMER = NetTier("transformer", build, describe)
