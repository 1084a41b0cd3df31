"""Are columns compared over all rows as SciPy would from the rows themselves?"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from unit.profile.tables import columns as kinds
from unit.profile.tables import mixed

from foretrain.collapse import columns
from foretrain.collapse.record import ColumnComparison
from foretrain.data.reference import Kind
from foretrain.profile import Profile

EVERY = kinds()


def of(values: pa.Array | np.ndarray, kind: Kind, width: int = 3) -> Profile:
    rows = pa.table({"a": values})
    return Profile.of(kinds({"a": kind}, width), rows.to_batches())


def compared(x: pa.Array | np.ndarray, y: pa.Array | np.ndarray, kind: Kind, width: int = 3) -> ColumnComparison:
    return columns.compare(of(x, kind, width), of(y, kind, width))[0]


def test_numbers_lie_a_ks_distance_apart() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.3, 0.5, 350), rng.normal(size=300)
    found = compared(x, y, Kind.NUMERIC)
    assert found.distance == pytest.approx(stats.ks_2samp(x, y).statistic)
    assert found.lost_mass == pytest.approx(((y < x.min()) | (y > x.max())).mean())
    # SciPy's quantiles lie between rows, the sketch's on them
    widths = [np.diff(np.quantile(side, [0.01, 0.99], method="inverted_cdf"))[0] for side in (x, y)]
    assert found.tail_ratio == pytest.approx(widths[0] / widths[1], rel=0.1)
    # the 95 % point of the two-sample statistic
    assert found.fresh_distance == pytest.approx(stats.kstwobign.ppf(0.95) * np.sqrt(1 / 300 + 1 / 350), rel=0.01)
    assert found.distinct == (300.0, 350.0)


@settings(deadline=None, max_examples=40)
@given(*(hnp.arrays(np.int64, st.integers(2, 50), elements=st.integers(0, 6)) for _ in range(2)))
def test_tied_numbers_lie_a_ks_distance_apart(x: np.ndarray, y: np.ndarray) -> None:
    found = compared(x, y, Kind.INTEGER)
    assert found.distance == pytest.approx(stats.ks_2samp(x, y, method="asymp").statistic)
    assert found.lost_mass == pytest.approx(((y < x.min()) | (y > x.max())).mean())


def test_a_sketched_column_is_within_its_sketchs_error() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(0.2, 1, 60_000), rng.normal(size=50_000)
    assert compared(x, y, Kind.NUMERIC).distance == pytest.approx(stats.ks_2samp(x, y).statistic, abs=0.02)


def test_categories_lie_a_total_variation_apart() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.choice(list("ab"), 200), rng.choice(list("abcd"), 300, p=[0.5, 0.3, 0.15, 0.05])
    a, b = pa.array(x, mask=np.arange(200) < 20), pa.array(y)
    found = compared(a, b, Kind.CATEGORICAL)
    p = np.asarray([np.mean(x[20:] == v) * 0.9 for v in "abcd"] + [0.1])
    q = np.asarray([np.mean(y == v) for v in "abcd"] + [0.0])
    assert found.distance == pytest.approx(np.abs(p - q).sum() / 2)
    assert found.lost_mass == pytest.approx(q[2] + q[3])
    assert found.nulls == (0.0, 0.1)
    assert found.distinct == (4.0, 2.0)


def test_a_fresh_sample_lies_within_the_band() -> None:
    beyond = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        x, y = (rng.choice(list("abcdef"), 200, p=[0.4, 0.3, 0.15, 0.1, 0.04, 0.01]) for _ in range(2))
        found = compared(pa.array(x), pa.array(y), Kind.CATEGORICAL)
        u, v = rng.normal(size=(2, 200))
        number = compared(u, v, Kind.NUMERIC)
        beyond += [found.distance > found.fresh_distance, number.distance > number.fresh_distance]
    assert np.mean(beyond) <= 0.1


def test_embeddings_lie_as_far_apart_as_their_means() -> None:
    rng = np.random.default_rng(0)

    def vectors(shift: float) -> pa.Array:
        return pa.FixedSizeListArray.from_arrays(pa.array(rng.normal(shift, 1, 600), pa.float32()), 2)

    near, far = (compared(vectors(shift), vectors(0.0), Kind.EMBEDDING, width=2) for shift in (0.0, 3.0))
    assert near.distance < near.fresh_distance < far.distance
    assert far.histogram is None


def test_every_kind_is_compared_worst_first() -> None:
    made, real = Profile.of(EVERY, mixed(400, seed=1).to_batches()), Profile.of(EVERY, mixed(300).to_batches())
    found = columns.compare(made, real)
    assert {c.name for c in found} == {c.name for c in EVERY if c.kind is not Kind.IDENTIFIER}
    beyond = [c.distance - c.fresh_distance for c in found]
    assert beyond == sorted(beyond, reverse=True)
    assert max(beyond) < 0.05  # one distribution
    for c in columns.compare(real, real):
        assert c.distance == pytest.approx(0.0, abs=1e-12), c.name
        assert c.lost_mass == 0.0, c.name
        assert c.tail_ratio in (None, 1.0), c.name


@pytest.mark.parametrize("name", [c.name for c in EVERY if c.kind not in (Kind.IDENTIFIER, Kind.EMBEDDING)])
def test_shares_of_a_histogram_sum_to_one(name: str) -> None:
    profiles = [Profile.of(EVERY, mixed(rows, seed=rows, gaps=0.2).to_batches()) for rows in (400, 300)]
    found = columns.histogram(*(profile.columns[name] for profile in profiles))
    assert found is not None
    assert bool(found.labels) != bool(found.edges)
    for shares in (found.original, found.candidate):
        # of a number axis, four in a thousand lie beyond the ends
        assert sum(shares) == pytest.approx(1.0, abs=0.012 if found.edges else 1e-9)
        assert len(shares) == (len(found.labels) or len(found.edges) - 1)


def test_a_histogram_counts_what_numpy_counts() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 250))
    found = columns.histogram(of(x, Kind.NUMERIC).columns["a"], of(y, Kind.NUMERIC).columns["a"])
    assert found is not None
    for values, shares in ((x, found.candidate), (y, found.original)):
        # NumPy's bins are closed to the left, these to the right
        assert shares == pytest.approx(np.histogram(-values, -np.asarray(found.edges)[::-1])[0][::-1] / 250)


def test_correlations_are_numpys_for_the_columns_that_changed_most() -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(size=(300, 5))
    y[:, 1] += y[:, 0]
    x = y.copy()
    x[:, 1] = rng.permutation(x[:, 1])
    about = kinds(dict.fromkeys("abcde", Kind.NUMERIC))
    made, real = (Profile.of(about, pa.table(dict(zip("abcde", t.T, strict=True))).to_batches()) for t in (x, y))
    found = columns.correlations(made, real, most=2)
    assert found is not None
    assert found.columns == ("a", "b")
    for matrix, rows in ((found.original, y), (found.candidate, x)):
        assert np.asarray(matrix) == pytest.approx(np.corrcoef(rows[:, :2], rowvar=False), abs=1e-4)
    assert columns.correlations(of(x[:, 0], Kind.NUMERIC), of(y[:, 0], Kind.NUMERIC)) is None
