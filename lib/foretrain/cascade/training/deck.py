"""How do prepared rows get to the device, and from there into the batch of each model?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Rows, length
from foretrain.errors import InternalError
from foretrain.seeds import stream

ROOM = 0.5
"""Share of a GPU's free memory that rows may take; more stay pinned in the machine's."""


class Deck:
    """Rows of several arms, one tensor an array.

    Args:
        arms: the rows of each; as many in every arm.
        device: where batches are wanted.
        free: bytes there, None where nobody knows.

    Attributes:
        rows: of an arm.
        at: the device that the rows are on, and where their numbers are best made.
    """

    def __init__(self, arms: Sequence[Rows], device: torch.device, free: int | None = None) -> None:
        self.rows = length(arms[0])
        if any(length(rows) != self.rows for rows in arms):
            raise InternalError(f"the arms differ in their number of rows: {[length(rows) for rows in arms]}")
        self._device = device
        stacked = {name: torch.from_numpy(np.stack([rows[name] for rows in arms])) for name in arms[0]}
        size = sum(values.numel() * values.element_size() for values in stacked.values())
        self._stays = free is not None and size > ROOM * free
        self._arrays: dict[str, Tensor] = {  # (arms * rows, ...)
            name: values.flatten(0, 1).pin_memory() if self._stays else values.flatten(0, 1).to(device)
            for name, values in stacked.items()
        }
        self.at = torch.device("cpu") if self._stays else device

    def batch(self, arms: Tensor, rows: Tensor) -> Batch:
        """The asked rows of each model's arm: arrays (models, rows, ...).

        Where the rows are not on the device, they are put together while it is still at work on the batch before.

        Args:
            arms: (models,) the arm of each.
            rows: (models, rows) numbers.
        """
        at = arms.to(self.at)[:, None] * self.rows + rows.to(self.at)
        batch = {
            name: values.index_select(0, at.flatten()).view(*at.shape, *values.shape[1:])
            for name, values in self._arrays.items()
        }
        if self._stays:
            return {name: values.pin_memory().to(self._device, non_blocking=True) for name, values in batch.items()}
        return batch


class Order:
    """Which rows are seen at which step: one permutation after the other, so that all are seen equally often.

    It depends on the seeds and the step alone: a training goes on from any step.

    Args:
        names: whose order it is, from general to particular.
        seed: the run's.
        repetitions: the seed of each model; equal ones see the rows in the same order.
        rows: of an arm.
        batch: rows a step.
        device: where the numbers are wanted.
    """

    def __init__(
        self, names: Sequence[str], seed: int, repetitions: Sequence[int], rows: int, batch: int, device: torch.device
    ) -> None:
        self._names, self._seed, self._rows, self._batch, self._device = names, seed, rows, batch, device
        self._different = sorted(set(repetitions))
        self._which = torch.tensor([self._different.index(each) for each in repetitions], device=device)
        self._epochs: dict[int, Tensor] = {}

    def at(self, step: int) -> Tensor:
        """(models, batch) row numbers of one step, the first being 0."""
        epoch, start = divmod(step * self._batch, self._rows)
        parts = [self._epoch(epoch)[:, start : start + self._batch]]
        if (more := self._batch - parts[0].shape[1]) > 0:
            parts.append(self._epoch(epoch + 1)[:, :more])
        return torch.cat(parts, 1)[self._which]

    def _epoch(self, number: int) -> Tensor:
        """(repetitions, rows) a permutation each."""
        if number not in self._epochs:
            orders = [
                stream(self._seed, *self._names, "order", repetition, number).permutation(self._rows)
                for repetition in self._different
            ]
            kept = {before: order for before, order in self._epochs.items() if before == number - 1}
            self._epochs = kept | {number: torch.from_numpy(np.stack(orders)).to(self._device)}
        return self._epochs[number]
