"""How much will a fix bring, before it is tried?

A regression from the findings, the fix and its strength to points of score. The prior is one decision tree, grown on
fixes of candidates that were made for it (`rebuild`), and ships with this version; a tree, so that people can read why
something is tried first. Once the user's history is long enough, a forest learns from it, and takes over if it is
nearer to gains that it has not seen than the prior is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, Protocol

import numpy as np

from foretrain.collapse.forest import Forest
from foretrain.collapse.judging import more_repeats
from foretrain.collapse.table import Floats
from foretrain.errors import InternalError
from foretrain.recommendations.fixes import FIXES, Findings, Fix
from foretrain.record import NotRun

Numbers = Mapping[str, float]

FEWEST, FEWEST_RUNS = 200, 20
"""Gains, and runs they are of, from which a history is learned from."""

LEAVES, FEWEST_ROWS_A_LEAF = 16, 15
"""Of the prior's tree: as many as people will read."""

TITLES = {
    "probability": "P(collapse)",
    "damage": "damage",
    "repeats": "repeated rows beyond the original's",
    "flagged": "flagged rows",
    "lost": "rows of the original with lost values",
    "distance": "largest distance of a column beyond a fresh sample's",
    "narrow": "narrowest column, width over the original's",
    "weaker": "most that a correlation is weaker by",
    "rows": "rows, as a power of ten",
    "strength": "strength",
}


def situation(found: Findings) -> dict[str, float]:
    """The findings as numbers."""
    collapse, rows = found.collapse, found.localization
    values = () if isinstance(found.diversity, NotRun) else found.diversity.rare_values
    known = collapse.correlations
    weaker = 0.0
    if known is not None:
        real, made = (np.abs(np.nan_to_num(np.asarray(side))) for side in (known.original, known.candidate))
        weaker = float((real - made).max(initial=0.0))
    return {
        "probability": collapse.probability_of_collapse,
        "damage": collapse.severity.damage,
        "repeats": max(0.0, more_repeats(found.candidate, found.original)),
        "flagged": 0.0 if isinstance(rows, NotRun) else rows.flagged / max(rows.rows, 1),
        "lost": float(sum(v.original for v in values if v.kind == "lost" and len(v.columns) == 1)),
        "distance": max((c.distance - c.fresh_distance for c in collapse.columns), default=0.0),
        "narrow": min((c.tail_ratio for c in collapse.columns if c.tail_ratio is not None), default=1.0),
        "weaker": weaker,
        "rows": float(np.log10(max(found.candidate.rows, 1))),
    }


def row(situation: Numbers, fixes: Sequence[Fix]) -> dict[str, float]:
    """What a gain is expected from: the situation, which fixes, and how strong they are."""
    names = {fix.name for fix in fixes}
    return (
        dict(situation)
        | {name: float(name in names) for name in FIXES}
        | {"strength": float(sum(fix.strength for fix in fixes))}
    )


class Predictor(Protocol):
    """Points of score that rows of numbers lead to expect."""

    name: Literal["prior", "history"]

    def predict(self, rows: Sequence[Numbers]) -> Floats: ...


@dataclass(frozen=True)
class Prior:
    """The decision tree that ships.

    Attributes:
        names: the numbers it asks for, in order.
        tree: of one root.
        error: mean absolute error in points, on datasets it was not grown on.
        spread: the same for always expecting the mean.
        gains: how many it was grown on.
    """

    names: tuple[str, ...]
    tree: Forest
    error: float
    spread: float
    gains: int
    name: Literal["prior"] = "prior"

    def predict(self, rows: Sequence[Numbers]) -> Floats:
        return self.tree.predict(matrix(rows, self.names))

    def path(self, numbers: Numbers) -> tuple[str, ...]:
        """The questions that lead to what it expects, with their answers."""
        found, node = [], int(self.tree.roots[0])
        while (asked := int(self.tree.feature[node])) >= 0:
            name, limit = self.names[asked], float(self.tree.threshold[node])
            value = numbers.get(name, 0.0)
            left = np.float32(value) <= self.tree.threshold[node]
            found.append(_said(name, value, limit, left=bool(left)))
            node = int(self.tree.left[node] if left else self.tree.right[node])
        return tuple(dict.fromkeys(found))


def _said(name: str, value: float, limit: float, *, left: bool) -> str:
    if name in FIXES:
        return f"it is {'not ' if left else ''}{name}"
    return f"{TITLES[name]} {value:.3g}, {'at most' if left else 'above'} {limit:.3g}"


def matrix(rows: Sequence[Numbers], names: Sequence[str]) -> Floats:
    """(rows, names), 0 where a row lacks one."""
    return np.asarray([[row.get(name, 0.0) for name in names] for row in rows], dtype=np.float64).reshape(
        -1, len(names)
    )


@cache
def prior() -> Prior:
    """The prior that ships with this version.

    Raises:
        InternalError: it is missing or damaged.
    """
    path = files("foretrain.recommendations") / "fitted" / "prior.json"
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        arrays = {f"tree.{name}": np.asarray(values) for name, values in about["tree"].items()}
        return Prior(
            tuple(about["names"]), Forest.restore(arrays, "tree"), about["error"], about["spread"], about["gains"]
        )
    except (OSError, KeyError, ValueError) as error:
        raise InternalError(f"the prior of gains cannot be read: {error}", file=str(path)) from error


@dataclass(frozen=True)
class Learned:
    """A forest that learned from the user's history.

    Attributes:
        error: mean absolute error in points, on runs it was not fitted on; `prior_error` is the prior's on the same.
    """

    names: tuple[str, ...]
    forest: Forest
    error: float
    prior_error: float
    name: Literal["history"] = "history"

    def predict(self, rows: Sequence[Numbers]) -> Floats:
        return self.forest.predict(matrix(rows, self.names))


def learned(rows: Sequence[Numbers], gains: Floats, runs: Sequence[str], known: Prior) -> Learned | None:
    """A forest of the history, scored on runs that it has not seen; None where the history is thin.

    Args:
        rows: what each gain was expected from.
        gains: points of score, measured or reported.
        runs: the run each is of.
        known: what it is compared with.
    """
    if len(rows) < FEWEST or len(set(runs)) < FEWEST_RUNS:
        return None
    from sklearn.ensemble import RandomForestRegressor
    from sklearn.model_selection import GroupKFold, cross_val_predict

    x = matrix(rows, known.names)
    forest = RandomForestRegressor(100, min_samples_leaf=5, random_state=0, n_jobs=1)
    unseen = cross_val_predict(forest, x, gains, groups=np.asarray(runs), cv=GroupKFold(5))
    return Learned(
        known.names,
        Forest.of(forest.fit(x, gains)),
        float(np.abs(unseen - gains).mean()),
        float(np.abs(known.predict(rows) - gains).mean()),
    )
