"""Tables that the collapse stage's tests share, as arrays and as profiled files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from foretrain.checkpoint import LocalFolder
from foretrain.collapse import score
from foretrain.collapse.record import Collapse
from foretrain.collapse.space import Space
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import Schema, Table, Target
from foretrain.data import load
from foretrain.profile import ProfileRef, profile
from foretrain.settings import Effort, Settings

QUICK = Settings(effort=Effort.QUICK)


def table(
    numbers: npt.ArrayLike = (), codes: npt.ArrayLike = (), *, target: Target | None = None, whole: bool = False
) -> Table:
    """A table of these columns: (rows, numbers) and (rows, codes), either may be left out; a vector is one column."""
    x, c = np.asarray(numbers, float), np.asarray(codes, np.int64)
    x, c = (block[:, None] if block.ndim == 1 and len(block) else block for block in (x, c))
    rows = max(len(x), len(c))
    x, c = x.reshape(rows, -1) if x.size else np.empty((rows, 0)), c.reshape(rows, -1)
    levels = tuple(int(column.max()) + 1 for column in c.T)
    names = tuple(f"x{j}" for j in range(x.shape[1]))
    return Table(x, c, Schema(names, (whole,) * x.shape[1], tuple(f"c{j}" for j in range(c.shape[1])), levels, target))


def like(rows: Table, numbers: npt.ArrayLike | None = None, codes: npt.ArrayLike | None = None) -> Table:
    """Other rows of the same schema."""
    x = rows.numbers[: len(np.asarray(codes))] if numbers is None else np.asarray(numbers, float)
    c = rows.codes[: len(x)] if codes is None else np.asarray(codes, np.int64)
    return rows.with_columns(x, c)


def sides(a: Table, b: Table) -> tuple[Side, Side]:
    """Both tables in the space of the second."""
    space = Space.of(b, np.random.default_rng(0))
    return Side.of(a, space), Side.of(b, space)


def frame(rows: int, seed: int = 0) -> pd.DataFrame:
    """Mixed columns with ties between them, gaps, and a label."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    city = rng.choice(["Bern", "Genf", "Basel", "Chur"], rows, p=[0.5, 0.25, 0.2, 0.05])
    income = rng.lognormal(8 + age / 60 + 0.4 * (city == "Bern"), 0.4)
    spent = 0.3 * income * rng.uniform(0.5, 1.5, rows)
    spent[rng.random(rows) < 0.05] = np.nan
    owner = np.where(rng.random(rows) < 1 / (1 + np.exp(-(np.log(income) - 9))), "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "spent": spent, "city": city, "owner": owner})


def narrowed(rows: pd.DataFrame) -> pd.DataFrame:
    """A collapsed candidate: a tenth of the rows, each ten times, numbers pulled to the middle."""
    made = rows.iloc[np.arange(len(rows)) % (len(rows) // 10)].reset_index(drop=True)
    for name in ("income", "spent"):
        made[name] = made[name].mean() + 0.5 * (made[name] - made[name].mean())
    return made


def judged(root: Path, candidate: Any, original: Any = None, settings: Settings = QUICK) -> Collapse:
    """What the stage says of two sources (paths or frames), loaded and profiled as the pipeline does."""
    return score(*profiled(root, candidate, original, settings), settings)


def profiled(
    root: Path, candidate: Any, original: Any = None, settings: Settings = QUICK
) -> tuple[ProfileRef, ProfileRef | None]:
    """Two sources, loaded and profiled as the pipeline does."""
    real = None if original is None else load(original, settings, LocalFolder(root / "original"))
    made = load(candidate, settings, LocalFolder(root / "candidate"), like=real)
    known = None if real is None else profile(real, settings, LocalFolder(root / "original profile"))
    return profile(made, settings, LocalFolder(root / "candidate profile")), known
