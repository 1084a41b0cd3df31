"""How is the calibration fitted on labelled pairs, and how wrong is it on tables it has not seen?"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
import pandas as pd

from foretrain.collapse.calibration import Calibration, Curves
from foretrain.collapse.dimensions.scale import CERTAIN
from foretrain.collapse.forest import Forest
from foretrain.collapse.loops import real
from foretrain.collapse.record import ErrorRates
from foretrain.collapse.statistics.models import auc
from foretrain.collapse.table import Floats
from foretrain.collapse.verdict import MOST_GENERATIONS

TREES = 200
LEAF = 3
FEATURES = 0.3
FOLDS = 5
GROUPS = 10
"""Points of a statistic's curve of loss."""

SMALL = (80,)
"""Rows up to which tables have a least probability of rejection of their own."""

FALSE_ALARMS = 0.05
"""Share of healthy tables of such a size that may be rejected."""

COMMAND = "python -m foretrain.collapse.loops.rebuild"

PREFIXES = ("z_", "t_", "d_", "r_", "w_", "e_", "h_", "g_")


@dataclass(frozen=True)
class Held:
    """What forests that saw no row of a pair's source say of it.

    Attributes:
        vote: (pairs,) share of trees that say collapsed.
        damage: (pairs,) expected damage.
    """

    vote: Floats
    damage: Floats


class Fit:
    """Fits calibrations on labelled pairs.

    Args:
        pairs: a row a pair and number of repeats: source, mechanism, strength, rows, label (1, 0 or NaN), damage,
            repeats, and the features.
        seed: of the forests.
    """

    def __init__(self, pairs: pd.DataFrame, seed: int = 0) -> None:
        self.pairs, self.seed = pairs.reset_index(drop=True), seed
        self.names = tuple(sorted(c for c in pairs.columns if c.startswith(PREFIXES)))
        self.alone_names = tuple(sorted(c for c in pairs.columns if c.startswith("a_")))
        self.x = self.pairs[list(self.names)].fillna(0.0).to_numpy(np.float64)
        self.label = self.pairs["label"].to_numpy(np.float64)
        self.damage = self.pairs["damage"].to_numpy(np.float64)
        self.source = self.pairs["source"].to_numpy()
        self.repeats = self.pairs["repeats"].to_numpy()
        self.known = ~np.isnan(self.label)

    @cached_property
    def held(self) -> Held:
        """Each real table predicted without its own pairs, simulated ones in folds; the unlabelled pairs as well."""
        vote, harm = np.zeros(len(self.x)), np.zeros(len(self.x))
        simulated = [s for s in pd.unique(self.source) if s not in real.CALIBRATION]
        for fold in [(name,) for name in real.CALIBRATION] + [tuple(simulated[k::FOLDS]) for k in range(FOLDS)]:
            out = np.isin(self.source, fold)
            if out.any():
                collapse, damage = self.forests(fold)
                vote[out], harm[out] = collapse.predict(self.x[out]), damage.predict(self.x[out])
        return Held(vote, harm)

    @cache  # noqa: B019 - a fit lives as long as its forests are wanted
    def forests(self, without: tuple[str, ...] = ()) -> tuple[Forest, Forest]:
        """The two forests, of collapse and of damage, on all labelled pairs but those of some sources.

        References:
            Geurts, Ernst, Wehenkel (2006), Extremely randomized trees.
        """
        from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

        rows = self.known & ~np.isin(self.source, without)
        x, label, damage = (values[rows] for values in (self.x, self.label, self.damage))
        settings = {
            "n_estimators": TREES,
            "min_samples_leaf": LEAF,
            "max_features": FEATURES,
            "random_state": self.seed,
            "n_jobs": os.cpu_count(),
        }
        return (
            Forest.of(ExtraTreesClassifier(**settings).fit(x, label.astype(int))),
            Forest.of(ExtraTreesRegressor(**settings).fit(x, damage)),
        )

    def calibration(self, without: str | None = None) -> Calibration:
        """The calibration of all pairs, or of all but one source's."""
        known = (self.source != without) & self.known
        collapse, damage = self.forests((without,) if without else ())
        pairs = self.pairs[known]
        fitted = Calibration(
            version=f"1-{hashlib.sha256(self.x[known].tobytes() + self.damage[known].tobytes()).hexdigest()[:8]}",
            names=self.names,
            alone_names=tuple(name.removeprefix("a_") for name in self.alone_names),
            collapse=collapse,
            damage=damage,
            alone=self._alone(known),
            scales=self._scales(known),
            residual=_residual(self.held.damage[known], self.damage[known]),
            generations=_generations(self.pairs[self.source != without]),
            curves=_curves(pairs),
            caution=np.empty((0, 2)),
            error_rates=None,
        )
        fitted = replace(fitted, caution=self._caution(fitted, known))
        most = int(self.repeats.max())
        seen = known & np.isin(self.source, real.CALIBRATION) & (self.repeats == most)
        chances = fitted.probability(self.held.vote[seen], most)
        return replace(fitted, error_rates=error_rates(chances, self.label[seen], self.damage[seen]))

    def _scales(self, known: np.ndarray) -> dict[int, tuple[float, float]]:
        """Fewer repeats are noisier: each number of them has a scale of its own."""
        return {
            int(r): _platt(self.held.vote[part], self.label[part])
            for r in np.unique(self.repeats)
            if (part := known & (self.repeats == r)).any()
        }

    def _caution(self, fitted: Calibration, known: np.ndarray) -> Floats:
        """What few of the healthy small tables reach, held out: chance alone makes them differ."""
        points, below = [], 0
        rows = self.pairs["rows"].to_numpy()
        for size in SMALL:
            seen = known & (self.label == 0) & (rows > below) & (rows <= size)
            reached = [
                np.quantile(fitted.probability(self.held.vote[part], int(r)), 1 - FALSE_ALARMS)
                for r in np.unique(self.repeats)
                if (part := seen & (self.repeats == r)).sum() >= 1 / FALSE_ALARMS
            ]
            if reached:
                points.append((float(size), float(max(reached))))
            below = size
        table = np.asarray(points).reshape(-1, 2)
        table[:, 1] = np.maximum.accumulate(table[::-1, 1])[::-1]
        return table

    def _alone(self, rows: np.ndarray) -> Forest:
        """The forest for tables without an original; both classes weigh the same."""
        from sklearn.ensemble import ExtraTreesClassifier

        x = self.pairs.loc[rows, list(self.alone_names)].fillna(0.0).to_numpy(np.float64)
        return Forest.of(
            ExtraTreesClassifier(TREES // 3, min_samples_leaf=20, class_weight="balanced", random_state=self.seed).fit(
                x, self.label[rows].astype(int)
            )
        )


def error_rates(probability: Floats, label: Floats, damage: Floats, command: str = COMMAND) -> ErrorRates:
    """At a probability of one half."""
    said, true = probability >= 0.5, label > 0.5
    severity = {"mild": (0.0, 0.3), "medium": (0.3, 0.6), "severe": (0.6, 1.01)}
    return ErrorRates(
        pairs=len(label),
        auroc=auc(probability, true),
        accuracy=float((said == true).mean()),
        false_alarms=float(said[~true].mean()) if (~true).any() else 0.0,
        misses=float((~said[true]).mean()) if true.any() else 0.0,
        misses_by_severity={
            name: float((~said[part]).mean())
            for name, (low, high) in severity.items()
            if (part := true & (damage >= low) & (damage < high)).any()
        },
        command=command,
    )


def _platt(vote: Floats, label: Floats) -> tuple[float, float]:
    """Slope and offset of a logistic regression on the log odds of held-out votes.

    References:
        Platt (1999), Probabilistic outputs for support vector machines.
    """
    from sklearn.linear_model import LogisticRegression

    vote = np.clip(vote, 1e-3, 1 - 1e-3)
    model = LogisticRegression(C=1e3).fit(np.log(vote / (1 - vote))[:, None], label > 0.5)
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def _residual(made: Floats, true: Floats) -> Floats:
    """Where the true damage lies, 5th to 95th percentile, by predicted damage (12 groups of equal size above zero)."""
    order = np.argsort(made, kind="stable")
    rows = [(float(made[g].mean()), *np.quantile(true[g], [0.05, 0.95])) for g in np.array_split(order, 12)]
    table = np.asarray(rows)
    return np.vstack([[0.0, 0.0, table[0, 2]], table, [1.0, max(table[-1, 1], 0.0), 1.0]])


def _generations(pairs: pd.DataFrame) -> Floats:
    """Median damage after 1, 2, 3, 5, 10, 20 generations of all unbiased loops, harmful or not, made to rise."""
    loops = pairs[pairs["mechanism"].str.startswith("loop_") & ~pairs["mechanism"].str.endswith("_biased")]
    points = [(0.0, 0.0)]
    for low, high in ((1, 1), (2, 2), (3, 3), (4, 6), (7, 12), (13, 20)):
        part = loops[(loops["strength"] >= low) & (loops["strength"] <= high)]
        if len(part) >= 5:
            points.append((float(part["strength"].median()), float(part["damage"].median())))
    table = np.asarray(points)
    table[:, 1] = np.maximum.accumulate(table[:, 1])
    keep = np.concatenate(([True], np.diff(table[:, 1]) > 1e-3))
    table = table[keep]
    return np.vstack([table, [MOST_GENERATIONS, 1.0]]) if table[-1, 1] < 1 else table


def _curves(known: pd.DataFrame) -> Curves:
    """By statistic, the loss that goes with a departure: (departure, loss) points, both rising.

    The loss is the mean damage of calibration tables that depart so far, less the mean of those that do not depart
    beyond noise, as a share of what is left above it; isotonic, from groups of equal size.
    """
    from sklearn.isotonic import IsotonicRegression

    damage = known["damage"].to_numpy()
    curves: Curves = {}
    for name in (c[2:] for c in known.columns if c.startswith("d_")):
        gap = np.abs(known[f"d_{name}"].fillna(0.0).to_numpy())
        beyond = (np.abs(known[f"z_{name}"].fillna(0.0).to_numpy()) > np.log1p(CERTAIN)) & (gap > 0)
        if beyond.sum() < 5 * GROUPS:
            continue
        base = float(damage[~beyond].mean())
        order = np.flatnonzero(beyond)[np.argsort(gap[beyond], kind="stable")]
        groups = np.array_split(order, GROUPS)
        x = np.asarray([gap[g].mean() for g in groups])
        loss = np.clip((np.asarray([damage[g].mean() for g in groups]) - base) / (1 - base), 0, 1)
        rising = IsotonicRegression(y_min=0, y_max=1).fit_transform(x, loss)
        curves[name] = np.vstack([[0.0, 0.0], np.column_stack([x, rising])])
    return curves
