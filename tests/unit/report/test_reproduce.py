"""Does the printed command say everything that matters, and survive a shell?"""

from __future__ import annotations

import shlex
import tomllib

import typer

from foretrain.cli.app import app
from foretrain.data.reference import DatasetRef, Kind
from foretrain.report import reproduce
from foretrain.settings import DataSettings, Effort, Settings, VerdictSettings


def dataset(uri: str) -> DatasetRef:
    return DatasetRef(name="d", uri=uri, table=uri, format="csv", columns=(), rows=1, bytes=1, fingerprint="0")


def test_names_survive_the_shell() -> None:
    settings = Settings(seed=7, target="it's $HOME; rm", time_column="t", data=DataSettings(format="csv"))
    line = reproduce.command(dataset("a b.csv"), dataset("s3://x/$(y).csv"), settings)
    assert shlex.split(line) == [
        "foretrain", "validate", "a b.csv", "--original", "s3://x/$(y).csv", "--target", "it's $HOME; rm",
        "--time-column", "t", "--format", "csv", "--seed", "7",
    ]  # fmt: skip
    assert reproduce.config_file(settings) == ""


def test_other_settings_go_into_a_file() -> None:
    kinds = {"größe <m>": Kind.NUMERIC, "zip": Kind.CATEGORICAL}
    settings = Settings(data=DataSettings(kinds=kinds), verdict=VerdictSettings(reject_at=0.7))
    line = reproduce.command(dataset("c.csv"), None, settings)
    assert line == "foretrain validate c.csv --seed 0 --config foretrain.toml"
    written = tomllib.loads(reproduce.config_file(settings))
    assert Settings.model_validate(written) == settings


def test_tables_from_memory_are_validated_from_python() -> None:
    line = reproduce.command(dataset("memory"), dataset("it's.csv"), Settings(seed=3, effort=Effort.QUICK))
    assert line == """foretrain.validate(candidate, "it's.csv", config={'seed': 3, 'effort': 'quick'})"""
    assert reproduce.command(dataset("memory"), None, Settings()) == "foretrain.validate(candidate, config={'seed': 0})"


def test_the_command_line_understands_it() -> None:
    settings = Settings(seed=7, target="y", time_column="t", effort=Effort.QUICK, data=DataSettings(format="csv"))
    words = shlex.split(reproduce.command(dataset("c.csv"), dataset("o.csv"), settings))
    commands = typer.main.get_command(app)
    assert isinstance(commands, typer.core.TyperGroup)
    given = commands.commands[words[1]].make_context(words[1], words[2:]).params
    assert {"candidate": "c.csv", "original": "o.csv", "target": "y", "time_column": "t"}.items() <= given.items()
    assert (given["format"], given["seed"], given["effort"]) == ("csv", 7, Effort.QUICK)
