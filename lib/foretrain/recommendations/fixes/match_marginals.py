"""Give number columns the original's distribution, value by value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.data.reference import Kind
from foretrain.recommendations import models
from foretrain.recommendations.edit import Edit, Rows
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene

MOST_COLUMNS = 50
FEWEST_VALUES = 20
"""Different values of a column that has quantiles to speak of."""


class MatchMarginals(Fix):
    """Each value becomes the original's at the same rank, so that shapes and tails return and the order of rows stays.

    Rows that tie share the ranks between the values beside theirs, by chance.

    References:
        Maraun (2016), Bias correcting climate change simulations, Current Climate Change Reports 2: quantile mapping.
    """

    name = "match-marginals"
    does = "Maps number columns to the original's distribution, rank by rank (quantile mapping)."
    sees_original = True
    order = 35

    columns: tuple[str, ...]

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        kinds = {column.name: column.kind for column in found.original.dataset.columns}
        distinct = {column.name: column.distinct for column in found.original.summary}
        off = tuple(
            column.name
            for column in found.collapse.columns
            if column.distance > column.fresh_distance
            and kinds[column.name] in (Kind.NUMERIC, Kind.INTEGER)
            and distinct[column.name] >= FEWEST_VALUES
        )[:MOST_COLUMNS]
        if off:
            yield cls(columns=off), f"{len(off)} number columns are not distributed as in the original."

    @property
    def title(self) -> str:
        count = f"{len(self.columns)} columns" if len(self.columns) > 1 else self.columns[0]
        return f"Give {count} the original's distribution"

    def fit(self, scene: Scene) -> Edit:
        maps = {}
        for name in self.columns:
            k = scene.place(name)
            if k is None:
                continue
            made, real = (side[:, k][~np.isnan(side[:, k])] for side in (scene.read_candidate, scene.read_donors))
            if len(made) and len(real):
                maps[name] = (k, *_map(made, real))

        def change(rows: Rows) -> Rows:
            read = scene.features.read(rows.table)
            for name, (k, at, below, upto, real) in maps.items():
                low, high = (np.interp(read[:, k], at, ranks) for ranks in (below, upto))
                rank = low + rows.chance(scene.seed, "marginals", name) * (high - low)
                new = np.interp(rank, np.linspace(0, 1, len(real)), real)
                held = ~np.isnan(read[:, k])
                feature = scene.features.features[k]
                rows = rows.put(name, models.replaced(rows.table[name], held, new[held], feature))
            return rows

        return Edit(change=change if maps else None)


def _map(made: Floats, real: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """The candidate's different values, the shares below and up to each, and the original's values in order."""
    at, count = np.unique(made, return_counts=True)
    upto = np.cumsum(count) / len(made)
    return at, upto - count / len(made), upto, np.sort(real)
