"""What is the gradient of each row alone?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from foretrain.cascade.losses import Batch, corrupt, losses
from foretrain.cascade.probes.fisher import drawn
from foretrain.cascade.problem import Problem, Rows, length
from foretrain.cascade.tiers.tier import Net, NetTier

CHUNK_BYTES = 2**25
"""Memory of the weights of one chunk of rows; its gradients take twice as much again."""

MOST_CHUNK = 32

Weights = Mapping[str, npt.NDArray[np.float32]]


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
        with torch.no_grad():
            for name, values in (weights or {}).items():
                self.net.get_parameter(name).copy_(torch.from_numpy(values))

    def gradients(self, rows: Rows, chance: torch.Generator, fisher: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Chunk by chunk, each row's gradient, (rows, parameters), and that of labels drawn from the model.

        Args:
            rows: of this problem.
            chance: draws what is hidden, and the labels.
            fisher: number of first rows, whole chunks are taken, whose gradient by drawn labels is wanted; empty for
                the others.
        """
        weights = list(self.net.parameters())
        count = length(rows)
        for start in range(0, count, self.chunk):
            inside = min(self.chunk, count - start)
            # the last chunk is filled up with its last row
            at = np.minimum(np.arange(start, start + self.chunk), count - 1)
            batch = self._batch(rows, at, chance)
            output = self.net(batch)
            own = torch.autograd.grad(
                losses(self.problem, output, batch).sum(),
                weights,
                retain_graph=start < fisher,
                materialize_grads=True,
            )
            other = _flat(own, 0)
            if start < fisher:
                pull = drawn(self.problem, output.detach(), batch, chance)
                other = _flat(torch.autograd.grad(output, weights, pull, materialize_grads=True), inside)
            yield _flat(own, inside), other

    def _batch(self, rows: Rows, at: npt.NDArray[np.intp], chance: torch.Generator) -> Batch:
        """One row a model: (models, 1, ...)."""
        batch: Batch = {name: torch.from_numpy(values[at]).unsqueeze(0) for name, values in rows.items()}
        if not {"masked", "hidden"} & rows.keys():
            batch = corrupt(self.problem, batch, chance)
        return {name: values.transpose(0, 1) for name, values in batch.items()}


def _flat(gradients: tuple[Tensor, ...], rows: int) -> Tensor:
    """(rows, parameters)."""
    return torch.cat([gradient.flatten(1)[:rows] for gradient in gradients], dim=1)
