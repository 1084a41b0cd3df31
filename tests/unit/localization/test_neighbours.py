"""Do neighbours say what closed forms and brute force say?"""

from __future__ import annotations

from itertools import combinations
from math import factorial

import numpy as np
import pytest
from scipy import stats

from foretrain.localization.density import Density
from foretrain.localization.features import Feature
from foretrain.localization.neighbours import Neighbours
from foretrain.localization.scale import Scale
from foretrain.localization.shapley import Shapley

Floats = np.ndarray


def utility(
    rows: list[int], places: Floats, answers: Floats, judges: Floats, right: Floats, classes: bool, k: int
) -> float:
    """Mean payoff of a nearest-neighbour model that learned these rows, over the judges."""
    total = 0.0
    for judge, wanted in zip(judges, right, strict=True):
        nearest = sorted(rows, key=lambda row: float(((places[row] - judge) ** 2).sum()))[:k]
        total += sum(float(answers[row] == wanted) if classes else -abs(answers[row] - wanted) for row in nearest) / k
    return total / len(judges)


@pytest.mark.parametrize("classes", [True, False], ids=["classes", "numbers"])
@pytest.mark.parametrize("k", [1, 3, 9])
def test_a_value_is_the_shapley_value_of_all_coalitions(classes: bool, k: int) -> None:
    rng = np.random.default_rng(k)
    n = 6
    places, judges = rng.normal(size=(n, 2)), rng.normal(size=(4, 2))
    answers, right = (rng.integers(0, 3, size).astype(float) if classes else rng.normal(size=size) for size in (n, 4))
    for row in range(n):
        others = [each for each in range(n) if each != row]
        wanted = sum(
            factorial(size) * factorial(n - size - 1) / factorial(n)
            * (utility([*some, row], places, answers, judges, right, classes, k)
               - utility(list(some), places, answers, judges, right, classes, k))
            for size in range(n) for some in combinations(others, size)
        )  # fmt: skip
        known = Shapley.of(places[others], answers[others], judges, right, classes=classes, neighbours=k)
        assert known(places[[row]], answers[[row]])[0] == pytest.approx(wanted, abs=1e-6)


def test_a_wrong_answer_among_right_ones_is_worth_less_than_nothing() -> None:
    rng = np.random.default_rng(1)
    places = rng.normal(size=(200, 2))
    value = Shapley.of(places, np.ones(200), rng.normal(size=(50, 2)), np.ones(50), classes=True)
    right, wrong, far = value(np.array([[0.0, 0.0], [0.0, 0.0], [40.0, 40.0]]), np.array([1.0, 0.0, 0.0]))
    assert wrong < far <= 0 < right


def test_the_ratio_of_distances_is_that_of_densities() -> None:
    rng = np.random.default_rng(2)
    wide, narrow = rng.normal(0, 2, (4000, 1)), rng.normal(0, 1, (4000, 1))
    asked = np.linspace(-3, 3, 13)[:, None]
    found = Density.of(narrow, wide).log_ratio(asked)
    wanted = stats.norm(0, 1).logpdf(asked[:, 0]) - stats.norm(0, 2).logpdf(asked[:, 0])
    assert found == pytest.approx(wanted, abs=0.9)
    assert np.corrcoef(found, wanted)[0, 1] > 0.9


def test_crowding_and_harm_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    features = (Feature("x", "x"), Feature("city", "city", levels=("a", "b", "c")), Feature("y", "y"))
    x, city = rng.normal(size=600), rng.integers(0, 3, 600).astype(float)
    rows = np.column_stack([x, city, 3 * x + city + 0.1 * rng.normal(size=600)])
    real, made = rows[:300], rows[300:].copy()
    made[:60] = np.array([1.0, 1.0, 4.0]) + np.outer(rng.normal(size=60), [0.01, 0, 0.01])
    found = Neighbours.of(Scale.of(rows, real, features), made, real, features, 2, np.random.default_rng(0))
    crowded, misleading = found.read(np.array([[1.0, 1.0, 4.0], [-1.0, 1.0, -2.0], [-1.0, 1.0, 4.0]]))
    assert crowded[0] > crowded[1] + 1
    assert misleading[2] > misleading[1]
    none = Neighbours.of(Scale.of(rows, real, features), made, real, features, None, np.random.default_rng(0))
    assert none.value is None
    assert np.array_equal(none.read(made)[1], np.zeros(300))
