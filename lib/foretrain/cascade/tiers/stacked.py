"""How do several models of one architecture compute together?

Each layer holds the weights of all models along a leading axis and applies each model's own to its own rows, in one
kernel. Nothing is mixed along that axis, so every model ends as it would have ended alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.seeds import stream

EPSILON = 1e-6


class Start:
    """Where initial weights come from: a stream a seed, so that equal seeds start equal, however many are stacked.

    Args:
        seeds: one a model, in their order, 0 or above.
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
    """(models, ..., inputs) to (models, ..., outputs).

    Args:
        gain: deviation of an output at the start for inputs of deviation 1; sqrt(2) before a ReLU keeps it.

    References:
        He et al. (2015), Delving deep into rectifiers.
    """

    def __init__(self, start: Start, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = start.normal(inputs, outputs, deviation=gain * max(1, inputs) ** -0.5)
        self.bias = start.constant(1, outputs, value=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Each model's rows by its own weights."""
        y = torch.baddbmm(self.bias, x.flatten(1, -2), self.weight)
        return y.reshape(*x.shape[:-1], y.shape[-1])


class Norm(nn.Module):
    """Root-mean-square normalisation over the last axis, (models, ..., channels).

    References:
        Zhang and Sennrich (2019), Root mean square layer normalization.
    """

    def __init__(self, start: Start, channels: int) -> None:
        super().__init__()
        self.scale = start.constant(channels, value=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """The same shape, in float32 whatever the autocast."""
        x = x.float()
        scale = self.scale.reshape(len(self.scale), *[1] * (x.ndim - 2), -1)
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * scale


class Embedding(nn.Module):
    """Whole numbers (models, ...) from 0 to entries - 1, to (models, ..., channels)."""

    def __init__(self, start: Start, entries: int, channels: int) -> None:
        super().__init__()
        self.weight = start.normal(entries, channels, deviation=1.0)

    def forward(self, at: Tensor) -> Tensor:
        """Each model's own entries."""
        models, entries, channels = self.weight.shape
        first = torch.arange(models, device=at.device).reshape(models, *[1] * (at.ndim - 1)) * entries
        # index_select: its gradient is three times as fast on a CPU as that of functional.embedding
        found = self.weight.flatten(0, 1).index_select(0, (at + first).flatten())
        return found.reshape(*at.shape, channels)


class Convolution(nn.Module):
    """(models, rows, inputs, h, w) to (models, rows, outputs, h', w') by square kernels, padded to keep the size."""

    def __init__(
        self, start: Start, inputs: int, outputs: int, kernel: int, stride: int = 1, padding: int = 0, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        deviation = gain * (inputs * kernel**2) ** -0.5
        self.weight = start.normal(outputs, inputs, kernel, kernel, deviation=deviation)
        self.bias = start.constant(outputs, value=0.0)

    def forward(self, x: Tensor) -> Tensor:
        """A convolution in groups, one a model."""
        models = len(x)
        together = x.transpose(0, 1).flatten(1, 2)  # (rows, models x inputs, h, w)
        weight, bias = self.weight.flatten(0, 1), self.bias.flatten()
        y = functional.conv2d(together, weight, bias, self.stride, self.padding, groups=models)
        return y.reshape(len(y), models, -1, *y.shape[2:]).transpose(0, 1)


class Attention(nn.Module):
    """Causal attention of several heads, (models, rows, t, channels): position i sees positions up to i.

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
        models, rows, t, channels = x.shape
        parts = self.mix(x).reshape(models * rows, t, 3, self.heads, channels // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)  # (models x rows, heads, t, channels / heads)
        y = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        mixed: Tensor = self.out(y.transpose(1, 2).reshape(models, rows, t, channels))
        return mixed
