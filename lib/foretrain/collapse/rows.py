"""Which rows of the two datasets do the paired statistics read?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from foretrain.collapse import texts
from foretrain.collapse.table import Table, pair
from foretrain.data.reference import Column, Kind
from foretrain.errors import DataError
from foretrain.profile import ProfileRef, read_sample
from foretrain.seeds import number, stream

MOST_ROWS = 50_000
"""Rows a table at most, after rows that occur several times were put back as often."""

MOST_COLUMNS = 256
"""Of wider tables, so many columns are drawn (the target among them)."""

MOST_TEXTS = 4000
"""Rows whose texts are read, a table."""


@dataclass(frozen=True)
class Sample:
    """Both tables as arrays.

    Attributes:
        notes: what was left out, for people.
    """

    candidate: Table
    original: Table
    notes: tuple[str, ...]


def sample(candidate: ProfileRef, original: ProfileRef, target: str | None, seed: int) -> Sample:
    """The seeded samples of two profiled datasets, as arrays of one schema.

    Raises:
        DataError: there is no column to compare.
    """
    notes: list[str] = []
    left_out = [c.name for c in original.dataset.columns if c.kind is Kind.IDENTIFIER]
    if left_out:
        notes.append(f"Identifiers are not compared: {', '.join(left_out[:5])}{' ...' if len(left_out) > 5 else ''}.")
    columns, wide = readable(original.dataset.columns, target, seed)
    if wide:
        notes.append(f"Paired statistics read {MOST_COLUMNS} of {wide:,} columns, drawn by the seed.")
    has_text = any(c.kind is Kind.TEXT for c in columns)
    sides = []
    for name, ref in (("candidate", candidate), ("original", original)):
        rows = expand(read_sample(ref), MOST_TEXTS if has_text else MOST_ROWS, stream(seed, "collapse", "rows", name))
        if len(rows) < ref.rows:
            notes.append(f"Paired statistics of the {name} read {len(rows):,} of {ref.rows:,} rows, drawn by the seed.")
        sides.append(rows)
    made, real = arrays(sides[0], sides[1], columns, target, seed)
    if not made.schema.numbers and not made.schema.codes:
        raise DataError(
            "expected at least one column to compare, all are identifiers",
            file=original.dataset.uri,
            hint="Name the kind of those that are none with data.kinds",
        )
    return Sample(made, real, tuple(notes))


def arrays(
    candidate: pa.Table, original: pa.Table, columns: Sequence[Column], target: str | None, seed: int
) -> tuple[Table, Table]:
    """Rows of both as arrays of one schema, texts as numbers (see `texts.numbers`)."""
    made, real = pair(candidate, original, columns, target)
    for column in columns:
        if column.kind is Kind.TEXT:
            a, b = (side[column.name].combine_chunks() for side in (candidate, original))
            more = texts.numbers(a, b, number(seed, "collapse", "text", column.name))
            made, real = (
                widen(table, extra, texts.names(column.name)) for table, extra in zip((made, real), more, strict=True)
            )
    return made, real


def readable(columns: Sequence[Column], target: str | None, seed: int) -> tuple[list[Column], int]:
    """The columns that statistics and models read, by name: no identifiers, at most `MOST_COLUMNS` and the target.

    Returns:
        the columns, and how many they were drawn from (0 where all are read).
    """
    kept = sorted((c for c in columns if c.kind is not Kind.IDENTIFIER), key=lambda c: c.name)
    if len(kept) <= MOST_COLUMNS:
        return kept, 0
    chance = stream(seed, "collapse", "columns")
    drawn = set(chance.permutation([c.name for c in kept])[:MOST_COLUMNS].tolist()) | {target}
    return [c for c in kept if c.name in drawn], len(kept)


def expand(rows: pa.Table, most: int, chance: np.random.Generator) -> pa.Table:
    """The distinct rows of a sample, each as often as it occurs; beyond `most` rows, that many drawn."""
    copies = rows["__copies__"].to_numpy()
    index = np.repeat(np.arange(len(rows)), np.minimum(copies, most))
    if len(index) > most:
        drawn = (
            chance.choice(len(rows), most, p=copies / copies.sum())
            if copies.max() > most // 100
            else index[chance.permutation(len(index))[:most]]
        )
        index = np.sort(drawn)
    return rows.take(pa.array(index))


def widen(table: Table, extra: np.ndarray, names: tuple[str, ...]) -> Table:
    """The table with further columns of numbers, (rows, names)."""
    schema = replace(
        table.schema,
        numbers=(*table.schema.numbers, *names),
        whole=(*table.schema.whole, *([False] * len(names))),
    )
    return Table(np.hstack([table.numbers, extra]), table.codes, schema)
