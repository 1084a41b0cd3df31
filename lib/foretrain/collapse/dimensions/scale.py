"""How bad is a departure from what a fresh sample of the original shows?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from foretrain.collapse.table import Floats

CERTAIN = 2.0
"""Standard deviations of noise within which a departure is not held against the candidate."""

Worse = Literal["more", "less", "any"]
"""Which departure is a loss."""

_SIGNS = {"more": 1.0, "less": -1.0, "any": 0.0}


@dataclass(frozen=True)
class Scale:
    """From departures to badness, for a family of statistics.

    A departure's badness is 0 up to `CERTAIN` deviations of noise; from twice that on it is the loss that went with
    such a departure in the calibration's tables, between them a part of it.

    Attributes:
        deviations: (statistics,) standard deviation of the departure of a fresh sample.
        worse: of each statistic.
        curves: (departure, loss) points of each; None where it is only shown.
    """

    deviations: Floats
    worse: Sequence[Worse]
    curves: Sequence[Floats | None]

    @property
    def noise(self) -> Floats:
        """(statistics,) departures up to here cost nothing."""
        return CERTAIN * self.deviations

    @property
    def sharpest(self) -> int:
        """The statistic whose noise hides the least loss."""
        hidden = [
            1.0 if c is None else float(np.interp(n, c[:, 0], c[:, 1]))
            for n, c in zip(self.noise, self.curves, strict=True)
        ]
        return int(np.argmin(hidden))

    def badness(self, gap: Floats) -> Floats:
        """Of departures, (statistics,): 0 to 1 each."""
        out = np.zeros(len(gap))
        for k, (worse, curve, noise) in enumerate(zip(self.worse, self.curves, self.noise, strict=True)):
            sign = _SIGNS[worse]
            loss = sign * gap[k] if sign else abs(gap[k])
            if curve is not None and loss > noise:
                out[k] = np.interp(loss, curve[:, 0], curve[:, 1]) * min(1.0, (loss - noise) / (noise + 1e-12))
        return out
