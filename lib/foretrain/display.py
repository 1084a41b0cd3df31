"""How does a validation look in a terminal, in a notebook, and in one line?"""

from __future__ import annotations

import textwrap
from html import escape
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from foretrain.cascade import sentences
from foretrain.localization.sentences import line as rows_line
from foretrain.recommendations.sentences import line as fixes_line
from foretrain.signatures import sentences as signatures

if TYPE_CHECKING:
    from foretrain.collapse.record import Dimension
    from foretrain.record import Interval
    from foretrain.validation import Validation

WIDTH = 20
"""Cells of a bar: five points each."""

COLOURS = {"approve": "green", "review": "yellow", "reject": "red", "underpowered": "blue"}

NEXT = {
    "approve": "Train on it. Keep validation.json: it reproduces this verdict.",
    "review": "Read the reasons and the report before you train on it.",
    "reject": "Do not train on it as it is. The report shows what was lost, and in which columns.",
    "underpowered": "Compare more rows: these are too few to tell.",
}


def line(validation: Validation) -> str:
    """The verdict in one line, e.g. "reject: score 12 (8 to 19), P(collapse) 0.97, medium damage 12%"."""
    severity = validation.severity
    return (
        f"{validation.verdict}: score {validation.score:.0f} ({_range(validation.score_interval)}), "
        f"P(collapse) {validation.probability_of_collapse:.2f}, {severity.class_} damage {severity.damage:.0%}"
    )


def summary(validation: Validation, report: str | None = None) -> RenderableType:
    """Verdict, severity, what models learn, eight bars, the strongest reasons, what to do next; fits 80 cells.

    Args:
        validation: what to show.
        report: where the report is, if one was written.
    """
    parts: list[RenderableType] = [_head(validation), Text(), _dimensions(validation)]
    if reasons := _unmeasured(validation):
        parts += [Text("\nNot measured", style="bold"), _bullets(reasons)]
    if validation.reasons:
        parts += [Text("\nWhy", style="bold"), _bullets(validation.reasons[:3])]
    failed = [f"{step} failed: {why}" for step, why in validation.failures.items()]
    if failed:
        parts += [Text("\nGone on without", style="bold"), _bullets(tuple(failed))]
    last = Table.grid(padding=(0, 2))
    if report is not None:
        last.add_row(Text("Report", style="bold"), Text(report, overflow="fold"))
    last.add_row(Text("Next", style="bold"), Text(_next(validation)))
    return Group(*parts, Text(), last)


def _next(validation: Validation) -> str:
    found = validation.recommendations
    if found is None or found.best is None:
        return NEXT[validation.verdict]
    return f"{NEXT[validation.verdict]} To try the fix: foretrain fix CANDIDATE --plan OUT --out fixed.parquet"


def _head(validation: Validation) -> RenderableType:
    candidate, original = validation.inputs.candidate, validation.inputs.original
    severity, low, high = validation.severity, *validation.severity.interval
    against = f" against {original.name} ({original.rows:,} rows)" if original else " alone, without an original"
    title = Text.assemble(
        (f" {validation.verdict.upper()} ", f"bold reverse {COLOURS[validation.verdict]}"),
        (f"  {candidate.name}", "bold"),
        f" ({candidate.rows:,} rows){against}",
    )
    facts = Table.grid(padding=(0, 2))
    facts.add_row("Score", f"{validation.score:.0f} of 100 ({_range(validation.score_interval)})")
    facts.add_row(
        "Collapse",
        f"probability {validation.probability_of_collapse:.2f} "
        f"({validation.probability_interval[0]:.2f} to {validation.probability_interval[1]:.2f})",
    )
    facts.add_row(
        "Severity",
        f"{severity.class_}: {severity.damage:.0%} of utility or diversity lost ({low:.0%} to {high:.0%}), "
        f"as after {_generations(severity.generations)} of self-consumption",
    )
    if validation.prescreen is not None:
        facts.add_row("Looks like", signatures.line(validation.prescreen))
    if validation.cascade is not None:
        facts.add_row("Training", sentences.line(validation.cascade))
    if validation.localization is not None:
        facts.add_row("Rows", rows_line(validation.localization))
    if validation.recommendations is not None:
        facts.add_row("Fix", fixes_line(validation.recommendations))
    return Group(title, Text(f"\n{validation.sentence}\n"), facts)


def _dimensions(validation: Validation) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    for dimension in validation.dimensions.values():
        table.add_row(dimension.title, _bar(dimension))
    return table


def _bar(dimension: Dimension) -> Text:
    if dimension.score is None:
        return Text("not measured", style="dim")
    full = round(dimension.score / 100 * WIDTH)
    interval = f" ({_range(dimension.interval)})" if dimension.interval else ""
    return Text.assemble(("█" * full, "cyan"), ("░" * (WIDTH - full), "dim"), f" {dimension.score:>3.0f}{interval}")


def _unmeasured(validation: Validation) -> tuple[str, ...]:
    """Each reason once, after the dimensions that it holds for."""
    titles: dict[str, list[str]] = {}
    for dimension in validation.dimensions.values():
        if dimension.score is None:
            titles.setdefault(dimension.reason or "no reason was recorded", []).append(dimension.title)
    return tuple(f"{', '.join(names)}: {reason}" for reason, names in titles.items())


def _bullets(texts: tuple[str, ...]) -> Table:
    table = Table.grid(padding=(0, 1))
    for text in texts:
        table.add_row(" -", Text(text))
    return table


def _generations(number: float) -> str:
    return "20 generations or more" if number >= 20 else f"{number:.1f} generations"


def _range(interval: Interval) -> str:
    return f"{interval[0]:.0f} to {interval[1]:.0f}"


def html(validation: Validation) -> str:
    """The same for a notebook: one table, whatever comes from the data escaped."""
    rows = "".join(
        f"<tr><td>{escape(dimension.title)}</td><td>{_html_bar(dimension)}</td></tr>"
        for dimension in validation.dimensions.values()
    )
    reasons = "".join(f"<li>{escape(reason)}</li>" for reason in validation.reasons[:3])
    said = sentences.sentences(validation.cascade) if validation.cascade is not None else ()
    learned = f"<p>{escape(' '.join(said))}</p>" if said else ""
    flagged = (
        f"<p>Rows: {escape(rows_line(validation.localization))}</p>" if validation.localization is not None else ""
    )
    return textwrap.dedent(
        f"""\
        <div style="max-width:44rem;line-height:1.5">
        <p><strong>{escape(validation.verdict.upper())}</strong> {escape(validation.inputs.candidate.name)}:
        {escape(validation.sentence)}</p><p>{escape(line(validation))}</p>{learned}{flagged}
        <table>{rows}</table><ul>{reasons}</ul></div>"""
    )


def _html_bar(dimension: Dimension) -> str:
    if dimension.score is None:
        return f"not measured: {escape(dimension.reason or '')}"
    interval = f" ({_range(dimension.interval)})" if dimension.interval else ""
    bar = f'<meter min="0" max="100" value="{dimension.score:.1f}" style="width:12rem"></meter>'
    return f"{bar} {dimension.score:.0f}{interval}"
