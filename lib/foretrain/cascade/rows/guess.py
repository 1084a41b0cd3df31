"""How wrong is the best guess that looks at no input?

The same losses as `foretrain.cascade.losses.losses`, of a constant that is fitted on rows to learn from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.cascade.problem import BYTES, Problem, Rows, length
from foretrain.collapse.table import Floats


def guess(problem: Problem, train: Rows, held_out: Rows) -> float:
    """Mean loss on held-out rows: of class or byte frequencies (each counted once more), or of the mean.

    Args:
        problem: what is learned.
        train: rows that the constant is fitted on.
        held_out: rows that it is judged on.
    """
    match problem.goal:
        case "classification":
            return float(surprise(train["goal"], problem.classes)[held_out["goal"]].mean())
        case "regression":
            return float(((held_out["goal"] - train["goal"].astype(np.float64).mean()) ** 2).mean())
        case "masked columns":
            return _masked(problem, train, held_out)
        case "next byte":
            costs = surprise(ends(train["tokens"]), BYTES)
            return float(per_text(costs[held_out["tokens"]], costs[0], held_out["tokens"]).mean())
        case "masked pixels":
            wrong = (held_out["pixels"] - train["pixels"].mean(axis=0, dtype=np.float64)) ** 2
            asked = np.broadcast_to(held_out["hidden"][:, None], wrong.shape)
            return float(((wrong * asked).sum(axis=(1, 2, 3)) / asked.sum(axis=(1, 2, 3))).mean())


def surprise(labels: npt.NDArray[Any], classes: int) -> Floats:
    """Nats each class costs by its frequency, each counted once more: (classes,)."""
    count = np.bincount(labels.astype(np.intp), minlength=classes) + 1.0
    return np.asarray(-np.log(count / count.sum()), np.float64)


def ends(tokens: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """All tokens that a model of these texts is asked for, each text's end among them, one after the other."""
    return np.concatenate([tokens[tokens > 0].astype(np.intp), np.zeros(len(tokens), np.intp)])


def per_text(costs: Floats, end: float | Floats, tokens: npt.NDArray[Any]) -> Floats:
    """Mean cost of a text's bytes and its end, (rows,).

    Args:
        costs: (rows, t) of each byte; what lies beyond the end is not read.
        end: cost of each text's end.
        tokens: (rows, t).
    """
    known = tokens > 0
    return np.asarray(((costs * known).sum(axis=1) + end) / (known.sum(axis=1) + 1), np.float64)


def _masked(problem: Problem, train: Rows, held_out: Rows) -> float:
    p, masked = problem.numbers, held_out["masked"]
    known = train["nulls"] == 0
    mean = (train["numbers"] * known).sum(axis=0, dtype=np.float64) / np.maximum(known.sum(axis=0), 1)
    parts = [0.5 * (held_out["numbers"] - mean) ** 2 * (held_out["nulls"] == 0)]
    parts += [surprise(train["codes"][:, j], k + 1)[held_out["codes"][:, [j]]] for j, k in enumerate(problem.levels)]
    asked = np.hstack([masked[:, :p] * (held_out["nulls"] == 0), masked[:, p:]])
    wrong = np.hstack(parts) * asked
    return float((wrong.sum(axis=1) / np.maximum(asked.sum(axis=1), 1.0)).mean()) if length(held_out) else 0.0
