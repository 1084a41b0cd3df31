"""What do nets see of a table's row?"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import Problem
from foretrain.cascade.tiers.stacked import Embedding, Start


@dataclass(frozen=True)
class Seen:
    """A batch without what is asked for.

    Attributes:
        numbers: (models, rows, p), 0 where null or hidden.
        flags: (models, rows, p, 1 or 2): whether it is null, and for masked columns whether it is hidden.
        codes: (models, rows, c), 0 where null, unseen or hidden.
        hidden: (models, rows, c), whether the code is hidden; None for other goals.
    """

    numbers: Tensor
    flags: Tensor
    codes: Tensor
    hidden: Tensor | None


def seen(problem: Problem, batch: Batch) -> Seen:
    """The batch, hidden columns blotted out: neither their values nor their nulls are left."""
    numbers, nulls, codes = batch["numbers"], batch["nulls"], batch["codes"]
    if problem.goal != "masked columns":
        return Seen(numbers, nulls.unsqueeze(-1), codes, None)
    p, masked = problem.numbers, batch["masked"]
    hidden, left = masked[..., :p], 1.0 - masked[..., :p]
    told = torch.stack([nulls * left, hidden], -1)
    return Seen(numbers * left, told, codes.masked_fill(masked[..., p:] > 0, 0), masked[..., p:])


def flags(problem: Problem) -> int:
    """How many flags a number has."""
    return 2 if problem.goal == "masked columns" else 1


class Codes(nn.Module):
    """A learned vector for each level of each code, and one for being hidden.

    Args:
        channels: length of the vectors.
    """

    def __init__(self, start: Start, problem: Problem, channels: int) -> None:
        super().__init__()
        sizes = [0, *(k + 1 for k in problem.levels)]
        self.register_buffer("first", torch.tensor(sizes[:-1], dtype=torch.int64).cumsum(0), persistent=False)
        self.first: Tensor
        self.levels = Embedding(start, sum(sizes), channels)
        masked = problem.goal == "masked columns"
        self.blot = start.normal(len(problem.levels), channels, deviation=1.0) if masked else None
        self.width = len(problem.levels) * channels

    def forward(self, row: Seen) -> Tensor:
        """(models, rows, c, channels)."""
        vectors: Tensor = self.levels(row.codes + self.first)
        if self.blot is None or row.hidden is None:
            return vectors
        hidden = row.hidden.unsqueeze(-1)
        return vectors * (1.0 - hidden) + hidden * self.blot.unsqueeze(1)
