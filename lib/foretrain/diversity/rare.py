"""Which rare values and combinations did the candidate lose, and which did it invent?

Values over all rows, from the profiles' counts; pairs of values on equally many rows of both tables. A fresh sample
of the original loses rare values too: what a half of it loses is the band. Only losses that chance does not explain
are named: at least `_EXPECTED` rows of the value were to be expected.

References:
    Shumailov et al. (2024), AI models collapse when trained on recursively generated data, Nature 631 (tails first).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pyarrow as pa

from foretrain.data.reference import Column, Kind
from foretrain.diversity.draws import Better, Index, Pools, compared, percent
from foretrain.diversity.record import LostOrInvented, Measure
from foretrain.diversity.statistical import Tally, rarefied
from foretrain.profile import CATEGORIES, Profile
from foretrain.seeds import stream

_RARE, _EXPECTED, _COLUMNS, _KEPT = 0.01, 5.0, 8, 50

_OF_VALUES: tuple[tuple[str, str, Better], ...] = (
    ("lost_values", "Original rows whose value the candidate lacks", "lower"),
    ("invented_values", "Candidate rows whose value the original lacks", "near_original"),
    ("rare_values", "Rare values of the original that the candidate has", "higher"),
)


def measures(
    candidate: Profile, original: Profile, pools: Pools, seed: int
) -> tuple[list[Measure], list[LostOrInvented]]:
    """The family's measures, and what was lost or invented, largest share first."""
    columns = [each.column for each in candidate.columns.values() if each.kind in CATEGORIES | {Kind.BOOLEAN}]
    values, named = _values(candidate, original, [each.name for each in columns], len(pools.draws), seed)
    pairs, combined = _pairs(pools, columns, original)
    # A pair is news only where neither of its values is.
    known = {(each.columns[0], each.values[0], each.kind) for each in named}
    named += [
        each
        for each in combined
        if not any((*part, each.kind) in known for part in zip(each.columns, each.values, strict=True))
    ]
    largest = sorted(named, key=lambda each: (-max(each.original, each.candidate), each.columns, each.values))
    return [*values, *pairs], largest[:_KEPT]


def lost(reference: Tally, counts: Tally) -> float:
    """Share of the reference's rows whose value does not occur in the counts; both of shape (values,)."""
    return float(reference[counts == 0].sum() / max(reference.sum(), 1))


def seen(reference: Tally, counts: Tally) -> float:
    """Share of the reference's rare values (in under 1 % of its rows) that occur in the counts; 1 where none is."""
    rare = (reference > 0) & (reference < _RARE * reference.sum())
    return float((counts[rare] > 0).mean()) if rare.any() else 1.0


def _values(
    candidate: Profile, original: Profile, names: list[str], repeats: int, seed: int
) -> tuple[list[Measure], list[LostOrInvented]]:
    table: list[list[list[list[float]]]] = []
    used: list[str] = []
    named: list[LostOrInvented] = []
    for name in sorted(names):
        mine, theirs = candidate.columns[name].counts(), original.columns[name].counts()
        if not (mine.exact and theirs.exact and mine.values and len(theirs.values) > 1):
            continue
        texts = sorted({*mine.values, *theirs.values})
        counts = [np.array([side.values.get(text, 0) for text in texts], np.int64) for side in (mine, theirs)]
        totals = [int(each.sum()) for each in counts]
        rows, rng, used = min(totals[0], totals[1] // 2), stream(seed, "diversity", "rare", name), [*used, name]
        values = []
        for _ in range(repeats):
            half = rarefied(counts[1], totals[1] // 2, rng)
            rest = counts[1] - half
            sides = rarefied(counts[0], rows, rng), rarefied(half, rows, rng)
            values.append([[lost(rest, side), lost(side, rest), seen(rest, side)] for side in sides])
        table.append(values)
        named += _named((name,), [(text,) for text in map(str, texts)], counts[0], counts[1])
    if not used:
        return [], []
    found = np.array(table).mean(axis=0)  # (repeats, sides, measures), over columns
    means = np.array(table).mean(axis=1)  # (columns, sides, measures)
    measures = []
    for place, (name, title, better) in enumerate(_OF_VALUES):
        gap = np.abs(means[:, 0, place] - means[:, 1, place])
        worst = [used[each] for each in np.argsort(-gap, kind="stable")[:3] if gap[each] > 0]
        both = found[:, 0, place], found[:, 1, place]
        measures.append(compared(name, title, "share", better, *both, 0.5, worst, percent))
    return [each for each in measures if each is not None], named


def _pairs(pools: Pools, columns: list[Column], original: Profile) -> tuple[list[Measure], list[LostOrInvented]]:
    few = sorted(columns, key=lambda each: (original.columns[each.name].distinct, each.name))[:_COLUMNS]
    if len(few) < 2 or pools.original is None:
        return [], []
    codes = {each.name: _codes(pools, each.name) for each in few}
    table: list[list[list[list[float]]]] = []
    named: list[LostOrInvented] = []
    for one, other in combinations(sorted(codes), 2):
        (left, right, first), (left2, right2, second) = codes[one], codes[other]
        width = len(second)
        mine, theirs = left * width + left2, right * width + right2
        kinds, homes = np.unique(np.concatenate([mine, theirs]), return_inverse=True)
        mine, theirs = homes[: len(mine)], homes[len(mine) :]

        def tally(rows: Index, size: int = len(kinds)) -> Tally:
            return np.bincount(rows, minlength=size)

        values = []
        for draw in pools.draws:
            rest = tally(theirs[draw.rest])
            sides = tally(mine[draw.candidate]), tally(theirs[draw.half])
            values.append([[lost(rest, side), lost(side, rest)] for side in sides])
        table.append(values)
        texts = [(first[kind // width], second[kind % width]) for kind in kinds]
        named += _named((one, other), texts, tally(mine), tally(theirs))
    found = np.array(table).mean(axis=0)  # (repeats, sides, measures), over pairs
    measures = [
        compared("lost_pairs", "Original rows whose pair of values the candidate lacks", "share", "lower",
                 found[:, 0, 0], found[:, 1, 0], pools.taken, words=percent),
        compared("invented_pairs", "Candidate rows whose pair of values the original lacks", "share", "near_original",
                 found[:, 0, 1], found[:, 1, 1], pools.taken, words=percent),
    ]  # fmt: skip
    return [each for each in measures if each is not None], named


def _codes(pools: Pools, name: str) -> tuple[Index, Index, list[str]]:
    """Codes of a column's values in both pools, and the values' names."""
    assert pools.original is not None
    parts = [
        pool[name].combine_chunks().cast(pa.string()).fill_null("(missing)")
        for pool in (pools.candidate, pools.original)
    ]
    coded = pa.chunked_array(parts).combine_chunks().dictionary_encode()
    codes = coded.indices.to_numpy().astype(np.int64)
    return codes[: len(parts[0])], codes[len(parts[0]) :], coded.dictionary.to_pylist()


def _named(
    columns: tuple[str, ...], values: Sequence[tuple[str, ...]], mine: Tally, theirs: Tally
) -> list[LostOrInvented]:
    """Values that one side lacks although so many were to be expected that chance does not explain it."""
    sides = mine / max(mine.sum(), 1), theirs / max(theirs.sum(), 1)
    gone = (mine == 0) & (sides[1] * mine.sum() >= _EXPECTED)
    new = (theirs == 0) & (sides[0] * theirs.sum() >= _EXPECTED)
    places = np.flatnonzero(gone | new)
    ranked = places[np.argsort(-np.maximum(*sides)[places], kind="stable")][:_KEPT]
    return [
        LostOrInvented(
            columns=columns, values=values[each], original=float(sides[1][each]), candidate=float(sides[0][each]),
            kind="lost" if gone[each] else "invented",
        )
        for each in ranked
    ]  # fmt: skip
