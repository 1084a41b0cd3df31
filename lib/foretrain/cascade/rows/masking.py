"""What are the models asked about held-out rows where there is no target: which columns or pixels are hidden?

Every tier is asked the same, so that their losses can be compared; a boosted tree model answers one column only, which
keeps these few.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foretrain.cascade.problem import Rows, length, take
from foretrain.collapse.pairing import goals
from foretrain.collapse.table import Floats, Table

ASKED = 4
"""Columns asked for: those best tied to others."""

MOST = 8000
"""Held-out rows, each counted once a question."""

PIXELS = 8
"""Numbers of an image asked for."""


def hide_columns(first: Table, held_out: Rows) -> tuple[Rows, npt.NDArray[np.intp]]:
    """The held-out rows, each once a hidden column, with `masked`; each column about equally often.

    Args:
        first: the first arm's rows, without a target.
        held_out: prepared.

    Returns:
        at most about `MOST` rows, and which of the held-out rows each is.
    """
    p, q = held_out["numbers"].shape[1], held_out["codes"].shape[1]
    best = [target.position + (p if target.task == "classification" else 0) for target in goals(first, ASKED)]
    known = np.hstack([held_out["nulls"] == 0, np.ones_like(held_out["codes"], bool)])
    columns = [j for j in best or range(p + q) if known[:, j].any()]
    if not columns:
        return take(held_out, slice(0, 0)), np.empty(0, np.intp)
    rows = length(held_out)
    each = max(1, min(len(columns), MOST // rows))
    row = np.repeat(np.arange(rows), each)
    column = np.asarray(columns)[(row + np.tile(np.arange(each), rows)) % len(columns)]
    asked = known[row, column]
    row, column = row[asked], column[asked]
    hidden = np.zeros((len(row), p + q), np.float32)
    hidden[np.arange(len(row)), column] = 1.0
    return {**take(held_out, row), "masked": hidden}, row


def hide_pixels(first: Floats, held_out: Rows) -> Rows:
    """The held-out images with `hidden`: the same pixels in all, those that vary most, no two of them neighbours.

    Args:
        first: the first arm's images, (rows, k, h, w).
        held_out: prepared images.
    """
    k, h, w = first.shape[1:]
    spread = first.var(axis=0).sum(axis=0)
    mask = np.zeros((h, w), np.float32)
    for place in np.argsort(-spread, axis=None, kind="stable"):
        i, j = divmod(int(place), w)
        if mask.sum() < max(1, PIXELS // k) and not mask[max(0, i - 1) : i + 2, max(0, j - 1) : j + 2].any():
            mask[i, j] = 1.0
    return {**held_out, "hidden": np.repeat(mask[None], length(held_out), axis=0)}
