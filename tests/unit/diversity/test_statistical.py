"""Do Hill numbers, hapax and coverage agree with closed forms and with SciPy?"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foretrain.diversity.statistical import coverage, effective_ranges, hapax, hill, rarefied

COUNTS = st.lists(st.integers(0, 50), min_size=1, max_size=30).filter(any).map(lambda x: np.array(x, np.int64))


@pytest.mark.parametrize("order", [0, 1, 2])
def test_equally_frequent_values_count_fully(order: int) -> None:
    assert hill(np.full(7, 3), order) == pytest.approx(7.0)


@given(COUNTS)
def test_hill_numbers_against_closed_forms(counts: np.ndarray) -> None:
    shares = counts[counts > 0] / counts.sum()
    assert hill(counts, 0) == pytest.approx((counts > 0).sum())
    assert hill(counts, 1) == pytest.approx(np.exp(stats.entropy(shares)))
    assert hill(counts, 2) == pytest.approx(1.0 / (shares**2).sum())
    assert hill(counts, 0) + 1e-9 >= hill(counts, 1) >= hill(counts, 2) - 1e-9


def test_geometric_abundances() -> None:
    # Shares p (1-p)^i: entropy (-p ln p - q ln q) / p, sum of squares p / (2 - p).
    p = 0.3
    counts = np.rint(1e12 * p * (1 - p) ** np.arange(70)).astype(np.int64)
    assert hill(counts, 1) == pytest.approx(np.exp((-p * np.log(p) - (1 - p) * np.log(1 - p)) / p), rel=1e-6)
    assert hill(counts, 2) == pytest.approx((2 - p) / p, rel=1e-6)


def test_hapax_and_coverage_of_a_known_sample() -> None:
    counts = np.array([10, 4, 2, 2, 1, 1, 1, 0])
    assert hapax(counts) == pytest.approx(3 / 21)
    # Chao and Jost (2012), equation 4a: 1 - f1/n * ((n-1) f1 / ((n-1) f1 + 2 f2)).
    assert coverage(counts) == pytest.approx(1 - 3 / 21 * (20 * 3 / (20 * 3 + 2 * 2)))
    assert coverage(np.array([5, 5])) == 1.0
    assert coverage(np.array([1, 1, 1])) == pytest.approx(1 - (2 * 2 / (2 * 2 + 2)))


def test_coverage_is_the_seen_share_of_the_source() -> None:
    rng = np.random.default_rng(0)
    source = 1.0 / np.arange(1, 2001)
    source /= source.sum()
    drawn = rng.multinomial(1500, source, size=200)
    truth = np.array([source[counts > 0].sum() for counts in drawn])
    found = np.array([coverage(counts) for counts in drawn])
    assert found.mean() == pytest.approx(truth.mean(), abs=0.004)


def test_rarefaction_keeps_what_the_hypergeometric_law_keeps() -> None:
    counts, rows = np.array([50, 20, 5, 2, 1, 1]), 20
    rng = np.random.default_rng(0)
    drawn = [rarefied(counts, rows, rng) for _ in range(4000)]
    assert all(each.sum() == rows for each in drawn)
    # Hurlbert (1971): the expected number of values is the sum of 1 - C(N - c, n) / C(N, n).
    expected = sum(1.0 - stats.hypergeom.pmf(0, counts.sum(), count, rows) for count in counts)
    assert np.mean([hill(each, 0) for each in drawn]) == pytest.approx(expected, abs=0.06)
    assert (rarefied(counts, 1000, rng) == counts).all()


def test_huge_counts_are_drawn_too() -> None:
    drawn = rarefied(np.array([3 * 10**9, 10**9]), 10_000, np.random.default_rng(0))
    assert drawn.sum() == 10_000
    assert drawn[0] == pytest.approx(7500, abs=200)


def test_wright_fisher_decay_of_gini_and_support() -> None:
    # Resampling a Zipf source of 300 values: E(1 - sum p^2) falls by (1 - 1/M) a generation; E support after one
    # generation is the sum of 1 - (1 - p)^M.
    rng, size = np.random.default_rng(0), 300
    source = 1.0 / np.arange(1, size + 1)
    source /= source.sum()
    first, fifth = [], []
    for _ in range(300):
        counts = rng.multinomial(size, source)
        first.append(hill(counts, 0))
        for _ in range(4):
            counts = rng.multinomial(size, counts / size)
        fifth.append(1.0 - 1.0 / hill(counts, 2))
    assert np.mean(first) == pytest.approx((1.0 - (1.0 - source) ** size).sum(), rel=0.01)
    assert np.mean(fifth) == pytest.approx((1.0 - (source**2).sum()) * (1.0 - 1.0 / size) ** 5, rel=0.005)


def test_effective_ranges() -> None:
    reference = np.arange(3200.0)
    assert effective_ranges(reference, reference) == pytest.approx(32.0, rel=1e-3)
    assert effective_ranges(reference[:1600], reference) == pytest.approx(16.0, rel=1e-2)
    assert effective_ranges(5.0 + 3.0 * reference[:800], 5.0 + 3.0 * reference) == pytest.approx(8.0, rel=1e-2)
