"""Recommend fixes: what an operator sees of them."""

from __future__ import annotations

from foretrain.recommendations.record import Recommendations
from foretrain.recommendations.sentences import cost, line, points
from foretrain_tasks.stage import Rows, stage_task


def table(recommendations: Recommendations) -> Rows:
    return [
        {
            "id": each.id,
            "fix": each.title,
            "expected": round(each.predicted, 1),
            "measured": "-" if each.measured is None else points(each.measured.score),
            "score after": None if each.measured is None else round(each.measured.after, 1),
            "verdict after": "-" if each.measured is None else each.measured.verdict,
            "confidence": None if each.measured is None else round(each.measured.confidence, 2),
            "cost": cost(each),
            "not tried because": each.not_tried,
        }
        for each in recommendations.found
    ]


def text(recommendations: Recommendations) -> str:
    said = line(recommendations)
    return "\n".join([f"{said[0].upper()}{said[1:]}.", "", *(f"- {note}" for note in recommendations.notes)])


recommendations = stage_task("recommendations", table, text)
