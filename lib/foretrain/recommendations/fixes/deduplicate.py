"""Drop the copies of rows that chance does not explain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

import numpy as np

from foretrain.collapse.judging import more_repeats
from foretrain.recommendations.edit import Edit
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene

LEAST = 0.01
"""Share of repeated rows beyond the original's that is worth it."""


class Deduplicate(Fix):
    """Of each content, as many rows stay as the original leads to expect, one at least: the first ones."""

    name = "deduplicate"
    does = "Drops copies of rows beyond those that the original's own repetitions explain."
    order = 10

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        more = more_repeats(found.candidate, found.original)
        if more >= LEAST:
            yield cls(), f"{more:.0%} of the rows repeat others beyond what the original explains."

    @property
    def title(self) -> str:
        return "Drop repeated rows"

    def fit(self, scene: Scene) -> Edit:
        kept = first_ones(scene)
        return Edit(change=lambda rows: rows.keep(kept[rows.place]))


def first_ones(scene: Scene) -> np.ndarray:
    """Which of all the candidate's rows stay, (rows,)."""
    order = np.argsort(scene.contents, kind="stable")
    ordered = scene.contents[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(ordered) else np.empty(0, np.intp)
    counts = np.diff(np.append(starts, len(ordered)))
    rank = np.arange(len(ordered)) - np.repeat(starts, counts)
    expected = scene.original(ordered[starts]) * (len(ordered) / max(scene.original.rows, 1))
    kept = np.empty(len(ordered), dtype=np.bool_)
    kept[order] = rank < np.repeat(np.maximum(np.rint(expected), 1), counts)
    return kept
