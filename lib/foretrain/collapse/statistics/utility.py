"""What does a model lose when it learns from one side instead of the other?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from foretrain.collapse.statistics.models import auc, boosted, predict, ridge
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import Floats, Target

ROUNDS = 30


class Task:
    """Predict one column of a reference from the others, and be judged on the reference's rows.

    Args:
        reference: the rows that judge; the models trained on them judge in reverse, and are fitted once.
        target: the column.
    """

    def __init__(self, reference: Side, target: Target) -> None:
        schema = reference.table.schema
        self.target, self.schema = target, schema
        self.classes = schema.levels[target.position] if target.task == "classification" else 0
        self.column = target.position + (len(schema.numbers) if self.classes else 0)
        self.reference = self.rows(reference)

    def rows(self, side: Side) -> tuple[Floats, Floats, Floats]:
        """Of the rows whose target is known: inputs for trees, inputs for linear models, targets."""
        column = side.table.codes if self.classes else side.table.numbers
        goal = column[:, self.target.position].astype(np.float64)
        known = np.isfinite(goal) & ((goal >= 0) | (self.classes == 0))
        return np.delete(side.features, self.column, axis=1)[known], self._axes(side)[known], goal[known]

    def _axes(self, side: Side) -> Floats:
        """The points without the axes that hold the target: only where the space was not projected."""
        p, ends = len(self.schema.numbers), np.cumsum((0, *self.schema.levels))
        nulls = side.points.shape[1] - p - int(ends[-1])
        if nulls < 0:
            return np.nan_to_num(np.delete(side.features, self.column, axis=1))
        start = p + nulls + int(ends[self.target.position]) if self.classes else self.target.position
        return np.delete(side.points, np.arange(start, start + max(self.classes, 1)), axis=1)

    @cached_property
    def own_trees(self) -> Model | None:
        return trees(self.reference[0], self.reference[2], self.classes)

    @cached_property
    def own_linear(self) -> Model | None:
        return linear(self.reference[1], self.reference[2], self.classes)


def measure(a: Side, task: Task, *, reverse: bool = True) -> dict[str, float]:
    """Skill on the reference of models trained on `a`, and how well the reference's own models predict `a`.

    Skill is 1 for a perfect model and 0 for one that knows nothing: R squared, or 2 AUC - 1 over the classes.

    Args:
        a: the rows that models learn from.
        task: what they predict, and on which rows.
        reverse: measure the second as well.
    """
    features, axes, goal = task.rows(a)
    judge_features, judge_axes, judge_goal = task.reference
    out = {
        "trees_skill": skill(trees(features, goal, task.classes), judge_features, judge_goal, task.classes),
        "linear_skill": skill(linear(axes, goal, task.classes), judge_axes, judge_goal, task.classes),
    }
    if reverse:
        out["trees_reverse"] = skill(task.own_trees, features, goal, task.classes)
        out["linear_reverse"] = skill(task.own_linear, axes, goal, task.classes)
    return out


@dataclass(frozen=True)
class Model:
    """A fitted model.

    Attributes:
        scores: rows to (rows, 1) predictions, or (rows, classes seen) scores.
        seen: the classes' values, in the order of the scores; empty for regression.
    """

    scores: Callable[[Floats], Floats]
    seen: Floats


def trees(x: Floats, y: Floats, classes: int) -> Model | None:
    """Boosted trees; None where there is nothing to learn."""
    if _barren(x, y):
        return None
    if not classes:
        centre, scale = float(y.mean()), float(y.std()) + 1e-12
        fitted = boosted(x, (y - centre) / scale, 0, ROUNDS, 0)
        return Model(lambda new: (fitted.predict(new, num_threads=1) * scale + centre)[:, None], np.empty(0))
    seen, label = np.unique(y, return_inverse=True)
    fitted = boosted(x, label, len(seen), ROUNDS if len(seen) < 5 else ROUNDS // 2, 0)
    if len(seen) == 2:
        return Model(
            lambda new: fitted.predict(new, raw_score=True, num_threads=1)[:, None] * np.asarray([-1.0, 1.0]), seen
        )
    return Model(lambda new: fitted.predict(new, num_threads=1), seen)


def linear(x: Floats, y: Floats, classes: int) -> Model | None:
    """Ridge regression, on flags of the classes where there are any; None where there is nothing to learn."""
    if _barren(x, y):
        return None
    seen, label = np.unique(y, return_inverse=True) if classes else (np.empty(0), y)
    fitted = ridge(x, np.eye(len(seen))[label] if classes else y[:, None], 0.01)
    return Model(lambda new: predict(fitted, new), seen)


def _barren(x: Floats, y: Floats) -> bool:
    return len(x) < 10 or x.shape[1] == 0 or bool((y == y[0]).all())


def skill(model: Model | None, x: Floats, y: Floats, classes: int) -> float:
    """1 for a perfect model, 0 for one that knows nothing; at least -1."""
    if model is None or len(y) < 3:
        return 0.0
    made = model.scores(x)
    if not classes:
        spread = float(((y - y.mean()) ** 2).mean())
        return float(np.clip(1 - ((made[:, 0] - y) ** 2).mean() / spread, -1.0, 1.0)) if spread > 0 else 0.0
    areas, weights = [], []
    for value, count in zip(*np.unique(y, return_counts=True), strict=True):
        at = np.flatnonzero(model.seen == value)
        areas.append(auc(made[:, at[0]], y == value) if len(at) else 0.5)
        weights.append(count)
    return float(2 * np.average(areas, weights=weights) - 1)
