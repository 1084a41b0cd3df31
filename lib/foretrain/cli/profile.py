"""`foretrain profile`: what is in one dataset?"""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from foretrain import api, runner, storage
from foretrain.checkpoint import Store
from foretrain.cli import options
from foretrain.cli.progress import shown

if TYPE_CHECKING:
    from rich.table import Table

    from foretrain.profile.record import ColumnSummary, ProfileRef, Value


def profile(
    source: Annotated[str, typer.Argument(help="A file, glob, folder or URL.")],
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="For profile.json and checkpoints; nothing is kept if not given.")
    ] = None,
    config: options.Config = None,
    seed: options.Seed = None,
    format: options.Format = None,  # noqa: A002 - the flag's name
    json: options.Json = False,
) -> None:
    """Describe one dataset, column by column, in one pass over its rows."""
    settings = options.settings(config, format=format, seed=seed).settings
    root = api.checkpoints(settings, out)
    with (
        shown(quiet=json),
        nullcontext(root) if root else tempfile.TemporaryDirectory(prefix="foretrain-") as folder,
    ):
        found: ProfileRef = runner.through("profile", {"candidate": source}, settings, Store(folder)).record
    text = found.model_dump_json(indent=2) + "\n"
    if out is not None:
        storage.write(storage.join(out, "profile.json"), text.encode())
    if json:
        print(text, end="")
        return
    from rich.console import Console

    Console(highlight=False).print("", _columns(found))


def _columns(found: ProfileRef) -> Table:
    from rich import box
    from rich.table import Table

    dataset = found.dataset
    title = f"{dataset.name}: {found.rows:,} rows x {len(dataset.columns):,} columns"
    caption = f"{found.duplicate_rows:.1%} of the rows repeat an earlier one"
    table = Table(title=title, caption=caption, title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("column", overflow="fold", ratio=3)
    table.add_column("kind", no_wrap=True)
    table.add_column("nulls", justify="right", no_wrap=True)
    table.add_column("distinct", justify="right", no_wrap=True)
    table.add_column("what it holds", overflow="fold", ratio=5)
    for column in found.summary:
        nulls = f"{column.nulls / found.rows:.1%}" if column.nulls else "-"
        distinct = f"{'' if column.distinct_exact else '~'}{column.distinct:,.0f}"
        table.add_row(column.name, column.kind.value, nulls, distinct, _content(column))
    return table


def _content(column: ColumnSummary) -> str:
    if column.minimum is not None and column.maximum is not None:
        of = f"{column.of}: " if column.of == "length" else ""
        mean = "" if column.mean is None else f", mean {_value(column.mean)}"
        return f"{of}{_value(column.minimum)} to {_value(column.maximum)}{mean}"
    return ", ".join(f"{frequent.value} {frequent.share:.0%}" for frequent in column.frequent)


def _value(value: Value) -> str:
    return value if isinstance(value, str) else f"{value:,.4g}"
