"""How does the candidate's movement along time compare with stretches of the original's?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from foretrain.collapse.pairing import Paired
from foretrain.collapse.statistics.spectrum import SHORTEST, difference
from foretrain.collapse.table import Floats, pair
from foretrain.data import open_batches
from foretrain.data.reference import Column, DatasetRef, Kind
from foretrain.seeds import stream

MOST_ROWS = 2**17
"""Rows read, from the start of the file, before they are put in the order of time."""

STRETCH = 4096
"""Rows a stretch at most."""

NAME = "spectrum_in_time"

CURVES = {NAME: np.asarray([[0.0, 0.0], [1.0, 1.0]])}
"""A spectrum off by a factor of e at every frequency is another process: by definition, since no calibration table has
a time."""


def read(candidate: DatasetRef, original: DatasetRef, time_column: str) -> tuple[Floats, Floats]:
    """The number columns of both tables in the order of time, (rows, columns) each."""
    columns = [c for c in original.columns if c.kind in (Kind.NUMERIC, Kind.INTEGER) or c.name == time_column]
    tables = [_head(ref, columns).sort_by(time_column) for ref in (candidate, original)]
    shown = [c for c in columns if c.name != time_column]
    made, real = pair(tables[0], tables[1], shown)
    return made.numbers, real.numbers


def notes(paired: Paired, time_column: str | None) -> tuple[str, ...]:
    """What to know where a time column was named and no spectrum along it could be measured."""
    if time_column is None or NAME in paired.names:
        return ()
    return (f"No spectrum along {time_column} was measured: it takes a number column and {3 * SHORTEST} rows or more.",)


def _head(ref: DatasetRef, columns: list[Column]) -> pa.Table:
    batches, rows = [], 0
    for batch in open_batches(ref, [column.name for column in columns]):
        batches.append(batch)
        rows += batch.num_rows
        if rows >= MOST_ROWS:
            break
    return pa.Table.from_batches(batches).slice(0, MOST_ROWS)


def with_time(paired: Paired, made: Floats, real: Floats, seed: int) -> Paired:
    """The paired statistics with `spectrum_in_time` beside them, as many repeats of it.

    A repeat takes two stretches of the original that do not overlap, and one of the candidate, all of one length.
    Unchanged where a third of the original is shorter than `SHORTEST` rows, or there is no number column.
    """
    length = min(len(real) // 3, len(made), STRETCH)
    if length < SHORTEST or not real.shape[1]:
        return paired
    fresh, found = [], []
    for repeat in range(len(paired.fresh)):
        chance = stream(seed, "collapse", "time", repeat)
        gap = int(chance.integers(len(real) - 2 * length + 1))
        first = int(chance.integers(gap + 1))
        starts = [first, int(chance.integers(first + length, len(real) - length + 1))]
        a, b = (real[start : start + length] for start in chance.permutation(starts))
        start = int(chance.integers(len(made) - length + 1))
        fresh.append(difference(a, b))
        found.append(difference(made[start : start + length], b))
    return replace(
        paired,
        names=(*paired.names, NAME),
        fresh=np.column_stack([paired.fresh, fresh]),
        candidate=np.column_stack([paired.candidate, found]),
    )
