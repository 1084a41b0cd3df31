"""What is a tier: one size of model, of which six (two seeds, three arms) are trained?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.record import ArmName, Ending, Point

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """One model of a tier.

    Attributes:
        seed: 0 or 1, the repetition; models of one seed start alike and see their rows in the same order.
        arm: whose rows it learns from.
    """

    seed: int
    arm: ArmName


@dataclass(frozen=True)
class Trained:
    """What came of one model.

    Attributes:
        loss: (held-out rows,) loss of each; None where the model did not end well.
        right: the same for the metric, where the goal has one a row (see `losses.right`).
        state: its best weights by name, without the leading axis; empty for tiers that are no nets.
        parameters: trained numbers, or leaves.
    """

    run: Run
    loss: Floats | None
    right: Floats | None
    ending: Ending
    reason: str | None
    steps: int
    seconds: float
    curve: tuple[Point, ...]
    parameters: int
    state: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)


class Net(nn.Module):
    """Several models of one architecture, their weights stacked along a leading axis.

    Every parameter has the shape (models, ...), and nothing of one model reaches another: the gradient of the sum of
    all losses is each model's own.
    """

    models: int

    def hidden(self, batch: Batch) -> Tensor:
        """(models, rows, features): what the last layer reads; texts (models, rows, t + 1, features)."""
        raise NotImplementedError

    def output(self, hidden: Tensor) -> Tensor:
        """The last layer: (models, rows, outputs); texts (models, rows, t + 1, outputs)."""
        raise NotImplementedError

    def forward(self, batch: Batch) -> Tensor:
        """`output` of `hidden`."""
        return self.output(self.hidden(batch))


@dataclass(frozen=True)
class NetTier:
    """A tier of nets, trained together.

    Attributes:
        build: (problem, seeds) to a `Net` with one model a seed, in this order; equal seeds start equal.
        describe: the architecture for people, e.g. "MLP, 2 layers of 64".
    """

    name: str
    build: Callable[[Problem, Sequence[int]], Net]
    describe: Callable[[Problem], str]


class FittedTier(Protocol):
    """A tier of models that a library fits one by one."""

    @property
    def name(self) -> str: ...

    def describe(self, problem: Problem) -> str:
        """The architecture for people."""

    def tune(self, problem: Problem, arm: Arm, seed: int) -> object:
        """Settings for all models of the tier, plain JSON, chosen on the first arm alone."""

    def fit(self, problem: Problem, run: Run, arm: Arm, held_out: Rows, tuned: object, seed: int) -> Trained:
        """One model. `seed` is the run's, a number below 2**31."""


Tier = NetTier | FittedTier
