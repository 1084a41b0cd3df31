"""How far out of its column's range is each value, by the original's rows?

A number by both tails; a level, or a missing value, by the share of rows that hold it or a rarer one. What was never
seen has a part of the mass of what was seen once (Good-Turing).

References:
    Good (1953), The population frequencies of species and the estimation of population parameters, Biometrika 40.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.localization.features import Feature
from foretrain.localization.tails import Tail

UNSEEN = 0.3
"""Share of the mass of levels that were seen once which a particular unseen level has, roughly."""


@dataclass(frozen=True)
class Marginal:
    """Tails of each feature.

    Attributes:
        ends: of numbers, the lower tail (of the negated values) and the upper one; None where too few are known.
        missing: probability of a missing value, (features,).
        shares: of categories, the probability of each place (see `Features.read`), by feature.
    """

    ends: tuple[tuple[Tail, Tail] | None, ...]
    missing: Floats
    shares: dict[int, Floats]

    @staticmethod
    def of(reference: Floats, features: Sequence[Feature]) -> Marginal:
        """The tails of the original's rows, (rows, features)."""
        rows = len(reference)
        ends: list[tuple[Tail, Tail] | None] = []
        shares: dict[int, Floats] = {}
        gone = np.isnan(reference).sum(axis=0)
        for k, feature in enumerate(features):
            if feature.levels is not None:
                count = np.bincount(reference[:, k].astype(int), minlength=len(feature.levels) + 2)
                unseen = UNSEEN * ((count == 1).sum() + 0.5) / (rows + 1)
                rarer = np.array([count[count <= each].sum() + 0.5 for each in count]) / (rows + 1)
                shares[k] = np.where(count > 0, np.minimum(rarer, 1.0), unseen)
                ends.append(None)
                continue
            known = reference[~np.isnan(reference[:, k]), k]
            ends.append((Tail.of(-known), Tail.of(known)) if len(known) > 1 else None)
        missing = np.where(gone > 0, (gone + 0.5) / (rows + 1), 0.5 * UNSEEN / (rows + 1))
        return Marginal(tuple(ends), missing, shares)

    def p(self, rows: Floats) -> Floats:
        """Probability of a value as far out, (rows, features), 0 to 1."""
        out = np.ones(rows.shape)
        for k, tails in enumerate(self.ends):
            values = rows[:, k]
            if k in self.shares:
                out[:, k] = self.shares[k][values.astype(int)]
                continue
            gone = np.isnan(values)
            if tails is not None and not gone.all():
                lower, upper = tails
                known = values[~gone]
                out[~gone, k] = np.minimum(1.0, 2 * np.minimum(lower.p(-known), upper.p(known)))
            out[gone, k] = self.missing[k]
        return out
