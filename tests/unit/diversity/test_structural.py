"""Do ranks, distances and coverage agree with closed forms and with scikit-learn?"""

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from foretrain.diversity.structural import across, clusters, effective_rank, inside


def normal(rows: int, width: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, width)).astype(np.float32)


def test_effective_rank_of_known_spectra() -> None:
    assert effective_rank(normal(20_000, 6)) == pytest.approx(6.0, rel=0.01)
    line = np.outer(np.arange(50.0), [1.0, 2.0, 3.0]).astype(np.float32)
    assert effective_rank(line) == pytest.approx(1.0, abs=1e-4)
    assert effective_rank(np.ones((20, 4), np.float32)) == 0.0
    assert effective_rank(normal(500, 1)) == pytest.approx(1.0)
    # Two axes of variances 4 and 1: exp of the entropy of (.8, .2).
    crossed = np.array([[2.0, 0], [-2, 0], [0, 1], [0, -1]], np.float32)
    assert effective_rank(crossed) == pytest.approx(np.exp(-0.8 * np.log(0.8) - 0.2 * np.log(0.2)))


def test_distances_against_scikit_learn() -> None:
    points, reference = normal(300, 7, 1), normal(250, 7, 2)
    own = NearestNeighbors(n_neighbors=2).fit(points).kneighbors(points)[0][:, 1]
    other = NearestNeighbors(n_neighbors=1).fit(reference).kneighbors(points)[0][:, 0]
    radii = NearestNeighbors(n_neighbors=6).fit(reference).kneighbors(reference)[0][:, 5]
    back = NearestNeighbors(n_neighbors=1).fit(points).kneighbors(reference)[0][:, 0]
    distance, covered = across(points, reference)
    assert inside(points) == pytest.approx(own, rel=1e-3)
    assert distance == pytest.approx(other, rel=1e-3)
    assert covered == pytest.approx((back <= radii).mean(), abs=1e-9)


def test_copies_are_at_distance_zero_even_far_from_the_origin() -> None:
    points = 7.0 + normal(100, 5)
    twice = np.concatenate([points, points])
    assert (inside(twice) == 0.0).all()
    distance, covered = across(points, points)
    assert (distance == 0.0).all()
    assert covered == 1.0


def test_coverage_of_the_same_source_is_near_its_closed_form() -> None:
    found = [across(normal(400, 4, 2 * seed), normal(400, 4, 2 * seed + 1))[1] for seed in range(20)]
    assert np.mean(found) == pytest.approx(1.0 - 2.0**-5, abs=0.01)


def test_clusters_of_few_points() -> None:
    assert len(clusters(np.repeat(normal(3, 2), 50, axis=0), 0)) == 3
    assert len(clusters(normal(500, 2), 0)) == 32
