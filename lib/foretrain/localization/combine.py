"""How sure is it that a row is bad, and by which mechanism?

Each mechanism gives a row a p-value: how often a row of the original, scored by models that have not seen it, is as far
out. Good rows have uniform p-values, bad ones pile up near zero. How many are bad, and by which mechanism, is
estimated from the candidate's own p-values as a mixture, one for each axis (looks synthetic, does harm): a mechanism
that shows more small p-values than chance gives each of them weight, one that does not gives none. What the same
estimate finds in the original is taken off. The posterior, calibrated, is the axis's confidence, 0 to 1; the larger of
the two is the row's.

References:
    Efron (2008), Microarrays, empirical Bayes and the two-groups model, Statistical Science 23.
    Allison et al. (2002), A mixture model approach for the analysis of microarray gene expression data, Computational
    Statistics and Data Analysis 39 (beta densities for p-values).
    Figueiredo, Jain (2002), Unsupervised learning of finite mixture models, IEEE TPAMI 24 (a component must explain
    rows before it gets any weight).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from foretrain.collapse.table import Floats
from foretrain.localization.record import Mechanism

SHAPES = (0.05, 0.1)
"""Bad rows' p-values are Beta(shape, 1): the smaller, the nearer to zero."""

PRIOR = 0.05
"""Share of bad rows expected before any was seen."""

PRIOR_ROWS = 30.0
"""How many rows that expectation is worth."""

LEFT = 0.01
"""Part of a mechanism's rows that is left at least: a single row may be certain, and rows keep an order."""

SUPPORT: dict[Mechanism, float] = {
    "looks_synthetic": 3.0,
    "crowded": 2.0,
    "misleads_neighbours": 3.0,
    "harms_models": 3.0,
}
"""Rows that a noisy mechanism must explain before it gets any weight; 0 of those not named."""

MOST = 1e12
"""Likelihood ratio of one row at most."""

CALIBRATION = (-0.6, 1.1)
"""Of log odds: what is added, and what they are multiplied by before. Fitted to the shares of bad rows by bins of
confidence, on rows planted in the real tables that fits may see (`python tests/benchmarks/localization.py --fit`)."""

_STEPS, _CLOSE = 300, 1e-7


@dataclass(frozen=True)
class Mixture:
    """Shares of good rows and of bad ones by mechanism and shape, adding to one.

    Attributes:
        mechanisms: their names.
        good: share of good rows.
        bad: (mechanisms, shapes).
    """

    mechanisms: tuple[Mechanism, ...]
    good: float
    bad: Floats

    @staticmethod
    def fit(p: Mapping[Mechanism, Floats]) -> Mixture:
        """By expectation and maximisation, from a table's p-values by mechanism, each (rows,)."""
        if not p:
            return Mixture((), 1.0, np.zeros((0, len(SHAPES))))
        ratios = _ratios(p, tuple(p))  # (rows, mechanisms * shapes)
        parts = ratios.shape[1]
        prior = np.append(1 - PRIOR, np.full(parts, PRIOR / parts))
        likely = np.column_stack([np.ones(len(ratios)), ratios])
        support = np.append(0.0, [SUPPORT.get(name, 0.0) / len(SHAPES) for name in p for _ in SHAPES])
        shares = prior
        for _ in range(_STEPS):
            posterior = likely * shares
            posterior /= posterior.sum(axis=1, keepdims=True)
            found = np.maximum(posterior.sum(axis=0) + PRIOR_ROWS * prior - support, 0.0)
            found /= found.sum()
            moved, shares = np.abs(found - shares).max(), found
            if moved < _CLOSE:
                break
        return Mixture(tuple(p), float(shares[0]), shares[1:].reshape(len(p), len(SHAPES)))

    def beyond(self, usual: Mixture) -> Mixture:
        """Without what the same estimate finds in the original, where nothing is bad: by chance, or by a poor fit."""
        mine, theirs = self.bad.sum(axis=1), usual.bad.sum(axis=1)
        kept = np.clip(1 - theirs / np.maximum(mine, 1e-300), LEFT, 1.0)
        bad = self.bad * kept[:, None]
        return Mixture(self.mechanisms, 1 - float(bad.sum()), bad)

    def posterior(self, p: Mapping[Mechanism, Floats]) -> Floats:
        """Probability that a row is bad by each mechanism, (rows, mechanisms), at most one in all."""
        ratios = _ratios(p, self.mechanisms) * self.bad.ravel()
        by = ratios.reshape(len(ratios), len(self.mechanisms), len(SHAPES)).sum(axis=2)
        return np.asarray(by / (self.good + by.sum(axis=1, keepdims=True)))


def calibrated(probability: Floats) -> Floats:
    """A mixture's posterior as the share of such rows that are bad, same shape; 0 and 1 stay.

    References:
        Platt (1999), Probabilistic outputs for support vector machines: a line through the log odds.
    """
    added, slope = CALIBRATION
    return np.asarray(expit(added + slope * logit(np.clip(probability, 0.0, 1.0))))


def _ratios(p: Mapping[Mechanism, Floats], names: Sequence[Mechanism]) -> Floats:
    """Likelihood ratios, bad to good, (rows, mechanisms * shapes)."""
    each = [np.minimum(shape * np.maximum(p[name], 1e-300) ** (shape - 1), MOST) for name in names for shape in SHAPES]
    return np.column_stack(each)
