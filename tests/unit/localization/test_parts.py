"""Do the parts of localization agree with closed forms and independent references?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import special, stats
from unit.profile.stored import stored

from foretrain.data.reference import Column, Kind
from foretrain.localization.combine import CALIBRATION, Mixture, calibrated
from foretrain.localization.conditional import RIDGE, RIDGE_OF_AXES, Conditional, _ridge
from foretrain.localization.copies import Counts, compare, hashes
from foretrain.localization.features import Feature, Features
from foretrain.localization.marginal import Marginal
from foretrain.localization.scale import Scale
from foretrain.localization.tails import LEAST, Tail
from foretrain.localization.worst import BLAMED, Rows, Worst
from foretrain.profile import read_sample

NUMBER, WHOLE = Column(name="x", kind=Kind.NUMERIC, source_type="double"), Feature("x", "x")
CITY = Column(name="city", kind=Kind.CATEGORICAL, source_type="string")


@pytest.mark.parametrize("law", [stats.expon(), stats.genpareto(0.3)], ids=["expon", "pareto"])
def test_a_tail_is_near_the_true_one_also_beyond_what_was_seen(law: stats.rv_continuous) -> None:
    tail = Tail.of(law.rvs(20_000, random_state=1))
    for p in (0.5, 0.1, 0.01, 1e-3, 1e-5):
        assert abs(np.log10(tail.p(np.array([law.isf(p)]))[0] / p)) < (0.06 if p > 1e-3 else 0.45)


def test_a_tail_lighter_than_exponential_is_not_taken_for_lighter() -> None:
    law = stats.norm()
    tail = Tail.of(law.rvs(20_000, random_state=1))
    assert tail.shape == 0
    assert (tail.p(law.isf([1e-3, 1e-5, 1e-7])) > [1e-3, 1e-5, 1e-7]).all()


def test_an_exponential_tail_has_the_mean_excess_of_the_upper_tenth() -> None:
    values = stats.expon.rvs(size=1000, random_state=2)
    tail = Tail.of(values, heavy=False)
    assert (tail.shape, tail.share) == (0.0, 0.1)
    assert tail.scale == pytest.approx((np.sort(values)[-100:] - np.sort(values)[-101]).mean())
    far = values.max() + 3
    assert tail.p(np.array([far]))[0] == pytest.approx(0.1 * np.exp(-(far - tail.threshold) / tail.scale))


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=60), st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=9)
)
@settings(suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no failure
def test_a_tail_never_grows(reference: list[float], asked: list[float]) -> None:
    for heavy in (True, False):
        p = Tail.of(np.array(reference), heavy=heavy).p(np.sort(asked))
        assert ((p >= LEAST) & (p <= 1)).all()
        assert (np.diff(p) <= 1e-2).all()  # counts and fit meet within half a row


def mixed(rows: int = 50) -> tuple[pa.Table, list[Column]]:
    rng = np.random.default_rng(3)
    table = pa.table(
        {
            "x": pa.array([None, 0.5, -0.0, *rng.normal(size=rows - 3).tolist()]),
            "n": pa.array([None, *range(rows - 1)], pa.int64()),
            "b": pa.array(rng.random(rows) < 0.5),
            "city": pa.array([None, "Bern"] + ["Genf"] * (rows - 2)),
            "text": pa.array([None, *[f"some words {k % 7}" for k in range(rows - 1)]]),
            "t": pa.array([None, *range(rows - 1)], pa.timestamp("us")),
            "v": pa.array([None, *rng.normal(size=(rows - 1, 2)).astype("f4").tolist()], pa.list_(pa.float32(), 2)),
        }
    )
    kinds = (Kind.NUMERIC, Kind.INTEGER, Kind.BOOLEAN, Kind.CATEGORICAL, Kind.TEXT, Kind.DATETIME, Kind.EMBEDDING)
    columns = [
        Column(name=name, kind=kind, source_type="?", width=2 if kind is Kind.EMBEDDING else 1)
        for name, kind in zip(table.column_names, kinds, strict=True)
    ]
    return table, columns


def test_a_row_has_the_hash_that_the_profile_gives_it(tmp_path: Path) -> None:
    table, columns = mixed()
    sample = read_sample(stored(table, columns, tmp_path))
    assert hashes(sample, columns).tolist() == sample["__hash__"].to_pylist()
    encoded = sample.set_column(3, "city", sample["city"].combine_chunks().dictionary_encode())
    assert hashes(encoded, columns[::-1]).tolist() == sample["__hash__"].to_pylist()


def test_repeats_are_held_against_poisson_with_the_count_that_the_other_table_leads_to_expect() -> None:
    a, b, c = (np.uint64(each) for each in (11, 22, 33))
    own, other = Counts.of([np.array([a] * 5 + [b] * 2 + [c])]), Counts.of([np.array([b] * 4 + [c] * 12)])
    found = compare(np.array([a, b, c]), own, other, other)
    assert found.times.tolist() == [5, 2, 1]
    assert found.other.tolist() == [0, 4, 12]
    assert found.p[0] == pytest.approx(stats.poisson.sf(3, 16.5 / 17))  # 16 of 16 rows are repeated, and half a row
    assert found.p[1] == pytest.approx(stats.poisson.sf(0, 8 / 16 * 4.5))
    assert found.p[2] == 1
    assert found.p_other.tolist() == [1, 16.5 / 17, 16.5 / 17]
    assert found.usual.tolist() == [1, 8 / 16 * 4.5, 8 / 16 * 12.5]
    assert Counts.of([])(np.array([a])).tolist() == [0]


@pytest.mark.parametrize("share", [0.0, 0.02, 0.1])
def test_the_mixture_finds_how_many_are_bad_and_its_confidence_is_true(share: float) -> None:
    rng = np.random.default_rng(4)
    rows = 20_000
    bad = rng.random(rows) < share
    p = {
        "out_of_range": np.maximum(np.where(bad, rng.beta(0.1, 1, rows), rng.random(rows)), LEAST),
        "unlikely_combination": rng.random(rows),
    }
    mixture = Mixture.fit(p)
    by = mixture.posterior(p)
    assert mixture.good + mixture.bad.sum() == pytest.approx(1)
    assert by.sum(axis=1).mean() == pytest.approx(share, abs=0.015)
    assert by[:, 1].mean() < 0.01
    if share:
        sure = by.sum(axis=1)
        for low, high in ((0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
            part = (sure >= low) & (sure < high)
            assert sure[part].mean() == pytest.approx(bad[part].mean(), abs=0.12)


def test_a_noisy_mechanism_gets_no_weight_from_chance_and_some_from_many_rows() -> None:
    rng = np.random.default_rng(7)
    chance = rng.random(2000)
    assert Mixture.fit({"crowded": chance}).bad.sum() == 0
    assert Mixture.fit({"copy": chance}).bad.sum() > 0
    chance[:40] = 1e-4 * rng.random(40)
    assert Mixture.fit({"crowded": chance}).bad.sum() == pytest.approx(40 / 2000, abs=0.015)


def test_the_calibration_is_a_line_through_the_log_odds() -> None:
    added, slope = CALIBRATION
    p = np.array([0.0, 0.01, 0.5, 0.9, 1.0])
    found = calibrated(p)
    assert found[[0, -1]].tolist() == [0, 1]
    assert special.logit(found[1:-1]) == pytest.approx(added + slope * special.logit(p[1:-1]))


def test_the_mixture_does_not_see_the_order_of_rows() -> None:
    p = np.random.default_rng(5).beta(0.5, 1, 400)
    one, other = Mixture.fit({"copy": p}), Mixture.fit({"copy": p[::-1]})
    assert np.allclose(one.posterior({"copy": p}), other.posterior({"copy": p[::-1]})[::-1])


def test_ridge_of_all_columns_at_once_is_ridge_of_each() -> None:
    rng = np.random.default_rng(6)
    placed = rng.normal(size=(300, 5)) @ rng.normal(size=(5, 5))
    placed = (placed - placed.mean(axis=0)) / placed.std(axis=0)
    weights = _ridge(placed, np.array([0, 1, 2, 2, 3]))
    penalty = 300 * (RIDGE + RIDGE_OF_AXES * 5 / 300)
    for owner, own in ((0, [0]), (1, [1]), (2, [2, 3]), (3, [4])):
        others = [k for k in range(5) if k not in own]
        x = placed[:, others]
        wanted = np.linalg.solve(x.T @ x + penalty * np.eye(len(others)), x.T @ placed[:, own])
        assert np.allclose(weights[np.ix_(others, own)], wanted), owner
        assert not weights[np.ix_(own, own)].any()


def test_a_value_that_its_row_speaks_against_has_a_large_loss() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(600, 3))
    x[:, 1] = x[:, 0] + 0.1 * rng.normal(size=600)
    rows = np.column_stack([x, x[:, 0] > 0])
    features = (Feature("a", "a"), Feature("b", "b"), Feature("c", "c"), Feature("d", "d", levels=("no", "yes")))
    fitted = Conditional.fit(rows[:500], rows[:500], features, range(4), 3)
    good = fitted.losses(rows[500:])
    broken = rows[500:].copy()
    broken[:, 1] *= -1
    broken[:, 3] = 1 - broken[:, 3]
    bad, far = fitted.losses(broken), np.abs(x[500:, 0]) > 0.3
    assert (bad[far, 1] > good[far, 1]).mean() > 0.97
    assert (bad[far, 3] > good[far, 3]).mean() > 0.97
    assert fitted.losses(np.array([[np.nan, np.nan, np.nan, 3]]))[0, :3].tolist() == [0, 0, 0]


def test_the_scale_gives_normal_scores_and_goes_on_beyond_the_ends() -> None:
    values = np.exp(np.random.default_rng(8).normal(size=(5000, 1)))
    scale = Scale.of(values, values, [WHOLE])
    placed = scale.place(values)[:, 0]
    assert stats.kstest(placed, "norm").statistic < 0.01
    beyond = scale.place(np.array([[values.max()], [values.max() + values.std()], [np.nan]]))[:, 0]
    assert beyond[1] - beyond[0] == pytest.approx(1 / scale.spread[0], rel=1e-6)
    assert beyond[2] == 0


def test_the_marginal_knows_both_ends_unseen_levels_and_missing_values() -> None:
    rng = np.random.default_rng(9)
    reference = np.column_stack([rng.normal(size=999), rng.integers(0, 2, 999), np.ones(999)])
    features = (Feature("x", "x"), Feature("city", "city", levels=("a", "b")), Feature("one", "one"))
    marginal = Marginal.of(reference, features)
    p = marginal.p(np.array([[0, 0, 1], [9, 2, 1], [-9, 3, 2], [np.nan, 1, np.nan]], float))
    assert (p[0] > 0.3).all()
    assert (p[1, :2] < 1e-3).all()
    assert (p[2] < 1e-3).all()
    assert p[3, 0] < 1e-3
    assert p[3, 1] > 0.3
    assert p[3, 2] < 1e-3


def test_features_are_the_same_for_any_batch() -> None:
    table, columns = mixed()
    features = Features.of(columns, [table, table.slice(0, 9)], "b")
    whole = features.read(table)
    assert whole.shape == (50, len(features.features))
    assert features.features[features.target or 0].name == "b"
    parts = [features.read(batch) for batch in table.to_batches(max_chunksize=7)]
    assert np.array_equal(np.concatenate(parts), whole, equal_nan=True)
    names = [feature.name for feature in features.features]
    assert whole[:3, names.index("city")].tolist() == [3, 1, 0]  # missing, then the rarer level, then the commoner
    assert np.isnan(whole[0, names.index("x")])


@given(st.integers(1, 40), st.integers(1, 12), st.integers(1, 9))
def test_the_surest_rows_do_not_depend_on_the_batches(rows: int, most: int, batch: int) -> None:
    rng = np.random.default_rng(rows)
    sure = rng.integers(0, 5, rows) / 5
    empty = np.zeros((rows, BLAMED))
    every = Rows(
        np.arange(rows), sure, np.column_stack([sure, sure]), np.zeros(rows, int), empty.astype(int), empty, empty,
        np.ones(rows, int), np.zeros(rows, int), np.arange(rows, dtype=np.uint64),
    )  # fmt: skip
    worst = Worst(most)
    for start in range(0, rows, batch):
        worst.update(every.take(np.arange(start, min(start + batch, rows))))
    assert worst.rows().row.tolist() == sorted(range(rows), key=lambda k: (-sure[k], k))[:most]
