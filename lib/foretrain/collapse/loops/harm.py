"""How much of a table's usefulness or diversity did a construction destroy, measured on fresh real rows?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretrain.collapse.space import Space
from foretrain.collapse.statistics import geometry, utility
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import FEW_VALUES, Floats, Table, Target

LIMITS = {
    "drop_trees": 0.10,
    "drop_linear": 0.10,
    "recall_loss": 0.15,
    "coverage_loss": 0.15,
    "variance_loss": 0.20,
    "axes_loss": 0.20,
    "tail_loss": 0.40,
    "repeat_excess": 0.15,
    "categories_moved": 0.12,
    "levels_lost": 0.10,
}
"""Effect at which each harm counts."""

DAMAGING = tuple(name for name in LIMITS if name != "tail_loss")
"""Harms whose size is the damage: the largest of them."""

CERTAIN = 3.5
"""Standard deviations, over fresh real samples, at which an effect counts."""

MOST_RATIO = 3.0
"""A variance ratio counts at most this much, so that one inflated column does not hide the loss of the others."""

MOST_ROWS = 1500
"""Rows used at most for models; 700 for neighbours."""


@dataclass(frozen=True)
class Harm:
    """The harms of one candidate.

    Attributes:
        effects: share lost, by harm; about 0 for a fresh real sample.
        certainty: the effect in standard deviations over fresh real samples.
    """

    effects: dict[str, float]
    certainty: dict[str, float]

    @property
    def counted(self) -> tuple[str, ...]:
        """Harms that are both large and certain."""
        return tuple(n for n in LIMITS if self.effects[n] > LIMITS[n] and self.certainty[n] >= CERTAIN)

    @property
    def suspected(self) -> tuple[str, ...]:
        """Harms that come near the limit: a table that has one is not called healthy."""
        return tuple(n for n in LIMITS if self.effects[n] > 0.7 * LIMITS[n] and self.certainty[n] >= 2.5)

    @property
    def damage(self) -> float:
        """The largest damaging effect, 0 to 1."""
        return float(np.clip(max(self.effects[n] for n in DAMAGING), 0.0, 1.0))


class Ruler:
    """Measures candidates against real rows that nothing was made from.

    Args:
        test: real rows kept apart.
        fresh: several other real samples of the candidates' size: what a healthy candidate measures.
        targets: what models predict.
        overlap: share of rows that any two of the fresh samples have in common; it hides part of their spread.
    """

    def __init__(
        self,
        test: Table,
        fresh: list[Table],
        targets: tuple[Target, ...],
        chance: np.random.Generator,
        overlap: float = 0.0,
    ) -> None:
        self.test = test
        self.space = Space.of(test, chance)
        self.side = Side.of(test, self.space)
        self.tasks = [utility.Task(self.side, target) for target in targets]
        self.near = Side.of(test.take(slice(0, 700)), self.space)
        self.ground = geometry.Reference(self.near)
        self.centre, self.scale, self.axes, self.value = _axes(test.numbers)
        numbers = test.numbers
        self.low: Floats = np.zeros(0)
        self.high: Floats = np.zeros(0)
        if numbers.shape[1]:
            self.low, self.high = np.nanquantile(numbers, [0.03, 0.97], axis=0)
        rows = [self._raw(table) for table in fresh]
        self.null = {
            name: (
                float(np.mean([r[name] for r in rows])),
                float(np.std([r[name] for r in rows], ddof=1)) / np.sqrt(1 - overlap),
            )
            for name in rows[0]
        }

    def measure(self, candidate: Table) -> Harm:
        """The candidate's harms."""
        raw = self._raw(candidate)
        effects: dict[str, float] = {}
        certainty: dict[str, float] = {}
        for name in LIMITS:
            mean, spread = self.null[name]
            lost = mean - raw[name]
            effects[name] = lost / max(mean, 0.05) if name in _RELATIVE else lost
            certainty[name] = lost / max(spread * np.sqrt(1 + 1 / 8), _LEAST[name])
        return Harm(effects, certainty)

    def _raw(self, table: Table) -> dict[str, float]:
        """Higher is better for each."""
        side = Side.of(table, self.space)
        few = Side(table.take(slice(0, 700)), side.points[:700])
        cloud = geometry.measure(few, self.ground)
        some = Side(table.take(slice(0, MOST_ROWS)), side.points[:MOST_ROWS])
        skill = [utility.measure(some, task, reverse=False) for task in self.tasks]
        return {
            "drop_trees": float(np.mean([s["trees_skill"] for s in skill])) if skill else 0.0,
            "drop_linear": float(np.mean([s["linear_skill"] for s in skill])) if skill else 0.0,
            "recall_loss": cloud["recall"],
            "coverage_loss": cloud["coverage"],
            "variance_loss": self._variance(table),
            "axes_loss": self._along(table),
            "tail_loss": self._tail(table),
            "repeat_excess": -cloud["near_duplicates"],
            **self._levels(table),
        }

    def _variance(self, table: Table) -> float:
        """Mean over number columns of the variance, as a share of the test rows'."""
        if not table.numbers.shape[1]:
            return 1.0
        return float(np.clip(np.nanvar((table.numbers - self.centre) / self.scale, axis=0), 0, MOST_RATIO).mean())

    def _along(self, table: Table) -> float:
        """The same along the principal axes that hold 95 % of the numbers' variance."""
        if not table.numbers.shape[1]:
            return 1.0
        z = np.nan_to_num((table.numbers - self.centre) / self.scale)
        return float(np.clip((z @ self.axes).var(axis=0) / self.value, 0, MOST_RATIO).mean())

    def _tail(self, table: Table) -> float:
        if not table.numbers.shape[1]:
            return 0.0
        return float(((table.numbers < self.low) | (table.numbers > self.high)).mean())

    def _levels(self, table: Table) -> dict[str, float]:
        moved, lost = [], []
        for x, y in self._discrete(table):
            values, place = np.unique(np.concatenate([x, y]), return_inverse=True)
            p = np.bincount(place[: len(x)], minlength=len(values)) / len(x)
            q = np.bincount(place[len(x) :], minlength=len(values)) / len(y)
            moved.append(np.abs(p - q).sum() / 2)
            lost.append(q[p == 0].sum())
        return {
            "categories_moved": -float(np.mean(moved)) if moved else 0.0,
            "levels_lost": -float(np.mean(lost)) if lost else 0.0,
        }

    def _discrete(self, table: Table) -> list[tuple[Floats, Floats]]:
        out = [
            (x.astype(np.float64), y.astype(np.float64)) for x, y in zip(table.codes.T, self.test.codes.T, strict=True)
        ]
        for x, y, whole in zip(table.numbers.T, self.test.numbers.T, self.test.schema.whole, strict=True):
            if whole and len(np.unique(y[:500])) <= FEW_VALUES:
                out.append((x, y))
        return out


def _axes(numbers: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Centre and scale of each column, and the principal axes that hold 95 % of the variance, with their variances."""
    if not numbers.shape[1]:
        return np.zeros(0), np.ones(0), np.zeros((0, 0)), np.zeros(0)
    centre, scale = np.nanmean(numbers, axis=0), np.nanstd(numbers, axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    value, axes = np.linalg.eigh(np.atleast_2d(np.cov(np.nan_to_num((numbers - centre) / scale), rowvar=False)))
    value, axes = np.clip(value[::-1], 1e-12, None), axes[:, ::-1]
    kept = int((np.cumsum(value) < 0.95 * value.sum()).sum()) + 1
    return centre, scale, axes[:, :kept], value[:kept]


_RELATIVE = {"drop_trees", "drop_linear", "recall_loss", "coverage_loss", "tail_loss", "variance_loss", "axes_loss"}
_LEAST = {
    "drop_trees": 0.004,
    "drop_linear": 0.003,
    "recall_loss": 0.005,
    "coverage_loss": 0.005,
    "variance_loss": 0.02,
    "axes_loss": 0.02,
    "tail_loss": 0.002,
    "repeat_excess": 0.004,
    "categories_moved": 0.004,
    "levels_lost": 0.001,
}
"""Least standard deviation assumed, since it is estimated from few samples."""
