"""Localize bad rows: what an operator sees of it."""

from __future__ import annotations

from foretrain.localization.record import Localization
from foretrain_tasks.stage import Rows, stage_task


def table(localization: Localization) -> Rows:
    return [
        {
            "rows": group.rows,
            "mechanism": group.mechanism,
            "columns": ", ".join(group.columns),
            "confidence": round(group.confidence, 3),
            "why": group.sentence,
            "for example": ", ".join(str(row) for row in group.examples),
        }
        for group in localization.groups
    ]


def text(localization: Localization) -> str:
    if localization.abstained is not None:
        said = f"No row is flagged: {localization.abstained}."
    else:
        said = f"{localization.flagged:,} of {localization.rows:,} rows are flagged."
    return "\n".join([said, "", f"Every row: `{localization.table}`.", *(f"- {note}" for note in localization.notes)])


localization = stage_task("localization", table, text)
