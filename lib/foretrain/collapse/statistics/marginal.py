"""How do single columns differ?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foretrain.collapse.statistics.side import Side
from foretrain.collapse.statistics.summary import Columns
from foretrain.collapse.table import Floats, Ints

ByColumn = dict[str, Floats]


def measure(a: Side, b: Side) -> dict[str, float]:
    """Statistics of side `a` against the reference `b`, each one number over all columns."""
    return overall(*by_column(a, b))


def by_column(a: Side, b: Side) -> tuple[ByColumn, ByColumn]:
    """Statistics of each number column and of each category column, (columns,) each; none where there is no column."""
    x, y = a.table, b.table
    numbers = numbers_by_column(a.columns, b.columns) if x.numbers.shape[1] else {}
    return numbers, codes_by_column(x.codes, y.codes, x.schema.levels) if x.codes.shape[1] else {}


def overall(numbers: ByColumn, codes: ByColumn) -> dict[str, float]:
    """The statistics of `by_column` over all columns."""
    return (_numbers(numbers) if numbers else {}) | (_codes(codes) if codes else {})


def numbers_by_column(a: Columns, b: Columns) -> dict[str, Floats]:
    """Statistics of each number column of `a` against `b`'s, (columns,) each."""
    both = np.concatenate([a.values, b.values])
    order = np.argsort(both, axis=0)
    values = np.take_along_axis(both, order, axis=0)
    weight = np.concatenate([a.held / a.count, -(b.held / b.count)])
    gap = np.cumsum(np.take_along_axis(weight, order, axis=0), axis=0)
    step = np.diff(values, axis=0)
    step = np.where(np.isfinite(step), step, 0.0)
    last = step > 0  # a tie's gap counts only after its last row
    distance = np.where(last, np.abs(gap[:-1]), 0.0)
    ks = distance.max(axis=0)
    real = b.variance > 1e-300
    sd = np.sqrt(np.where(real, b.variance, 1.0))
    w1 = np.where(real, (distance * step).sum(axis=0) / sd, 0.0)
    floor = np.where(real, 1e-4 * b.variance, 1.0)
    lvr = np.where(real, np.log((a.variance + floor) / (b.variance + floor)), 0.0)
    robust = sd * 1e-3
    qx, qy = a.quantiles, b.quantiles
    tail = np.log((qx[6] - qx[0] + robust) / (qy[6] - qy[0] + robust))
    inner = np.log((qx[4] - qx[2] + robust) / (qy[4] - qy[2] + robust))
    lost = ((b.values < a.low) | (b.values > a.high)).sum(axis=0) / b.count
    beyond = ((a.values < b.low) | (a.values > b.high)).sum(axis=0) / a.count
    shift = (a.mean - b.mean) / sd
    distinct = np.log(a.distinct / b.distinct)
    skew = np.where(real, a.third / sd**3, 0) - np.where(real, b.third / sd**3, 0)
    return {
        "ks": ks,
        "w1": w1,
        "variance": lvr,
        "tail": tail,
        "inner": inner,
        "lost": lost,
        "beyond": beyond,
        "shift": shift,
        "distinct": distinct,
        "skew": skew,
        "nulls": a.held.mean(axis=0) - b.held.mean(axis=0),
    }


def _numbers(found: ByColumn) -> dict[str, float]:
    ks, w1, variance, distinct = found["ks"], found["w1"], found["variance"], found["distinct"]
    return {
        "ks_mean": float(ks.mean()),
        "ks_max": float(ks.max()),
        "w1_mean": float(w1.mean()),
        "w1_max": float(w1.max()),
        "variance_mean": float(variance.mean()),
        "variance_least": float(variance.min()),
        "variance_change": float(np.abs(variance).mean()),
        "tail_mean": float(found["tail"].mean()),
        "tail_least": float(found["tail"].min()),
        "inner_mean": float(found["inner"].mean()),
        "range_lost": float(found["lost"].mean()),
        "range_beyond": float(found["beyond"].mean()),
        "shift": float(np.sqrt((found["shift"] ** 2).mean())),
        "distinct": float(distinct.mean()),
        "distinct_change": float(np.abs(distinct).mean()),
        "skew": float(np.abs(found["skew"]).mean()),
        "nulls": float(np.abs(found["nulls"]).mean()),
    }


def codes_by_column(x: Ints, y: Ints, levels: Sequence[int]) -> dict[str, Floats]:
    """Statistics of each category column of `x` (rows, columns) against `y`'s, (columns,) each; nulls are -1."""
    rows = []
    for a, b, k in zip(x.T, y.T, levels, strict=True):
        p = np.bincount(a + 1, minlength=k + 1) / max(len(a), 1)
        q = np.bincount(b + 1, minlength=k + 1) / max(len(b), 1)
        rows.append(
            (
                np.abs(p - q).sum() / 2,
                q[p == 0].sum(),
                p[q == 0].sum(),
                _entropy(p) - _entropy(q),
                p.max() - q.max(),
                p[0] - q[0],
            )
        )
    names = ("tvd", "lost", "invented", "entropy", "modal", "nulls")
    return dict(zip(names, np.asarray(rows, dtype=np.float64).reshape(-1, len(names)).T, strict=True))


def _codes(found: ByColumn) -> dict[str, float]:
    return {
        "tvd_mean": float(np.mean(found["tvd"])),
        "tvd_max": float(np.max(found["tvd"])),
        "levels_lost": float(np.mean(found["lost"])),
        "levels_invented": float(np.mean(found["invented"])),
        "entropy_mean": float(np.mean(found["entropy"])),
        "entropy_least": float(np.min(found["entropy"])),
        "modal": float(np.mean(found["modal"])),
        "code_nulls": float(np.mean(np.abs(found["nulls"]))),
    }


def _entropy(p: Floats) -> float:
    p = p[p > 0]
    return float(-(p * np.log(p)).sum())
