"""How is a dataset validated from Python, in this process?"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from foretrain import runner, storage
from foretrain.checkpoint import Store
from foretrain.errors import DataError, SettingsError
from foretrain.record import Role
from foretrain.settings import Settings, effective

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    from foretrain.validation import Fixed, Validation

    Table: TypeAlias = str | os.PathLike[str] | pd.DataFrame | pl.DataFrame | pl.LazyFrame | pa.Table
    Config: TypeAlias = Settings | Mapping[str, Any] | str | os.PathLike[str]


HELD_OUT = "original-held-out.parquet"
"""The rows of the original that no fix has seen."""


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


def fix(
    candidate: Table,
    plan: Validation | str | os.PathLike[str],
    apply: Sequence[str],
    out: str | os.PathLike[str],
    *,
    original: Table | None = None,
    real: Table | None = None,
    report: str | os.PathLike[str] | None = None,
) -> Fixed:
    """Apply recommendations to the whole dataset, write the result, and validate it as the candidate was.

    Where a fix sees values or rows of the original, it sees one half of them; the result is validated against the
    other half.

    Args:
        candidate: the dataset that was validated.
        plan: the validation that recommends them, or the path or URL of its `out` or validation.json.
        apply: ids of recommendations, applied together.
        out: path or URL of the mended dataset: .parquet, .csv or .arrow.
        original: where it is now, if it is not any more where the plan says.
        real: newly collected real rows, for fixes that collect some.
        report: folder or URL for the outcome's validation.json and report.html; nothing is kept where None.

    Raises:
        DataError: the plan recommends nothing of the kind, or is of other datasets.
        SettingsError: `out` has an ending that is not known, or new rows are missing.
        ResourceError: storage failed, or what the plan names is gone.
    """
    from foretrain.mend import chosen, mend
    from foretrain.recommendations import history
    from foretrain.validation import Fixed, Validation, opened

    known = plan if isinstance(plan, Validation) else opened(os.fspath(plan))[1]
    actions = chosen(known, apply)
    recommended = known.recommendations
    assert recommended is not None
    source = original if original is not None else _place(known)
    with tempfile.TemporaryDirectory(prefix="foretrain-") as passing:
        store = Store(passing)
        refs = runner.loaded({"original": source, "candidate": candidate}, known.settings, store)
        new = None
        if real is not None:
            new = runner.loaded({"original": source, "candidate": real}, known.settings, store)["candidate"]
        folder = os.fspath(report) if report is not None else passing
        apart = storage.join(folder, HELD_OUT)
        mended = mend(known, actions, refs["candidate"], refs["original"], os.fspath(out), apart, new)
        outcome = validate(mended.dataset, mended.held_out or source, config=known.settings, out=report)
    id_ = "+".join(apply)
    if known.settings.recommendations.record and recommended.named(id_) is not None:
        history.remember(recommended, known.settings)
        history.History(known.settings.signatures).report(recommended.run, id_, outcome.score)
    return Fixed(mended=mended, promise=recommended.named(id_), before=known.score, outcome=outcome)


def _place(plan: Validation) -> str:
    assert plan.inputs.original is not None
    if plan.inputs.original.uri == "memory":
        raise DataError("the original was a table in memory", hint="Give it again as original")
    return plan.inputs.original.uri


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
