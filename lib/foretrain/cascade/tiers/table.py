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
        numbers: (models, p, rows), 0 where null or hidden.
        flags: (models, p, rows) each: whether it is null and, for masked columns, whether it is hidden.
        codes: (models, c, rows), 0 where null, unseen or hidden.
        blots: (models, c, rows), whether the code is hidden; None for other goals.
    """

    numbers: Tensor
    flags: tuple[Tensor, ...]
    codes: Tensor
    blots: Tensor | None


def seen(problem: Problem, batch: Batch) -> Seen:
    """The batch, hidden columns blotted out: neither their values nor their nulls are left."""
    numbers, nulls, codes = (batch[name].transpose(1, 2) for name in ("numbers", "nulls", "codes"))
    if problem.goal != "masked columns":
        return Seen(numbers, (nulls,), codes, None)
    masked = batch["masked"].transpose(1, 2)
    hidden, blots = masked[:, : problem.numbers], masked[:, problem.numbers :] > 0
    return Seen(numbers * (1 - hidden), (nulls * (1 - hidden), hidden), codes.masked_fill(blots, 0), blots)


def flags(problem: Problem) -> int:
    """How many flags a number has."""
    return 2 if problem.goal == "masked columns" else 1


class Codes(nn.Module):
    """A learned vector for each level of each code, for none, and for being hidden.

    Args:
        channels: length of the vectors.
    """

    def __init__(self, start: Start, problem: Problem, channels: int) -> None:
        super().__init__()
        entries = torch.tensor([k + 1 + (problem.goal == "masked columns") for k in problem.levels], dtype=torch.int64)
        last = entries.cumsum(0).unsqueeze(-1) - 1
        self.register_buffer("first", last + 1 - entries.unsqueeze(-1), persistent=False)
        self.register_buffer("last", last, persistent=False)
        self.first: Tensor
        self.last: Tensor
        self.levels = Embedding(start, int(entries.sum()), channels)

    def forward(self, row: Seen) -> Tensor:
        """(models, channels, c, rows)."""
        at = row.codes + self.first
        vectors: Tensor = self.levels(at if row.blots is None else torch.where(row.blots, self.last, at))
        return vectors
