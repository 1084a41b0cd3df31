"""Are quantiles exact where promised, and within the stated error beyond?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foretrain.profile.quantiles import EXACT, Quantiles

SHARES = np.linspace(0.001, 0.999, 199)


def of(values: np.ndarray, k: int = 400, batch: int = 10_000) -> Quantiles:
    sketch = Quantiles(k)
    for start in range(0, len(values), batch):
        sketch.update(values[start : start + batch])
    return sketch


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=200), st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_small_inputs_are_exact(values: list[float], shares: list[float]) -> None:
    sketch = of(np.array(values), batch=17)
    expected = np.quantile(values, shares, method="inverted_cdf")
    assert sketch.quantiles(shares) == pytest.approx(expected)
    points = np.array([*values, -2e9, 2e9])
    assert sketch.cdf(points) == pytest.approx((np.array(values)[:, None] <= points).mean(axis=0))


@pytest.mark.parametrize("shape", ["normal", "heavy", "ordered", "ties"])
def test_rank_errors_are_as_stated(shape: str) -> None:
    rng = np.random.default_rng(1)
    drawn = {
        "normal": rng.normal(size=300_000),
        "heavy": rng.standard_cauchy(300_000),
        "ordered": np.sort(rng.normal(size=300_000)),
        "ties": rng.integers(0, 30, 300_000).astype(float),
    }[shape]
    sketch = of(drawn)
    points = np.quantile(drawn, SHARES)
    truth = np.searchsorted(np.sort(drawn), points, side="right") / drawn.size
    errors = sketch.cdf(points) - truth
    assert np.sqrt((errors**2).mean()) <= 1.5 * sketch.rank_error
    assert np.abs(errors).max() <= 4 * sketch.rank_error


def test_weights_add_up_to_the_input() -> None:
    values = np.random.default_rng(2).normal(size=123_457)
    sketch = of(values, batch=9_999)
    assert sketch.weighted()[1][-1] == sketch.n == values.size
    assert sum(level.size for level in sketch.levels) < 30 * sketch.k


def test_the_same_input_gives_the_same_sketch() -> None:
    values = np.random.default_rng(3).normal(size=100_000)
    assert (of(values).quantiles(SHARES) == of(values).quantiles(SHARES)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 3 * EXACT), st.integers(1, 3 * EXACT), st.integers(0, 5))
def test_merging_stays_within_the_error_of_one(left: int, right: int, seed: int) -> None:
    values = np.random.default_rng(seed).normal(size=left + right)
    one, other = of(values[:left]), of(values[left:])
    points = np.quantile(values, SHARES)
    truth = np.searchsorted(np.sort(values), points, side="right") / values.size
    for merged in (one.merge(other), other.merge(one)):
        assert merged.n == values.size
        assert np.abs(merged.cdf(points) - truth).max() <= 4 * merged.rank_error + 1e-12
    assert one.n == left
    assert other.n == right
