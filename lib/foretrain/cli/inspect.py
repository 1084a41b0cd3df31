"""`foretrain inspect`: what did an earlier validation say?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from foretrain import storage
from foretrain.cli import options
from foretrain.errors import DataError

if TYPE_CHECKING:
    from foretrain.validation import Validation

STATUS = {"approve": 0, "reject": 1, "review": 3, "underpowered": 3}


def inspect(
    out: Annotated[str, typer.Argument(help="The --out of a validation, or its validation.json.")],
    json: options.Json = False,
) -> None:
    """Show an earlier validation again, with the same exit status."""
    file, validation = read(out)
    report = storage.join(file.rsplit("/", 1)[0] if "/" in file else ".", "report.html")
    fs, path, _ = storage.filesystem(report)
    tell(validation, report if fs.isfile(path) else None, json=json)
    raise typer.Exit(STATUS[validation.verdict])


def read(out: str) -> tuple[str, Validation]:
    """The file and the content of an earlier validation, by its `--out` or its validation.json.

    Raises:
        DataError: there is none, or it is of another version.
    """
    from pydantic import ValidationError

    from foretrain.validation import Validation

    file = out if out.endswith(".json") else storage.join(out, "validation.json")
    fs, path, _ = storage.filesystem(file)
    with storage.faults(file):
        there = fs.isfile(path)
    if not there:
        raise DataError("no validation was found", file=file, hint="Name the --out of a foretrain validate")
    try:
        validation = Validation.from_json(storage.read(file))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"this is no validation of this version: {where}: {first['msg']}", file=file) from None
    return file, validation


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
