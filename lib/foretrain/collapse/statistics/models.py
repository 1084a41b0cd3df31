"""Which quick models do the statistics train?"""

from __future__ import annotations

from typing import Any

import numpy as np

from foretrain.collapse.table import Floats, Ints


def boosted(x: Floats, y: Floats | Ints, classes: int, rounds: int, seed: int) -> Any:
    """Gradient-boosted trees on (rows, columns) features; `classes` is 0 for regression.

    Deterministic, one thread. Leaves shrink with the number of rows so that 30 rows can be learned from.
    """
    import lightgbm as lgb

    leaf = int(np.clip(len(x) // 25, 2, 20))
    settings: dict[str, Any] = {
        "verbosity": -1,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "seed": seed,
        "learning_rate": 0.12,
        "num_leaves": 8,
        "min_data_in_leaf": leaf,
        "min_data_in_bin": 1,
        "max_bin": 63,
        "feature_fraction": 0.7 if x.shape[1] > 3 else 1.0,
        "lambda_l2": 1.0,
    }
    if classes == 0:
        settings["objective"] = "regression"
    elif classes == 2:
        settings["objective"] = "binary"
    else:
        settings |= {"objective": "multiclass", "num_class": classes}
    return lgb.train(settings, lgb.Dataset(x, y, free_raw_data=True), rounds, keep_training_booster=True)


def auc(score: Floats, positive: np.ndarray) -> float:
    """Area under the ROC curve, ties half; 0.5 where one class is absent."""
    n = int(positive.sum())
    m = len(score) - n
    if n == 0 or m == 0:
        return 0.5
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    start = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    size = np.diff(np.append(start, len(score)))
    rank = np.empty(len(score))
    rank[order] = np.repeat(start + (size + 1) / 2, size)
    return float((rank[positive].sum() - n * (n + 1) / 2) / (n * m))


def ridge(x: Floats, y: Floats, penalty: float) -> tuple[Floats, Floats]:
    """Ridge regression with an intercept; (columns + 1, outputs) weights, and the column means taken off."""
    centre = x.mean(axis=0)
    z = x - centre
    gram = z.T @ z
    gram[np.diag_indices_from(gram)] += penalty * len(x) + 1e-9
    weights = np.linalg.solve(gram, z.T @ (y - y.mean(axis=0)))
    return np.vstack([weights, y.mean(axis=0)[None, :]]), centre


def predict(model: tuple[Floats, Floats], x: Floats) -> Floats:
    """(rows, outputs) predictions of `ridge`."""
    weights, centre = model
    return np.asarray((x - centre) @ weights[:-1] + weights[-1], dtype=np.float64)
