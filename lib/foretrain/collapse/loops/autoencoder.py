"""What does refitting a small variational autoencoder make of a table?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.loops.generator import Axes, Nulls, complete
from foretrain.collapse.table import Table


class Autoencoder:
    """A variational autoencoder with one hidden layer each way, trained by Adam.

    References:
        Kingma and Welling (2014), Auto-encoding variational Bayes.
    """

    def __init__(self, hidden: int = 48, latent: int = 8, steps: int = 250) -> None:
        self.hidden, self.latent, self.steps = hidden, latent, steps

    def fit(self, table: Table, chance: np.random.Generator) -> None:
        import torch
        from torch import nn

        self.nulls, full = Nulls(table), complete(table)
        self.axes, self.like = Axes(full), full
        torch.manual_seed(int(chance.integers(2**31)))
        matrix = torch.from_numpy(self.axes.forward(full)).float()
        width = matrix.shape[1]
        self.z = min(self.latent, max(2, width))
        coder = nn.Sequential(nn.Linear(width, self.hidden), nn.ReLU(), nn.Linear(self.hidden, 2 * self.z))
        self.decoder = nn.Sequential(nn.Linear(self.z, self.hidden), nn.ReLU(), nn.Linear(self.hidden, width))
        optimiser = torch.optim.Adam([*coder.parameters(), *self.decoder.parameters()], lr=5e-3)
        batch = min(128, len(matrix))
        noise = 0.25
        for _ in range(self.steps):
            rows = matrix[torch.randint(len(matrix), (batch,))]
            centre, log_variance = coder(rows).chunk(2, dim=1)
            code = centre + torch.exp(log_variance / 2) * torch.randn_like(centre)
            miss = ((self.decoder(code) - rows) ** 2).sum(1).mean() / (2 * noise**2)
            prior = -0.5 * (1 + log_variance - centre**2 - log_variance.exp()).sum(1).mean()
            optimiser.zero_grad()
            (miss + prior).backward()
            optimiser.step()
        with torch.no_grad():
            centre, _ = coder(matrix).chunk(2, dim=1)
            self.residual = (self.decoder(centre) - matrix).std(0).numpy().astype(np.float64)

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        import torch

        with torch.no_grad():
            code = torch.from_numpy(chance.standard_normal((rows, self.z))).float()
            matrix = self.decoder(code).numpy().astype(np.float64)
        p = len(self.like.schema.numbers)
        matrix[:, :p] += 0.5 * self.residual[:p] * chance.standard_normal((rows, p))
        return self.nulls.put_back(self.axes.back(matrix, self.like, chance), chance)
