"""How are the weights of several nets held so that a step of all costs little more than a step of one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.utils.checkpoint import checkpoint

from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.tier import Net, NetTier

ALIGNED = 16
"""Numbers in a cache line. Every array of every model starts at one, so that what is computed of a model does not
depend, to the last bit, on which others it is trained with."""


class Stack:
    """Nets of one tier, all weights of a model in one row of a matrix that the nets' parameters look into.

    AdamW works element by element, so that one optimiser for all is one for each.

    Args:
        tier: builds the nets.
        problem: what they learn.
        seeds: where each starts.
        device: where they are.
        decay: AdamW's weight decay.

    Attributes:
        net: as built.
        weights: (models, numbers); between two arrays of a model may be zeros.

    References:
        Loshchilov and Hutter (2019), Decoupled weight decay regularization.
    """

    def __init__(
        self, tier: NetTier, problem: Problem, seeds: Sequence[int], device: torch.device, decay: float
    ) -> None:
        self.net: Net = tier.build(problem, list(seeds)).to(device)
        self.models, self._decay = len(seeds), decay
        width, starts = 0, []
        for parameter in self.net.parameters():
            starts.append(width)
            width += -(-parameter[0].numel() // ALIGNED) * ALIGNED
        self.weights, self._gradient, self._mean, self._square = (
            torch.zeros(self.models, width, device=device) for _ in range(4)
        )
        self._steps = torch.zeros((), device=device)
        self._slots: list[tuple[str, nn.Parameter, Tensor]] = []  # with the place of its gradient
        for start, (name, parameter) in zip(starts, self.net.named_parameters(), strict=True):
            here = slice(start, start + parameter[0].numel())
            place = self.weights[:, here].view_as(parameter)
            place.copy_(parameter.detach())
            parameter.data = place
            self._slots.append((name, parameter, self._gradient[:, here].view_as(parameter)))

    @property
    def parameters(self) -> int:
        """Trained numbers of one model."""
        return sum(parameter.numel() // self.models for _, parameter, _ in self._slots)

    def forget(self) -> None:
        """Drop the gradients."""
        for _, parameter, _ in self._slots:
            parameter.grad = None

    def descend(self, rate: float, clip: float) -> Tensor:
        """Make a step along the gradients of the parameters, which are dropped.

        Args:
            rate: learning rate.
            clip: each model's gradient is cut to this length.

        Returns:
            (models,) the lengths they had.
        """
        for _, parameter, place in self._slots:
            if parameter.grad is not None:
                place.copy_(parameter.grad)
        self.forget()
        lengths: Tensor = torch.linalg.vector_norm(self._gradient, dim=1)
        self._gradient.mul_((clip / (lengths + 1e-6)).clamp(max=1.0)[:, None])
        # the function under torch.optim.AdamW, which would load the compiler to be made
        adamw(
            [self.weights], [self._gradient], [self._mean], [self._square], [], [self._steps],
            fused=True, amsgrad=False, beta1=0.9, beta2=0.999, lr=rate, weight_decay=self._decay, eps=1e-8,
            maximize=False,
        )  # fmt: skip
        return lengths

    def state(self) -> dict[str, Tensor]:
        """Weights and moments by name, each (models, numbers); not copied."""
        return {"weights": self.weights, "mean": self._mean, "square": self._square}

    def restore(self, state: Mapping[str, Tensor], steps: int) -> None:
        """Go on from what `state` gave of as many models, after so many steps."""
        for name, values in self.state().items():
            values.copy_(state[name])
        self._steps.fill_(steps)

    def named(self, model: int) -> dict[str, npt.NDArray[np.float32]]:
        """One model's weights by name, without the leading axis."""
        return {name: parameter.detach()[model].float().cpu().numpy().copy() for name, parameter, _ in self._slots}

    def spare(self) -> bool:
        """Keep less for the backward pass, and compute again what a list of layers gave; False if there is none.

        References:
            Chen et al. (2016), Training deep nets with sublinear memory cost.
        """
        layers = [
            layer for each in self.net.modules() if isinstance(each, nn.ModuleList | nn.Sequential) for layer in each
        ]
        for layer in layers:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False, preserve_rng_state=False)
        return bool(layers)
