"""Do the rows fill the same space: how many directions, how many clusters, how far from each other?

On points of equally many rows of both tables (see `encoding` and `draws`); duplicates over all rows.

References:
    Roy, Vetterli (2007), The effective rank: a measure of effective dimensionality, EUSIPCO.
    Naeem et al. (2020), Reliable fidelity and diversity metrics for generative models, ICML (coverage).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foretrain.data.reference import Column
from foretrain.diversity.draws import Better, Pools, Values, compared, percent, plain
from foretrain.diversity.encoding import Points, encode
from foretrain.diversity.record import Measure
from foretrain.seeds import number

_CLUSTERS, _NEIGHBOURS, _NEAR = 32, 5, 0.1


class _What(NamedTuple):
    name: str
    title: str
    unit: str
    better: Better


_RANK = _What("effective_rank", "Directions the rows fill (effective rank)", "count", "near_original")
_INSIDE = _What("distance_inside", "Distance to the nearest row of the same table", "deviations", "near_original")
_TWINS = _What("near_duplicates", "Rows with a near twin in the same table", "share", "lower")
_CLUSTER = _What("cluster_coverage", "Mass shared with the original's clusters", "share", "higher")
_COVERED = _What("neighbour_coverage", "Original rows with a row near by (coverage)", "share", "higher")
_ACROSS = _What("distance_across", "Distance to the nearest row of the original", "deviations", "near_original")
_COPIES = _What("near_copies", "Rows with a near twin in the original", "share", "near_original")


def effective_rank(points: Points) -> float:
    """Exp of the entropy of the covariance's eigenvalues as shares: 1 to dimensions; 0 for constant points."""
    values = np.linalg.eigvalsh(np.cov(points.astype(float), rowvar=False, ddof=0).reshape(2 * points.shape[1:]))
    shares = values[values > 1e-10 * max(values.max(), 0.0)]
    shares = shares / shares.sum() if shares.sum() > 0 else shares
    return float(np.exp(-(shares * np.log(shares)).sum())) if shares.size else 0.0


def squared_distances(points: Points, others: Points) -> Points:
    """Of each point to each other, shape (points, others), to rounding: a zero may come out slightly off."""
    found: Points = points @ others.T
    found *= np.float32(-2.0)
    found += np.einsum("ij,ij->i", points, points)[:, None]
    found += np.einsum("ij,ij->i", others, others)
    return found


def inside(points: Points) -> Values:
    """Distance of each point to its nearest other one, shape (points,)."""
    squares = squared_distances(points, points)
    np.fill_diagonal(squares, np.inf)
    return _roots(squares.min(axis=1), points)


def across(points: Points, reference: Points, neighbours: int = _NEIGHBOURS) -> tuple[Values, float]:
    """Distance of each point to the nearest of the reference, and the reference's coverage.

    Coverage is the share of the reference's points that have one of these points nearer than their own k-th
    neighbour, 0 to 1; 1 - 2^-k is expected of a sample as large from the same source.
    """
    own = squared_distances(reference, reference)
    place = min(neighbours, len(own) - 1)
    radii = _roots(np.partition(own, place, axis=1)[:, place], reference)
    squares = squared_distances(points, reference)
    covered = _roots(squares.min(axis=0), points) <= radii
    return _roots(squares.min(axis=1), reference), float(covered.mean())


def _roots(squares: Points, points: Points) -> Values:
    """Distances of their squares; what rounding leaves of a zero is zero."""
    largest = float(np.einsum("ij,ij->i", points, points).max(initial=0.0))
    distances: Values = np.sqrt(np.where(squares > 1e-6 * largest, squares, 0.0).astype(np.float64))
    return distances


def clusters(points: Points, seed: int) -> Points:
    """Centres of up to 32 clusters, shape (clusters, dimensions): k-means++ on the different points."""
    from sklearn.cluster import kmeans_plusplus

    different = np.unique(points, axis=0)
    count = min(_CLUSTERS, len(different))
    centres, _ = kmeans_plusplus(different, count, random_state=number("clusters", seed) % 2**32)
    return np.asarray(centres, np.float32)


def measures(pools: Pools, columns: tuple[Column, ...], seed: int) -> list[Measure]:
    """The family's measures but for exact duplicates; none where rows or dimensions are too few."""
    tables = [pools.candidate] if pools.original is None else [pools.candidate, pools.original]
    points = encode(tables, columns, len(tables) - 1, seed)
    if pools.rows < 10 or points[0].shape[1] == 0:
        return []
    table = _alone(pools, points[0]) if pools.original is None else _both(pools, points[0], points[1], seed)
    found = []
    for what, values in table.items():
        theirs = values[:, 1] if values.shape[1] == 2 else None
        words = percent if what.unit == "share" else plain
        found.append(compared(*what, values[:, 0], theirs, pools.taken, words=words))
    return [each for each in found if each is not None]


def _alone(pools: Pools, points: Points) -> dict[_What, Values]:
    """Each measure's values, shape (repeats, 1)."""
    rows = []
    for draw in pools.draws:
        nearest = inside(points[draw.candidate])
        near = nearest <= _NEAR * np.median(nearest)
        rows.append([effective_rank(points[draw.candidate]), np.median(nearest), near.mean()])
    return dict(zip((_RANK, _INSIDE, _TWINS), np.array(rows)[:, None, :].transpose(2, 0, 1), strict=True))


def _both(pools: Pools, points: Points, theirs: Points, seed: int) -> dict[_What, Values]:
    """Each measure's values, shape (repeats, 2): of the candidate and of a half of the original."""
    centres = clusters(theirs, seed)
    homes = [squared_distances(each, centres).argmin(axis=1) for each in (points, theirs)]
    rows = []
    for draw in pools.draws:
        assert draw.half is not None
        assert draw.rest is not None
        rest = theirs[draw.rest]
        near = _NEAR * np.median(inside(rest))
        mass = _mass(homes[1][draw.rest], len(centres))
        for part, home in (
            (points[draw.candidate], homes[0][draw.candidate]),
            (theirs[draw.half], homes[1][draw.half]),
        ):
            nearest, (distance, covered) = inside(part), across(part, rest)
            shared = np.minimum(_mass(home, len(centres)), mass).sum()
            twins, copies = (nearest <= near).mean(), (distance <= near).mean()
            rows.append([effective_rank(part), np.median(nearest), twins, shared, covered, np.median(distance), copies])
    values = np.array(rows, float).reshape(len(pools.draws), 2, -1).transpose(2, 0, 1)
    return dict(zip((_RANK, _INSIDE, _TWINS, _CLUSTER, _COVERED, _ACROSS, _COPIES), values, strict=True))


def _mass(homes: npt.NDArray[np.intp], count: int) -> Values:
    return np.bincount(homes, minlength=count) / len(homes)
