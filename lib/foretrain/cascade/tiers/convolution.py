"""What does a small convolutional net learn from images?"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers import sizes
from foretrain.cascade.tiers.pixels import depth, grid, patches, side, together
from foretrain.cascade.tiers.stacked import QUIET, RELU, Convolution, Linear, Start
from foretrain.cascade.tiers.tier import Net, NetTier

CHANNELS = 16
"""Convolutions in groups of a multiple of 16 channels are twice as fast on a CPU."""

POOLED = 2
"""Places a side that the hidden layer reads."""

DEEPEST = 5
"""Convolutions that masked pixels are filled in by, at most."""


class Convolutional(Net):
    """Patches, two convolutions of 3 x 3, a hidden layer over 2 x 2 places.

    Args:
        width: of the hidden layer.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], width: int) -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        start = Start(seeds, "convolution")
        self.patch = Linear(start, depth(problem), CHANNELS, gain=RELU)
        self.first = Convolution(start, CHANNELS, CHANNELS, gain=RELU)
        self.second = Convolution(start, CHANNELS, 2 * CHANNELS, stride=2, gain=RELU)
        self.third = Linear(start, 2 * CHANNELS * POOLED**2, width, gain=RELU)
        self.last = Linear(start, width, problem.outputs, gain=QUIET)

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, width)."""
        x = functional.relu(self.patch(patches(self.problem, batch)))
        x = functional.relu(self.second(functional.relu(self.first(grouped(x)))))
        x = functional.adaptive_avg_pool2d(x, POOLED)
        x = x.reshape(len(x), self.models, -1).permute(1, 2, 0)  # (models, features, rows)
        return functional.relu(self.third(x)).mT

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, outputs), float32."""
        y: Tensor = self.last(hidden.mT)
        return y.mT.float()


class Inpainting(Net):
    """Patches, convolutions of 3 x 3 with residuals, each patch read from its own place.

    Args:
        layers: convolutions.
    """

    def __init__(self, problem: Problem, seeds: Sequence[int], layers: int) -> None:
        super().__init__()
        self.problem, self.models = problem, len(seeds)
        start = Start(seeds, "inpainting")
        self.patch = Linear(start, depth(problem), CHANNELS)
        self.layers = nn.ModuleList(Convolution(start, CHANNELS, CHANNELS, gain=QUIET) for _ in range(layers))
        self.last = Linear(start, CHANNELS, problem.shape[0] * side(problem) ** 2, gain=QUIET)

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, channels x places)."""
        x = grouped(self.patch(patches(self.problem, batch)))
        for layer in self.layers:
            x = x + layer(functional.relu(x))
        return x.reshape(len(x), self.models, -1).transpose(0, 1)

    def output(self, hidden: Tensor) -> Tensor:
        """(models, rows, pixels), float32."""
        places = hidden.reshape(*hidden.shape[:2], CHANNELS, *grid(self.problem)).movedim(1, -1)
        return together(self.problem, self.last(places).float())


def grouped(x: Tensor) -> Tensor:
    """(models, channels, down, across, rows) to (rows, models x channels, down, across)."""
    return x.movedim(-1, 0).flatten(1, 2)


def build(problem: Problem, seeds: Sequence[int]) -> Net:
    """As wide, or for masked pixels as deep, as about 10,000 parameters allow."""
    if problem.goal == "masked pixels":
        return Inpainting(problem, seeds, _layers(problem))
    return Convolutional(problem, seeds, _width(problem))


def describe(problem: Problem) -> str:
    """For people."""
    net = build(problem, ())
    layers = (
        f"{len(net.layers)} convolutions of {CHANNELS} channels"
        if isinstance(net, Inpainting)
        else f"convolutions of {CHANNELS} and {2 * CHANNELS} channels, layer of {_width(problem)}"
    )
    return f"CNN, patches of {side(problem)} x {side(problem)}, {layers}, {sizes.told(net, sizes.SMALL)}"


def _width(problem: Problem) -> int:
    return sizes.width(lambda width: sizes.parameters(Convolutional(problem, (), width)), sizes.SMALL)


def _layers(problem: Problem) -> int:
    return min(
        range(1, DEEPEST + 1),
        key=lambda layers: abs(sizes.parameters(Inpainting(problem, (), layers)) - sizes.SMALL),
    )


CONVOLUTION = NetTier("convolution", build, describe)
