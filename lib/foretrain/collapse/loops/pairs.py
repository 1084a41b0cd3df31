"""Which labelled pairs is the calibration fitted on?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from foretrain.collapse.loops import real, recipes
from foretrain.collapse.loops.harm import Ruler
from foretrain.collapse.loops.simulated import Simulated
from foretrain.collapse.pairing import goals
from foretrain.collapse.table import Table
from foretrain.seeds import stream

FRESH = 8
"""Fresh real samples that say what a healthy candidate measures."""


@dataclass(frozen=True)
class Labelled:
    """A candidate, its original, and what it lost.

    Attributes:
        label: 1 collapsed, 0 healthy, None where construction and measured harm do not agree.
        damage: share of utility or diversity lost, 0 to 1.
    """

    source: str
    mechanism: str
    strength: float
    candidate: Table
    original: Table
    label: int | None
    damage: float


def from_real(name: str, round_: int, seed: int) -> Iterator[Labelled]:
    """Pairs of one split of a real table: 3/8 original, 3/8 holdout, 2/8 test."""
    chance = stream(seed, "calibration", name, round_)
    rows = real.table(name)
    rows = rows.sample(len(rows), chance)
    n = min(round(0.375 * len(rows)), int(chance.choice([700, 700, 350, 1500])))
    test = rows.take(slice(2 * n, 2 * n + 1000))
    apart = rows.take(slice(0, 2 * n))
    splits = [apart.sample(n, chance) for _ in range(FRESH)]
    yield from _label(name, rows.take(slice(0, n)), rows.take(slice(n, 2 * n)), test, splits, chance, 0.5)


def from_simulation(number: int, seed: int) -> Iterator[Labelled]:
    """Pairs of one simulated table of 50 to 8,000 rows."""
    chance = stream(seed, "calibration", "simulated", number)
    model = Simulated(chance)
    n = int(np.exp(chance.uniform(np.log(50), np.log(3000)))) if number % 8 else int(chance.integers(3000, 8000))
    draw = [model.draw(n, chance) for _ in range(2 + FRESH)]
    test = model.draw(int(np.clip(n, 300, 1500)), chance)
    yield from _label(f"simulated-{number}", draw[0], draw[1], test, draw[2:], chance)


def from_narrow(number: int, seed: int) -> Iterator[Labelled]:
    """Pairs of one simulated table of 40 to 400 rows and few columns, with more fresh samples than others have.

    There chance alone makes large departures, so that much of what must be learned is what a fresh sample can look
    like.
    """
    chance = stream(seed, "calibration", "narrow", number)
    model = Simulated(chance, narrow=True)
    n = int(np.exp(chance.uniform(np.log(40), np.log(400))))
    draw = [model.draw(n, chance) for _ in range(2 + FRESH)]
    test = model.draw(int(np.clip(n, 300, 1500)), chance)
    source = f"narrow-{number}"
    yield from _label(source, draw[0], draw[1], test, draw[2:], chance)
    for fresh in draw[2:]:
        yield Labelled(source, "fresh", 0.0, fresh, draw[0], 0, 0.0)


def _label(
    source: str,
    original: Table,
    holdout: Table,
    test: Table,
    fresh: list[Table],
    chance: np.random.Generator,
    overlap: float = 0.0,
) -> Iterator[Labelled]:
    ruler = Ruler(test, fresh, goals(original), chance, overlap)
    for made in (*recipes.healthy(original, holdout, chance), *recipes.collapsed(original, holdout, chance)):
        if len(made.table) < 20:
            continue
        harm = ruler.measure(made.table)
        if made.mechanism in ("fresh", "fresh_part"):
            label: int | None = 0
        elif made.healthy:
            label = None if harm.suspected else 0
        else:
            label = 1 if harm.counted else None
        yield Labelled(
            source, made.mechanism, made.strength, made.table, original, label, harm.damage if label != 0 else 0.0
        )
