"""`foretrain config show`: what is set, from where, and what does it mean?"""

from __future__ import annotations

import json as javascript
import textwrap
from typing import Any

import typer

from foretrain.cli import options
from foretrain.settings import Effective, leaves, variable

app = typer.Typer(help="Settings: what can be set, and what is.", no_args_is_help=True)


@app.callback()
def config() -> None:
    """Settings: what can be set, and what is."""


@app.command()
def show(config: options.Config = None, json: options.Json = False) -> None:
    """Print every setting with its value, its meaning, and where it comes from, as a TOML file to start from."""
    found = options.settings(config)
    print(found.settings.model_dump_json(indent=2) if json else _toml(found))


def _toml(found: Effective) -> str:
    lines: list[str] = []
    section = ""
    plain = found.settings.model_dump(mode="json")
    for path, field in leaves():
        above, _, name = path.rpartition(".")
        if above != section:
            lines.append(f"[{above}]\n")
            section = above
        value: Any = plain
        for part in path.split("."):
            value = value[part]
        origin = found.origins.get(path, "default")
        lines += textwrap.wrap(field.description, 100, initial_indent="# ", subsequent_indent="# ")
        lines.append(f"# From: {origin}. In the environment: {variable(path)}")
        lines.append(f"# {name} =\n" if value is None else f"{name} = {_value(value)}\n")
    return "\n".join(lines)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f" {javascript.dumps(name)} = {_value(item)}" for name, item in value.items()) + " }"
    return javascript.dumps(value)
