"""What do nets see of a text, and how do they say what comes next?"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from foretrain.cascade.losses import Batch
from foretrain.cascade.problem import BYTES
from foretrain.cascade.tiers.stacked import QUIET, Embedding, Start


class Bytes(nn.Module):
    """A learned vector for each byte, which also says, by its product with what the net made, how likely it comes next.

    References:
        Press and Wolf (2017), Using the output embedding to improve language models.
    """

    def __init__(self, start: Start, channels: int) -> None:
        super().__init__()
        self.vectors = Embedding(start, BYTES, channels, deviation=channels**-0.5)
        self.scale = start.constant(channels, 1, value=QUIET)
        self.bias = start.constant(BYTES, 1, value=0.0)

    def forward(self, batch: Batch) -> Tensor:
        """(models, channels, rows, t + 1): a 0, then the bytes; what stands at i has seen the bytes before i."""
        tokens = functional.pad(batch["tokens"], (1, 0))
        vectors: Tensor = self.vectors(tokens)
        return vectors * sqrt(vectors.shape[1])

    def next(self, hidden: Tensor) -> Tensor:
        """(models, rows, t + 1, channels) to (models, rows, t + 1, 257), float32."""
        scores = torch.baddbmm(self.bias, self.vectors.weight, hidden.flatten(1, 2).mT * self.scale)
        scores = scores.reshape(*scores.shape[:2], *hidden.shape[1:3])
        return scores.movedim(1, -1).float()
