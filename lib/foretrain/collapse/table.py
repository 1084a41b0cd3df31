"""How do two tables of mixed columns become arrays that statistics can read?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.data.reference import Column, Kind

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEW_VALUES = 20
"""An integer target with at most this many values is a class label."""

_LARGE = 1e30
"""Above it fourth powers overflow; below its inverse boosted trees take a number for zero."""

_NUMBERS = {Kind.NUMERIC, Kind.INTEGER, Kind.DATETIME, Kind.DURATION, Kind.ORDINAL}
_CODES = {Kind.BOOLEAN, Kind.CATEGORICAL}


@dataclass(frozen=True)
class Target:
    """Which column is predicted: a position among the numbers (regression) or the codes (classification)."""

    task: Literal["regression", "classification"]
    position: int


@dataclass(frozen=True)
class Schema:
    """Names and meanings of a `Table`'s columns."""

    numbers: tuple[str, ...]
    whole: tuple[bool, ...]
    """Whether a number column holds integers only."""
    codes: tuple[str, ...]
    levels: tuple[int, ...]
    """Number of levels of each code column, over both tables."""
    target: Target | None = None


@dataclass(frozen=True)
class Table:
    """Rows as two arrays: numbers (NaN is null) and codes of categories (-1 is null).

    Attributes:
        numbers: (rows, numbers) float64.
        codes: (rows, codes) int64, below `schema.levels`.
    """

    numbers: Floats
    codes: Ints
    schema: Schema

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: npt.NDArray[np.intp] | slice) -> Self:
        """The given rows, in the given order."""
        return replace(self, numbers=self.numbers[rows], codes=self.codes[rows])

    def sample(self, rows: int, chance: np.random.Generator) -> Self:
        """That many different rows at random; all of them, shuffled, if there are fewer."""
        return self.take(chance.permutation(len(self))[:rows])

    def with_columns(self, numbers: Floats, codes: Ints) -> Self:
        """A table of the same schema with other rows."""
        return replace(self, numbers=numbers, codes=codes)

    def same(self, other: Table) -> bool:
        """Whether it holds the same, value by value."""
        return (
            self.schema == other.schema
            and np.array_equal(self.numbers, other.numbers, equal_nan=True)
            and np.array_equal(self.codes, other.codes)
        )

    @staticmethod
    def stack(tables: Sequence[Table]) -> Table:
        """The rows of all tables, one below the other."""
        return replace(
            tables[0],
            numbers=np.concatenate([table.numbers for table in tables]),
            codes=np.concatenate([table.codes for table in tables]),
        )


def pair(
    candidate: pa.Table, original: pa.Table, columns: Sequence[Column], target: str | None = None
) -> tuple[Table, Table]:
    """Both tables as arrays that share one schema, the levels of each category counted over both.

    Args:
        candidate: canonical columns (see `Kind`).
        original: the same columns.
        columns: what to take; identifiers and texts are left out, embeddings give a number a dimension.
        target: name of the column to predict.
    """
    names: list[str] = []
    whole: list[bool] = []
    numbers: tuple[list[Floats], list[Floats]] = ([], [])
    code_names: list[str] = []
    codes: tuple[list[Ints], list[Ints]] = ([], [])
    levels: list[int] = []
    goal: Target | None = None
    for column in columns:
        sides = [table[column.name].combine_chunks() for table in (candidate, original)]
        as_label = column.name == target and is_label(column, sides)
        if column.kind in _CODES or as_label:
            if column.name == target:
                goal = Target("classification", len(code_names))
            both = pa.chunked_array([pc.cast(side, pa.string()) for side in sides]).combine_chunks()
            encoded = pc.dictionary_encode(both)
            flat = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
            flat = _by_frequency(flat, encoded.dictionary.to_pylist(), len(sides[0]))
            code_names.append(column.name)
            levels.append(len(encoded.dictionary))
            codes[0].append(flat[: len(sides[0])])
            codes[1].append(flat[len(sides[0]) :])
        elif column.kind in _NUMBERS:
            if column.name == target:
                goal = Target("regression", len(names))
            names.append(column.name)
            whole.append(column.kind is not Kind.NUMERIC)
            for side, out in zip(sides, numbers, strict=True):
                out.append(_as_numbers(side, column))
        elif column.kind is Kind.EMBEDDING:
            names += [f"{column.name}[{i}]" for i in range(column.width)]
            whole += [False] * column.width
            for side, out in zip(sides, numbers, strict=True):
                out.extend(_as_embedding(side, column.width).T)
    schema = Schema(tuple(names), tuple(whole), tuple(code_names), tuple(levels), goal)
    made = [
        Table(
            np.column_stack(n) if n else np.empty((len(table), 0)),
            np.column_stack(c) if c else np.empty((len(table), 0), dtype=np.int64),
            schema,
        )
        for n, c, table in zip(numbers, codes, (candidate, original), strict=True)
    ]
    return _within_reach(made[0], made[1])


def _within_reach(*tables: Table) -> tuple[Table, Table]:
    """The tables with numbers so large or small that their powers overflow or vanish divided by a power of two."""
    largest = np.max([np.abs(np.nan_to_num(table.numbers)).max(axis=0, initial=0.0) for table in tables], axis=0)
    far = (largest > _LARGE) | ((largest < 1 / _LARGE) & (largest > 0))
    unit = np.where(far, 2.0 ** np.floor(np.log2(np.where(far, largest, 1.0))), 1.0)
    one, other = (replace(table, numbers=table.numbers / unit) if far.any() else table for table in tables)
    return one, other


def _by_frequency(codes: Ints, names: list[str], candidates: int) -> Ints:
    """The codes renumbered, commonest level of the original first, so that renaming levels changes nothing."""
    if not names:
        return codes
    count = [np.bincount(side[side >= 0], minlength=len(names)) for side in (codes[candidates:], codes[:candidates])]
    order = sorted(range(len(names)), key=lambda k: (-count[0][k], -count[1][k], names[k]))
    place = np.empty(len(names), dtype=np.int64)
    place[order] = np.arange(len(names))
    return np.where(codes < 0, -1, place[codes])


def is_label(column: Column, sides: Sequence[pa.Array]) -> bool:
    """Whether a target is a class: categories, or integers of at most `FEW_VALUES` values over all sides."""
    return column.kind in _CODES or _few(sides)


def _few(sides: Sequence[pa.Array]) -> bool:
    if not all(pa.types.is_integer(side.type) for side in sides):
        return False
    return int(pc.count_distinct(pa.chunked_array(list(sides)).combine_chunks()).as_py()) <= FEW_VALUES


def _as_numbers(side: pa.Array, column: Column) -> Floats:
    if column.kind is Kind.ORDINAL:
        order = column.levels or tuple(sorted(v for v in pc.unique(side).to_pylist() if v is not None))
        side = pc.index_in(side, value_set=pa.array(order, pa.string()))
    elif column.kind in (Kind.DATETIME, Kind.DURATION):
        side = pc.cast(side, pa.int64())
    out = pc.cast(side, pa.float64(), safe=False).to_numpy(zero_copy_only=False).astype(np.float64)
    return np.where(np.isfinite(out), out, np.nan)


def _as_embedding(side: pa.Array, width: int) -> Floats:
    out = np.full((len(side), width), np.nan)
    valid = np.asarray(pc.is_valid(side))
    out[valid] = np.asarray(side.drop_null().flatten(), dtype=np.float64).reshape(-1, width)
    return np.where(np.isfinite(out), out, np.nan)
