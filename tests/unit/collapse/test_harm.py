"""Do direct damages do what they say, and does the ruler measure what is known to be lost?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from unit.collapse.tables import table

from foretrain.collapse.loops import damage, pairs
from foretrain.collapse.loops.harm import LIMITS, Harm, Ruler
from foretrain.collapse.loops.simulated import Simulated
from foretrain.collapse.table import Table, Target

TARGET = Target("regression", 2)


def draw(rows: int, seed: int) -> Table:
    """Two inputs, a target that is linear in them (R squared 0.8), and a category."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    x[:, 2] = 2 * x[:, 0] + x[:, 2]
    return table(x, np.minimum(rng.geometric(0.5, rows) - 1, 4), target=TARGET)


@pytest.fixture(scope="module")
def ruler() -> Ruler:
    fresh = [draw(700, 10 + k) for k in range(5)]
    return Ruler(draw(700, 1), fresh, (TARGET,), np.random.default_rng(0))


def chance() -> np.random.Generator:
    return np.random.default_rng(5)


def test_a_fresh_sample_has_no_harm(ruler: Ruler) -> None:
    for seed in range(20, 24):
        harm = ruler.measure(draw(700, seed))
        assert harm.counted == ()
        assert harm.damage < 0.06


def test_repeated_rows_are_counted(ruler: Ruler) -> None:
    made = damage.duplicates(draw(700, 2), 0.4, chance())
    _, place, count = np.unique(made.numbers, axis=0, return_inverse=True, return_counts=True)
    alike = (count[place.ravel()] > 1).mean()
    harm = ruler.measure(made)
    assert harm.effects["repeat_excess"] == pytest.approx(alike, abs=0.02)
    assert "repeat_excess" in harm.counted
    assert harm.damage >= harm.effects["repeat_excess"]


def test_a_cut_tail_loses_the_variance_it_held(ruler: Ruler) -> None:
    real = draw(700, 3)
    made = damage.tail_cut(real, 0.3)
    assert len(made) == 490
    kept = made.numbers.var(axis=0) / ruler.test.numbers.var(axis=0)
    whole = np.mean([(draw(700, 10 + k).numbers.var(axis=0) / ruler.test.numbers.var(axis=0)).mean() for k in range(5)])
    harm = ruler.measure(made)
    assert harm.effects["variance_loss"] == pytest.approx(1 - kept.mean() / whole, abs=1e-6)
    assert "tail_loss" in harm.counted


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_permuted_labels_cost_the_square_of_their_share(ruler: Ruler, share: float) -> None:
    """A linear model learns 1 - s of every slope, which costs s^2 of R squared."""
    harm = ruler.measure(damage.label_noise(draw(700, 4), share, chance()))
    assert harm.effects["drop_linear"] == pytest.approx(share**2, abs=0.12)
    assert "drop_linear" in harm.counted
    assert harm.effects["variance_loss"] == pytest.approx(0.0, abs=0.1)


def test_lost_categories_are_counted_by_the_rows_they_held(ruler: Ruler) -> None:
    real = draw(700, 6)
    made = real.with_columns(real.numbers, np.minimum(real.codes, 1))
    rare = (ruler.test.codes > 1).mean()
    harm = ruler.measure(made)
    assert harm.effects["levels_lost"] == pytest.approx(rare)
    assert {"levels_lost", "categories_moved"} <= set(harm.counted)


def test_a_pulled_in_table_loses_variance_by_the_square(ruler: Ruler) -> None:
    real = draw(700, 7)
    whole = ruler.measure(real).effects["variance_loss"]
    harm = ruler.measure(damage.temperature(real, 0.7, chance()))
    assert 1 - harm.effects["variance_loss"] == pytest.approx(0.49 * (1 - whole))
    assert harm.effects["axes_loss"] == pytest.approx(0.51, abs=0.08)


def test_damage_is_the_largest_of_the_damaging() -> None:
    nothing = dict.fromkeys(LIMITS, 0.0)
    harm = Harm(nothing | {"recall_loss": 0.3, "tail_loss": 0.9}, nothing | {"recall_loss": 4.0, "coverage_loss": 9.0})
    assert harm.damage == 0.3
    assert harm.counted == harm.suspected == ("recall_loss",)
    near = Harm(nothing | {"recall_loss": 0.12}, nothing | {"recall_loss": 3.0})
    assert (near.counted, near.suspected) == ((), ("recall_loss",))


def test_duplicates_come_from_few_rows() -> None:
    real = draw(400, 8)
    made = damage.duplicates(real, 0.5, chance())
    kept = cdist(made.numbers, real.numbers).min(axis=1)
    assert (kept == 0).all()
    assert (made.numbers == real.numbers).all(axis=1).mean() == pytest.approx(0.5, abs=0.05)
    assert np.unique(made.numbers, axis=0, return_counts=True)[1].max() >= 5
    near = damage.near_copies(real, 0.5, chance(), 1e-3)
    assert (cdist(near.numbers, made.numbers).min(axis=1) < 0.02).all()
    assert len(np.unique(near.numbers, axis=0)) == 400


def test_a_dropped_mode_is_a_ball_of_rows() -> None:
    real = draw(400, 9)
    made = damage.mode_drop(real, 0.25, chance())
    assert len(made) == 300
    gone = real.numbers[~(cdist(real.numbers, made.numbers) == 0).any(axis=1)]
    assert cdist(gone, gone).mean() < 0.8 * cdist(real.numbers, real.numbers).mean()


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_broken_correlations_leave_every_column_as_it_was(share: float) -> None:
    real = draw(2000, 9)
    made = damage.correlation_break(real, share, chance())
    assert (np.sort(made.numbers, axis=0) == np.sort(real.numbers, axis=0)).all()
    before, after = (np.corrcoef(t.numbers, rowvar=False)[0, 2] for t in (real, made))
    assert after == pytest.approx((1 - share) * before, abs=0.06)
    assert (made.numbers == real.numbers).all(axis=1).mean() == pytest.approx(1 - share, abs=0.01)


def test_label_noise_moves_the_target_alone() -> None:
    real = draw(300, 9)
    made = damage.label_noise(real, 0.4, chance())
    moved = (made.numbers != real.numbers).mean(axis=0)
    assert moved[:2].tolist() == [0, 0]
    assert moved[2] == pytest.approx(0.4, abs=0.02)
    assert (np.sort(made.numbers[:, 2]) == np.sort(real.numbers[:, 2])).all()


def test_rare_loss_drops_the_rarest_first() -> None:
    real = draw(500, 9)
    made = damage.rare_loss(real, 0.1, chance())
    count = np.bincount(real.codes[:, 0])
    assert np.bincount(made.codes[:, 0], minlength=len(count))[0] == count[0]
    assert np.bincount(made.codes[:, 0], minlength=len(count))[count.argmin()] == 0
    without = table(real.numbers)
    assert (damage.rare_loss(without, 0.1, chance()).numbers == damage.tail_cut(without, 0.1).numbers).all()


def test_labelled_pairs_come_by_the_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = Simulated(np.random.default_rng(3)).draw(240, np.random.default_rng(4))
    monkeypatch.setattr(pairs.real, "table", lambda name: rows)
    # one half of the recipes is enough to see the labels, and the other takes seconds
    monkeypatch.setattr(pairs.recipes, "collapsed", lambda *about: iter(()))
    one, other = ([*pairs.from_real("iris", 0, seed=7)] for _ in range(2))
    assert len(one) > 5
    for a, b in zip(one, other, strict=True):
        assert (a.mechanism, a.strength, a.label, a.damage) == (b.mechanism, b.strength, b.label, b.damage)
        assert np.array_equal(a.candidate.numbers, b.candidate.numbers, equal_nan=True)
        assert (a.label == 0) == (a.damage == 0.0)
    assert next(a for a in one if a.mechanism == "fresh").label == 0
