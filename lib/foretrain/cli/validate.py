"""`foretrain validate`: is this dataset safe to train on?"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from foretrain import api, storage
from foretrain.cli import options
from foretrain.cli.inspect import STATUS, tell
from foretrain.cli.progress import shown
from foretrain.cli.recorder import Recorder
from foretrain.errors import SettingsError
from foretrain.settings import CascadeMode

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""

EPILOG = """\
Run again after an interruption, a kill or a changed setting, it restores what it computed before and computes only the
rest. Exit status: 0 approve, 1 reject, 2 error, 3 review or underpowered.
"""


def validate(
    context: typer.Context,
    candidate: Annotated[
        str,
        typer.Argument(
            metavar="CANDIDATE", help="The dataset in question: file, glob, folder or URL (s3://, gs://, ...)."
        ),
    ],
    original: Annotated[
        str | None, typer.Option(help="The real data it stands in for. Without it only inner signs can be seen.")
    ] = None,
    target: options.Target = None,
    time_column: Annotated[str | None, typer.Option(metavar="COL", help="The column that orders rows in time.")] = None,
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Takes report.html and validation.json. Default: foretrain-out/NAME."),
    ] = None,
    config: options.Config = None,
    seed: options.Seed = None,
    format: options.Format = None,  # noqa: A002 - the flag's name
    effort: options.EffortOption = None,
    cascade: Annotated[
        CascadeMode | None,
        typer.Option(
            help="Train 18 small models to see what the dataset would do to them: auto (the default) but not at quick "
            "effort, full at any, off never."
        ),
    ] = None,
    checkpoints: options.Checkpoints = None,
    json: options.Json = False,
    prefect: Annotated[
        bool | None,
        typer.Option("--prefect/--no-prefect", help="Run as a recorded flow. Default: if an API is set up."),
    ] = None,
) -> None:
    """Say whether CANDIDATE is safe to train on instead of the original: approve, review or reject, and why."""
    settings = options.settings(
        config,
        format=format,
        seed=seed,
        effort=effort,
        target=target,
        time_column=time_column,
        cascade=cascade,
        checkpoints=checkpoints,
    ).settings
    folder = options.folder(out, candidate)
    recorder: Recorder | None = context.obj
    if prefect and recorder is None:
        raise SettingsError("--prefect needs the package foretrain_flows, which is not installed")
    recorded = recorder is not None and (recorder.configured() if prefect is None else prefect)
    with shown(quiet=json) as progress:
        try:
            if recorded and recorder is not None:
                progress.waiting("server")
                validation = recorder.validate(candidate, original, settings, folder)
            else:
                validation = api.validate(candidate, original, config=settings, out=folder)
        except KeyboardInterrupt:
            raise interrupted(api.checkpoints(settings, folder), progress.done) from None
    report = None if "report" in validation.failures else storage.join(folder, "report.html")
    tell(validation, report, json=json)
    raise typer.Exit(STATUS[validation.verdict])


def interrupted(root: str | None, done: Sequence[str]) -> typer.Exit:
    """Say what is kept after Ctrl-C and how to go on; the status to end with."""
    kept = ", ".join(done) or "nothing yet"
    print(f"\nInterrupted. Kept in {root}: {kept}. The same command goes on from there.", file=sys.stderr)
    return typer.Exit(INTERRUPTED)
