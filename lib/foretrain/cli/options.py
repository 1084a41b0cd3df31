"""Which flags do several commands share, and how do they become settings?"""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from foretrain import storage
from foretrain.data.locate import public
from foretrain.settings import CascadeMode, Effective, Effort, effective

Config = Annotated[str | None, typer.Option(metavar="FILE", help="TOML file with settings.", show_default=False)]
Seed = Annotated[int | None, typer.Option(help="Where all chance comes from: same seed, same verdict. Default: 0.")]
Format = Annotated[
    str | None,
    typer.Option(help="Format of the source: csv, parquet, jsonl, ... Found by itself if not given."),
]
EffortOption = Annotated[Effort | None, typer.Option(help="Trade time for certainty. Default: standard.")]
Target = Annotated[str | None, typer.Option(metavar="COL", help="The column a model would learn.")]
Checkpoints = Annotated[
    str | None, typer.Option(metavar="DIR", help="Keeps finished stages; share it between runs. Default: in --out.")
]
Json = Annotated[bool, typer.Option("--json", help="Print only JSON, no progress.")]


def settings(
    config: str | None,
    *,
    format: str | None = None,  # noqa: A002 - the flag's name
    cascade: CascadeMode | None = None,
    **flags: Any,
) -> Effective:
    """What is set in all: flags over environment over file."""
    given = {name: value for name, value in flags.items() if value is not None}
    if format is not None:
        given["data"] = {"format": format}
    if cascade is not None:
        given["cascade"] = {"mode": cascade}
    return effective(config, given)


def folder(out: str | None, source: str) -> str:
    """The output folder: as given, or one named after the dataset, its extension included."""
    if out is not None:
        return out
    name = re.sub(r"[^\w.-]+", "-", public(source).rstrip("/").rsplit("/", 1)[-1]).strip("-.")
    return storage.join("foretrain-out", name or "dataset")
