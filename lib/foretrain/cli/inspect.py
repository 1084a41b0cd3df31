"""`foretrain inspect`: what did an earlier validation say?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from foretrain import storage
from foretrain.cli import options

if TYPE_CHECKING:
    from foretrain.validation import Validation

STATUS = {"approve": 0, "reject": 1, "review": 3, "underpowered": 3}


def inspect(
    out: Annotated[str, typer.Argument(help="The --out of a validation, or its validation.json.")],
    json: options.Json = False,
) -> None:
    """Show an earlier validation again, with the same exit status."""
    from foretrain.validation import opened

    file, validation = opened(out)
    report = storage.join(file.rsplit("/", 1)[0] if "/" in file else ".", "report.html")
    fs, path, _ = storage.filesystem(report)
    tell(validation, report if fs.isfile(path) else None, json=json)
    raise typer.Exit(STATUS[validation.verdict])


def tell(validation: Validation, report: str | None, *, json: bool) -> None:
    """Print a validation for people, or as JSON and nothing else."""
    if json:
        print(validation.to_json(), end="")
        return
    from rich.console import Console

    from foretrain.display import summary

    console = Console(highlight=False)
    console.print()
    console.print(summary(validation, report))
