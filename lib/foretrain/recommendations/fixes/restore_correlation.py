"""Draw a column anew, given those it hangs together with, as the original does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from foretrain.collapse.table import Floats
from foretrain.recommendations import models
from foretrain.recommendations.edit import Edit, Rows
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene

LEAST_CHANGE = 0.15
"""Of a correlation that is worth restoring."""

MOST = 3
"""Columns that one is drawn given."""

NEIGHBOURS = 5
MOST_PROPOSED = 2


class RestoreCorrelation(Fix):
    """Each row gets the column's value of one of the original's rows nearest to it in the columns it depends on.

    References:
        Andridge and Little (2010), A review of hot deck imputation, International Statistical Review 78.
    """

    name = "restore-correlation"
    does = "Draws a column anew from the original's rows that are nearest in the columns it is correlated with."
    sees_original = True
    order = 30

    column: str
    given: tuple[str, ...] = Field(min_length=1)

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        known = found.collapse.correlations
        if known is None or len(known.columns) < 2:
            return
        names = known.columns
        whole = {column.name for column in found.original.dataset.columns}
        real, made = np.asarray(known.original, dtype=float), np.asarray(known.candidate, dtype=float)
        weaker = np.where(np.isfinite(real - made), np.abs(real) - np.abs(made), 0.0)
        np.fill_diagonal(weaker, 0.0)
        broken = sorted(range(len(names)), key=lambda j: -float(weaker[j].sum()))
        proposed = 0
        for j in broken:
            ties = np.abs(np.nan_to_num(real[j]))
            ties[j] = 0.0
            worst = int(weaker[j].argmax())
            if weaker[j, worst] < LEAST_CHANGE or proposed == MOST_PROPOSED:
                break
            given = tuple(names[k] for k in np.argsort(-ties, kind="stable")[:MOST] if ties[k] >= LEAST_CHANGE)
            if given and {names[j], *given} <= whole:  # not a dimension of an embedding
                proposed += 1
                said = f"is {made[j, worst]:.2f}; in the original, {real[j, worst]:.2f}"
                yield (
                    cls(column=names[j], given=given),
                    f"The correlation of {names[j]} with {names[worst]} {said}.",
                )

    @property
    def label(self) -> str:
        return self.column

    @property
    def title(self) -> str:
        return f"Draw {self.column} anew, given {', '.join(self.given)}"

    def fit(self, scene: Scene) -> Edit:
        from scipy.spatial import cKDTree

        places = [k for k in (scene.place(name) for name in self.given) if k is not None]
        if not places or not scene.donors.num_rows:
            return Edit()
        coded = [scene.features.features[k].levels is not None for k in places]
        view = models.View.of(scene.read_donors[:, places], coded)
        tree = cKDTree(view(scene.read_donors[:, places]))
        most = min(NEIGHBOURS, scene.donors.num_rows)
        values = scene.donors[self.column].combine_chunks()

        def change(rows: Rows) -> Rows:
            _, near = tree.query(view(scene.features.read(rows.table)[:, places]), k=most)
            near = np.asarray(near).reshape(len(rows), most)
            drawn = (rows.chance(scene.seed, "correlation", self.column) * most).astype(int)
            return rows.put(self.column, _take(values, near[np.arange(len(rows)), drawn]))

        return Edit(change=change)


def _take(values: pa.Array, places: Floats) -> pa.Array:
    return values.take(pa.array(places, pa.int64()))
