"""Studies of two sources, loaded and profiled as the pipeline does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.cascade.problem import Rows, Study, length
from foretrain.cascade.rows.arms import study
from foretrain.checkpoint import LocalFolder
from foretrain.data import load
from foretrain.profile import ProfileRef, profile
from foretrain.settings import CascadeSettings, DataSettings, Effort, Settings


def settings(target: str | None = None, seed: int = 0, kinds: dict[str, Any] | None = None, **cascade: Any) -> Settings:
    return Settings(
        seed=seed,
        effort=Effort.QUICK,
        target=target,
        data=DataSettings(kinds=kinds or {}),
        cascade=CascadeSettings(**cascade),
    )


def profiled(root: Path, source: Any, wanted: Settings, like: ProfileRef | None = None) -> ProfileRef:
    ref = load(source, wanted, LocalFolder(root / "data"), like=like.dataset if like else None)
    return profile(ref, wanted, LocalFolder(root / "profile"))


def studied(root: Path, candidate: Any, original: Any = None, wanted: Settings | None = None) -> Study:
    wanted = wanted or settings()
    real = None if original is None else profiled(root / "original", original, wanted)
    return study(profiled(root / "candidate", candidate, wanted, real), real, wanted)


def everything(rows: Rows) -> npt.NDArray[np.float64]:
    """All arrays of some rows side by side, (rows, values)."""
    return np.hstack([rows[name].reshape(length(rows), -1).astype(np.float64) for name in sorted(rows)])


def same(one: Study, other: Study) -> bool:
    """Whether two studies hold the same arrays."""
    sides = [
        [study.held_out, *(rows for arm in study.arms.values() for rows in (arm.train, arm.validation))]
        for study in (one, other)
    ]
    return (one.problem, one.guess, one.notes, list(one.arms)) == (
        other.problem,
        other.guess,
        other.notes,
        list(other.arms),
    ) and all(np.array_equal(everything(a), everything(b)) for a, b in zip(*sides, strict=True))
