"""What is the gradient of each row alone?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from scipy import optimize
from torch import Tensor

from foretrain.cascade.losses import Batch, corrupt, losses
from foretrain.cascade.problem import Problem, Rows, length, take
from foretrain.cascade.tiers.tier import Net, NetTier

CHUNK_BYTES = 2**25
"""Memory of the weights of one chunk of rows; its gradients take twice as much again."""

MOST_CHUNK = 32

CENTRE_ROWS = 128
"""Rows that the outputs are centred on."""

CENTRE_STEPS = 20

RIDGE = 1e-3
"""Weight of the squared offsets, so that one for a class that no row has stays finite."""

Weights = Mapping[str, npt.NDArray[np.float32]]

Pull = Callable[[Tensor, Batch], Tensor]
"""From outputs (models, 1, ...) and what they were made from to what is carried back from them, of the same shape."""


class Replicas:
    """One model as a net of equal models, each of which is given one row.

    The models of a `Net` do not reach one another, so that the gradient of the sum of their losses holds each row's
    own gradient, exactly, and is computed by the same batched kernels that train.

    Args:
        tier: what to build.
        seed: of the initial weights, the same for every arm.
        weights: other weights than the initial ones, by name, without the leading axis.
    """

    def __init__(self, problem: Problem, tier: NetTier, seed: int, weights: Weights | None = None) -> None:
        self.problem = problem
        self.parameters = sum(p.numel() for p in tier.build(problem, (seed,)).parameters())
        self.chunk = max(1, min(MOST_CHUNK, CHUNK_BYTES // (4 * self.parameters)))
        self.net: Net = tier.build(problem, (seed,) * self.chunk).eval()
        self.offset = torch.zeros(problem.outputs)
        with torch.no_grad():
            for name, values in (weights or {}).items():
                self.net.get_parameter(name).copy_(torch.from_numpy(values))

    def centre(self, rows: Rows, chance: torch.Generator) -> None:
        """From now on, add to the outputs the constants that fit these rows best.

        Untrained nets are off by a constant that is chance, and that drowns in every gradient what the rows say.
        """
        few = take(rows, slice(0, CENTRE_ROWS))
        with torch.no_grad():
            made = [(self.net(batch)[:inside], batch, inside) for batch, inside in self._batches(few, chance)]
        output = torch.cat([each for each, _, _ in made])
        batch = {name: torch.cat([each[name][:inside] for _, each, inside in made]) for name in made[0][1]}

        def wrong(offset: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            shift = torch.tensor(offset, dtype=torch.float32, requires_grad=True)
            loss = losses(self.problem, output + shift, batch).mean() + RIDGE * shift.square().sum()
            return float(loss.detach()), torch.autograd.grad(loss, shift)[0].double().numpy()

        start = np.zeros(self.problem.outputs)
        found = optimize.minimize(wrong, start, jac=True, method="L-BFGS-B", options={"maxiter": CENTRE_STEPS})
        self.offset = torch.from_numpy(found.x).float()

    def gradients(self, rows: Rows, chance: torch.Generator, *pulls: Pull) -> Iterator[tuple[Tensor, ...]]:
        """Chunk by chunk, for each pull the gradient of each row, (rows, parameters).

        Args:
            rows: of this problem.
            chance: draws what is hidden.
            pulls: what is carried back from the outputs.
        """
        weights = list(self.net.parameters())
        for batch, inside in self._batches(rows, chance):
            output = self.net(batch) + self.offset
            found = []
            for k, pull in enumerate(pulls):
                carried = pull(output.detach(), batch)
                more = k + 1 < len(pulls)
                found.append(torch.autograd.grad(output, weights, carried, retain_graph=more, materialize_grads=True))
            yield tuple(torch.cat([each.flatten(1)[:inside] for each in of], dim=1) for of in found)

    def _batches(self, rows: Rows, chance: torch.Generator) -> Iterator[tuple[Batch, int]]:
        """One row a model, (models, 1, ...); the last batch is filled up with its last row, so many are inside."""
        count = length(rows)
        for start in range(0, count, self.chunk):
            at = np.minimum(np.arange(start, start + self.chunk), count - 1)
            batch: Batch = {name: torch.from_numpy(values[at]).unsqueeze(0) for name, values in rows.items()}
            if not {"masked", "hidden"} & rows.keys():
                batch = corrupt(self.problem, batch, chance)
            yield {name: values.transpose(0, 1) for name, values in batch.items()}, min(self.chunk, count - start)


def of_loss(problem: Problem) -> Pull:
    """Carries back each row's loss."""

    def pull(output: Tensor, batch: Batch) -> Tensor:
        output = output.requires_grad_()
        return torch.autograd.grad(losses(problem, output, batch).sum(), output)[0]

    return pull


def of_output(problem: Problem, seed: int) -> Pull:
    """Carries back the outputs that a loss is asked of, each weighed by a number that is the same for all rows.

    The mean of these gradients is where a net, linear around these weights, sees the rows: their mean embedding in its
    tangent kernel.

    References:
        Jacot, Gabriel and Hongler (2018), Neural tangent kernel. Cheng and Xie (2021), Neural tangent kernel maximum
        mean discrepancy.
    """
    weight = torch.randn(problem.outputs, generator=torch.Generator().manual_seed(seed))
    asked = of_loss(problem)

    def pull(output: Tensor, batch: Batch) -> Tensor:
        return weight * (asked(output, batch) != 0)

    return pull
