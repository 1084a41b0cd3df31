"""How does one sample depart from another, statistic by statistic and column by column?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.statistics import geometry, joint, marginal
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.statistics.summary import Columns
from foretrain.collapse.table import Floats, Target

TABLE = (
    *("ks_mean", "ks_max", "w1_mean", "w1_max", "variance_mean", "variance_least", "variance_change", "tail_mean"),
    *("tail_least", "inner_mean", "range_lost", "range_beyond", "shift", "distinct", "distinct_change", "skew"),
    *("nulls", "tvd_mean", "tvd_max", "levels_lost", "levels_invented", "entropy_mean", "entropy_least", "modal"),
    *("code_nulls", "correlation_rms", "correlation_max", "correlation_strength", "correlation_slope", "axes_mean"),
    *("axes_least", "axes_change", "axes_small", "axes_large", "rank", "log_determinant", "variance_total"),
    *("precision", "recall", "density", "coverage", "self_distance", "self_distance_low", "cross_distance"),
    *("missed_distance", "near_duplicates", "crowding", "energy", "spread", "neighbour_test"),
)
"""Statistics of the table as a whole, as the collapse stage has them; those that train models are left to it."""

NUMBERS = ("ks", "w1", "variance", "tail", "inner", "lost", "beyond", "shift", "distinct", "skew")
"""Statistics of a number column."""

CODES = ("tvd", "lost", "invented", "entropy", "modal")
"""Statistics of a category column."""

DEPTHS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
"""Distances from either end of a column's distribution, as shares, at which its quantiles are compared."""

AXES = 16
"""Places along the spectrum of the original's principal axes."""

_MOST_AXES = 64
"""Axes whose pairs are compared: their number grows with the square."""

_MOST_LEVELS = 12
_CLIP = 0.995

Departures = dict[str, Floats]
"""By block; (statistics,) or (statistics, columns)."""


class Reference:
    """What is known of a reference by itself, found once for all sides that are compared with it.

    Args:
        side: the reference.
        target: the column whose ties are compared; None for none.
    """

    def __init__(self, side: Side, target: Target | None) -> None:
        self.side, self.target = side, target
        self.cloud = geometry.Reference(side)
        self.depths = _depths(side.columns)
        spread = np.sqrt(side.columns.variance)
        self.spread = np.where(spread > 0, spread, 1.0)
        self.ties = _fisher(side.points[:, :_MOST_AXES])
        self.tied = _tied(side, target)
        scale = side.points.std(axis=0)
        self.live = scale > 1e-9
        self.scale = scale[self.live]
        if self.live.any():
            self.variance, self.axes = np.linalg.eigh(self.covariance(side))

    def covariance(self, side: Side) -> Floats:
        """Of the axes along which the reference varies, in its standard deviations."""
        return np.atleast_2d(np.cov(side.points[:, self.live] / self.scale, rowvar=False))


def measure(a: Side, ground: Reference) -> Departures:
    """Statistics of `a` against the reference, grouped by what they are read of.

    `table` (50,); `numbers` (10, number columns); `codes` (5, category columns); `shape` (8, number columns): how far
    the quantiles at each depth lie outside the reference's, in its standard deviations; `pairs` (2, pairs of axes):
    difference and change of strength of each Fisher-z correlation; `target` (1, axes): change of the strength with
    which each axis is tied to the target; `axes` (16,): log ratio of variance along the reference's principal axes,
    from the largest to the smallest. A block without columns is empty.
    """
    b = ground.side
    numbers, codes = marginal.by_column(a, b)
    found = marginal.overall(numbers, codes) | joint.measure(a, b) | geometry.measure(a, ground.cloud)
    return {
        "table": np.asarray([found.get(name, 0.0) for name in TABLE]),
        "numbers": _block(numbers, NUMBERS),
        "codes": _block(codes, CODES),
        "shape": _shape(a, ground),
        "pairs": _pairs(a, ground),
        "target": (_tied(a, ground.target) - ground.tied)[None, :],
        "axes": _axes(a, ground),
    }


def _block(found: marginal.ByColumn, names: tuple[str, ...]) -> Floats:
    """(statistics, columns)."""
    return np.asarray([found[name] for name in names]) if found else np.empty((len(names), 0))


def _shape(a: Side, ground: Reference) -> Floats:
    """(depths, columns); 0 for a column that is null on one side."""
    (low_x, high_x), (low_y, high_y) = (np.split(each, 2) for each in (_depths(a.columns), ground.depths))
    return np.nan_to_num((high_x - high_y + low_y - low_x) / ground.spread)


def _depths(columns: Columns) -> Floats:
    """Quantiles at each depth from the lower end, then from the upper, (2 depths, columns); NaN where all is null."""
    depths = np.asarray(DEPTHS)
    place = np.concatenate([depths, 1 - depths])[:, None] * (columns.count - 1)
    low = np.floor(place).astype(np.intp)
    below, above = (np.take_along_axis(columns.ordered, at, axis=0) for at in (low, np.ceil(place).astype(np.intp)))
    part, step = place - low, above - below
    return np.where(part < 0.5, below + step * part, above - step * (1 - part))  # as exact at either end


def _pairs(a: Side, ground: Reference) -> Floats:
    """(2, pairs)."""
    za, zb = _fisher(a.points[:, :_MOST_AXES]), ground.ties
    return np.stack([za - zb, np.abs(za) - np.abs(zb)])


def _fisher(points: Floats) -> Floats:
    if points.shape[1] < 2:
        return np.empty(0)
    centred = points - points.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(spread > 0, spread, 1.0)
    upper = np.triu_indices(points.shape[1], 1)
    return np.asarray(np.arctanh(np.clip((unit.T @ unit)[upper], -_CLIP, _CLIP)), dtype=np.float64)


def _tied(side: Side, target: Target | None) -> Floats:
    """Strength of the tie between each axis and the target, 0 to about 1; (axes,), none without a target."""
    if target is None:
        return np.empty(0)
    if target.task == "regression":
        goal = np.nan_to_num(side.table.numbers[:, [target.position]])
    else:
        code = side.table.codes[:, target.position]
        most = min(_MOST_LEVELS, side.table.schema.levels[target.position])
        goal = (code[:, None] == np.arange(most)).astype(np.float64)
    x, y = side.points - side.points.mean(axis=0), goal - goal.mean(axis=0)
    size_x, size_y = (np.sqrt((m**2).sum(axis=0)) for m in (x, y))
    tie = (x / np.where(size_x > 0, size_x, 1.0)).T @ (y / np.where(size_y > 0, size_y, 1.0))
    return np.asarray(np.sqrt((tie**2).mean(axis=1)), dtype=np.float64)


def _axes(a: Side, ground: Reference) -> Floats:
    """(16,)."""
    if not ground.live.any():
        return np.zeros(AXES)
    along = np.einsum("ij,ik,kj->j", ground.axes, ground.covariance(a), ground.axes)
    ridge = 1e-3 * ground.variance.mean()
    ratio = np.log((np.clip(along, 0, None) + ridge) / (np.clip(ground.variance, 0, None) + ridge))[::-1]
    places = np.interp(np.linspace(0, 1, AXES), np.linspace(0, 1, len(ratio)), ratio)
    return np.asarray(places, dtype=np.float64)
