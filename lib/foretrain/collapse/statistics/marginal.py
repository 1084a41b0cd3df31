"""How do single columns differ?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import Floats, Ints


def measure(a: Side, b: Side) -> dict[str, float]:
    """Statistics of side `a` against the reference `b`, each one number over all columns."""
    out: dict[str, float] = {}
    if a.table.numbers.shape[1]:
        out |= _numbers(a.table.numbers, b.table.numbers)
    if a.table.codes.shape[1]:
        out |= _codes(a, b)
    return out


def numbers_by_column(x: Floats, y: Floats) -> dict[str, Floats]:
    """Statistics of each number column of `x` (rows, columns) against `y`'s, (columns,) each; nulls are NaN."""
    gx, gy = ~np.isnan(x), ~np.isnan(y)
    nx, ny = np.maximum(gx.sum(axis=0), 1), np.maximum(gy.sum(axis=0), 1)
    both = np.concatenate([x, y])
    order = np.argsort(both, axis=0)
    values = np.take_along_axis(both, order, axis=0)
    weight = np.concatenate([gx / nx, -(gy / ny)])
    gap = np.cumsum(np.take_along_axis(weight, order, axis=0), axis=0)
    step = np.diff(values, axis=0)
    step = np.where(np.isfinite(step), step, 0.0)
    last = step > 0  # a tie's gap counts only after its last row
    distance = np.where(last, np.abs(gap[:-1]), 0.0)
    ks = distance.max(axis=0)
    q = np.asarray([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    qx, qy = _quantiles(x, q), _quantiles(y, q)
    mean_x, mean_y = np.nansum(x, axis=0) / nx, np.nansum(y, axis=0) / ny
    var_x = np.nansum((x - mean_x) ** 2, axis=0) / nx
    var_y = np.nansum((y - mean_y) ** 2, axis=0) / ny
    real = var_y > 1e-300
    sd = np.sqrt(np.where(real, var_y, 1.0))
    w1 = np.where(real, (distance * step).sum(axis=0) / sd, 0.0)
    floor = np.where(real, 1e-4 * var_y, 1.0)
    lvr = np.where(real, np.log((var_x + floor) / (var_y + floor)), 0.0)
    robust = sd * 1e-3
    tail = np.log((qx[6] - qx[0] + robust) / (qy[6] - qy[0] + robust))
    inner = np.log((qx[4] - qx[2] + robust) / (qy[4] - qy[2] + robust))
    low, high = np.nanmin(np.where(gx, x, np.inf), axis=0), np.nanmax(np.where(gx, x, -np.inf), axis=0)
    lost = ((y < low) | (y > high)).sum(axis=0) / ny
    ylow, yhigh = np.nanmin(np.where(gy, y, np.inf), axis=0), np.nanmax(np.where(gy, y, -np.inf), axis=0)
    beyond = ((x < ylow) | (x > yhigh)).sum(axis=0) / nx
    shift = (mean_x - mean_y) / sd
    distinct = np.log(_distinct(x) / _distinct(y))
    skew = np.where(real, np.nansum((x - mean_x) ** 3, axis=0) / nx / sd**3, 0) - np.where(
        real, np.nansum((y - mean_y) ** 3, axis=0) / ny / sd**3, 0
    )
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
        "nulls": gx.mean(axis=0) - gy.mean(axis=0),
    }


def _numbers(x: Floats, y: Floats) -> dict[str, float]:
    found = numbers_by_column(x, y)
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


def _quantiles(x: Floats, q: Floats) -> Floats:
    ordered = np.sort(x, axis=0)  # NaN last
    count = np.maximum((~np.isnan(x)).sum(axis=0), 1)
    place = q[:, None] * (count - 1)
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, count - 1)
    below, above = np.take_along_axis(ordered, low, axis=0), np.take_along_axis(ordered, high, axis=0)
    return np.asarray(np.nan_to_num(below + (place - low) * (above - below)), dtype=np.float64)


def _distinct(x: Floats) -> Floats:
    ordered = np.sort(x, axis=0)
    return np.asarray(1.0 + (np.diff(ordered, axis=0) > 0).sum(axis=0), dtype=np.float64)


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


def _codes(a: Side, b: Side) -> dict[str, float]:
    found = codes_by_column(a.table.codes, b.table.codes, a.table.schema.levels)
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
