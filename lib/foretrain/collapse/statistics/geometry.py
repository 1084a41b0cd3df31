"""How do the clouds of rows differ: what is covered, what is crowded?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.statistics.side import Side, distances
from foretrain.collapse.table import Floats

NEIGHBOURS = 5

TIGHT = 0.1
"""Rows nearer to each other than this share of the reference's median nearest distance are near-duplicates."""


class Reference:
    """The reference's own distances, computed once for all sides compared with it."""

    def __init__(self, side: Side) -> None:
        self.side = side
        inner = distances(side, side)
        np.fill_diagonal(inner, np.inf)
        self.radius, self.nearest = _radius(inner)
        self.mean = _mean(inner) if len(side) > 1 else 1.0
        self.unit = self.mean or 1.0  # rows that are all alike have no mean distance to count in
        self.tight = TIGHT * float(np.median(self.nearest)) + 1e-9
        self.near = self.mean * 0.01 + 1e-12
        self.typical = np.log(self.nearest + self.near).mean()
        self.low = np.log(np.quantile(self.nearest, 0.1) + self.near)


def measure(a: Side, reference: Reference) -> dict[str, float]:
    """Statistics of `a` against the reference.

    References:
        Kynkaanniemi et al. (2019), improved precision and recall; Naeem et al. (2020), density and coverage;
        Szekely and Rizzo (2013), energy distance; Schilling (1986), nearest-neighbour two-sample test.
    """
    b = reference.side
    inner = distances(a, a)
    np.fill_diagonal(inner, np.inf)
    radius, nearest = _radius(inner)
    mean_a = _mean(inner) if len(a) > 1 else 0.0
    crowd = (inner <= reference.tight * 10).sum(axis=1)
    del inner  # of large tables, one matrix is held at a time
    cross = distances(a, b)
    within_b = cross <= reference.radius[None, :]
    within_a = cross <= radius[:, None]
    to_b, to_a = cross.min(axis=1), cross.min(axis=0)
    eps, unit = reference.tight, reference.unit
    k = min(NEIGHBOURS, len(b), max(len(a) - 1, 1))
    near, typical = reference.near, reference.typical
    return {
        "precision": float(within_b.any(axis=1).mean()),
        "recall": float(within_a.any(axis=0).mean()),
        "density": float(within_b.sum(axis=1).mean() / k),
        "coverage": float(within_b.any(axis=0).mean()),
        "self_distance": float(np.log(nearest + near).mean() - typical),
        "self_distance_low": float(np.log(np.quantile(nearest, 0.1) + near) - reference.low),
        "cross_distance": float(np.log(to_b + near).mean() - typical),
        "missed_distance": float(np.log(to_a + near).mean() - typical),
        "near_duplicates": float((nearest <= eps).mean() - (reference.nearest <= eps).mean()),
        "crowding": float(np.quantile(crowd, 0.95) / max(len(a), 1)),
        "energy": 2 * float(cross.mean()) / unit - mean_a / unit - reference.mean / unit,
        "spread": float(np.log((mean_a + 1e-9) / (reference.mean + 1e-9))),
        "neighbour_test": float(((nearest < to_b).mean() + (reference.nearest < to_a).mean()) / 2),
    }


def _radius(inner: Floats) -> tuple[Floats, Floats]:
    """Distance of each row to its fifth-nearest other and to its nearest; `inner` is left as it was."""
    rows, taken = np.arange(len(inner)), []
    for _ in range(max(1, min(NEIGHBOURS, inner.shape[1] - 1))):
        place = inner.argmin(axis=1)
        taken.append((place, inner[rows, place]))
        inner[rows, place] = np.inf
    for place, distance in taken:
        inner[rows, place] = distance
    return taken[-1][1], taken[0][1]


def _mean(inner: Floats) -> float:
    """Mean distance of different rows: of all that is not on the diagonal."""
    n = len(inner)
    return float(inner.ravel()[1:].reshape(n - 1, n + 1)[:, :-1].ravel().mean())
