"""Does a stored forest say what scikit-learn's says?"""

from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load, save
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestRegressor

from foretrain.collapse.forest import Forest

X = np.random.default_rng(0).normal(size=(300, 6)).astype(np.float32).astype(np.float64)
NEW = np.random.default_rng(1).normal(size=(100, 6)).astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("weight", [None, "balanced"])
def test_a_classifiers_probabilities(weight: str | None) -> None:
    y = (X[:, 0] + X[:, 1] ** 2 > 1).astype(int)
    grown = ExtraTreesClassifier(20, min_samples_leaf=3, class_weight=weight, random_state=0).fit(X, y)
    assert Forest.of(grown).predict(NEW) == pytest.approx(grown.predict_proba(NEW)[:, 1], abs=1e-6)


@pytest.mark.parametrize("kind", [ExtraTreesRegressor, RandomForestRegressor])
def test_a_regressors_predictions(kind: type) -> None:
    grown = kind(20, min_samples_leaf=2, random_state=0).fit(X, X[:, 0] * X[:, 1])
    forest = Forest.of(grown)
    assert forest.predict(NEW) == pytest.approx(grown.predict(NEW), abs=1e-6)
    each = np.column_stack([tree.predict(NEW) for tree in grown.estimators_])
    assert forest.trees(NEW) == pytest.approx(each, abs=1e-6)


def test_a_row_on_a_threshold_goes_left() -> None:
    whole = np.rint(2 * X)
    grown = RandomForestRegressor(20, random_state=0).fit(whole, whole[:, 0] * whole[:, 1])
    between = whole[:100] + 0.5  # trees split half way
    assert Forest.of(grown).predict(between) == pytest.approx(grown.predict(between), abs=1e-5)


def test_a_tree_that_never_splits() -> None:
    grown = ExtraTreesRegressor(3, random_state=0).fit(X, np.full(len(X), 0.25))
    assert Forest.of(grown).predict(NEW) == pytest.approx(0.25)


def test_it_survives_a_file_beside_another() -> None:
    one, two = (Forest.of(ExtraTreesRegressor(5, random_state=k).fit(X, X[:, k])) for k in (0, 1))
    arrays = load(save(one.arrays("one") | two.arrays("two")))
    assert (Forest.restore(arrays, "one").trees(NEW) == one.trees(NEW)).all()
    assert (Forest.restore(arrays, "two").trees(NEW) == two.trees(NEW)).all()
