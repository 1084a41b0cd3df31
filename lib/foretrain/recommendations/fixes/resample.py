"""Keep rows in proportion to how common they are in the original."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from foretrain.recommendations import models
from foretrain.recommendations.edit import Edit, Rows
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene

FEWEST = 100
"""Rows of either table that weights can be learned from."""


class Resample(Fix):
    """A row stays with a probability in proportion to its weight: its density in the original over the candidate's.

    What is too common becomes rarer; what is missing cannot be made. No row is repeated, so that a rare row is not
    learned by heart. The ratio of densities is the odds of a classifier between the tables.

    References:
        Sugiyama, Suzuki and Kanamori (2012), Density Ratio Estimation in Machine Learning, chapter 4.
    """

    name = "resample"
    does = "Thins rows that are commoner than in the original, by a classifier's density ratio; none is repeated."
    sees_original = True
    order = 40

    least_kept: Annotated[float, Field(gt=0, lt=1)] = 0.4
    """Share of the rows that stays at least: weights above some limit count as the limit."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        if min(found.candidate.rows, found.donor_rows) < FEWEST:
            return
        worst = next((c for c in found.collapse.columns if c.distance > c.fresh_distance), None)
        if worst is not None:
            yield cls(), f"Values are not as frequent as in the original: column {worst.name}, by {worst.distance:.0%}."

    @property
    def label(self) -> str:
        return f"{100 * self.least_kept:.0f}"

    @property
    def strength(self) -> float:
        return 1 - self.least_kept

    @property
    def title(self) -> str:
        return f"Thin what is too common, down to {self.least_kept:.0%}"

    def fit(self, scene: Scene) -> Edit:
        weigh = models.density_ratio(scene.read_donors, scene.read_candidate, scene.seed)
        limit = _limit(weigh(scene.read_candidate), self.least_kept)

        def change(rows: Rows) -> Rows:
            stays = weigh(scene.features.read(rows.table)) / limit
            return rows.keep(rows.chance(scene.seed, "resample") < stays)

        return Edit(change=change)


def _limit(weights: np.ndarray, least_kept: float) -> float:
    """The largest limit at which rows kept with weight over limit, at most surely, are that many on average."""
    low, high = float(weights.min()), float(weights.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(weights / middle, 1).mean() >= least_kept else (low, middle)
    return max(low, 1e-12)
