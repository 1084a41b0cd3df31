"""How do two tables become a study, by the way that a user's files take?"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa

from foretrain.cascade.problem import Study
from foretrain.cascade.rows import arms
from foretrain.checkpoint import LocalFolder
from foretrain.collapse.table import Table
from foretrain.data import load
from foretrain.profile import ProfileRef, profile
from foretrain.settings import Settings


def study_of(candidate: Table, original: Table, settings: Settings, judge: Table | None = None) -> Study:
    """What the cascade makes of two tables with the same schema, loaded and profiled as datasets are.

    Args:
        candidate: the one to judge.
        original: the one to judge it by.
        settings: as for `arms.study`; the kinds of the columns are the schema's.
        judge: rows that judge instead of some of the original's.
    """
    schema = original.schema
    kinds = dict.fromkeys(schema.numbers, "numeric") | dict.fromkeys(schema.codes, "categorical")
    settings = Settings.model_validate(settings.model_dump() | {"data": {"kinds": kinds}})
    return study_of_rows(arrow(candidate), arrow(original), settings, None if judge is None else arrow(judge))


def study_of_rows(candidate: pa.Table, original: pa.Table, settings: Settings, judge: pa.Table | None = None) -> Study:
    """The same of tables with texts or images, the kinds of their columns found unless the settings name them."""
    with tempfile.TemporaryDirectory(prefix="foretrain-") as root:
        real = _profiled(original, settings, Path(root) / "original")
        made = _profiled(candidate, settings, Path(root) / "candidate", real)
        apart = None if judge is None else _profiled(judge, settings, Path(root) / "judge", real)
        return arms.study(made, real, settings, apart)


def target_of(table: Table) -> str | None:
    """Name of the column that is predicted."""
    target = table.schema.target
    if target is None:
        return None
    names = table.schema.numbers if target.task == "regression" else table.schema.codes
    return names[target.position]


def _profiled(table: pa.Table, settings: Settings, root: Path, like: ProfileRef | None = None) -> ProfileRef:
    ref = load(table, settings, LocalFolder(root / "data"), like=like.dataset if like else None, name=root.name)
    return profile(ref, settings, LocalFolder(root / "profile"))


def arrow(table: Table) -> pa.Table:
    """The columns by name, categories as words."""
    schema = table.schema
    columns = {
        name: pa.array(values, from_pandas=True) for name, values in zip(schema.numbers, table.numbers.T, strict=True)
    }
    for name, codes in zip(schema.codes, table.codes.T, strict=True):
        columns[name] = pa.array([None if code < 0 else f"level {code}" for code in codes], pa.string())
    return pa.table(columns)
