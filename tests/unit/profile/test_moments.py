"""Do the moments agree with NumPy, SciPy and pandas, also for shifted, gappy and merged data?"""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from foretrain.profile.moments import Comoments, Moments

FLOATS = st.lists(st.floats(-1e6, 1e6), max_size=60)


@given(FLOATS, FLOATS, FLOATS)
def test_merge_is_associative_commutative_and_equals_the_whole(a: list[float], b: list[float], c: list[float]) -> None:
    one, two, three = (Moments.of(np.array(x)) for x in (a, b, c))
    whole = Moments.of(np.array([*a, *b, *c]))
    scale = 1.0 + max(map(abs, [*a, *b, *c]), default=0.0)
    for merged in (one.merge(two).merge(three), one.merge(two.merge(three)), three.merge(one).merge(two)):
        assert merged.n == whole.n
        assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)
        for power, name in ((1, "mean"), (2, "m2"), (3, "m3"), (4, "m4")):
            size = scale**power * (whole.n[0] + 1)
            assert getattr(merged, name)[0] == pytest.approx(getattr(whole, name)[0], abs=1e-12 * size)


def test_moments_against_scipy() -> None:
    values = np.random.default_rng(0).gamma(2.0, size=5000)
    parts = [Moments.of(part) for part in np.array_split(values, 13)]
    found = parts[0]
    for part in parts[1:]:
        found = found.merge(part)
    n = values.size
    assert found.mean[0] == pytest.approx(values.mean(), rel=1e-13)
    assert found.variance[0] == pytest.approx(values.var(ddof=1), rel=1e-13)
    assert found.m3[0] / n / (found.m2[0] / n) ** 1.5 == pytest.approx(stats.skew(values), rel=1e-11)
    assert found.m4[0] / n / (found.m2[0] / n) ** 2 == pytest.approx(stats.kurtosis(values, fisher=False), rel=1e-11)


def test_a_large_shift_costs_no_digits() -> None:
    values = np.random.default_rng(0).normal(size=4000)
    parts = [Moments.of(1e9 + part) for part in np.array_split(values, 4)]
    merged = parts[0].merge(parts[1]).merge(parts[2]).merge(parts[3])
    assert merged.variance[0] == pytest.approx((1e9 + values).var(ddof=1), rel=1e-9)


def gappy(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(5, rows)) @ np.diag(np.ones(rows))
    values[1] += values[0]
    values[2] = 1e6 + 3 * values[0] - values[3]
    present = rng.random((5, rows)) > np.array([0.0, 0.2, 0.0, 0.4, 0.0])[:, None]
    return values, present


@pytest.mark.parametrize("cuts", [[], [100], [1, 2, 3, 400]])
def test_correlations_and_covariances_are_pairwise_complete_as_in_pandas(cuts: list[int]) -> None:
    values, present = gappy(600, 0)
    frame = pd.DataFrame(np.where(present, values, np.nan).T)
    found = Comoments.empty(5)
    for part, mask in zip(np.split(values, cuts, axis=1), np.split(present, cuts, axis=1), strict=True):
        found = found.merge(Comoments.of(part, mask))
    assert found.correlation == pytest.approx(frame.corr().to_numpy(), abs=1e-8)
    assert found.covariance == pytest.approx(frame.cov().to_numpy(), rel=1e-6, abs=1e-6)
    assert (found.n == present.astype(int) @ present.astype(int).T).all()


def test_a_constant_has_no_correlation() -> None:
    values = np.stack([np.arange(9.0), np.full(9, 0.1)])
    found = Comoments.of(values, np.ones((2, 9), bool)).merge(Comoments.of(values, np.ones((2, 9), bool)))
    assert np.isnan(found.correlation[0, 1])
    assert found.correlation[0, 0] == 1.0
