"""How many rows occur again, exactly or nearly?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.table import Floats, Ints, Table

GRIDS = (0.02, 0.1)
"""Cell sizes, in standard deviations of the original, within which rows count as near-copies."""


def measure(candidate: Table, original: Table) -> dict[str, float]:
    """Shares of repeated rows in the candidate less those in the original, on equally many rows of each.

    `repeat_share`: rows that occur before, exactly; `repeat_most`: share of the commonest row;
    `near_share_*`: the same as `repeat_share` with numbers rounded to a grid.
    """
    n = min(len(candidate), len(original))
    a, b = candidate.take(slice(0, n)), original.take(slice(0, n))
    scale = np.nan_to_num(np.nanstd(original.numbers, axis=0)) if len(original) else np.zeros(0)
    scale = np.where(scale > 0, scale, 1.0)
    ids_a, ids_b = _identities(a.numbers, a.codes), _identities(b.numbers, b.codes)
    out = {
        "repeat_share": _repeated(ids_a) - _repeated(ids_b),
        "repeat_most": _most(ids_a) - _most(ids_b),
        "repeat_fresh": _repeated(ids_b),
    }
    for grid in GRIDS:
        near = [_repeated(_identities(np.rint(t.numbers / (grid * scale)), t.codes)) for t in (a, b)]
        out[f"near_share_{grid}"] = near[0] - near[1]
    return out


def repeated_share(table: Table) -> float:
    """Share of rows that occur before, exactly."""
    return _repeated(_identities(table.numbers, table.codes))


def _identities(numbers: Floats, codes: Ints) -> np.ndarray:
    """An integer a row, equal for equal rows."""
    rows = np.ascontiguousarray(np.hstack([np.nan_to_num(numbers, nan=1e300) + 0.0, codes.astype(np.float64)]))
    whole_rows = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1])))
    return np.unique(whole_rows, return_inverse=True)[1].ravel()


def _repeated(ids: np.ndarray) -> float:
    return 1.0 - len(np.unique(ids)) / max(len(ids), 1)


def _most(ids: np.ndarray) -> float:
    return float(np.bincount(ids).max() / len(ids)) if len(ids) else 0.0
