"""`foretrain fix` and `foretrain outcome`: apply what was recommended, and say what came of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from foretrain import api, storage
from foretrain.cli import options
from foretrain.cli.inspect import STATUS
from foretrain.cli.progress import shown

if TYPE_CHECKING:
    from rich.console import RenderableType

    from foretrain.validation import Fixed


def fix(
    candidate: Annotated[str, typer.Argument(metavar="CANDIDATE", help="The dataset that was validated.")],
    plan: Annotated[str, typer.Option(metavar="OUT", help="The --out of its validation, or its validation.json.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="Takes the result: .parquet, .csv or .arrow.")],
    apply: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="A recommendation; may be given again. Default: the plan's best."),
    ] = None,
    original: Annotated[str | None, typer.Option(help="Where the original is now, if it has moved.")] = None,
    real: Annotated[str | None, typer.Option(help="Newly collected real rows, for fixes that collect some.")] = None,
    report: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Takes report.html and validation.json. Default: foretrain-out/NAME."),
    ] = None,
    json: options.Json = False,
) -> None:
    """Apply recommendations to CANDIDATE, write the result, and validate it: the promise beside the outcome."""
    from foretrain.errors import DataError
    from foretrain.validation import opened

    _, known = opened(plan)
    best = known.recommendations.best if known.recommendations is not None else None
    if not apply and best is None:
        raise DataError("this validation recommends nothing by itself", file=plan, hint="Choose with --apply")
    folder = options.folder(report, out)
    with shown(quiet=json):
        found = api.fix(candidate, known, apply or [str(best)], out, original=original, real=real, report=folder)
    if json:
        print(found.model_dump_json(indent=2))
    else:
        from rich.console import Console

        console = Console(highlight=False)
        console.print("", *told(found, storage.join(folder, "report.html")), sep="\n")
    raise typer.Exit(STATUS[found.outcome.verdict])


def told(found: Fixed, report: str) -> list[RenderableType]:
    """The promise beside the outcome."""
    from rich import box
    from rich.table import Table

    outcome, promise = found.outcome, found.promise
    measured = promise.measured if promise is not None else None
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("", "before", "promised", "outcome"):
        table.add_column(name, justify="right" if name else "left")
    table.add_row(
        "score", f"{found.before:.0f}", "-" if measured is None else f"{measured.after:.0f}", f"{outcome.score:.0f}"
    )
    gain = "-" if measured is None else f"{measured.score.value:+.0f}"
    table.add_row("change", "", gain, f"{outcome.score - found.before:+.0f}")
    table.add_row("verdict", "", "-" if measured is None else measured.verdict, outcome.verdict)
    lines: list[RenderableType] = [table]
    if measured is None:
        lines.append("These were not tried together: there is no promise to hold them to.")
    against = "the half of the original that no fix has seen" if found.mended.held_out else "the whole original"
    lines.append(f"{found.mended.rows:,} rows in {found.mended.dataset}, scored against {against}.")
    lines.append(f"Report  {report}")
    return lines


_RUN = re.compile(r"[0-9a-f]{12}")


def outcome(
    run: Annotated[str, typer.Argument(help="The run's number, the --out of its validation, or its validation.json.")],
    applied: Annotated[str, typer.Option(metavar="ID", help="The recommendation that you applied.")],
    score_after: Annotated[float, typer.Option(min=0, max=100, help="The score that you found then.")],
    config: options.Config = None,
) -> None:
    """Say what a recommendation brought you: later ones are expected by it."""
    from foretrain.errors import DataError
    from foretrain.recommendations.history import History
    from foretrain.validation import opened

    history = History(options.settings(config).settings.signatures)
    if not _RUN.fullmatch(run):
        _, known = opened(run)
        if known.recommendations is None:
            raise DataError("this validation has no recommendations", file=run)
        history.add(known.recommendations)
        run = known.recommendations.run
    before, measured = history.report(run, applied, score_after)
    promised = "it had not been tried" if measured is None else f"{measured:+.1f} had been measured on a sample"
    print(f"run {run}: {applied} brought {score_after - before:+.1f} points; {promised}")
