"""How much variance lies along the original's principal axes, in both tables?"""

from __future__ import annotations

import numpy as np

from foretrain.collapse.record import Spectrum
from foretrain.collapse.space import Space
from foretrain.collapse.table import Floats, Table
from foretrain.seeds import stream

AXES = 30
HALVES = 12
MOST_ROWS = 5000


def of(candidate: Table, original: Table, seed: int) -> Spectrum | None:
    """The largest axes' variances as shares of the original's total; None below two axes.

    The fresh band holds split-halves of the original along the axes of the other half.
    """
    chance = stream(seed, "collapse", "spectrum")
    space = Space.of(original, stream(seed, "collapse", "space"))
    real = space.place(original.sample(MOST_ROWS, chance))
    made = space.place(candidate.sample(MOST_ROWS, chance))
    value, axes = _axes(real)
    total = float(value.sum())
    if len(value) < 2 or total <= 0:
        return None
    halves: list[Floats] = []
    for _ in range(HALVES):
        order = chance.permutation(len(real))
        one, other = real[order[: len(real) // 2]], real[order[len(real) // 2 :]]
        halves.append(_along(one, _axes(other)[1])[:AXES] / total)
    low, high = np.quantile(np.asarray(halves), [0.05, 0.95], axis=0)
    return Spectrum(
        original=tuple((value[:AXES] / total).tolist()),
        candidate=tuple((_along(made, axes)[:AXES] / total).tolist()),
        fresh=tuple((float(a), float(b)) for a, b in zip(low, high, strict=True)),
    )


def _axes(points: Floats) -> tuple[Floats, Floats]:
    """Variances, largest first, and the axes as columns."""
    value, axes = np.linalg.eigh(np.atleast_2d(np.cov(points, rowvar=False)))
    return np.clip(value[::-1], 0, None), axes[:, ::-1]


def _along(points: Floats, axes: Floats) -> Floats:
    return np.asarray(((points - points.mean(axis=0)) @ axes).var(axis=0))
