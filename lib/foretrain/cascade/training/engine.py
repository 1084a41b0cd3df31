"""How is a step made, or a set of rows judged, in the memory there is?"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import torch
from torch import Tensor

from foretrain.cascade.losses import Batch, losses, right
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.tier import NetTier
from foretrain.cascade.training import devices, graphs
from foretrain.cascade.training.deck import Deck
from foretrain.cascade.training.stack import ALIGNED, Stack
from foretrain.cascade.training.team import Forward, Team
from foretrain.errors import ResourceError

log = logging.getLogger(__name__)
T = TypeVar("T")

FEW = 16
"""Rows with which is measured what memory a row takes."""

WITHOUT_GRADIENTS = 2
"""So many times the rows are evaluated at once."""


class OutOfRoomError(ResourceError):
    """The memory of a device ran out.

    Attributes:
        rows: of a model that were in it at once.
    """

    rows: int


class Engine:
    """Nets of a tier on a device.

    Args:
        problem: what they learn.
        tier: builds them.
        team: shares the work.
        decay: weight decay.
        batch: rows a step of each model.
        at_once: of this process's share of these, in memory together; at most, and found by itself where None.

    Attributes:
        at_once: now.
        spared: whether the backward pass computes again what it did not keep.
    """

    def __init__(
        self, problem: Problem, tier: NetTier, team: Team, decay: float, batch: int, at_once: int | None
    ) -> None:
        self._problem, self._tier, self._team, self._decay, self._batch = problem, tier, team, decay, batch
        self._found = at_once is not None or team.device.type == "cpu"
        self._share = -(-batch // team.size)
        self.at_once = min(at_once or self._share, self._share)
        self.spared = False

    def assemble(self, seeds: Sequence[int]) -> Stack:
        """Build nets that start at these seeds; they take the place of those before."""
        self.stack = Stack(self._tier, self._problem, seeds, self._team.device, self._decay)
        if self.spared:
            self.stack.spare()
        self._forward = self._team.wrap(self.stack.net)
        self._replays = self._team.device.type == "cuda" and self._team.size == 1
        return self.stack

    def gradients(self, batch: Batch) -> Tensor:
        """Leave the gradients of this process's share of a batch, the whole team's mean, with the parameters.

        Returns:
            (models,) mean loss over the batch.

        Raises:
            ResourceError: not even one row of each model fits in the memory.
        """
        if not self._found:
            self._find_room(batch)
        if self._replays and self.at_once >= _rows(batch):
            self._replays = False
            with self._precision():
                graphs.replay(self.stack.net, batch, lambda: self._backward(batch))
        return self._team.total(self._in_memory(lambda: self._backward(batch)))

    def evaluate(self, deck: Deck, arms: Tensor) -> tuple[Tensor, Tensor | None]:
        """Each row's loss for each model, (models, rows), and where the goal has it whether it is right.

        Args:
            deck: the rows.
            arms: (models,) whose rows each is judged on.
        """
        return self._in_memory(lambda: self._evaluate(deck, arms))

    def _backward(self, batch: Batch) -> Tensor:
        self.stack.forget()
        rows, total = _rows(batch), torch.zeros(self.stack.models, device=self._team.device)
        for start in range(0, rows, self.at_once):
            part = _rows_of(batch, slice(start, start + self.at_once))
            with self._team.apart(self._forward) if start + self.at_once < rows else nullcontext():
                loss = losses(self._problem, self._output(self._forward, part), part).sum(1) / self._batch
                torch.autograd.backward(loss.sum() * self._team.size)  # the team takes its members' mean
            total += loss.detach()
        return total

    @torch.no_grad()
    def _evaluate(self, deck: Deck, arms: Tensor) -> tuple[Tensor, Tensor | None]:
        team, step = self._team, self.at_once * WITHOUT_GRADIENTS
        found = torch.zeros(2, self.stack.models, deck.rows, device=team.device)
        known = False
        self.stack.net.eval()
        for number, start in enumerate(range(0, deck.rows, step)):
            if number % team.size != team.rank:
                continue
            here = min(step, deck.rows - start)
            # the last rows are made up to whole cache lines, see `ALIGNED`
            at = torch.arange(start, start - (-here // ALIGNED) * ALIGNED, device=deck.at).clamp(max=deck.rows - 1)
            batch = deck.batch(arms, at.expand(self.stack.models, -1))
            output = self._output(self.stack.net, batch)
            found[0, :, start : start + here] = losses(self._problem, output, batch)[:, :here]
            if (hits := right(self._problem, output, batch)) is not None:
                known, found[1, :, start : start + here] = True, hits[:, :here]
        self.stack.net.train()
        found = team.total(found)
        return found[0], found[1] if known else None

    def _output(self, forward: Forward, batch: Batch) -> Tensor:
        with self._precision():
            return forward(batch).float()

    def _precision(self) -> AbstractContextManager[object]:
        device = self._team.device
        return torch.autocast(device.type, torch.bfloat16, devices.bfloat16(device), cache_enabled=False)

    def _find_room(self, batch: Batch) -> None:
        """Set `at_once` from the free memory; spare it first where the whole batch would not fit."""
        self._found = True
        while True:
            with self._team.apart(self._forward):
                a_row = devices.taken(self._team.device, lambda: self._backward(_rows_of(batch, slice(0, FEW)))) / FEW
            self.stack.forget()
            fits = devices.fits(a_row, devices.free(self._team.device), self._share)
            self.at_once = self._team.least(fits)
            if self.at_once >= self._share or self.spared or not self.stack.spare():
                return
            self.spared = True

    def _in_memory(self, work: Callable[[], T]) -> T:
        while True:
            try:
                return work()
            except torch.OutOfMemoryError as error:
                if self._team.size > 1 or not self._make_room():
                    raise self._no_room() from error
            # only here the error, and with it what it holds in memory, is gone
            self.stack.forget()
            if self._team.device.type == "cuda":
                gc.collect()
                torch.cuda.empty_cache()

    def _no_room(self) -> OutOfRoomError:
        error = OutOfRoomError(
            f"{devices.name(self._team.device)} ran out of memory at {self.at_once} rows a model",
            hint="Free some of it, or set cascade.device to cpu",
        )
        error.rows = self.at_once
        return error

    def _make_room(self) -> bool:
        vars(self.stack.net).pop("forward", None)  # what was recorded for the larger batch
        if not self.spared and self.stack.spare():
            self.spared = True
        elif self.at_once > 1:
            self.at_once = -(-self.at_once // 2)
        else:
            return False
        log.warning("%s: out of memory, going on with %d rows of a model at once", self._tier.name, self.at_once)
        return True


def _rows(batch: Batch) -> int:
    return next(iter(batch.values())).shape[1]


def _rows_of(batch: Batch, which: slice) -> Batch:
    return {name: values[:, which] for name, values in batch.items()}
