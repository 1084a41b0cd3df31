"""What does a model lose when it learns from all of the candidate instead of all of the original?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.statistics.side import Side
from foretrain.collapse.statistics.utility import Task, linear, skill, trees
from foretrain.collapse.table import Target

MOST_ROWS = 1500
FOLDS = 5
_LEAST = 0.15


def measure(candidate: Side, original: Side, target: Target) -> dict[str, float]:
    """Skill on the original of models trained on the candidate, and what the original's own cross-validation gives.

    ``transfer_*`` is the first, ``transfer_*_loss`` the part of the second that is lost.

    Args:
        candidate: in random order; at most `MOST_ROWS` rows are used.
        original: likewise.
        target: the column to predict.

    References:
        Esteban et al. (2017): train on synthetic, test on real.
    """
    candidate, original = (side.take(np.arange(min(MOST_ROWS, len(side)))) for side in (candidate, original))
    task = Task(original, target)
    features, axes, goal = task.rows(candidate)
    real_features, real_axes, real_goal = task.reference
    fold = np.arange(len(real_goal)) % FOLDS
    out: dict[str, float] = {}
    for name, learn, x, real in (("trees", trees, features, real_features), ("linear", linear, axes, real_axes)):
        made = skill(learn(x, goal, task.classes), real, real_goal, task.classes)
        own = [
            skill(
                learn(real[fold != k], real_goal[fold != k], task.classes),
                real[fold == k],
                real_goal[fold == k],
                task.classes,
            )
            for k in range(FOLDS)
        ]
        out[f"transfer_{name}"] = made
        out[f"transfer_{name}_loss"] = (float(np.mean(own)) - made) / max(float(np.mean(own)), _LEAST)
    return out
