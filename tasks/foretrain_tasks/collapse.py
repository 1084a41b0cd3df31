"""Score collapse: what an operator sees of it."""

from __future__ import annotations

from foretrain.collapse.record import Collapse
from foretrain_tasks.stage import Rows, stage_task


def table(collapse: Collapse) -> Rows:
    return [
        {
            "dimension": dimension.title,
            "score": None if dimension.score is None else round(dimension.score, 1),
            "interval": "-" if dimension.interval is None else "{:.1f} to {:.1f}".format(*dimension.interval),
            "not measured because": dimension.reason,
        }
        for dimension in collapse.dimensions.values()
    ]


def text(collapse: Collapse) -> str:
    return "\n".join([f"## {collapse.verdict}", "", collapse.sentence, "", *(f"- {why}" for why in collapse.reasons)])


collapse = stage_task("collapse", table, text)
