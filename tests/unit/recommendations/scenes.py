"""Two tables as fixes see them, without files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from foretrain.checkpoint import LocalFolder
from foretrain.data import load
from foretrain.data.reference import DatasetRef
from foretrain.recommendations import scene
from foretrain.recommendations.scene import Flagged, Scene
from foretrain.record import NotRun
from foretrain.settings import Settings

NOTHING = NotRun(reason="it was not looked for")


def mixed(rows: int, seed: int) -> pd.DataFrame:
    """Numbers, whole numbers, categories, truth values and days that hang together."""
    chance = np.random.default_rng(seed)
    age = chance.integers(18, 90, rows)
    income = chance.lognormal(8 + age / 60, 0.5)
    return pd.DataFrame(
        {
            "age": age,
            "income": income,
            "city": chance.choice(["Bern", "Genf", "Basel", "Chur"], rows, p=[0.5, 0.3, 0.15, 0.05]),
            "since": pd.Timestamp("2020-01-01") + pd.to_timedelta(chance.integers(0, 900, rows), unit="D"),
            "label": income > np.median(income),
        }
    )


def loaded(
    root: Path, candidate: pd.DataFrame, original: pd.DataFrame, settings: Settings | None = None
) -> tuple[DatasetRef, DatasetRef]:
    settings = settings or Settings()
    real = load(original, settings, LocalFolder(root / "original"))
    return load(candidate, settings, LocalFolder(root / "candidate"), like=real), real


def scene_of(
    root: Path,
    candidate: pd.DataFrame,
    original: pd.DataFrame,
    *,
    target: str | None = None,
    flagged: Mapping[int, tuple[float, str]] | None = None,
    most: int | None = None,
) -> Scene:
    """The scene of two frames; `flagged` gives confidence and mechanism by place."""
    made, real = loaded(root, candidate, original, Settings(target=target))
    found = scene.read(made, real, NOTHING, target, 0, most)
    if not flagged:
        return found
    places = sorted(flagged)
    flags = Flagged(
        np.asarray(places),
        np.asarray([flagged[place][0] for place in places]),
        np.asarray([flagged[place][1] for place in places], dtype=object),
    )
    return replace(found, flags=lambda: flags)


def duplicated(rows: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """The rows, of which a share repeats others, in random order."""
    chance = np.random.default_rng(seed)
    kept = round((1 - share) * len(rows))
    places = np.concatenate([np.arange(kept), chance.integers(0, kept, len(rows) - kept)])
    return rows.iloc[chance.permutation(places)].reset_index(drop=True)


def frames(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(tables, ignore_index=True)
