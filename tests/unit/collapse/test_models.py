"""Are the quick models scikit-learn's, and do they find what is there to be found?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score, roc_auc_score
from unit.collapse.tables import sides, table

from foretrain.collapse.statistics import classifier, models, transfer, utility
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import Target

SCORES = hnp.arrays(float, st.integers(2, 80), elements=st.integers(-4, 4).map(float))


def regression(rows: int, seed: int, noise: float = 0.3, sign: float = 1.0) -> np.ndarray:
    """Two inputs and a target, the last column, that is linear in them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    x[:, 2] = sign * (x[:, 0] - 2 * x[:, 1]) + noise * x[:, 2]
    return x


def regressions(rows: int, **settings: float) -> tuple[Side, Side]:
    target = Target("regression", 2)
    return sides(table(regression(rows, 1, **settings), target=target), table(regression(rows, 2), target=target))


@given(SCORES, st.randoms(use_true_random=False))
def test_auc_is_scikit_learns(score: np.ndarray, chance: object) -> None:
    positive = np.asarray([chance.random() < 0.5 for _ in score])  # type: ignore[attr-defined]
    wanted = roc_auc_score(positive, score) if 0 < positive.sum() < len(score) else 0.5
    assert models.auc(score, positive) == pytest.approx(wanted)


@given(SCORES)
def test_auc_turned_round_is_its_complement(score: np.ndarray) -> None:
    positive = np.arange(len(score)) % 2 == 0
    assert models.auc(score, positive) + models.auc(-score, positive) == pytest.approx(1.0)


@pytest.mark.parametrize("penalty", [0.01, 1.0])
def test_ridge_is_scikit_learns(penalty: float) -> None:
    rng = np.random.default_rng(0)
    x, y, new = rng.normal(1, 2, (80, 5)), rng.normal(size=(80, 2)), rng.normal(size=(30, 5))
    wanted = Ridge(alpha=penalty * len(x)).fit(x, y).predict(new)
    assert models.predict(models.ridge(x, y, penalty), new) == pytest.approx(wanted, abs=1e-8)


@pytest.mark.parametrize("classes", [0, 2, 3])
def test_boosted_trees_learn_and_repeat_themselves(classes: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = x[:, 0] if not classes else np.digitize(x[:, 0], [-0.5, 0.5][: classes - 1])
    one, two = (models.boosted(x[:200], y[:200], classes, 30, 0).predict(x[200:]) for _ in range(2))
    assert (one == two).all()
    if classes == 0:
        assert r2_score(y[200:], one) > 0.9
    else:
        said = one.argmax(axis=1) if classes > 2 else one > 0.5
        assert (said == y[200:]).mean() > 0.95


def test_skill_is_r_squared_or_twice_the_area_less_one() -> None:
    a, b = regressions(300)
    task = utility.Task(b, Target("regression", 2))
    x, axes, goal = task.rows(a)
    assert x == pytest.approx(a.table.numbers[:, :2])
    assert axes == pytest.approx(a.points[:, :2])
    fitted = Ridge(alpha=0.01 * 300).fit(axes, goal)
    found = utility.measure(a, task)
    assert found["linear_skill"] == pytest.approx(r2_score(task.reference[2], fitted.predict(task.reference[1])))
    assert found["linear_skill"] == pytest.approx(1 - 0.09 / 5.09, abs=0.01)
    assert found["trees_skill"] > 0.8
    scores = np.random.default_rng(0).normal(size=(300, 2))
    label = (np.arange(300) % 3 == 0).astype(float)
    model = utility.Model(lambda _: scores, np.asarray([0.0, 1.0]))
    areas = [roc_auc_score(label == k, scores[:, k]) for k in (0, 1)]
    wanted = 2 * (2 / 3 * areas[0] + 1 / 3 * areas[1]) - 1
    assert utility.skill(model, scores, label, 2) == pytest.approx(wanted)


def test_a_relation_turned_round_has_no_skill() -> None:
    a, b = regressions(300, sign=-1.0)
    found = utility.measure(a, utility.Task(b, Target("regression", 2)))
    assert found["linear_skill"] == found["linear_reverse"] == found["trees_skill"] == -1.0


def test_targets_that_are_null_are_left_out() -> None:
    rows = regression(100, 1)
    rows[:30, 2] = np.nan
    target = Target("regression", 2)
    a, b = sides(table(rows, target=target), table(regression(100, 2), target=target))
    assert len(utility.Task(b, target).rows(a)[2]) == 70


def test_a_class_target_is_predicted_from_the_other_columns_only() -> None:
    rng = np.random.default_rng(0)
    x, c = rng.normal(size=(200, 2)), rng.integers(0, 3, (200, 2))
    rows = table(x, c, target=Target("classification", 1))
    a, b = sides(rows, rows)
    features, axes, goal = utility.Task(b, Target("classification", 1)).rows(a)
    assert (goal == c[:, 1]).all()
    assert (features == np.column_stack([x, c[:, 0]])).all()
    assert (axes == a.points[:, :5]).all()
    found = utility.measure(a, utility.Task(b, Target("classification", 1)))
    assert abs(found["linear_skill"]) < 0.3  # nothing but chance ties the target to the rest


def test_transfer_counts_the_loss_against_the_originals_own_cross_validation() -> None:
    good, bad = (transfer.measure(*regressions(400, sign=s), Target("regression", 2)) for s in (1.0, -1.0))
    assert good["transfer_linear"] == pytest.approx(1 - 0.09 / 5.09, abs=0.01)
    assert good["transfer_linear_loss"] == pytest.approx(0.0, abs=0.01)
    assert bad["transfer_linear"] == -1.0
    assert bad["transfer_linear_loss"] == pytest.approx(2.0, abs=0.05)


def test_the_classifier_sees_a_shift_and_nothing_in_a_fresh_sample() -> None:
    rng = np.random.default_rng(0)
    far, fresh, real = (table(rng.normal(shift, 1, (300, 3))) for shift in (3.0, 0.0, 0.0))
    seen = classifier.measure(*sides(far, real), np.random.default_rng(1))
    assert min(seen.values()) > 0.99
    unseen = classifier.measure(*sides(fresh, real), np.random.default_rng(1))
    assert 0.4 < min(unseen.values()) <= max(unseen.values()) < 0.6


def test_the_quadratic_classifier_sees_a_change_of_spread() -> None:
    rng = np.random.default_rng(0)
    narrow, real = table(rng.normal(0, 0.3, (300, 3))), table(rng.normal(0, 1, (300, 3)))
    assert classifier.measure(*sides(narrow, real), rng)["c2st_linear"] > 0.85


def test_copies_within_a_table_do_not_leak_across_folds() -> None:
    """A row met in training gives away its copies, were they tested: copies share a fold."""
    rng = np.random.default_rng(0)
    copied, real = table(np.repeat(rng.normal(size=(60, 3)), 5, axis=0)), table(rng.normal(size=(300, 3)))
    found = [classifier.measure(*sides(copied, real), np.random.default_rng(seed))["c2st_trees"] for seed in range(5)]
    assert np.mean(found) == pytest.approx(0.5, abs=0.1)
