"""What does a table look like from the inside, with nothing to hold it against?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.space import Space
from foretrain.collapse.statistics.geometry import TIGHT
from foretrain.collapse.statistics.repeats import repeated_share
from foretrain.collapse.statistics.side import Side, distances
from foretrain.collapse.table import Table

MOST_ROWS = 1000


def measure(table: Table, chance: np.random.Generator) -> dict[str, float]:
    """Signs of collapse that need no original: repeats, crowding, a degenerate spectrum, missing tails."""
    rows = table.sample(MOST_ROWS, chance)
    side = Side.of(rows, Space.of(rows, chance))
    gaps = distances(side, side)
    np.fill_diagonal(gaps, np.inf)
    nearest = np.maximum(gaps.min(axis=1), 1e-9)
    low, middle, high = np.quantile(nearest, [0.1, 0.5, 0.9])
    spread = max(float(gaps[np.isfinite(gaps)].mean()), 1e-9)
    value = np.clip(np.linalg.eigvalsh(np.atleast_2d(np.cov(side.points, rowvar=False))), 1e-9, None)
    weight = value / value.sum()
    out = {
        "repeats": repeated_share(table),
        "near_repeats": float((nearest <= TIGHT * middle).mean()),
        "crowding": float(np.log(middle / low)),
        "isolation": float(np.log(high / middle)),
        "closeness": float(np.log(middle / spread)),
        "rank_share": float(np.exp(-(weight * np.log(weight)).sum()) / len(weight)),
        "least_axes": float(np.log(weight * len(weight)).min()),
        "rows": float(np.log(len(rows))),
    }
    if rows.numbers.shape[1]:
        with np.errstate(all="ignore"):
            q = np.nanquantile(rows.numbers, [0.01, 0.25, 0.75, 0.99], axis=0)
            deviation = np.nanstd(rows.numbers, axis=0)
            centre = np.nanmean(rows.numbers, axis=0)
            kurtosis = np.nanmean(((rows.numbers - centre) / np.where(deviation > 0, deviation, 1)) ** 4, axis=0)
        width = np.where(q[2] > q[1], q[2] - q[1], np.where(deviation > 0, deviation, 1.0))
        out["tails"] = float(np.mean(np.log1p(np.clip((q[3] - q[0]) / width, 0, 1e3))))
        out["kurtosis"] = float(np.mean(np.log1p(np.clip(kurtosis, 0, 1e3))))
        out["distinct_share"] = float(np.mean([len(np.unique(c)) / len(c) for c in rows.numbers.T]))
    if rows.codes.shape[1]:
        out["modal_share"] = float(np.mean([np.bincount(c + 1).max() / len(c) for c in rows.codes.T]))
    return out
