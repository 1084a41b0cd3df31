"""Where does a candidate stand among all departures from an original: which 512 numbers say how it differs?

The original is split at random into halves, eight times. Each time, every statistic of `departures` is taken twice
against one half: of the other half (what a fresh real sample looks like) and of as many rows of the candidate. The
mean difference over the spread of fresh halves is a null-calibrated z-score; it is compressed to sign(z) log(1 + |z|).
Statistics of columns are then sorted, and their quantiles over columns taken, so that it does not count which column
it was, nor how many there are. Blocks, in this order:

==============  ========  ====================================================================================
block           numbers   what stands in it
==============  ========  ====================================================================================
table                 50  z-scores of 50 statistics of the table as a whole
effects               50  the same as effect sizes between all rows of both tables, asinh(10 x)
repeats                5  shares of repeated rows and near-copies in excess of the original's, asinh(10 x)
numbers               90  z-scores of ten statistics a number column, nine quantiles over columns each
number effects        90  the same as effect sizes, asinh(10 x)
codes                 45  z-scores of five statistics a category column, nine quantiles over columns each
code effects          45  the same as effect sizes, asinh(10 x)
shape                 40  z-scores of the width of columns at eight depths, five quantiles over columns each
shape effects         40  the same in standard deviations of the column, asinh(10 x)
pairs                 18  z-scores of correlations, and of their strengths, nine quantiles over pairs each
target                 9  z-scores of the target's ties to the axes, nine quantiles over axes
axes                  16  z-scores of the variance along the original's principal axes, from large to small
size                  13  how large the departure is in all: a soft step at each of 13 sizes
anchor                 1  a constant, so that what does not depart points somewhere too
==============  ========  ====================================================================================

Each block is weighted, by `WEIGHTS` over the root of its length, and the whole is scaled to length one: an inner
product of two embeddings is the cosine of the angle between them, 1 for the same departure.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from foretrain.collapse.pairing import HALF, WHOLE, goals
from foretrain.collapse.space import Space
from foretrain.collapse.statistics import geometry, joint, marginal, repeats
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import Floats, Table
from foretrain.seeds import stream
from foretrain.signatures import departures
from foretrain.signatures.canonical import ordered
from foretrain.signatures.departures import Departures

VERSION = 1
"""Raised with every change that moves a vector: those of different versions are never compared."""

WIDTH = 512
ROUNDS = 8
"""Split-halves of the original."""

MOST_ROWS = 5000
"""Rows a table that are read."""

Vector = npt.NDArray[np.float32]

_QUANTILES = np.linspace(0, 1, 9)
_FEW_QUANTILES = np.linspace(0, 1, 5)
_SIZES = np.linspace(0.2, 3.2, 13)
_STEP = 0.25
_MOST = 100.0

WEIGHTS = {
    "table": 2.8,
    "effects": 1.4,
    "repeats": 2.0,
    "numbers": 1.4,
    "number effects": 0.5,
    "codes": 0.5,
    "code effects": 1.0,
    "shape": 1.0,
    "shape effects": 0.3,
    "pairs": 0.5,
    "target": 1.4,
    "axes": 0.5,
    "size": 1.0,
    "anchor": 2.0,
}
"""How much each block counts: chosen by the accuracy of the mechanism, each dataset judged by the others."""


def embed(candidate: Table, original: Table, seed: int = 0) -> Vector:
    """The embedding of a candidate against its original, (512,) float32 of length one.

    It does not depend on the order of rows or columns, nor on names.

    Args:
        candidate: at least 8 rows.
        original: at least 16 rows, of the same schema.
        seed: draws the halves.
    """
    found = blocks(candidate, original, seed)
    vector = np.concatenate([WEIGHTS[name] * block / np.sqrt(len(block)) for name, block in found.items()])
    return np.asarray(vector / np.linalg.norm(vector), dtype=np.float32)


def blocks(candidate: Table, original: Table, seed: int = 0) -> dict[str, Floats]:
    """The blocks of an embedding before they are weighted, see the module's docstring."""
    candidate, original = ordered(candidate, original)
    candidate = candidate.sample(MOST_ROWS, stream(seed, "signatures", "rows", "candidate"))
    original = original.sample(MOST_ROWS, stream(seed, "signatures", "rows", "original"))
    space = Space.of(original, stream(seed, "signatures", "space"))
    z, gap = _departures(candidate, original, space, seed)
    whole = _whole(candidate, original, space)
    found = {
        "table": _log(z["table"]),
        "effects": _effect(whole),
        "repeats": _effect(_repeats(candidate, original)),
        "numbers": _over_columns(_log(z["numbers"]), _QUANTILES),
        "number effects": _over_columns(_effect(gap["numbers"]), _QUANTILES),
        "codes": _over_columns(_log(z["codes"]), _QUANTILES),
        "code effects": _over_columns(_effect(gap["codes"]), _QUANTILES),
        "shape": _over_columns(_log(z["shape"]), _FEW_QUANTILES),
        "shape effects": _over_columns(_effect(gap["shape"]), _FEW_QUANTILES),
        "pairs": _over_columns(_log(z["pairs"]), _QUANTILES),
        "target": _over_columns(_log(z["target"]), _QUANTILES),
        "axes": _log(z["axes"]),
    }
    size = float(np.sqrt((found["table"] ** 2).mean()))
    return found | {"size": 1 / (1 + np.exp(-(size - _SIZES) / _STEP)), "anchor": np.ones(1)}


def _departures(candidate: Table, original: Table, space: Space, seed: int) -> tuple[Departures, Departures]:
    """Each departure in standard deviations of fresh halves, and as it is."""
    goal = next(iter(goals(original, most=1)), None)
    half = min(HALF, len(original) // 2)
    rows = min(half, len(candidate))
    fresh: list[Departures] = []
    made: list[Departures] = []
    for repeat in range(ROUNDS):
        chance = stream(seed, "signatures", "halves", repeat)
        shuffled = chance.permutation(len(original))
        ground = departures.Reference(Side.of(original.take(shuffled[:half]), space), goal)
        for table, order, out in (
            (original, shuffled[half:][:rows], fresh),
            (candidate, chance.permutation(len(candidate))[:rows], made),
        ):
            out.append(departures.measure(Side.of(table.take(order), space), ground))
    z: Departures = {}
    gap: Departures = {}
    for name in fresh[0]:
        null = np.stack([row[name] for row in fresh])
        gap[name] = np.stack([row[name] for row in made]).mean(axis=0) - null.mean(axis=0)
        z[name] = gap[name] / (null.std(axis=0, ddof=1) + 1 / rows)  # one row's worth of a share is no departure
    return z, gap


def _whole(candidate: Table, original: Table, space: Space) -> Floats:
    a, b = Side.of(candidate, space), Side.of(original, space)
    some = np.arange(min(WHOLE, len(a), len(b)))
    near = geometry.measure(a.take(some), geometry.Reference(b.take(some)))
    found = marginal.measure(a, b) | joint.measure(a, b) | near
    return np.asarray([found.get(name, 0.0) for name in departures.TABLE])


def _repeats(candidate: Table, original: Table) -> Floats:
    return np.asarray(list(repeats.measure(candidate, original).values()))


def _over_columns(statistics: Floats, places: Floats) -> Floats:
    """Quantiles over columns of each statistic, one statistic after the other; zeros where there is no column."""
    if not statistics.shape[1]:
        return np.zeros(len(statistics) * len(places))
    return np.asarray(np.quantile(statistics, places, axis=1).T.ravel(), dtype=np.float64)


def _log(z: Floats) -> Floats:
    return np.asarray(np.sign(z) * np.log1p(np.minimum(np.abs(z), _MOST)), dtype=np.float64)


def _effect(value: Floats) -> Floats:
    return np.asarray(np.arcsinh(10 * value), dtype=np.float64)
