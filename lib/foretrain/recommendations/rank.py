"""Which recommendation comes first?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.recommendations.record import Recommendation

SURE = 0.9
"""Confidence from which a fix is one to apply."""

_BETTER = {"approve": 3, "underpowered": 2, "review": 1, "reject": 0}


def ranked(found: Sequence[Recommendation]) -> tuple[Recommendation, ...]:
    """The Pareto front of gain, money and confidence, then the other measured ones, each by gain; then the untried."""
    measured = [each for each in found if each.measured is not None]
    aims = np.asarray([_aims(each) for each in measured]).reshape(len(measured), 3)
    marked = [each.model_copy(update={"front": front}) for each, front in zip(measured, undominated(aims), strict=True)]
    marked.sort(key=lambda each: (not each.front, *(-x for x in _gain(each)), each.id))
    others = sorted((each for each in found if each.measured is None), key=lambda each: (-each.predicted, each.id))
    return (*marked, *others)


def best(found: Sequence[Recommendation]) -> Recommendation | None:
    """The cheapest that is surely better and leads to an approval; else, of those surely better, the best."""
    helps = [
        each
        for each in found
        if each.measured is not None and each.measured.confidence >= SURE and _gain(each) > (0.0, 0.0)
    ]
    if not helps:
        return None

    def key(each: Recommendation) -> tuple[float, ...]:
        assert each.measured is not None
        verdict = _BETTER[each.measured.verdict]
        cheap = (each.cost.money, len(each.actions)) if each.measured.verdict == "approve" else ()
        return (-verdict, *cheap, -each.measured.after, each.measured.damage.value, each.cost.money)

    return min(helps, key=lambda each: (key(each), each.id))


def undominated(aims: Floats) -> list[bool]:
    """Whether no other point is as good in every aim and better in one; (points, aims), all to be large."""
    return [not any(((other >= one).all() and (other > one).any()) for other in aims) for one in aims]


def _gain(each: Recommendation) -> tuple[float, float]:
    assert each.measured is not None
    return each.measured.score.value, -each.measured.damage.value


def _aims(each: Recommendation) -> tuple[float, float, float]:
    assert each.measured is not None
    return each.measured.score.value, -each.cost.money, each.measured.confidence
