"""Are the statistics of single columns those of SciPy and NumPy, ties and nulls included?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from unit.collapse.tables import like, sides, table

from foretrain.collapse.statistics import marginal, summary

VALUES = hnp.arrays(float, st.integers(2, 60), elements=st.integers(-8, 8).map(float))


def measure(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Of two tables of numbers, each (rows, columns) or one column."""
    return marginal.measure(*sides(table(x), table(y)))


def codes(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    both = table(codes=np.concatenate([x, y]))
    return marginal.measure(*sides(both.take(slice(0, len(x))), both.take(slice(len(x), None))))


def columns(rows: int, seed: int, nulls: float = 0.0) -> np.ndarray:
    """Smooth, tied, and skewed columns."""
    rng = np.random.default_rng(seed)
    out = np.column_stack([rng.normal(size=rows), rng.integers(0, 5, rows), rng.lognormal(size=rows)])
    out[rng.random(out.shape) < nulls] = np.nan
    return out


@pytest.mark.parametrize("nulls", [0.0, 0.2])
def test_ks_and_wasserstein_are_scipys(nulls: float) -> None:
    x, y = columns(150, 1, nulls) * [1.2, 1, 1] + [0.1, 0, 0], columns(211, 2, nulls)
    found = measure(x, y)
    pairs = [(a[~np.isnan(a)], b[~np.isnan(b)]) for a, b in zip(x.T, y.T, strict=True)]
    ks = [stats.ks_2samp(a, b).statistic for a, b in pairs]
    w1 = [stats.wasserstein_distance(a, b) / b.std() for a, b in pairs]
    assert found["ks_mean"] == pytest.approx(np.mean(ks))
    assert found["ks_max"] == pytest.approx(max(ks))
    assert found["w1_mean"] == pytest.approx(np.mean(w1))
    assert found["w1_max"] == pytest.approx(max(w1))


@given(VALUES, VALUES)
def test_ks_is_scipys_on_ties(x: np.ndarray, y: np.ndarray) -> None:
    assert measure(x, y)["ks_max"] == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic)
    assert measure(x, y)["ks_max"] == pytest.approx(measure(y, x)["ks_max"])
    assert measure(x, x)["w1_max"] == pytest.approx(0.0, abs=1e-12)


def test_moments_and_shares_are_numpys() -> None:
    x, y = columns(300, 3, 0.1) * [0.7, 1, 1] + [0.2, 0, 0], columns(200, 4, 0.1)
    found = measure(x, y)
    # the reference's variance is moved by a ten-thousandth, so that a constant column has a logarithm
    lvr = [
        np.log((np.nanvar(a) + 1e-4 * np.nanvar(b)) / (1.0001 * np.nanvar(b))) for a, b in zip(x.T, y.T, strict=True)
    ]
    assert found["variance_mean"] == pytest.approx(np.mean(lvr))
    assert found["variance_least"] == pytest.approx(min(lvr))
    assert found["variance_change"] == pytest.approx(np.abs(lvr).mean())
    shift = (np.nanmean(x, axis=0) - np.nanmean(y, axis=0)) / np.nanstd(y, axis=0)
    assert found["shift"] == pytest.approx(np.sqrt((shift**2).mean()))
    distinct = [
        np.log(len(np.unique(a[~np.isnan(a)])) / len(np.unique(b[~np.isnan(b)]))) for a, b in zip(x.T, y.T, strict=True)
    ]
    assert found["distinct"] == pytest.approx(np.mean(distinct))
    outside = [(b < np.nanmin(a)) | (b > np.nanmax(a)) for a, b in zip(x.T, y.T, strict=True)]
    lost = [o.sum() / (~np.isnan(b)).sum() for o, b in zip(outside, y.T, strict=True)]
    assert found["range_lost"] == pytest.approx(np.mean(lost))
    assert found["range_beyond"] == pytest.approx(measure(y, x)["range_lost"])
    assert found["nulls"] == pytest.approx(np.abs(np.isnan(x).mean(axis=0) - np.isnan(y).mean(axis=0)).mean())


def test_skewness_is_scipys_for_equal_variances() -> None:
    x, y = (columns(400, seed)[:, 2] for seed in (5, 6))
    x = (x - x.mean()) / x.std() * y.std()
    assert measure(x, y)["skew"] == pytest.approx(abs(stats.skew(x) - stats.skew(y)))


def test_widths_are_numpys_quantiles() -> None:
    x, y = columns(300, 7), columns(200, 8)
    width = {
        (name, share): np.quantile(side, 1 - share, axis=0) - np.quantile(side, share, axis=0)
        for name, side in (("x", x), ("y", y))
        for share in (0.01, 0.25)
    }
    least = 1e-3 * y.std(axis=0)
    tail, inner = (np.log((width["x", s] + least) / (width["y", s] + least)) for s in (0.01, 0.25))
    found = measure(x, y)
    assert found["tail_mean"] == pytest.approx(tail.mean())
    assert found["tail_least"] == pytest.approx(tail.min())
    assert found["inner_mean"] == pytest.approx(inner.mean())


@given(hnp.arrays(float, st.tuples(st.integers(1, 40), st.just(3)), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_quantiles_are_numpys(x: np.ndarray) -> None:
    q = np.asarray([0.0, 0.01, 0.25, 0.5, 0.95, 1.0])
    found = summary.quantiles(np.sort(x, axis=0), np.maximum((~np.isnan(x)).sum(axis=0), 1), q)
    for j, column in enumerate(x.T):
        known = column[~np.isnan(column)]
        wanted = np.quantile(known, q) if len(known) else np.zeros(len(q))
        assert found[:, j] == pytest.approx(wanted, rel=1e-9, abs=1e-6)


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_no_statistic_of_numbers_depends_on_the_unit(shift: float, scale: float) -> None:
    x, y = columns(40, 9, 0.1), columns(50, 10, 0.1)
    assert measure(x * scale + shift, y * scale + shift) == pytest.approx(measure(x, y), rel=1e-6, abs=1e-6)


def test_categories_are_compared_by_frequency() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.choice(5, 300, p=[0.6, 0.2, 0.2, 0, 0]), rng.choice(5, 200, p=[0.3, 0.3, 0.2, 0.15, 0.05])
    p, q = np.bincount(x, minlength=5) / 300, np.bincount(y, minlength=5) / 200
    found = codes(x, y)
    assert found["tvd_mean"] == found["tvd_max"] == pytest.approx(np.abs(p - q).sum() / 2)
    assert found["levels_lost"] == pytest.approx(q[3:].sum())
    assert found["levels_invented"] == 0.0
    assert codes(y, x)["levels_invented"] == pytest.approx(q[3:].sum())
    assert found["entropy_mean"] == found["entropy_least"] == pytest.approx(stats.entropy(p) - stats.entropy(q))
    assert found["modal"] == pytest.approx(p.max() - q.max())


def test_a_null_is_a_category_of_its_own() -> None:
    x, y = np.asarray([0, 1, -1, -1]), np.asarray([0, 0, 1, -1])
    found = codes(x, y)
    assert found["tvd_mean"] == pytest.approx(0.25)
    assert found["code_nulls"] == pytest.approx(0.25)


def test_several_columns_give_mean_and_worst() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.integers(0, 3, (200, 2)), np.column_stack([rng.integers(0, 3, 200), rng.integers(0, 2, 200)])
    each = [codes(a, b)["tvd_mean"] for a, b in zip(x.T, y.T, strict=True)]
    assert codes(x, y)["tvd_mean"] == pytest.approx(np.mean(each))
    assert codes(x, y)["tvd_max"] == pytest.approx(max(each))


def test_a_column_that_is_null_on_one_side_is_far_away() -> None:
    y = columns(50, 1)
    x = like(table(y), np.where([True, False, False], np.nan, y))
    found = marginal.measure(*sides(x, table(y)))
    assert found["ks_max"] == pytest.approx(0.98)  # all but the last of 50 rows are still to come
    assert found["nulls"] == pytest.approx(1 / 3)
    assert all(np.isfinite(list(found.values())))
