"""In what unit are models judged for people, beside their loss?"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from foretrain.cascade.record import Goal
from foretrain.cascade.tiers.tier import Trained

Floats = npt.NDArray[np.float64]

METRICS: Mapping[Goal, str] = {
    "classification": "accuracy",
    "regression": "R squared",
    "masked columns": "nats saved a cell",
    "next byte": "bits saved a byte",
    "masked pixels": "R squared",
}
"""By goal, higher is better; all but accuracy compare with the best constant guess, which is 0."""


def metric(goal: Goal, model: Trained, guess: float) -> Floats | None:
    """Each held-out row's part of the metric, which is their mean; None for a model that did not end well.

    Args:
        goal: what was learned.
        model: how it ended.
        guess: mean loss of the best constant guess on the same rows.
    """
    if model.loss is None:
        return None
    match goal:
        case "classification":
            return model.right
        case "regression" | "masked pixels":
            return 1.0 - np.asarray(model.loss / guess)
        case "masked columns":
            return guess - model.loss
        case "next byte":
            return np.asarray((guess - model.loss) / np.log(2))
