"""How does each column differ, counted over all rows?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.record import ColumnComparison, Histogram, Matrices
from foretrain.collapse.table import Floats
from foretrain.data.reference import Kind
from foretrain.profile import ColumnProfile, Profile

BINS = 30
LABELS = 15
POINTS = 1001
PICTURED = 12
"""Columns that get a histogram."""

FEW = 20
"""Numbers of at most so many different values are drawn as labels."""


def compare(candidate: Profile, original: Profile) -> tuple[ColumnComparison, ...]:
    """Every column that both tables hold, identifiers apart, farthest beyond a fresh sample first."""
    found = [
        _column(candidate.columns[name], column)
        for name, column in original.columns.items()
        if column.kind is not Kind.IDENTIFIER
    ]
    found.sort(key=lambda c: (-(c.distance - c.fresh_distance), c.name))
    return tuple(
        comparison.model_copy(
            update={"histogram": histogram(candidate.columns[comparison.name], original.columns[comparison.name])}
        )
        if place < PICTURED
        else comparison
        for place, comparison in enumerate(found)
    )


def _column(made: ColumnProfile, real: ColumnProfile) -> ColumnComparison:
    n, m = max(real.present, 1), max(made.present, 1)
    tail: float | None = None
    if _ordered(real) and _ordered(made):
        points = np.concatenate([side.quantiles(np.linspace(0, 1, POINTS)) for side in (real, made)])
        # a step of one distribution is met from both of its sides
        points = np.concatenate([points, np.nextafter(points, -np.inf)])
        distance = float(np.abs(real.cdf(points) - made.cdf(points)).max())
        fresh = min(1.0, 1.36 * float(np.sqrt(1 / n + 1 / m)))
        low, high = made.minimum, made.maximum
        assert low is not None
        assert high is not None
        lost = float(1.0 - real.cdf([high])[0] + real.cdf([np.nextafter(low, -np.inf)])[0])
        widths = [float(np.diff(side.quantiles([0.01, 0.99]))[0]) for side in (made, real)]
        tail = widths[0] / widths[1] if widths[1] > 0 else None
    elif real.kind is Kind.EMBEDDING:
        distance, fresh, lost = _embedding(made, real, n, m)
    else:
        p, q, exact = _shares(made, real)
        distance = float(np.abs(p - q).sum() / 2)
        spread = np.sqrt(np.clip(q * (1 - q), 0, None) * (1 / n + 1 / m))
        fresh = min(1.0, float(0.4 * spread.sum() + 0.5 * np.sqrt((spread**2).sum())))
        lost = float(q[p == 0].sum()) if exact else 0.0
    return ColumnComparison(
        name=real.name,
        kind=real.kind.value,
        distance=float(np.clip(distance, 0, 1)),
        fresh_distance=fresh,
        lost_mass=float(np.clip(lost, 0, 1)),
        tail_ratio=tail,
        nulls=(real.nulls / max(real.rows, 1), made.nulls / max(made.rows, 1)),
        distinct=(float(real.distinct), float(made.distinct)),
        histogram=None,
    )


def _ordered(column: ColumnProfile) -> bool:
    return column.quantiles_ is not None and column.quantiles_.n > 0


def _embedding(made: ColumnProfile, real: ColumnProfile, n: int, m: int) -> tuple[float, float, float]:
    """Of an embedding: the standardised shift of its dimensions' means, as the distance of two normals so far apart."""
    if real.moments is None or made.moments is None:
        return 0.0, 1.0, 0.0
    scale = np.sqrt(np.maximum(real.moments.variance, 1e-12))
    shift = np.abs(made.moments.mean - real.moments.mean) / scale
    noise = float(np.sqrt(1 / n + 1 / m))
    return float(np.tanh(shift.mean() / 2.5)), float(np.tanh((0.8 * noise + 1.64 * 0.6 * noise) / 2.5)), 0.0


def _shares(made: ColumnProfile, real: ColumnProfile) -> tuple[Floats, Floats, bool]:
    """Shares of rows by value, the candidate's and the original's, over the values counted in either; nulls last."""
    a, b = made.counts(), real.counts()
    values = list(dict.fromkeys([*b.values, *a.values]))
    p = np.asarray([*(a.values.get(v, 0) for v in values), made.nulls], dtype=float) / max(made.rows, 1)
    q = np.asarray([*(b.values.get(v, 0) for v in values), real.nulls], dtype=float) / max(real.rows, 1)
    return p, q, a.exact and b.exact


def histogram(made: ColumnProfile, real: ColumnProfile) -> Histogram | None:
    """Both distributions on one axis; None for what has neither order nor counts."""
    if _ordered(real) and _ordered(made):
        few = max(real.distinct, made.distinct) <= FEW and real.kind is not Kind.TEXT
        if not few:
            return _bins(made, real)
    a, b = made.counts().values, real.counts().values
    if not a and not b:
        return None
    total_a, total_b = max(made.present, 1), max(real.present, 1)
    order = sorted({*a, *b}, key=lambda v: (-b.get(v, 0), -a.get(v, 0), str(v)))
    shown = order if len(order) <= LABELS + 1 else order[:LABELS]
    if _ordered(real):
        shown = sorted(shown)
    p = [a.get(v, 0) / total_a for v in shown]
    q = [b.get(v, 0) / total_b for v in shown]
    labels = [_label(v) for v in shown]
    if len(shown) < len(order):
        labels.append(f"{len(order) - len(shown):,} others")
        p.append(max(0.0, 1 - sum(p)))
        q.append(max(0.0, 1 - sum(q)))
    return Histogram(labels=tuple(labels), original=tuple(q), candidate=tuple(p))


def _bins(made: ColumnProfile, real: ColumnProfile) -> Histogram | None:
    ends = np.asarray([side.quantiles([0.002, 0.998]) for side in (real, made)])
    low, high = float(ends[:, 0].min()), float(ends[:, 1].max())
    if not np.isfinite([low, high]).all() or high <= low:
        return None
    edges = np.linspace(low, high, BINS + 1)
    inside = np.concatenate([[np.nextafter(low, -np.inf)], edges[1:]])
    shares = [np.clip(np.diff(side.cdf(inside)), 0, 1) for side in (real, made)]
    return Histogram(
        edges=tuple(edges.tolist()), original=tuple(shares[0].tolist()), candidate=tuple(shares[1].tolist())
    )


def _label(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def correlations(candidate: Profile, original: Profile, most: int = 30) -> Matrices | None:
    """Correlations of the columns of numbers that changed most, over all rows; None below two columns."""
    names, real, _ = original.correlation()
    other, made, _ = candidate.correlation()
    if len(names) < 2 or names != other:
        return None
    live = np.flatnonzero(np.isfinite(np.diag(real)) & np.isfinite(np.diag(made)))
    if len(live) < 2:
        return None
    real, made = (np.clip(np.nan_to_num(m[np.ix_(live, live)]), -1, 1) for m in (real, made))
    change = ((made - real) ** 2).sum(axis=1)
    kept = np.sort(np.argsort(-change, kind="stable")[:most])
    a, b = (tuple(tuple(row) for row in m[np.ix_(kept, kept)].round(4).tolist()) for m in (real, made))
    return Matrices(columns=tuple(names[int(live[k])] for k in kept), original=a, candidate=b)
