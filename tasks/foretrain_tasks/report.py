"""Write the report: what an operator sees of it."""

from __future__ import annotations

from foretrain.report.record import ReportRef
from foretrain_tasks.stage import Rows, stage_task


def table(report: ReportRef) -> Rows:
    return [{"file": "report.html", "where": report.html}]


def text(report: ReportRef) -> str:
    return f"One file that needs nothing else: `{report.html}`."


report = stage_task("report", table, text)
