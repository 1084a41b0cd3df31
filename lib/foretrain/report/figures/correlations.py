"""Which correlations did the candidate lose, and which did it invent?"""

from __future__ import annotations

import math
from typing import NamedTuple

from markupsafe import Markup

from foretrain.collapse.record import Matrices
from foretrain.report import wording
from foretrain.report.figures.svg import element

_SMALLEST_CELL, _LARGEST_CELL, _WIDTH = 22, 40, 600
_LABEL_ROOM = 190
_LONGEST_LABEL = 26
_STEPS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Pair(NamedTuple):
    """Two columns and their correlation in both tables."""

    first: str
    second: str
    original: float
    candidate: float

    @property
    def change(self) -> float:
        return self.candidate - self.original


def pairs(matrices: Matrices) -> list[Pair]:
    """Every pair of columns once, the largest change first."""
    names = matrices.columns
    found = [
        Pair(names[column], names[row], matrices.original[row][column], matrices.candidate[row][column])
        for row in range(len(names))
        for column in range(row)
    ]
    return sorted(found, key=lambda pair: abs(pair.change), reverse=True)


def scale(matrices: Matrices) -> float:
    """The round difference at which the colours are full."""
    largest = max((abs(pair.change) for pair in pairs(matrices)), default=0.0)
    return next((step for step in _STEPS if step >= largest), _STEPS[-1])


def heatmap(matrices: Matrices) -> Markup:
    """Candidate less original, lower triangle; a name on the diagonal labels its row and its column."""
    names, full = matrices.columns, scale(matrices)
    cell = max(_SMALLEST_CELL, min(_LARGEST_CELL, _WIDTH // max(1, len(names))))
    width, height = len(names) * cell + _LABEL_ROOM, len(names) * cell
    shapes = []
    for row, name in enumerate(names):
        for column in range(row):
            original, candidate = matrices.original[row][column], matrices.candidate[row][column]
            change = candidate - original
            said = (
                f"{wording.clipped(names[column], 40)}{wording.TIMES}{wording.clipped(name, 40)}: "
                f"{wording.signed(original)} → {wording.signed(candidate)}"
            )
            shapes.append(
                element(
                    "rect",
                    element("title", said),
                    class_="higher" if change > 0 else "lower",
                    x=column * cell + 1,
                    y=row * cell + 1,
                    width=cell - 2,
                    height=cell - 2,
                    # square root: a change of a tenth of the scale must still be seen
                    fill_opacity=math.sqrt(min(1.0, abs(change) / full)),
                )
            )
        label = f"\u2068{wording.clipped(name, _LONGEST_LABEL)}\u2069"
        shapes.append(element("text", label, class_="label", x=row * cell + 6, y=(row + 0.5) * cell + 5))
    worst = next(iter(pairs(matrices)), None)
    described = "Correlation in the candidate less that in the original, for every pair of columns." + (
        f" The largest change is {wording.clipped(worst.first, 40)} with {wording.clipped(worst.second, 40)}: "
        f"{wording.signed(worst.original)} to {wording.signed(worst.candidate)}."
        if worst
        else ""
    )
    return element(
        "svg",
        element("title", "Correlation differences"),
        element("desc", described),
        *shapes,
        role="img",
        class_="heatmap",
        width=width,
        height=height,
        viewBox=f"0 0 {width} {height}",
    )
