"""Measure diversity: what an operator sees of it."""

from __future__ import annotations

from foretrain.diversity.record import Diversity
from foretrain_tasks.stage import Rows, stage_task


def table(diversity: Diversity) -> Rows:
    measures = (*diversity.statistical, *diversity.structural, *diversity.rare, *diversity.semantic)
    return [
        {
            "measure": measure.title,
            "unit": measure.unit,
            "candidate": measure.candidate,
            "original": measure.original,
            "fresh sample": "-" if measure.fresh is None else f"{measure.fresh[0]:.4g} to {measure.fresh[1]:.4g}",
        }
        for measure in measures
    ]


def text(diversity: Diversity) -> str:
    return "\n".join(f"- {note}" for note in diversity.notes)


diversity = stage_task("diversity", table, text)
