"""How is information mixed over the columns of a row?

Each way carries the columns over to another basis, weighs what it finds there by a learned gate, and carries it back.
The Fourier basis costs O(n log n) for n columns; the others are controls.
"""

from __future__ import annotations

from math import ceil, log2
from typing import Literal

import torch
from torch import Tensor, nn

from foretrain.cascade.tiers.stacked import Start

Mixing = Literal["fft", "hadamard", "orthogonal", "none"]

SPREAD = 0.5
"""Deviation of a gate's entries at the start."""

SHORT = 64
"""Columns up to which the matrix of a circular convolution is faster than two Fourier transforms."""


class Mixer(nn.Module):
    """(models, channels, columns, rows) to the same."""

    def magnitude(self) -> Tensor:
        """(models, frequencies): of the gate, root mean square over channels."""
        raise NotImplementedError


class Fourier(Mixer):
    """A learned complex gate on the real Fourier transform over the columns.

    That is a circular convolution, channel by channel, by the gate's own transform; few columns are convolved as such.

    References:
        Rao et al. (2021), Global filter networks for image classification.
    """

    def __init__(self, start: Start, columns: int, channels: int) -> None:
        super().__init__()
        self.columns = columns
        self.gate = start.normal(channels, columns // 2 + 1, 2, deviation=SPREAD * 0.5**0.5)
        turns = (torch.arange(columns).unsqueeze(-1) - torch.arange(columns)) % columns
        self.register_buffer("turns", turns.flatten() if columns <= SHORT else None, persistent=False)
        self.turns: Tensor | None

    def forward(self, x: Tensor) -> Tensor:
        """In float32: half precision has no transform of every length."""
        gate = torch.view_as_complex(self.gate.float())
        y: Tensor
        if self.turns is None:
            spectrum = torch.fft.rfft(x.float(), dim=2) * gate.unsqueeze(-1)
            y = torch.fft.irfft(spectrum, n=self.columns, dim=2)
        else:
            kernel = torch.fft.irfft(gate, n=self.columns)
            y = kernel.index_select(-1, self.turns).reshape(*kernel.shape, self.columns) @ x
        return y

    def magnitude(self) -> Tensor:
        """(models, columns // 2 + 1), from the mean over columns up to their alternation."""
        return self.gate.square().sum(-1).mean(1).sqrt()


class Fixed(Mixer):
    """A learned gate in a fixed orthonormal basis.

    Args:
        basis: (entries, columns) with orthonormal columns.
    """

    def __init__(self, start: Start, basis: Tensor, channels: int) -> None:
        super().__init__()
        self.register_buffer("basis", basis, persistent=False)
        self.basis: Tensor
        self.gate = start.normal(channels, len(basis), deviation=SPREAD)

    def forward(self, x: Tensor) -> Tensor:
        """O(n^2): good enough for a control."""
        return self.basis.mT @ (self.basis @ x * self.gate.unsqueeze(-1))

    def magnitude(self) -> Tensor:
        """(models, entries)."""
        return self.gate.square().mean(1).sqrt()


def mixer(mixing: Mixing, start: Start, columns: int, channels: int) -> Mixer:
    """A mixer by its name; "orthogonal" is one fixed random rotation, the same for all models; "none" mixes nothing."""
    match mixing:
        case "fft":
            return Fourier(start, columns, channels)
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
