"""What does a net that mixes over time by the Fourier transform learn from the bytes of texts?"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi

import torch
from scipy.fft import next_fast_len
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.bytes import Bytes
from foretrain.cascade.tiers.stacked import QUIET, RELU, Linear, Start, normal
from foretrain.cascade.tiers.tier import Net, NetTier

CHANNELS = 64
BLOCKS = 3

MODES = 4
"""Decaying waves that a kernel is the sum of."""

LONGEST = 64.0
"""Bytes after which the slowest wave has fallen to 1/e, at the start."""


class Memory(nn.Module):
    """A causal convolution as long as the text, channel by channel, by a sum of learned decaying waves.

    Real Fourier transforms of twice the length make it cost O(t log t); the zeros put behind the text keep its end from
    running into its beginning.

    References:
        Gu, Gupta, Goel and Ré (2022), On the parameterization and initialization of diagonal state space models.
        Poli et al. (2023), Hyena hierarchy.
    """

    def __init__(self, start: Start) -> None:
        super().__init__()
        rates = torch.exp(-torch.arange(MODES) / max(1, MODES - 1) * log(LONGEST))  # 1 to 1 / LONGEST a byte
        self.rate = start.constant(CHANNELS, MODES, 1, value=0.0)
        self.turn = start.normal(CHANNELS, MODES, 1, deviation=1.0)
        self.height = start.normal(CHANNELS, MODES, 1, deviation=1.0)
        self.shift = start.normal(CHANNELS, MODES, 1, deviation=pi)
        self.register_buffer("rates", rates.unsqueeze(-1), persistent=False)
        self.rates: Tensor

    def kernel(self, t: int) -> Tensor:
        """(models, channels, t): how much what was 0 .. t - 1 bytes ago counts now."""
        ago = torch.arange(t, device=self.rates.device)
        rate = self.rates * self.rate.exp()
        waves = self.height * (-rate * ago).exp() * torch.cos(rate * self.turn * 2 * pi * ago + self.shift)
        return (waves * rate.sqrt()).sum(2)

    def forward(self, x: Tensor) -> Tensor:
        """(models, channels, rows, t) to the same, in float32."""
        t = x.shape[-1]
        n = next_fast_len(2 * t - 1, real=True)
        spectrum = torch.fft.rfft(x.float(), n=n) * torch.fft.rfft(self.kernel(t), n=n).unsqueeze(2)
        mixed: Tensor = torch.fft.irfft(spectrum, n=n)[..., :t]
        return mixed


class Block(nn.Module):
    """x + gated convolution(normal(x)), then x + MLP(normal(x))."""

    def __init__(self, start: Start) -> None:
        super().__init__()
        self.split = Linear(start, CHANNELS, 2 * CHANNELS)
        self.memory = Memory(start)
        self.join = Linear(start, CHANNELS, CHANNELS, gain=QUIET)
        self.up = Linear(start, CHANNELS, 2 * CHANNELS, gain=RELU)
        self.down = Linear(start, 2 * CHANNELS, CHANNELS, gain=QUIET)

    def forward(self, x: Tensor) -> Tensor:
        """(models, channels, rows, t) to the same."""
        value, gate = self.split(normal(x)).chunk(2, 1)
        x = x + self.join(self.memory(value) * functional.silu(gate))
        y: Tensor = self.down(functional.relu(self.up(normal(x))))
        return x + y


class Spectral(Net):
    """Bytes, three blocks of gated long convolutions, the bytes' own vectors to say what comes next."""

    def __init__(self, seeds: Sequence[int]) -> None:
        super().__init__()
        self.models = len(seeds)
        start = Start(seeds, "spectral")
        self.bytes = Bytes(start, CHANNELS)
        self.blocks = nn.ModuleList(Block(start) for _ in range(BLOCKS))

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, t + 1, channels)."""
        x = self.bytes(batch)
        for block in self.blocks:
            x = block(x)
        return normal(x).movedim(1, -1)

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, t + 1, 257), float32."""
        return self.bytes.next(hidden)

    def spectra(self, t: int = 128) -> Tensor:
        """(models, blocks, t + 1): magnitude of each kernel's transform, root mean square over channels."""
        kernels = [block.memory.kernel(t) for block in self.blocks if isinstance(block, Block)]
        return torch.stack([torch.fft.rfft(each, n=2 * t).abs().square().mean(1).sqrt() for each in kernels], 1)


def describe() -> str:
    """For people."""
    told = sizes.told(Spectral(()), sizes.LARGE)
    return f"causal FFT-mixing net, {BLOCKS} gated long convolutions of {CHANNELS} channels, {told}"


SPECTRAL = NetTier("spectral", lambda _, seeds: Spectral(seeds), lambda _: describe())
