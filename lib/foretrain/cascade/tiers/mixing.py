"""How is information mixed over the columns of a row, or over the places of an image?

Each way carries them over to another basis, weighs what it finds there by a learned gate, and carries it back.
The Fourier basis costs O(n log n) for n places; the others are controls.
"""

from __future__ import annotations

from math import ceil, log2, prod
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.tiers.stacked import QUIET, RELU, Linear, Start, normal

Mixing = Literal["fft", "hadamard", "orthogonal", "none"]

SHORT = 64
"""Places up to which the matrix of a circular convolution is faster than two Fourier transforms."""


class Mixer(nn.Module):
    """(models, channels, *places, rows) to the same."""

    def magnitude(self) -> Tensor:
        """(models, frequencies): of the gate, root mean square over channels."""
        raise NotImplementedError


class Fourier(Mixer):
    """A learned complex gate on the real Fourier transform over the places.

    That is a circular convolution, channel by channel, by the gate's own transform; few places are convolved as such.

    Args:
        places: (columns,) of tables, (height, width) of images.

    References:
        Rao et al. (2021), Global filter networks for image classification.
    """

    def __init__(self, start: Start, places: tuple[int, ...], channels: int) -> None:
        super().__init__()
        self.places, self.axes = places, tuple(range(2, 2 + len(places)))
        kept = (*places[:-1], places[-1] // 2 + 1)
        self.gate = start.normal(channels, *kept, 2, deviation=QUIET * 0.5**0.5)
        self.register_buffer("lags", _lags(places) if prod(places) <= SHORT else None, persistent=False)
        self.lags: Tensor | None
        self.register_buffer("order", _slowest_first(places), persistent=False)
        self.order: Tensor

    def forward(self, x: Tensor) -> Tensor:
        """In float32: half precision has no transform of every length."""
        gate = torch.view_as_complex(self.gate.float())
        y: Tensor
        if self.lags is None:
            spectrum = torch.fft.rfftn(x.float(), dim=self.axes) * gate.unsqueeze(-1)
            y = torch.fft.irfftn(spectrum, self.places, dim=self.axes)
        else:
            kernel = torch.fft.irfftn(gate, self.places, dim=self.axes).flatten(2)
            matrix = kernel.index_select(-1, self.lags).reshape(*kernel.shape, -1)
            y = (matrix @ x.flatten(2, -2)).reshape(x.shape)
        return y

    def magnitude(self) -> Tensor:
        """(models, frequencies), from the mean over the places up to their alternation."""
        return self.gate.square().sum(-1).mean(1).sqrt().flatten(1).index_select(1, self.order)


def _slowest_first(places: tuple[int, ...]) -> Tensor:
    waves = torch.meshgrid(*map(torch.fft.fftfreq, places[:-1]), torch.fft.rfftfreq(places[-1]), indexing="ij")
    return torch.stack(waves).square().sum(0).flatten().argsort(stable=True)


def _lags(places: tuple[int, ...]) -> Tensor:
    """How far each place is from each other, going round: (n^2,), as a place counted from the first."""
    at = torch.cartesian_prod(*map(torch.arange, places)).reshape(-1, len(places))
    apart = (at.unsqueeze(1) - at) % torch.tensor(places)
    steps = torch.tensor([prod(places[k + 1 :]) for k in range(len(places))])
    return (apart * steps).sum(-1).flatten()


class Fixed(Mixer):
    """A learned gate in a fixed orthonormal basis.

    Args:
        basis: (entries, columns) with orthonormal columns.
    """

    def __init__(self, start: Start, basis: Tensor, channels: int) -> None:
        super().__init__()
        self.register_buffer("basis", basis, persistent=False)
        self.basis: Tensor
        self.gate = start.normal(channels, len(basis), deviation=QUIET)

    def forward(self, x: Tensor) -> Tensor:
        """O(n^2): good enough for a control."""
        return self.basis.mT @ (self.basis @ x * self.gate.unsqueeze(-1))

    def magnitude(self) -> Tensor:
        """(models, entries)."""
        return self.gate.square().mean(1).sqrt()


def mixer(mixing: Mixing, start: Start, columns: int, channels: int) -> Mixer:
    """A mixer of columns by its name: "orthogonal" is a fixed random rotation, one for all; "none" mixes nothing."""
    match mixing:
        case "fft":
            return Fourier(start, (columns,), channels)
        case "hadamard":
            basis = torch.ones(1, 1)
            for _ in range(ceil(log2(columns))):
                basis = torch.cat([torch.cat([basis, basis], 1), torch.cat([basis, -basis], 1)]) * 0.5**0.5
            return Fixed(start, basis[:, :columns].contiguous(), channels)
        case "orthogonal":
            chance = torch.Generator().manual_seed(columns)
            return Fixed(start, torch.linalg.qr(torch.randn(columns, columns, generator=chance))[0], channels)
        case "none":
            return Fixed(start, torch.eye(columns), channels)


class Block(nn.Module):
    """Places mixed, then channels: x + mixer(x), then x + MLP(normal(x))."""

    def __init__(self, start: Start, mixer: Mixer, channels: int) -> None:
        super().__init__()
        self.mixer = mixer
        self.up = Linear(start, channels, 2 * channels, gain=RELU)
        self.down = Linear(start, 2 * channels, channels, gain=QUIET)

    def forward(self, x: Tensor) -> Tensor:
        """(models, channels, *places, rows) to the same."""
        x = x + self.mixer(x)
        y: Tensor = self.down(functional.relu(self.up(normal(x))))
        return x + y
