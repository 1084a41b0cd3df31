"""Which rows judge, and which does an arm learn from, such that repeated rows show as they would in training?

A random part of a table hides its duplicates: of 1,500 rows that occur eleven times each, 2,000 drawn at random are
half distinct, while the whole is so by a tenth. So different rows are taken with all their copies. Where rows repeat
because the columns hold few values (a table of four categories), a copy is no sign of copying; such rows are drawn
one by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from foretrain.data.canonical import STRINGS
from foretrain.data.reference import Column, Kind
from foretrain.profile.hashing import Hashes, mix, null_hash, number_hashes, salt, string_hashes, vector_hashes
from foretrain.profile.sample import COPIES
from foretrain.seeds import number

Counts = npt.NDArray[np.int64]

HEAVY = 4
"""A row that would fill more than a quarter of what is drawn gets its share of it instead of all its copies."""

MOST = 20_000
"""Rows looked at to tell why rows repeat."""

_MANY = 10**8
"""Above so many, drawing with replacement is the same."""

_FEW_REPEATS = 0.02
_BY_CHANCE = 0.1
_AS_MANY = 1 / 3


@dataclass(frozen=True)
class Pool:
    """Different rows, counted by the columns that are learned from; the order depends on nothing but content and seed.

    Attributes:
        rows: canonical columns.
        marks: (rows, columns) hash of each value, by the columns' names.
        copies: (rows,) how often each occurs.
    """

    rows: pa.Table
    marks: Hashes
    copies: Counts

    @staticmethod
    def of(sample: pa.Table, columns: Sequence[Column]) -> Pool:
        """The different rows of a profile's sample (see `foretrain.profile.read_sample`), by hash.

        Rows that differ in other columns than these only are copies.
        """
        marks = np.column_stack([_marks(sample[column.name].combine_chunks(), column) for column in columns])
        _, first, group = np.unique(_content(marks), return_index=True, return_inverse=True)
        copies = np.zeros(len(first), np.int64)
        np.add.at(copies, group, np.asarray(sample[COPIES].to_numpy(), np.int64))
        return Pool(sample.select([column.name for column in columns]).take(pa.array(first)), marks[first], copies)

    def ordered(self, seed: int, use: str) -> Pool:
        """The same in a seeded order; another for each use, so that no two of them prefer the same rows."""
        order = np.argsort(mix(self.hashes ^ np.uint64(number("cascade", use, seed))))
        return Pool(self.rows.take(pa.array(order)), self.marks[order], self.copies[order])

    @property
    def total(self) -> int:
        """Rows, with their copies."""
        return int(self.copies.sum())

    def keep(self, counts: Counts) -> Pool:
        """The rows of which any copy is kept, with so many copies."""
        at = np.flatnonzero(counts)
        return Pool(self.rows.take(pa.array(at)), self.marks[at], counts[at])

    def expanded(self) -> pa.Table:
        """Each row as often as it occurs, in this order."""
        return self.rows.take(pa.array(np.repeat(np.arange(len(self.copies)), self.copies)))

    @property
    def hashes(self) -> Hashes:
        """(rows,) hash of each row's content."""
        return _content(self.marks)


def _content(marks: Hashes) -> Hashes:
    return mix(marks.sum(axis=1, dtype=np.uint64))


def _marks(values: pa.Array, column: Column) -> Hashes:
    """A hash of each value, as the profile's: (rows,)."""
    salted = salt(column.name)
    missing = np.asarray(values.is_null())
    if column.kind in STRINGS:
        coded = values.dictionary_encode()
        names = np.append(string_hashes(coded.dictionary, salted), np.uint64(0))
        out = names[coded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)]
    elif column.kind is Kind.EMBEDDING:
        out = np.zeros(len(values), np.uint64)
        flat = values.drop_null().flatten().fill_null(np.nan).to_numpy(zero_copy_only=False)
        out[~missing] = vector_hashes(np.asarray(flat, np.float32).reshape(-1, column.width), salted)
    elif column.kind is Kind.NUMERIC:
        out = number_hashes(values.fill_null(0.0).to_numpy(zero_copy_only=False), salted)
    else:
        whole = values.cast(pa.int8()) if column.kind is Kind.BOOLEAN else values
        out = number_hashes(whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), salted)
    return np.where(missing, null_hash(salted), out)


def repeats(copies: Counts, kept: float = 1.0) -> float:
    """Share of rows that repeat another one, expected of a random part of the table, 0 to 1.

    Args:
        copies: how often each different row occurs.
        kept: probability that a row is in the part.

    References:
        Hurlbert (1971), The nonconcept of species diversity: rarefaction.
    """
    rows = kept * float(copies.sum())
    return float(1.0 - (1.0 - (1.0 - kept) ** copies).sum() / rows) if rows else 0.0


def repeats_by_nature(side: Pool, chance: np.random.Generator) -> bool:
    """Whether rows repeat because columns hold few values: they still do when each column is shuffled on its own."""
    rows = np.repeat(np.arange(len(side.copies)), _drawn(side.copies, min(MOST, side.total), chance))
    repeated = 1.0 - len(np.unique(rows)) / len(rows)
    if repeated < _FEW_REPEATS:
        return False
    shuffled = np.zeros(len(rows), np.uint64)
    for column in side.marks.T:
        shuffled += column[chance.permutation(rows)]
    return 1.0 - len(np.unique(shuffled)) / len(rows) >= _BY_CHANCE * repeated


def like_the_original(candidate: Pool, original: Pool, rows: tuple[int, int]) -> bool:
    """Whether a candidate has about as many different rows as an original whose rows repeat by nature.

    Args:
        candidate: its rows.
        original: its rows.
        rows: of the whole datasets.
    """
    fewest = min(rows)
    made, real = (repeats(side.copies, fewest / size) for side, size in zip((candidate, original), rows, strict=True))
    return 1.0 - made >= _AS_MANY * (1.0 - real)


def hold_out(side: Pool, wanted: int, by_nature: bool, chance: np.random.Generator) -> Counts:
    """How many copies of each row are held out: all or none, but where rows repeat by nature.

    A row with very many copies is left to learn from, so that what is held out is no single row.
    """
    if by_nature:
        return _drawn(side.copies, wanted, chance)
    light = np.where(side.copies <= wanted // HEAVY, side.copies, 0)
    if light.sum() < wanted:
        light = side.copies
    return np.where(np.cumsum(light) - light < wanted, np.minimum(light, wanted), 0)


def draw(side: Pool, wanted: int, by_nature: bool, chance: np.random.Generator) -> Counts:
    """How many copies of each row an arm of so many rows gets, (rows,).

    Different rows with all their copies, so that the share of rows that are distinct is that of the whole; a row that
    would fill more than a quarter of the arm gets its share of it, and the last one is clipped.
    """
    copies = side.copies
    if by_nature:
        return _drawn(copies, wanted, chance)
    if wanted >= side.total:
        return copies
    heavy = copies > wanted // HEAVY
    counts = np.where(heavy, (copies * (wanted / side.total)).astype(np.int64), 0)
    counts = counts + _fill(np.where(heavy, 0, copies), wanted - int(counts.sum()))
    return np.asarray(counts + _fill(copies - counts, wanted - int(counts.sum())), np.int64)


def _fill(copies: Counts, wanted: int) -> Counts:
    """Rows in their order with all their copies, the last one clipped, until there are so many."""
    return np.asarray(np.clip(wanted - (np.cumsum(copies) - copies), 0, copies), np.int64)


def _drawn(copies: Counts, wanted: int, chance: np.random.Generator) -> Counts:
    """So many rows drawn one by one without replacement; counted by different row."""
    total = int(copies.sum())
    if wanted >= total:
        return copies
    if total > _MANY:
        return np.asarray(chance.multinomial(wanted, copies / total), np.int64)
    return np.asarray(chance.multivariate_hypergeometric(copies, wanted, method="marginals"), np.int64)
