"""Can a classifier tell the two sides apart?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.statistics.models import auc, boosted, predict, ridge
from foretrain.collapse.statistics.side import Side


def measure(a: Side, b: Side, chance: np.random.Generator) -> dict[str, float]:
    """Classifier two-sample test: cross-fitted AUC of boosted trees and of a quadratic ridge.

    References:
        Lopez-Paz and Oquab (2017), Revisiting classifier two-sample tests.
    """
    x = np.concatenate([a.features, b.features])
    points = np.concatenate([a.points, b.points])
    label = np.concatenate([np.ones(len(a)), np.zeros(len(b))])
    # identical rows share a fold, else a duplicate in training gives its twin away
    _, group = np.unique(points.round(9), axis=0, return_inverse=True)
    fold = chance.integers(2, size=int(group.max()) + 1)[group.ravel()]
    if min(np.bincount(fold, minlength=2)) < 8:
        fold = np.arange(len(x)) % 2
    trees, linear = np.empty(len(x)), np.empty(len(x))
    square = np.hstack([points, points**2])
    for side in (0, 1):
        train, test = fold != side, fold == side
        model = boosted(x[train], label[train], 2, 25, 0)
        trees[test] = model.predict(x[test], raw_score=True, num_threads=1)
        linear[test] = predict(ridge(square[train], label[train, None], 0.05), square[test])[:, 0]
    return {"c2st_trees": auc(trees, label > 0), "c2st_linear": auc(linear, label > 0)}
