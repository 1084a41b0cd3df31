"""How does one sample depart from another, statistic by statistic and column by column?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.statistics import geometry, joint, marginal
from foretrain.collapse.statistics.side import Side
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


def measure(a: Side, ground: geometry.Reference, target: Target | None) -> Departures:
    """Statistics of `a` against the reference, grouped by what they are read of.

    `table` (50,); `numbers` (10, number columns); `codes` (5, category columns); `shape` (8, number columns): how far
    the quantiles at each depth lie outside the reference's, in its standard deviations; `pairs` (2, pairs of axes):
    difference and change of strength of each Fisher-z correlation; `target` (1, axes): change of the strength with
    which each axis is tied to the target; `axes` (16,): log ratio of variance along the reference's principal axes,
    from the largest to the smallest. A block without columns is empty.
    """
    b = ground.side
    found = marginal.measure(a, b) | joint.measure(a, b) | geometry.measure(a, ground)
    x, y = a.table, b.table
    numbers = marginal.numbers_by_column(x.numbers, y.numbers) if x.numbers.shape[1] else {}
    codes = marginal.codes_by_column(x.codes, y.codes, x.schema.levels)
    return {
        "table": np.asarray([found.get(name, 0.0) for name in TABLE]),
        "numbers": np.asarray([numbers[name] for name in NUMBERS]) if numbers else np.empty((len(NUMBERS), 0)),
        "codes": np.asarray([codes[name] for name in CODES]),
        "shape": _shape(x.numbers, y.numbers),
        "pairs": _pairs(a, b),
        "target": np.empty((1, 0)) if target is None else (_tied(a, target) - _tied(b, target))[None, :],
        "axes": _axes(a, b),
    }


def _shape(x: Floats, y: Floats) -> Floats:
    """(depths, columns)."""
    depths, out = np.asarray(DEPTHS), np.zeros((len(DEPTHS), x.shape[1]))
    held = ~(np.isnan(x).all(axis=0) | np.isnan(y).all(axis=0))
    if not held.any():
        return out
    x, y = x[:, held], y[:, held]
    scale = np.nanstd(y, axis=0)
    places = np.concatenate([depths, 1 - depths])
    (low_x, high_x), (low_y, high_y) = (np.split(np.nanquantile(side, places, axis=0), 2) for side in (x, y))
    out[:, held] = (high_x - high_y + low_y - low_x) / np.where(scale > 0, scale, 1.0)
    return out


def _pairs(a: Side, b: Side) -> Floats:
    """(2, pairs)."""
    za, zb = (_fisher(side.points[:, :_MOST_AXES]) for side in (a, b))
    return np.stack([za - zb, np.abs(za) - np.abs(zb)])


def _fisher(points: Floats) -> Floats:
    if points.shape[1] < 2:
        return np.empty(0)
    centred = points - points.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    unit = centred / np.where(spread > 0, spread, 1.0)
    upper = np.triu_indices(points.shape[1], 1)
    return np.asarray(np.arctanh(np.clip((unit.T @ unit)[upper], -_CLIP, _CLIP)), dtype=np.float64)


def _tied(side: Side, target: Target) -> Floats:
    """Strength of the tie between each axis and the target, 0 to about 1; (axes,)."""
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


def _axes(a: Side, b: Side) -> Floats:
    """(16,)."""
    scale = b.points.std(axis=0)
    live = scale > 1e-9
    if not live.any():
        return np.zeros(AXES)
    x, y = a.points[:, live] / scale[live], b.points[:, live] / scale[live]
    covariance_x, covariance_y = (np.atleast_2d(np.cov(m, rowvar=False)) for m in (x, y))
    value, axes = np.linalg.eigh(covariance_y)
    along = np.einsum("ij,ik,kj->j", axes, covariance_x, axes)
    ridge = 1e-3 * value.mean()
    ratio = np.log((np.clip(along, 0, None) + ridge) / (np.clip(value, 0, None) + ridge))[::-1]
    places = np.interp(np.linspace(0, 1, AXES), np.linspace(0, 1, len(ratio)), ratio)
    return np.asarray(places, dtype=np.float64)
