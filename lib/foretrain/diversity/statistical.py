"""How many values are there, effectively, how many occur once, and how much of the source has been seen?

Over all rows, from the profiles' counts. Support, hapax and coverage depend on the number of rows, so both tables are
rarefied to the same number by drawing rows without replacement (a multivariate hypergeometric draw of the counts).

References:
    Hill (1973), Diversity and evenness, Ecology 54.
    Good (1953), The population frequencies of species, Biometrika 40.
    Chao, Jost (2012), Coverage-based rarefaction and extrapolation, Ecology 93.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foretrain.data.reference import Kind
from foretrain.diversity.draws import Better, Pools, Values, compared, percent, plain
from foretrain.diversity.encoding import as_floats
from foretrain.diversity.record import Measure
from foretrain.profile import CATEGORIES, NUMBERS, ColumnProfile, Profile
from foretrain.seeds import stream

Tally = npt.NDArray[np.int64]

_RANGES = 32
_COLUMNS = 200


def hill(counts: Tally, order: float) -> float:
    """Effective number of values: order 0 counts them, 1 is exp(Shannon entropy), 2 the inverse Simpson index."""
    shares = counts[counts > 0] / max(counts.sum(), 1)
    if order == 1:
        return float(np.exp(-(shares * np.log(shares)).sum()))
    return float((shares**order).sum() ** (1.0 / (1.0 - order)))


def hapax(counts: Tally) -> float:
    """Share of the rows whose value occurs once, 0 to 1."""
    return float((counts == 1).sum() / max(counts.sum(), 1))


def coverage(counts: Tally) -> float:
    """Share of the source's rows whose value has been seen, 0 to 1: Good and Turing's, as Chao and Jost refined it."""
    n, once, twice = int(counts.sum()), int((counts == 1).sum()), int((counts == 2).sum())
    if once == 0 or n < 2:
        return 1.0
    refined = (
        (n - 1) * once / ((n - 1) * once + 2 * twice) if twice else (n - 1) * (once - 1) / (n * once - n - once + 3)
    )
    return 1.0 - once / n * refined


def rarefied(counts: Tally, rows: int, rng: np.random.Generator) -> Tally:
    """Counts of so many rows drawn from these without replacement."""
    total = int(counts.sum())
    if rows >= total:
        return counts
    if total >= 10**9:  # numpy's limit; at such a size the draw with replacement is the same
        return rng.multinomial(rows, counts / total)
    return rng.multivariate_hypergeometric(counts, rows, method="marginals")


@dataclass(frozen=True)
class _Statistic:
    name: str
    title: str
    of: Callable[[Tally], float]
    unit: str = "count"
    better: Better = "near_original"


_OF_VALUES = (
    _Statistic("support", "Different values a column (Hill number of order 0)", lambda counts: hill(counts, 0)),
    _Statistic("hill_1", "Effective values a column (Hill number of order 1)", lambda counts: hill(counts, 1)),
    _Statistic("hill_2", "Dominant values a column (Hill number of order 2)", lambda counts: hill(counts, 2)),
    _Statistic("hapax", "Rows whose value occurs once", hapax, "share"),
    _Statistic("coverage", "Source rows whose value was seen (Good-Turing coverage)", coverage, "share"),
)
_RANGES_FILLED = _Statistic(
    "numeric_hill_1",
    f"Effective ranges, of {_RANGES}, a numeric column (Hill number of order 1)",
    lambda counts: hill(counts, 1),
)


def effective_ranges(values: Values, reference: Values) -> float:
    """Effective number of the reference's 32 equally full ranges that the values fill; both without NaN."""
    edges = np.unique(np.quantile(reference, np.arange(1, _RANGES) / _RANGES))
    return hill(np.bincount(np.searchsorted(edges, values), minlength=edges.size + 1), 1)


def measures(candidate: Profile, original: Profile | None, pools: Pools, seed: int) -> tuple[list[Measure], list[str]]:
    """The family's measures, means over the columns (geometric for counts), and notes on what was left out."""
    values: dict[str, list[Tally]] = {}
    ranges: list[str] = []
    uncounted: list[str] = []
    for name, column in candidate.columns.items():
        sides = [column] if original is None else [column, original.columns[name]]
        if column.kind not in CATEGORIES | NUMBERS or any(side.present - side.infinities < 2 for side in sides):
            continue
        if all(_discrete(side) for side in sides):
            values[name] = [np.fromiter(side.counts().values.values(), np.int64) for side in sides]
        elif column.kind in CATEGORIES:
            uncounted.append(name)
        elif original is not None:
            ranges.append(name)
    found = [*_measured(values, len(pools.draws), seed), *_ranges(pools, sorted(ranges)[:_COLUMNS])]
    notes = []
    if uncounted:
        notes.append(f"Too many values to count one by one, not in the Hill numbers: {', '.join(uncounted[:5])}.")
    if max(len(values), len(ranges)) > _COLUMNS:
        notes.append(f"Hill numbers are means over the first {_COLUMNS} columns by name.")
    return found, notes


def _measured(tallies: dict[str, list[Tally]], repeats: int, seed: int) -> Iterator[Measure]:
    """Each statistic of these columns' counts, rarefied to what half of the original, and the candidate, can give."""
    names = sorted(tallies)[:_COLUMNS]
    if not names:
        return
    sides, taken = len(tallies[names[0]]), 0.0
    found = np.empty((len(_OF_VALUES), sides, repeats, len(names)))
    for place, name in enumerate(names):
        rng = stream(seed, "diversity", "rarefied", name)
        counts = tallies[name]
        rows = int(counts[0].sum()) if sides == 1 else min(int(counts[0].sum()), int(counts[1].sum()) // 2)
        taken += rows / int(counts[-1].sum())
        for repeat in range(repeats):
            drawn = [rarefied(side, rows, rng) for side in counts]
            found[:, :, repeat, place] = [[statistic.of(side) for side in drawn] for statistic in _OF_VALUES]
    for statistic, values in zip(_OF_VALUES, found, strict=True):
        share = statistic.unit == "share"
        measure = _combined(statistic, names, values if share else np.log(values), taken / len(names), log=not share)
        if measure is not None:
            yield measure


def _ranges(pools: Pools, names: Sequence[str]) -> Iterator[Measure]:
    """How much of the original's ranges each column of numbers fills."""
    if pools.original is None or not names or not pools.rows:
        return
    found = np.zeros((2, len(pools.draws), len(names)))
    for place, name in enumerate(names):
        mine, theirs = (as_floats(pool[name].combine_chunks()) for pool in (pools.candidate, pools.original))
        for repeat, draw in enumerate(pools.draws):
            rest, *sides = (
                part[~np.isnan(part)] for part in (theirs[draw.rest], mine[draw.candidate], theirs[draw.half])
            )
            if rest.size and all(side.size for side in sides):
                found[:, repeat, place] = [np.log(effective_ranges(side, rest)) for side in sides]
    measure = _combined(_RANGES_FILLED, names, found, pools.taken, log=True)
    if measure is not None:
        yield measure


def _combined(
    statistic: _Statistic, names: Sequence[str], values: Values, taken: float, *, log: bool
) -> Measure | None:
    """One measure from its values of shape (sides, repeats, columns): the mean over columns, and those that differ."""
    combined = np.exp(values.mean(axis=2)) if log else values.mean(axis=2)
    theirs, worst = None, []
    if len(values) == 2:
        theirs = combined[1]
        gap = np.abs(np.diff(values.mean(axis=1), axis=0))[0]
        worst = [names[each] for each in np.argsort(-gap, kind="stable")[:3] if gap[each] > 0]
    words = plain if log else percent
    return compared(
        statistic.name, statistic.title, statistic.unit, statistic.better, combined[0], theirs, taken, worst, words
    )


def _discrete(column: ColumnProfile) -> bool:
    """Whether values repeat enough for their counts to mean something."""
    if column.kind in CATEGORIES:
        return column.counts().exact
    return column.values.complete and (column.kind is Kind.BOOLEAN or column.distinct <= 0.1 * column.present)
