"""How do several models of one architecture compute together?

Each layer holds the weights of all models along a leading axis and applies each model's own to its own rows, in one
kernel. Nothing is mixed along that axis, so every model ends as it would have ended alone. Channels come second and
rows last, (models, channels, ..., rows): sums over channels then run along contiguous rows, and nothing is copied to
flatten a row's columns and channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.seeds import stream

RELU = 2.0**0.5
"""Gain before a ReLU, which lets half of the variance through."""

QUIET = 0.1
"""Gain of what is added to something or goes out: a net starts as nearly what it was given, and says nearly nothing."""

EPSILON = 1e-6


class Start:
    """Where initial weights come from: a stream a seed, so that equal seeds start equal, however many are stacked.

    Args:
        seeds: one a model, in their order, 0 or above; none for a net that is only measured.
        name: the architecture's; two architectures start from different streams.
    """

    def __init__(self, seeds: Sequence[int], name: str) -> None:
        self.seeds = tuple(seeds)
        self.chances = {
            seed: torch.Generator().manual_seed(int(stream(seed, "cascade", "start", name).integers(2**63)))
            for seed in self.seeds
        }

    def normal(self, *shape: int, deviation: float) -> nn.Parameter:
        """(models, *shape), normal around 0."""
        drawn = {seed: torch.randn(shape, generator=chance) * deviation for seed, chance in self.chances.items()}
        return nn.Parameter(torch.stack([drawn[seed] for seed in self.seeds]) if drawn else torch.empty(0, *shape))

    def constant(self, *shape: int, value: float) -> nn.Parameter:
        """(models, *shape), all the same."""
        return nn.Parameter(torch.full((len(self.seeds), *shape), value))


class Linear(nn.Module):
    """(models, inputs, ...) to (models, outputs, ...).

    Args:
        gain: deviation of an output at the start for inputs of deviation 1.

    References:
        He et al. (2015), Delving deep into rectifiers.
    """

    def __init__(self, start: Start, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = start.normal(outputs, inputs, deviation=gain * max(1, inputs) ** -0.5)
        self.bias = start.constant(outputs, 1, value=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Each model's rows by its own weights."""
        y = torch.baddbmm(self.bias, self.weight, x.flatten(2))
        return y.reshape(*y.shape[:2], *x.shape[2:])


def normal(x: Tensor) -> Tensor:
    """(models, channels, ...) divided by its root mean square over the channels, in float32 whatever the autocast.

    Without weights of its own: the linear layer that follows has them.

    References:
        Zhang and Sennrich (2019), Root mean square layer normalization.
    """
    x = x.float()
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + EPSILON)


class Embedding(nn.Module):
    """Whole numbers (models, ...) from 0 to entries - 1, to (models, channels, ...)."""

    def __init__(self, start: Start, entries: int, channels: int, deviation: float = 1.0) -> None:
        super().__init__()
        self.weight = start.normal(entries, channels, deviation=deviation)

    def forward(self, at: Tensor) -> Tensor:
        """Each model's own entries."""
        models, entries, channels = self.weight.shape
        first = torch.arange(models, device=at.device).reshape(models, *[1] * (at.ndim - 1)) * entries
        # index_select: its gradient is three times as fast on a CPU as that of functional.embedding
        found = self.weight.flatten(0, 1).index_select(0, (at + first).flatten())
        return found.reshape(*at.shape, channels).movedim(-1, 1)


class Convolution(nn.Module):
    """3 x 3 kernels over (rows, models x inputs, height, width), to (rows, models x outputs, ...).

    Models and channels share an axis here, because a convolution in groups wants it so.

    Args:
        stride: 2 halves height and width, rounded up; 1 keeps them.
    """

    def __init__(self, start: Start, inputs: int, outputs: int, stride: int = 1, gain: float = 1.0) -> None:
        super().__init__()
        self.stride, self.models = stride, len(start.seeds)
        self.weight = start.normal(outputs, inputs, 3, 3, deviation=gain * (9 * inputs) ** -0.5)
        self.bias = start.constant(outputs, value=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Each model's channels by its own kernels."""
        weight, bias = self.weight.flatten(0, 1), self.bias.flatten()
        return functional.conv2d(x, weight, bias, self.stride, 1, groups=self.models)


class Attention(nn.Module):
    """Causal attention of several heads over (models, channels, rows, t): position i sees positions up to i.

    References:
        Vaswani et al. (2017), Attention is all you need.
    """

    def __init__(self, start: Start, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.mix = Linear(start, channels, 3 * channels)
        self.out = Linear(start, channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape."""
        models, channels, rows, t = x.shape
        parts = self.mix(x).reshape(models, 3, self.heads, channels // self.heads, rows, t)
        query, key, value = parts.permute(1, 0, 4, 2, 5, 3).flatten(1, 2)  # (models x rows, heads, t, channels / heads)
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        y = y.reshape(models, rows, self.heads, t, -1).permute(0, 2, 4, 1, 3)
        mixed: Tensor = self.out(y.reshape(x.shape))
        return mixed
