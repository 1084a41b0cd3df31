"""Mix real rows in: a part, with or without the weight that theory gives them, all there are, or new ones."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Self

from pydantic import Field

from foretrain.recommendations.edit import Edit, Rows, Wanted
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene

SHARES = (0.1, 0.25, 0.5)
"""Parts of the result that are real rows."""


def best_weight(ratio: float) -> float:
    """The weight of real data that makes the next generation's error smallest, 0 to 1.

    Args:
        ratio: real rows over synthetic ones.

    References:
        He et al. (2025), Golden ratio weighting prevents model collapse, arXiv 2502.18049.
    """
    return (math.sqrt(ratio**2 + 4 * ratio) - ratio) / 2


class MixOriginal(Fix):
    """So much of the result is rows of the original; at the best weight, synthetic rows are thinned down to theirs.

    With k real rows a synthetic one and real weight w, synthetic rows weigh (1 - w) / w * k beside a real row's one.
    At the best weight w^2 = k (1 - w), so that this is w: a share w of the synthetic rows stays.
    """

    name = "mix-original"
    does = "Mixes in real rows up to a share; at the best weight w*, synthetic rows are thinned as well."
    sees_original = True
    order = 70

    share: Annotated[float, Field(gt=0, lt=1)]
    """Real rows in the result, before any thinning."""
    weighted: bool = False
    """Whether synthetic rows are thinned so that real ones have the best weight."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        if found.collapse.verdict in ("approve", "underpowered"):
            return
        why = "Real rows beside synthetic ones bound the error that generations add up."
        for share in SHARES:
            if _real(share, found.candidate.rows) <= found.donor_rows:
                yield cls(share=share), why
        there = [share for share in SHARES if _real(share, found.candidate.rows) <= found.donor_rows]
        if there:
            yield cls(share=there[-1], weighted=True), "Real rows should weigh more than their number."

    @property
    def label(self) -> str:
        return f"{100 * self.share:.0f}" + ("-weighted" if self.weighted else "")

    @property
    def strength(self) -> float:
        return best_weight(self.share / (1 - self.share)) if self.weighted else self.share

    @property
    def title(self) -> str:
        ratio = self.share / (1 - self.share)
        more = f", thin the synthetic rows to {best_weight(ratio):.0%}" if self.weighted else ""
        return f"Mix in {self.share:.0%} real rows{more}"

    def fit(self, scene: Scene) -> Edit:
        stays = best_weight(self.share / (1 - self.share)) if self.weighted else 1.0

        def change(rows: Rows) -> Rows:
            return rows.keep(rows.chance(scene.seed, "mix") < stays)

        return Edit(change=change if self.weighted else None, real=Wanted(_real(self.share, scene.rows)))


class Accumulate(Fix):
    """The candidate beside the original, instead of in its place.

    References:
        Gerstgrasser et al. (2024), Is model collapse inevitable? Breaking the curse of recursion by accumulating real
        and synthetic data, arXiv 2404.01413: the error stays bounded.
    """

    name = "accumulate"
    does = "Keeps the original's rows beside the candidate's, instead of replacing them."
    sees_original = True
    order = 71

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        if found.collapse.verdict not in ("approve", "underpowered"):
            yield cls(), "A dataset that replaces its original loses what it lacks for good."

    @property
    def title(self) -> str:
        return "Add the candidate to the original instead of replacing it"

    def fit(self, scene: Scene) -> Edit:
        return Edit(real=Wanted(scene.donor_rows))


class Collect(Fix):
    """New real rows; where it is tried, rows of the original stand in for them."""

    name = "collect"
    does = "Adds real rows that are yet to be collected; rows of the original stand in for them in the trial."
    sees_original = True
    collects = True
    order = 72

    rows: Annotated[int, Field(gt=0)]
    """How many."""

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        if found.collapse.verdict in ("approve", "underpowered"):
            return
        rows = min(_real(0.25, found.candidate.rows), found.donor_rows)
        if rows > 0:
            yield cls(rows=rows), "What the original lacks too, only new rows can bring."

    @property
    def label(self) -> str:
        return str(self.rows)

    @property
    def title(self) -> str:
        return f"Collect {self.rows:,} more real rows"

    def fit(self, scene: Scene) -> Edit:
        return Edit(real=Wanted(self.rows))


def _real(share: float, rows: int) -> int:
    return round(share / (1 - share) * rows)
