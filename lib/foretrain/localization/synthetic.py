"""Does a row look as if it came from the candidate's maker rather than from the original?

References:
    Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests, ICLR: here row by row, cross-fitted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from foretrain.collapse.statistics.models import boosted
from foretrain.collapse.table import Floats

ROUNDS, QUICK_ROUNDS = 40, 20
"""Trees, and at quick effort."""


@dataclass(frozen=True)
class Classifier:
    """Boosted trees that tell candidate from original."""

    trees: Any
    prior: float

    @staticmethod
    def fit(candidate: Floats, original: Floats, seed: int, rounds: int = ROUNDS) -> Classifier:
        """Learn from rows of both tables, each (rows, features)."""
        rows = np.concatenate([candidate, original])
        label = np.concatenate([np.ones(len(candidate)), np.zeros(len(original))])
        prior = float(np.log(max(len(candidate), 1) / max(len(original), 1)))
        return Classifier(boosted(rows, label, 2, rounds, seed % 2**31), prior)

    def log_odds(self, rows: Floats) -> Floats:
        """Of the candidate against the original, were both of equal size, (rows,)."""
        return np.asarray(self.trees.predict(rows, raw_score=True, num_threads=1)) - self.prior

    def contributions(self, rows: Floats) -> Floats:
        """What each feature adds to the log odds, (rows, features): TreeSHAP (Lundberg et al., 2020)."""
        return np.asarray(self.trees.predict(rows, pred_contrib=True, num_threads=1))[:, :-1]
