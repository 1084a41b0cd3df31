"""Drop the rows that localization flagged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Self

import numpy as np
from pydantic import Field

from foretrain.localization.record import Mechanism
from foretrain.localization.sentences import NAMES
from foretrain.recommendations.edit import Edit
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene
from foretrain.record import NotRun

SURE = 0.9
LEAST_PART = 0.1
"""Of the flagged rows a mechanism must have to be dropped by itself."""


class DropFlagged(Fix):
    """Rows that are bad with some confidence go."""

    name = "drop-flagged"
    does = "Drops rows that localization flagged, all or those of one mechanism."
    order = 20

    at: Annotated[float, Field(gt=0, le=1)]
    """Least confidence that a row is bad."""
    mechanisms: tuple[Mechanism, ...] = ()
    """Only rows of these; all where empty."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        rows = found.localization
        if isinstance(rows, NotRun) or not rows.flagged:
            return
        yield cls(at=rows.flag_at), f"{rows.flagged:,} rows are flagged."
        if rows.flag_at < SURE and rows.expected_bad:
            yield cls(at=SURE), f"Of {rows.flagged:,} flagged rows, the surest."
        if len(rows.by_mechanism) > 1:
            for mechanism, count in rows.by_mechanism.items():
                if count >= LEAST_PART * rows.flagged:
                    yield (
                        cls(at=rows.flag_at, mechanisms=(mechanism,)),
                        f"{count:,} rows are flagged: {NAMES[mechanism]}.",
                    )

    @property
    def label(self) -> str:
        return "-".join([*(name.replace("_", "-") for name in self.mechanisms), f"{100 * self.at:.0f}"])

    @property
    def strength(self) -> float:
        return self.at

    @property
    def title(self) -> str:
        what = " or ".join(NAMES[name] for name in self.mechanisms)
        return f"Drop flagged rows ({what or 'all'}, {self.at:.0%} or more)"

    def fit(self, scene: Scene) -> Edit:
        gone = scene.flagged.chosen(self.at, self.mechanisms)
        return Edit(change=lambda rows: rows.keep(~np.isin(rows.place, gone)))
