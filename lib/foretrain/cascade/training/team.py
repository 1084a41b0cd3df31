"""Who shares the training of a tier?"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from foretrain.cascade.losses import Batch
from foretrain.cascade.tiers.tier import Net

Forward = Callable[[Batch], Tensor]


class Team(Protocol):
    """The processes that share a training; each does its part of every batch, and all hold the same weights."""

    @property
    def rank(self) -> int:
        """Number of this process, from 0."""

    @property
    def size(self) -> int: ...

    @property
    def device(self) -> torch.device: ...

    def wrap(self, net: Net) -> Forward:
        """The net, such that its gradients will be the mean over the processes."""

    def apart(self, forward: Forward) -> AbstractContextManager[object]:
        """Inside, gradients stay each process's own; they are exchanged at the next backward outside."""

    def total(self, values: Tensor) -> Tensor:
        """Sum over the processes."""

    def least(self, value: int) -> int:
        """Smallest of the processes."""


@dataclass(frozen=True)
class Alone:
    """A team of one."""

    device: torch.device
    rank: int = 0
    size: int = 1

    def wrap(self, net: Net) -> Forward:
        return net

    def apart(self, forward: Forward) -> AbstractContextManager[object]:
        return nullcontext()

    def total(self, values: Tensor) -> Tensor:
        return values

    def least(self, value: int) -> int:
        return value
