"""How is a dataset validated from Python, in this process?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from foretrain import runner, storage
from foretrain.checkpoint import Store
from foretrain.errors import SettingsError
from foretrain.record import Role
from foretrain.settings import Settings, effective

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from foretrain.validation import Validation

    Table: TypeAlias = str | os.PathLike[str] | pd.DataFrame | pl.DataFrame | pl.LazyFrame | pa.Table
    Config: TypeAlias = Settings | Mapping[str, Any] | str | os.PathLike[str]


def validate(
    candidate: Table,
    original: Table | None = None,
    *,
    target: str | None = None,
    config: Config | None = None,
    out: str | os.PathLike[str] | None = None,
) -> Validation:
    """Is this dataset safe to train on, instead of the original?

    What an earlier run with the same `out` (or the same `checkpoints` setting) has computed is restored.

    Args:
        candidate: path, glob, folder or URL of the dataset in question, or a pandas, polars or pyarrow table.
        original: the same for the real data it stands in for; without it only inner signs of collapse can be seen.
        target: the column a model would be trained to predict.
        config: `Settings`, taken as they are; or the path of a TOML file, or settings by name, e.g.
            ``{"seed": 7, "effort": "quick"}``, to which FORETRAIN_... variables of the environment are added.
        out: folder or URL for validation.json, report.html and checkpoints; made where missing. Nothing is kept
            where None.

    Raises:
        DataError: an input is not what it must be.
        SettingsError: a setting is unknown or not what it may be.
        ResourceError: storage, memory or a device failed.
    """
    settings = resolve(config, target)
    sources: dict[Role, object] = {"candidate": candidate}
    if original is not None:
        sources["original"] = original
    folder = None if out is None else os.fspath(out)
    root = checkpoints(settings, folder)
    if root is not None:
        return runner.follow(sources, settings, Store(root), folder)
    with tempfile.TemporaryDirectory(prefix="foretrain-") as passing:
        return runner.follow(sources, settings, Store(passing), folder)


def resolve(config: Config | None, target: str | None = None) -> Settings:
    """The settings that `validate` runs with."""
    if isinstance(config, Settings):
        settings = config if target is None else config.model_copy(update={"target": target})
    elif config is None or isinstance(config, str | os.PathLike):
        settings = effective(config, {"target": target}).settings
    elif isinstance(config, Mapping):
        settings = effective(None, {**config, "target": target or config.get("target")}).settings
    else:
        raise SettingsError(f"config takes Settings, a mapping or the path of a TOML file, not {type(config).__name__}")
    return settings


def checkpoints(settings: Settings, out: str | None) -> str | None:
    """Where results are kept between runs: the setting, or the output folder's own; None for nowhere."""
    return settings.checkpoints or (storage.join(out, "checkpoints") if out is not None else None)
