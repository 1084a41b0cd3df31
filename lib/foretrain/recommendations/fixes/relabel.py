"""Give rows with an unlikely target the one that models of the original expect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

import numpy as np
import pyarrow as pa
from pydantic import Field

from foretrain.localization.record import Mechanism
from foretrain.recommendations import models
from foretrain.recommendations.edit import Edit, Rows
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene
from foretrain.record import NotRun

SUSPECT: tuple[Mechanism, ...] = ("unlikely_target", "misleads_neighbours", "harms_models")


class Relabel(Fix):
    """The target of suspect rows is predicted from their other columns."""

    name = "relabel"
    does = "Replaces the target of rows flagged for it by what a model of the original predicts."
    sees_original = True
    order = 15

    at: Annotated[float, Field(gt=0, le=1)]
    """Least confidence that a row is bad."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        rows = found.localization
        if found.target is None or isinstance(rows, NotRun) or rows.abstained is not None:
            return
        if count := sum(rows.by_mechanism.get(mechanism, 0) for mechanism in SUSPECT):
            yield cls(at=rows.flag_at), f"{count:,} rows have a target that the others lead not to expect, or mislead."

    @property
    def title(self) -> str:
        return "Correct unlikely targets"

    def fit(self, scene: Scene) -> Edit:
        target = scene.features.target
        suspect = scene.flagged.chosen(self.at, SUSPECT)
        if target is None or not len(suspect):
            return Edit()
        predict = models.of_target(scene.read_donors, target, scene.features, scene.seed)

        def change(rows: Rows) -> Rows:
            these = np.isin(rows.place, suspect)
            if not these.any():
                return rows
            column = scene.features.features[target].column
            said = predict(scene.features.read(rows.table.filter(pa.array(these))))
            return rows.put(column, models.replaced(rows.table[column], these, said, scene.features.features[target]))

        return Edit(change=change)
