"""Add the original's rows that hold what the candidate has lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.data.reference import Kind
from foretrain.recommendations.edit import Edit, Flags, Wanted
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene
from foretrain.record import NotRun

_CODES = (Kind.BOOLEAN, Kind.CATEGORICAL, Kind.ORDINAL)
_NUMBERS = (Kind.NUMERIC, Kind.INTEGER)
MOST_COLUMNS = 20
NARROW = 0.85
"""Width between the 1st and 99th percentile, candidate over original, below which a tail counts as lost."""


class RestoreLost(Fix):
    """Real rows with lost categories, and with values outside the candidate's range, come in by their share."""

    name = "restore-lost"
    does = "Adds real rows that hold categories and tails which the candidate lost, as many as their share asks for."
    sees_original = True
    order = 60

    categories: tuple[tuple[str, str], ...] = ()
    """Column and value of each lost category."""
    tails: tuple[str, ...] = ()
    """Number columns whose tails are lost."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        kinds = {column.name: column.kind for column in found.original.dataset.columns}
        values = () if isinstance(found.diversity, NotRun) else found.diversity.rare_values
        lost = tuple(
            (value.columns[0], value.values[0])
            for value in values
            if value.kind == "lost" and len(value.columns) == 1 and kinds[value.columns[0]] in _CODES
        )
        tails = tuple(
            column.name
            for column in found.collapse.columns
            if kinds[column.name] in _NUMBERS and column.tail_ratio is not None and column.tail_ratio < NARROW
        )[:MOST_COLUMNS]
        what = [f"{len(lost)} categories"] * bool(lost) + [f"the tails of {len(tails)} columns"] * bool(tails)
        if what:
            yield cls(categories=lost, tails=tails), f"Lost: {' and '.join(what)}."

    @property
    def label(self) -> str:
        return "-".join(["categories"] * bool(self.categories) + ["tails"] * bool(self.tails))

    @property
    def title(self) -> str:
        what = ["categories"] * bool(self.categories) + ["tails"] * bool(self.tails)
        return f"Add real rows that hold lost {' and '.join(what)}"

    def fit(self, scene: Scene) -> Edit:
        ranges = {name: _range(scene.candidate.table[name]) for name in self.tails}

        def which(rows: pa.Table) -> Flags:
            found = np.zeros(rows.num_rows, dtype=np.bool_)
            for name, value in self.categories:
                found |= _true(pc.equal(pc.cast(rows[name], pa.string()), value))
            for name, (low, high) in ranges.items():
                found |= _true(pc.or_(pc.less(rows[name], low), pc.greater(rows[name], high)))
            return found

        share = float(which(scene.donors).mean()) if scene.donors.num_rows else 0.0
        return Edit(real=Wanted(round(share / max(1 - share, 0.5) * scene.rows), which))


def _range(column: pa.ChunkedArray) -> tuple[float, float]:
    ends = pc.min_max(pc.if_else(pc.is_finite(column), column, None) if pa.types.is_floating(column.type) else column)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    return (low, high) if low is not None else (np.inf, -np.inf)


def _true(answers: pa.ChunkedArray) -> Flags:
    return np.asarray(pc.fill_null(answers, False).to_numpy(zero_copy_only=False), dtype=np.bool_)
