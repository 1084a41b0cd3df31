"""How do paired statistics become features, dimensions, a probability, and a verdict?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import trim_mean
from sklearn.linear_model import LogisticRegression
from unit.collapse.tables import like, table

from foretrain.collapse import calibration, verdict
from foretrain.collapse.dimensions import DIMENSIONS
from foretrain.collapse.dimensions.dimension import Comparison, Family, Statistic
from foretrain.collapse.features import features, row
from foretrain.collapse.loops import fit
from foretrain.collapse.pairing import HALF, Paired, compare, goals
from foretrain.collapse.record import Dimension
from foretrain.collapse.table import Table, Target
from foretrain.settings import VerdictSettings

CURVE = np.asarray([[0.0, 0.0], [1.0, 1.0]])
FAMILY = Family(
    "distribution_fidelity",
    "Title",
    "Question?",
    (Statistic("up", "up", "more", "{value} {fresh}"), Statistic("down", "down", "less", "{value} {fresh}")),
)


def paired(up: float, down: float, repeats: int = 20, noise: float = 0.01) -> Paired:
    """Two statistics that depart so far from fresh samples that scatter by the noise."""
    scatter = noise * np.random.default_rng(0).standard_normal((repeats, 2))
    return Paired(("up", "down"), scatter, scatter + np.asarray([up, down]), 100, {"all": 2.5})


def scored(found: Paired, **curves: np.ndarray) -> Dimension:
    return FAMILY.measure(Comparison(found, curves or {"up": CURVE, "down": CURVE}, (), 0))


def real(rows: int = 200, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    x[:, 2] += x[:, 0]
    return table(x, rng.integers(0, 3, rows), target=Target("regression", 2))


def test_a_score_is_what_the_curve_says_of_the_worst() -> None:
    found = scored(paired(0.4, -0.7))
    assert found.score == pytest.approx(30.0)
    assert [e.statistic for e in found.evidence] == ["down", "up"]
    assert [e.badness for e in found.evidence] == pytest.approx([0.7, 0.4])
    assert found.interval == pytest.approx((30.0, 30.0))
    assert found.fresh is not None
    assert found.fresh[1] == 100.0


def test_departures_to_the_better_side_cost_nothing() -> None:
    assert scored(paired(-0.5, 0.5)).score == 100.0


def test_departures_within_the_noise_cost_nothing() -> None:
    found = paired(0.3, 0.0, noise=0.2)
    assert scored(found).score == 100.0
    assert scored(replace(found, candidate=found.fresh + np.asarray([0.9, 0.0]))).score == pytest.approx(10.0, abs=1.0)


def test_a_statistic_without_a_curve_is_shown_and_not_scored() -> None:
    found = scored(paired(0.4, -0.7), up=CURVE)
    assert found.score == pytest.approx(60.0)
    assert len(found.evidence) == 2


@given(st.floats(0, 1), st.floats(0, 1))
def test_more_departure_is_never_a_better_score(one: float, other: float) -> None:
    low, high = sorted((one, other))
    left, right = scored(paired(low, 0.0)).score, scored(paired(high, 0.0)).score
    assert left is not None
    assert right is not None
    assert left >= right


def test_all_eight_dimensions_answer_and_two_wait() -> None:
    found = compare(real(), real(seed=1), 6, 0)
    curves = dict.fromkeys(found.names, CURVE)
    measured = {d.name: d.measure(Comparison(found, curves, (), 0)) for d in DIMENSIONS}
    assert len(measured) == 8
    assert {name for name, d in measured.items() if not d.measured} == {"gradient_health", "loss_landscape"}
    for dimension in measured.values():
        if not dimension.measured:
            assert dimension.score is dimension.interval is dimension.fresh is None
            assert dimension.reason
        else:
            assert dimension.interval is not None
            assert dimension.score is not None
            assert dimension.interval[0] <= dimension.score <= dimension.interval[1]
            assert "{" not in "".join(e.sentence for e in dimension.evidence)


def test_every_statistic_of_a_dimension_is_measured_somewhere() -> None:
    known = set(compare(real(), real(seed=1), 2, 0).names) | {"spectrum_in_time"}
    for dimension in DIMENSIONS:
        if isinstance(dimension, Family):
            assert {s.name for s in dimension.statistics} <= known, dimension.name


def test_both_sides_of_a_comparison_have_as_many_rows() -> None:
    found = compare(real(90), real(200, 1), 3, 0)
    assert found.rows == 90
    assert found.fresh.shape == found.candidate.shape == (3, len(found.names))
    assert np.isfinite(found.fresh).all()
    assert np.isfinite(found.candidate).all()
    assert compare(real(900), real(1000, 1), 1, 0).rows == HALF
    assert compare(real(500), real(100, 1), 1, 0).rows == 50


def test_a_comparison_depends_on_the_seed_alone() -> None:
    one, two, other = (compare(real(100), real(100, 1), 2, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.candidate, two.candidate)
    assert one.whole == two.whole
    assert not np.array_equal(one.candidate, other.candidate)


def test_the_first_repeats_do_not_depend_on_how_many_follow() -> None:
    few, many = (compare(real(100), real(100, 1), repeats, 1) for repeats in (2, 4))
    assert np.array_equal(few.fresh, many.fresh[:2])
    assert np.array_equal(few.candidate, many.candidate[:2])


def test_a_fresh_sample_departs_as_often_up_as_down() -> None:
    """The paired design: no statistic is biased, whatever the number of rows."""
    z = []
    for seed in range(12):
        found = compare(real(60, 2 * seed), real(120, 2 * seed + 1), 4, seed)
        z.append((found.candidate - found.fresh).mean(axis=0) / (found.fresh.std(axis=0) + 1e-3))
    assert abs(trim_mean(np.concatenate(z), 0.05)) < 0.35


def test_a_statistic_that_a_half_lacks_is_left_out() -> None:
    rare = table(np.column_stack([np.random.default_rng(0).normal(size=60), np.arange(60) == 7]))
    found = compare(rare, rare, 6, 0)
    assert "ks_mean" in found.names
    assert "correlation_rms" not in found.names  # some half has one column that varies


def test_utility_is_measured_on_the_columns_best_tied() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 5))
    x[:, 4] = x[:, 1] + 0.1 * x[:, 4]
    rows = table(x, (x[:, 1] > 0) * 1)
    assert set(goals(rows)) == {Target("regression", 1), Target("regression", 4), Target("classification", 0)}
    assert goals(real()) == (Target("regression", 2),)
    assert goals(table(x[:, 0])) == ()


def test_features_are_departures_in_several_units() -> None:
    found = paired(0.4, -0.7)
    out = features(found)
    gap = found.candidate - found.fresh
    z = gap[:, 0].mean() / (found.fresh[:, 0].std(ddof=1) + 1e-6)
    assert out["z_up"] == pytest.approx(np.log1p(z))
    assert out["z_down"] < 0
    assert out["d_down"] == pytest.approx(-0.7)
    assert out["w_all"] == 2.5
    assert out["g_rows"] == pytest.approx(np.log(100))
    assert row(out, ("d_up", "z_absent")).tolist() == [out["d_up"], 0.0]
    assert features(found, 5) == features(found.pick(np.arange(5)))
    skill = Paired(("recall",), np.full((3, 1), 0.8), np.full((3, 1), 0.6), 10, {})
    assert features(skill)["r_recall"] == pytest.approx(-0.25)


def test_a_calibrations_probability_is_the_logistic_of_its_log_odds() -> None:
    rng = np.random.default_rng(0)
    vote = rng.uniform(0.01, 0.99, 400)
    label = (rng.random(400) < vote).astype(float)
    slope, offset = fit._platt(vote, label)
    odds = np.log(vote / (1 - vote))[:, None]
    wanted = LogisticRegression(C=1e3).fit(odds, label).predict_proba(odds)[:, 1]
    fitted = replace(calibration.load(), scales={4: (slope, offset), 8: (2.0, 0.0)})
    assert fitted.probability(vote, 4) == pytest.approx(wanted, abs=1e-6)
    assert slope == pytest.approx(1.0, abs=0.3)  # the votes were frequencies already
    assert (fitted.probability(vote, 7) == fitted.probability(vote, 4)).all()
    assert fitted.probability(np.asarray([0.8]), 12) == pytest.approx([16 / 17])


def test_the_calibration_that_ships_is_whole() -> None:
    fitted = calibration.load()
    for forest, names in (
        (fitted.collapse, fitted.names),
        (fitted.damage, fitted.names),
        (fitted.alone, fitted.alone_names),
    ):
        assert forest.feature.max() < len(names)
    measured = set(features(compare(real(), real(seed=1), 2, 0)))
    kinds_apart = {n for n in fitted.names if n not in measured}
    assert len(kinds_apart) < 0.05 * len(fitted.names), kinds_apart
    for points in (fitted.generations, *fitted.curves.values()):
        assert (np.diff(points, axis=0) >= 0).all()
    assert set(fitted.residual[:, 0]) >= {0.0, 1.0}
    assert fitted.error_rates is not None


def test_the_calibration_tells_collapse_from_a_fresh_sample() -> None:
    fitted, original = calibration.load(), real(300)
    fresh = fitted.judge(compare(real(300, 1), original, 4, 0), 0)
    made = like(original, np.repeat(original.numbers[:15], 20, axis=0), np.repeat(original.codes[:15], 20, axis=0))
    bad = fitted.judge(compare(made, original, 4, 0), 0)
    assert fresh.probability < 0.25 < 0.75 < bad.probability
    assert fresh.damage < 0.2 < 0.5 < bad.damage
    assert fresh.generations < bad.generations
    for judged in (fresh, bad):
        assert judged.probability_interval[0] <= judged.probability <= judged.probability_interval[1]
        assert judged.damage_interval[0] <= judged.damage <= judged.damage_interval[1]


@pytest.mark.parametrize(
    ("probability", "blind", "wanted"),
    [
        (0.0, False, "approve"),
        (0.2499, False, "approve"),
        (0.25, False, "review"),
        (0.4999, False, "review"),
        (0.5, False, "reject"),
        (0.1, True, "underpowered"),
        (0.4, True, "underpowered"),
        (0.9, True, "reject"),
    ],
)
def test_the_verdict_follows_the_probability(probability: float, blind: bool, wanted: str) -> None:
    assert verdict.decide(probability, blind, VerdictSettings()) == wanted
    moved = VerdictSettings(reject_at=0.95, review_at=0.0)
    assert verdict.decide(probability, False, moved) == "review"
    assert verdict.decide(0.6, False, VerdictSettings(), least=0.7) == "review"
    assert verdict.decide(0.7, False, VerdictSettings(), least=0.7) == "reject"
