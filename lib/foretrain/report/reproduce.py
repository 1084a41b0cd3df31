"""Which command gives this report again?"""

from __future__ import annotations

import json
import shlex
from typing import Any

from foretrain.data.reference import DatasetRef
from foretrain.settings import Settings
from foretrain.validation import Validation

_FLAGS = {"effort": "--effort", "target": "--target", "time_column": "--time-column"}
_IN_MEMORY = "memory"


def command(candidate: DatasetRef, original: DatasetRef | None, settings: Settings) -> str:
    """One line to copy: for the shell, or for Python where a table was given from memory."""
    sources = {"candidate": candidate.uri} | ({"original": original.uri} if original is not None else {})
    if _IN_MEMORY in sources.values():
        given = [name if uri == _IN_MEMORY else repr(uri) for name, uri in sources.items()]
        config = _changed(settings) | {"seed": settings.seed}
        return f"foretrain.validate({', '.join(given)}, config={config!r})"
    words = ["foretrain", "validate", candidate.uri]
    if original is not None:
        words += ["--original", original.uri]
    for key, value in _changed(settings).items():
        if key in _FLAGS:
            words += [_FLAGS[key], str(value)]
    if settings.data.format is not None:
        words += ["--format", settings.data.format]
    words += ["--seed", str(settings.seed)]
    if config_file(settings):
        words += ["--config", "foretrain.toml"]
    return shlex.join(words)


def fix_command(validation: Validation) -> str:
    """One line that applies the best recommendation; empty where there is none, or the candidate was in memory."""
    found, uri = validation.recommendations, validation.inputs.candidate.uri
    if found is None or found.best is None or uri == _IN_MEMORY:
        return ""
    words = ["foretrain", "fix", uri, "--plan", "validation.json", "--apply", found.best, "--out", "fixed.parquet"]
    return shlex.join(words)


def config_file(settings: Settings) -> str:
    """What `foretrain.toml` must hold beside the flags; empty where the flags say it all."""
    changed = _changed(settings)
    changed.get("data", {}).pop("format", None)
    sections = {key: value for key, value in changed.items() if isinstance(value, dict) and value}
    return "\n\n".join(f"[{name}]\n" + "\n".join(_lines(section)) for name, section in sections.items())


def _changed(settings: Settings) -> dict[str, Any]:
    """The settings that differ from their defaults; where checkpoints are kept changes no result."""
    return settings.model_dump(mode="json", exclude_defaults=True, exclude={"checkpoints"})


def _lines(section: dict[str, Any]) -> list[str]:
    return [f"{_toml_key(key)} = {_toml(value)}" for key, value in section.items() if value is not None]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    return json.dumps(value, ensure_ascii=True)  # TOML's strings, numbers, booleans and lists are JSON's


def _toml_key(key: str) -> str:
    return key if key.isascii() and key.replace("_", "").isalnum() else json.dumps(key)
