"""Are precision, recall, density, coverage, energy and copies what a plain count of distances gives?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist, pdist
from sklearn.neighbors import NearestNeighbors
from unit.collapse.tables import sides, table

from foretrain.collapse.loops.damage import duplicates
from foretrain.collapse.statistics import geometry, internal, repeats
from foretrain.collapse.statistics.side import Side, distances


def cloud(rows: int, seed: int, centre: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(centre, 1, (rows, 3)), rng.integers(0, 3, (rows, 1))


def two(rows_a: int = 120, rows_b: int = 150, centre: float = 0.5) -> tuple[Side, Side]:
    (xa, ca), (xb, cb) = cloud(rows_a, 1, centre), cloud(rows_b, 2)
    both = table(np.concatenate([xa, xb]), np.concatenate([ca, cb]))
    return sides(both.take(slice(0, rows_a)), both.take(slice(rows_a, None)))


def measure(a: Side, b: Side) -> dict[str, float]:
    return geometry.measure(a, geometry.Reference(b))


def radii(x: np.ndarray, k: int) -> np.ndarray:
    """Distance of each row to its k-th other row."""
    return NearestNeighbors(n_neighbors=k + 1).fit(x).kneighbors(x)[0][:, k]


def test_distances_are_scipys() -> None:
    a, b = two()
    assert distances(a, b) == pytest.approx(cdist(a.points, b.points), abs=1e-6)


def test_precision_recall_density_coverage_by_counting() -> None:
    """Kynkaanniemi et al. (2019) and Naeem et al. (2020), row by row."""
    a, b = two()
    k = geometry.NEIGHBOURS
    of_a, of_b = radii(a.points, k), radii(b.points, k)
    gaps = cdist(a.points, b.points)
    found = measure(a, b)
    assert found["precision"] == np.mean([any(gap <= of_b) for gap in gaps])
    assert found["recall"] == np.mean([any(gap <= of_a) for gap in gaps.T])
    assert found["density"] == pytest.approx(np.mean([sum(gap <= of_b) for gap in gaps]) / k)
    assert found["coverage"] == np.mean([any(gap <= radius) for gap, radius in zip(gaps.T, of_b, strict=True)])


def test_energy_distance_by_brute_force() -> None:
    a, b = two()
    within = pdist(b.points).mean()
    wanted = (2 * cdist(a.points, b.points).mean() - pdist(a.points).mean() - within) / within
    found = measure(a, b)
    assert found["energy"] == pytest.approx(wanted, abs=1e-9)
    assert found["spread"] == pytest.approx(np.log(pdist(a.points).mean() / within))


def test_nearest_distances_by_brute_force() -> None:
    a, b = two()
    own, other = radii(a.points, 1), radii(b.points, 1)
    gaps = cdist(a.points, b.points)
    least = 0.01 * pdist(b.points).mean()
    found = measure(a, b)
    for name, near in (
        ("self_distance", own),
        ("cross_distance", gaps.min(axis=1)),
        ("missed_distance", gaps.min(axis=0)),
    ):
        assert found[name] == pytest.approx(np.log(near + least).mean() - np.log(other + least).mean(), abs=1e-6)
    test = ((own < gaps.min(axis=1)).mean() + (other < gaps.min(axis=0)).mean()) / 2
    assert found["neighbour_test"] == pytest.approx(test)


def test_neighbours_of_one_population_are_as_often_own_as_other() -> None:
    a, b = two(400, 400, centre=0.0)
    found = measure(a, b)
    assert found["neighbour_test"] == pytest.approx(0.5, abs=0.06)
    assert found["energy"] == pytest.approx(0.0, abs=0.02)
    far = measure(*two(400, 400, centre=20.0))
    assert far["neighbour_test"] == 1.0
    assert far["precision"] == far["recall"] == far["coverage"] == 0.0


def test_rows_that_are_all_alike_are_measured() -> None:
    found = measure(*sides(table(np.ones(30)), table(np.ones(30))))
    assert found["energy"] == 0.0
    assert found["coverage"] == 1.0


@pytest.mark.parametrize("share", [0.2, 0.6])
def test_repeated_rows_by_counting(share: float) -> None:
    rng = np.random.default_rng(0)
    original = table(*cloud(500, 1))
    made = duplicates(original, share, rng)
    rows = np.hstack([made.numbers, made.codes])
    count = np.unique(rows, axis=0, return_counts=True)[1]
    found = repeats.measure(made, original)
    assert found["repeat_share"] == pytest.approx(1 - len(count) / 500)
    assert found["repeat_most"] == pytest.approx(count.max() / 500 - 1 / 500)
    assert repeats.repeated_share(made) == pytest.approx(1 - len(count) / 500)
    assert repeats.repeated_share(original) == 0.0


def test_near_copies_fall_into_one_cell() -> None:
    rng = np.random.default_rng(0)
    numbers, codes = cloud(600, 3)
    numbers[300:], codes[300:] = numbers[:300] + 1e-4 * rng.normal(size=(300, 3)), codes[:300]
    found = repeats.measure(table(numbers, codes), table(*cloud(600, 4)))
    assert found["repeat_share"] == 0.0
    assert found["near_share_0.1"] == pytest.approx(0.5, abs=0.02)


def test_nulls_and_signed_zeros_are_equal_values() -> None:
    assert repeats.repeated_share(table([np.nan, np.nan, 0.0, -0.0])) == pytest.approx(0.5)


def test_signs_inside_one_table() -> None:
    rng = np.random.default_rng(0)
    rows = table(*cloud(400, 5))
    plain, copied = (internal.measure(t, np.random.default_rng(1)) for t in (rows, duplicates(rows, 0.5, rng)))
    assert plain["repeats"] == plain["near_repeats"] == 0.0
    assert copied["repeats"] == repeats.repeated_share(duplicates(rows, 0.5, np.random.default_rng(0)))
    assert copied["distinct_share"] == pytest.approx(1 - copied["repeats"])
    count = np.unique(rows.codes, return_counts=True)[1]
    assert plain["modal_share"] == count.max() / 400
    flat = internal.measure(table(np.ones((50, 2))), rng)
    assert flat["repeats"] == pytest.approx(0.98)
    assert all(np.isfinite(list(flat.values())))


def test_the_internal_spectrum_of_a_flat_table_is_low() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 1))
    flat = internal.measure(table(np.hstack([x, x, x, x])), rng)
    full = internal.measure(table(rng.normal(size=(500, 4))), rng)
    assert flat["rank_share"] == pytest.approx(0.25, abs=1e-3)
    assert full["rank_share"] == pytest.approx(1.0, abs=0.02)
