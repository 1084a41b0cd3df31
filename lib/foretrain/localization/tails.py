"""How far out is a value, as the probability that the original shows one at least as large?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from foretrain.collapse.table import Floats

UPPER = 0.1
"""Share of the reference that the tail is fitted on."""

FEWEST = 10
"""Values of it that the tail is fitted on at least."""

HEAVIEST = 0.5
"""Shape of the tail at most: beyond it the variance is infinite."""

LEAST = 1e-12
"""Smallest probability that is told apart."""


@dataclass(frozen=True)
class Tail:
    """Survival function of a reference: counts up to its upper tenth, a generalised Pareto distribution beyond.

    Attributes:
        values: the reference, ascending, (values,).
        threshold: where the fitted part begins.
        share: of the reference above it, 0 to 1.
        scale: of the fitted part, in the values' unit.
        shape: 0 (exponential) to `HEAVIEST`.

    References:
        Hosking, Wallis (1987), Parameter and quantile estimation for the generalized Pareto distribution,
        Technometrics 29: by L-moments. The shape is held within 0 to `HEAVIEST`.
    """

    values: Floats
    threshold: float
    share: float
    scale: float
    shape: float

    @classmethod
    def of(cls, reference: Floats, *, heavy: bool = True) -> Self:
        """The tail of at least two values.

        Args:
            reference: finite, (values,).
            heavy: whether the shape is fitted; exponential where not.
        """
        values = np.sort(reference)
        n = len(values)
        above = min(max(FEWEST, int(UPPER * n)), max(n // 2, 1))
        threshold = float(values[n - above - 1])
        excess = values[n - above :] - threshold
        mean = float(excess.mean())
        spread = float(2 * (np.arange(above) / max(above - 1, 1) * excess).mean() - mean)
        shape = float(np.clip(2 - mean / spread, 0.0, HEAVIEST)) if heavy and spread > 0 else 0.0
        return cls(values, threshold, above / n, max(mean * (1 - shape), 1e-12), shape)

    def p(self, values: Floats) -> Floats:
        """Probability of a value at least as large, `LEAST` to 1, same shape as the values."""
        n = len(self.values)
        counted = (n - np.searchsorted(self.values, values, side="left") + 0.5) / (n + 1)
        excess = np.maximum(values - self.threshold, 0.0) / self.scale
        beyond = np.exp(-excess) if self.shape < 1e-6 else (1 + self.shape * excess) ** (-1 / self.shape)
        return np.clip(np.where(values > self.threshold, self.share * beyond, counted), LEAST, 1.0)
