"""What does a boosted tree model lose, the strongest small model of tables?"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.cascade.problem import Arm, Problem, Rows, length, take
from foretrain.cascade.record import Point
from foretrain.cascade.rows.guess import surprise
from foretrain.cascade.tiers.tier import Floats, Run, Trained
from foretrain.errors import ModelError
from foretrain.seeds import stream

Inputs = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]

GRID = ((4, 20), (8, 20), (16, 20), (16, 60), (32, 20), (32, 60))
"""Leaves a tree, and rows a leaf at least, that are tried."""

MOST_TREES = 2400
"""Trees a model at most: a round takes one a class."""

ROUNDS = 800
TUNED_ON = 2500
"""Rows that the grid is tried on, at most."""

PATIENCE = 25
"""Rounds without a gain, after which it stops."""

LEAST_GAIN = 1e-3
"""Nats, or squared deviations."""

POINTS = 25
"""Of a learning curve, at most."""

UNSEEN = 1e-3
"""Share of every prediction that is spread over all classes: one that was never seen costs a finite amount."""

WIDE = 256
"""Pixels read at most; larger images are read as means of squares."""

WINDOW = 3
"""A hidden pixel is told from those so far away at most."""

_LEAST_ROWS = 20


@dataclass(frozen=True)
class Task:
    """One column that is told from others.

    Attributes:
        name: of the rows' array.
        place: of the column in it; all of it where None.
        classes: 0 for a number.
        inputs: columns of the features that are read.
        weight: of its loss: half a squared error is a number's among masked columns.
    """

    name: str
    place: tuple[int, ...]
    classes: int
    inputs: npt.NDArray[np.intp]
    weight: float = 1.0

    def goal(self, rows: Rows) -> Floats:
        """(rows,), NaN where it is not known."""
        at: Any = (slice(None), *self.place)
        values: Floats = rows[self.name][at].astype(np.float64)
        return np.where(rows["nulls"][at] > 0, np.nan, values) if self.name == "numbers" else values


@dataclass(frozen=True)
class Boosted:
    """A model of one task.

    Attributes:
        booster: None where there was nothing to learn: a constant then.
        seen: (classes seen,) what the booster's outputs stand for.
        constant: mean, or (classes,) nats by frequency.
        leaves: of the trees kept.
        curve: (rounds, 2) losses on the rows learned from and on those held back.
        settled: whether it stopped before the last round.
    """

    task: Task
    booster: Any
    seen: Ints
    constant: Floats
    leaves: int
    curve: Floats
    settled: bool

    def losses(self, features: Inputs, goal: Floats) -> tuple[Floats, Floats | None]:
        """Loss of each row, (rows,), NaN where the goal is not known; 1 where the likeliest class is the true one."""
        if not self.task.classes:
            guess = self.constant if self.booster is None else self._predict(features)
            return self.task.weight * (goal - guess) ** 2, None
        if self.booster is None:
            likely = np.broadcast_to(np.exp(-self.constant), (len(goal), self.task.classes))
        else:
            likely = np.zeros((len(goal), self.task.classes))
            out = self._predict(features)
            likely[:, self.seen] = np.column_stack([1.0 - out, out]) if out.ndim == 1 else out
        likely = (1.0 - UNSEEN) * likely + UNSEEN / self.task.classes
        label = goal.astype(np.intp)
        right = (likely.argmax(axis=1) == label).astype(np.float64)
        return self.task.weight * -np.log(likely[np.arange(len(label)), label]), right

    def _predict(self, features: Inputs) -> Floats:
        return np.asarray(self.booster.predict(features[:, self.task.inputs], num_threads=1), np.float64)


@dataclass(frozen=True)
class BoostedTrees:
    """LightGBM, its size tuned on the first arm, its rounds by each arm's own rows held back.

    For masked columns and pixels, a model each.

    References:
        Ke et al. (2017), LightGBM: A highly efficient gradient boosting decision tree. NeurIPS.
    """

    name: str = "trees"

    def describe(self, problem: Problem) -> str:
        """The architecture for people."""
        each = {"masked columns": ", a model a column", "masked pixels": ", a model a pixel"}.get(problem.goal, "")
        return f"boosted trees (LightGBM){each}"

    def tune(self, problem: Problem, arm: Arm, seed: int) -> dict[str, int]:
        """Leaves a tree and rows a leaf, by the loss on the first arm's rows that were held back."""
        some = take(arm.train, stream(seed, "cascade", "tune").permutation(length(arm.train))[:TUNED_ON])
        tasks = list(_tasks(problem, _tied(problem, arm.train)))[:2]
        x, vx = _features(problem, some), _features(problem, arm.validation)
        losses = []
        grid = [{"leaves": leaves, "least": least} for leaves, least in GRID]
        for tuned in grid:
            wrong = 0.0
            for task in tasks:
                model = _boost(
                    task,
                    x,
                    task.goal(some),
                    vx,
                    task.goal(arm.validation),
                    problem,
                    tuned,
                    seed,
                    hurry=3 if task.classes <= 2 else 6,
                )
                wrong += float(np.nanmean(model.losses(vx, task.goal(arm.validation))[0]))
            losses.append(wrong)
        return grid[int(np.argmin(losses))]

    def fit(self, problem: Problem, run: Run, arm: Arm, held_out: Rows, tuned: object, seed: int) -> Trained:
        """One model. It ends "failed" where the arm's goal does not vary."""
        assert isinstance(tuned, Mapping)
        start = time.perf_counter()
        if problem.goal in ("classification", "regression") and len(np.unique(arm.train["goal"])) < 2:
            reason = "all rows are of one class" if problem.classes else "the target does not vary"
            return Trained(run, None, None, "failed", reason, 0, 0.0, (), 0)
        tasks = list(_tasks(problem, _asked(problem, held_out)))
        x, vx, hx = (_features(problem, rows) for rows in (arm.train, arm.validation, held_out))
        try:
            models = [
                _boost(t, x, t.goal(arm.train), vx, t.goal(arm.validation), problem, tuned, seed, many=len(tasks))
                for t in tasks
            ]
        except ModelError as error:
            return Trained(run, None, None, "failed", str(error), 0, time.perf_counter() - start, (), 0)
        found = [model.losses(hx, model.task.goal(held_out)) for model in models]
        seconds = time.perf_counter() - start
        curve = _curve([model.curve for model in models], seconds)
        settled = all(model.settled for model in models)
        return Trained(
            run=run,
            loss=_loss(problem, held_out, tasks, [loss for loss, _ in found]),
            right=found[0][1] if problem.goal == "classification" else None,
            ending="converged" if settled else "ran out of steps",
            reason=None if settled else "it was still getting better at the last round",
            steps=max(len(model.curve) for model in models),
            seconds=seconds,
            curve=curve,
            parameters=sum(model.leaves for model in models),
        )


TREES = BoostedTrees()


def _features(problem: Problem, rows: Rows) -> Inputs:
    """(rows, features), what is missing or unseen NaN."""
    if problem.data == "table":
        numbers = np.where(rows["nulls"] > 0, np.nan, rows["numbers"])
        codes = np.where(rows["codes"] > 0, rows["codes"], np.nan)
        return np.hstack([numbers, codes]).astype(np.float32)
    images = rows["pixels"]
    if problem.goal != "masked pixels":
        images = _smaller(images)
    return images.reshape(len(images), -1).astype(np.float32)


def _smaller(images: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Means of squares of pixels, so that not more than `WIDE` are read."""
    k, h, w = images.shape[1:]
    step = int(np.ceil(np.sqrt(k * h * w / WIDE)))
    if step == 1:
        return images
    edges = np.arange(0, h, step), np.arange(0, w, step)
    size = np.diff(edges[0], append=h)[:, None] * np.diff(edges[1], append=w)
    return np.asarray(np.add.reduceat(np.add.reduceat(images, edges[0], axis=2), edges[1], axis=3) / size)


def _tasks(problem: Problem, asked: npt.NDArray[np.intp]) -> Iterator[Task]:
    """What is told from what; `asked` are the columns or pixels (by row and column) that are hidden."""
    p, every = problem.numbers, np.arange(problem.numbers + len(problem.levels))
    match problem.goal:
        case "masked columns":
            for j in asked:
                others = np.delete(every, j)
                if j < p:
                    yield Task("numbers", (int(j),), 0, others, 0.5)
                else:
                    yield Task("codes", (int(j) - p,), problem.levels[j - p] + 1, others)
        case "masked pixels":
            k, h, w = problem.shape
            known = np.ones((k, h, w), bool)
            known.reshape(k, -1)[:, asked] = False
            for place in asked:
                i, j = divmod(int(place), w)
                near = np.zeros_like(known)
                near[:, max(0, i - WINDOW) : i + WINDOW + 1, max(0, j - WINDOW) : j + WINDOW + 1] = True
                for channel in range(k):
                    yield Task("pixels", (channel, i, j), 0, np.flatnonzero(near & known))
        case _:
            width = (
                int(np.prod(_smaller(np.zeros((1, *problem.shape))).shape)) if problem.data == "image" else len(every)
            )
            yield Task("goal", (), problem.classes, np.arange(width))


def _asked(problem: Problem, held_out: Rows) -> npt.NDArray[np.intp]:
    """Columns or pixels that are hidden somewhere."""
    match problem.goal:
        case "masked columns":
            return np.flatnonzero(held_out["masked"].any(axis=0))
        case "masked pixels":
            return np.flatnonzero(held_out["hidden"].any(axis=0))
        case _:
            return np.empty(0, np.intp)


def _tied(problem: Problem, rows: Rows) -> npt.NDArray[np.intp]:
    """Two columns that are tied to others, or pixels that vary, to tune on before it is known which are hidden."""
    match problem.goal:
        case "masked columns":
            filled = np.nan_to_num(_features(problem, rows).astype(np.float64))
            if filled.shape[1] < 2:
                return np.arange(1)
            live = filled.std(axis=0) > 0
            ties = np.zeros((filled.shape[1],) * 2)
            ties[np.ix_(live, live)] = np.abs(np.corrcoef(filled[:, live], rowvar=False)) if live.any() else 0.0
            np.fill_diagonal(ties, 0.0)
            return np.argsort(-ties.max(axis=1), kind="stable")[:2]
        case "masked pixels":
            return np.argsort(-rows["pixels"].var(axis=0).sum(axis=0), axis=None, kind="stable")[:2]
        case _:
            return np.empty(0, np.intp)


def _boost(
    task: Task,
    x: Inputs,
    y: Floats,
    vx: Inputs,
    vy: Floats,
    problem: Problem,
    tuned: Mapping[str, int],
    seed: int,
    *,
    many: int = 1,
    hurry: int = 1,
) -> Boosted:
    """A model of one task, with as many rounds as the rows held back want.

    Args:
        task: what is told from what.
        x: (rows, features) to learn from.
        y: (rows,) the goal, NaN where it is not known.
        vx: the same of the rows held back.
        vy: the same of the rows held back.
        problem: which features are categories.
        tuned: leaves and least rows a leaf.
        seed: of the rows and columns that each tree reads.
        many: models that share the trees of one.
        hurry: divides rounds and patience.
    """
    import lightgbm as lgb

    known = np.isfinite(y)
    x, y = x[known], y[known]
    seen, label = np.unique(y, return_inverse=True) if task.classes else (np.empty(0), y)
    asked = np.isfinite(vy) & (np.isin(vy, seen) if task.classes else True)
    vx, vy = vx[asked], vy[asked]
    constant = surprise(y, task.classes) if task.classes else np.asarray(y.mean() if len(y) else 0.0)
    empty = np.empty((0, 2))
    varies = len(seen) > 1 if task.classes else len(y) > 0 and np.ptp(y) > 0
    if not varies or len(y) < _LEAST_ROWS or not len(vy) or not len(task.inputs):
        return Boosted(task, None, seen.astype(np.int64), constant, 1, empty, True)
    at_once = len(seen) if len(seen) > 2 else 1
    rounds = int(np.clip(MOST_TREES // (at_once * many), 40, ROUNDS)) // hurry
    names = {0: ("regression", "l2"), 2: ("binary", "binary_logloss")}
    objective, metric = names.get(len(seen), ("multiclass", "multi_logloss"))
    settings: dict[str, Any] = {
        "objective": objective,
        "metric": metric,
        "num_class": at_once,
        "learning_rate": float(np.clip(40 / rounds, 0.05, 0.3)),
        "num_leaves": tuned["leaves"],
        "min_data_in_leaf": min(tuned["least"], max(2, len(y) // 20)),
        "min_data_in_bin": 1,
        "max_bin": 127,
        "lambda_l2": 1.0,
        "cat_smooth": 5.0,
        "min_data_per_group": 20,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": float(np.clip(16 / len(task.inputs), 0.2, 0.8)) if len(task.inputs) > 4 else 1.0,
        "feature_pre_filter": False,
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
        "force_col_wise": True,
        "verbosity": -1,
    }
    columns = problem.numbers + np.flatnonzero(np.asarray(problem.levels) > 2) if problem.levels else np.empty(0)
    categories = np.flatnonzero(np.isin(task.inputs, columns)).tolist() if problem.data == "table" else []
    learned = lgb.Dataset(x[:, task.inputs], label, categorical_feature=categories, params=settings)
    judged = lgb.Dataset(
        vx[:, task.inputs], np.searchsorted(seen, vy) if task.classes else vy, reference=learned, params=settings
    )
    curves: dict[str, dict[str, list[float]]] = {}
    booster = lgb.train(
        settings,
        learned,
        rounds,
        valid_sets=[learned, judged],
        valid_names=["learned", "judged"],
        callbacks=[
            lgb.early_stopping(max(5, PATIENCE // hurry), verbose=False, min_delta=LEAST_GAIN),
            lgb.record_evaluation(curves),
        ],
    )
    curve = task.weight * np.column_stack([curves[name][metric] for name in ("learned", "judged")])
    leaves = sum(tree["num_leaves"] for tree in booster.dump_model(num_iteration=booster.best_iteration)["tree_info"])
    return Boosted(task, booster, seen.astype(np.int64), constant, leaves, curve, len(curve) < rounds)


def _loss(problem: Problem, held_out: Rows, tasks: list[Task], found: list[Floats]) -> Floats:
    """Mean over what is asked of a row, as `foretrain.cascade.losses.losses` has it."""
    if problem.goal != "masked columns":
        return np.asarray(np.mean(found, axis=0), np.float64)
    wrong, asked = np.zeros(length(held_out)), np.zeros(length(held_out))
    for task, loss in zip(tasks, found, strict=True):
        column = task.place[0] + (problem.numbers if task.name == "codes" else 0)
        hidden = (held_out["masked"][:, column] > 0) & np.isfinite(loss)
        wrong[hidden] += loss[hidden]
        asked += hidden
    return wrong / np.maximum(asked, 1)


def _curve(curves: list[Floats], seconds: float) -> tuple[Point, ...]:
    """The models' mean losses, each that has stopped held at its last."""
    rounds = max(len(curve) for curve in curves)
    if not rounds:
        return ()
    whole = np.mean([np.pad(c, ((0, rounds - len(c)), (0, 0)), mode="edge") for c in curves if len(c)], axis=0)
    ends = np.unique(np.rint(np.linspace(1, rounds, POINTS)).astype(int))
    starts = np.concatenate([[0], ends[:-1]])
    return tuple(
        Point(
            step=int(end),
            seconds=seconds * end / rounds,
            train=float(whole[start:end, 0].mean()),
            validation=float(whole[end - 1, 1]),
        )
        for start, end in zip(starts, ends, strict=True)
    )
