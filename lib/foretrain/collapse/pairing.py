"""How does the candidate differ from the original, counted in differences between fresh real samples?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from foretrain.collapse.space import Space
from foretrain.collapse.statistics import classifier, geometry, joint, marginal, repeats, transfer, utility
from foretrain.collapse.statistics.side import Side
from foretrain.collapse.table import Floats, Table, Target
from foretrain.seeds import stream

HALF = 350
"""Rows a half at most: one scale at every size of table."""

WHOLE = 1000
"""Rows a side at most for the geometry of whole tables, which is quadratic in rows."""


@dataclass(frozen=True)
class Paired:
    """Every statistic, twice a repeat, against the same half of the original.

    Attributes:
        names: the statistics.
        fresh: (repeats, statistics): the other half of the original.
        candidate: (repeats, statistics): as many rows of the candidate.
        rows: rows a side.
    whole: statistics of all rows of the candidate against all rows of the original.
    """

    names: tuple[str, ...]
    fresh: Floats
    candidate: Floats
    rows: int
    whole: dict[str, float]

    def pick(self, repeats: np.ndarray) -> Paired:
        """The same with these repeats only, as often as they are named."""
        return replace(self, fresh=self.fresh[repeats], candidate=self.candidate[repeats])


def compare(
    candidate: Table, original: Table, rounds: int, seed: int, half: int = HALF, known: Paired | None = None
) -> Paired:
    """Split the original at random into halves, again and again, and hold the candidate against one of them.

    Same rows on both sides and the same reference, so biases of a statistic cancel and small tables calibrate
    themselves.

    Args:
        candidate: at least 8 rows.
        original: at least 16 rows, of the same schema.
        rounds: split-halves drawn.
        seed: the run's seed.
        half: most rows a side.
        known: an earlier comparison of another candidate with the same original, seed and rounds: where it had as many
            rows a side, its fresh halves are not measured again.
    """
    targets = goals(original)
    fresh: list[dict[str, float]] = []
    made: list[dict[str, float]] = []
    rows = min(half, len(original) // 2, len(candidate))
    reference_rows = min(half, len(original) // 2)
    known = known if known is not None and known.rows == rows else None
    space = Space.of(original, stream(seed, "collapse", "space"))
    for repeat in range(rounds):
        chance = stream(seed, "collapse", "halves", repeat)
        shuffled = chance.permutation(len(original))
        reference = Side.of(original.take(shuffled[:reference_rows]), space)
        other = Side.of(original.take(shuffled[reference_rows:][:rows]), space)
        drawn = Side.of(candidate.take(chance.permutation(len(candidate))[:rows]), space)
        ground = geometry.Reference(reference)
        tasks = [utility.Task(reference, target) for target in targets]
        fold = int(chance.integers(2**31))
        for side, out in ((other, fresh), (drawn, made)) if known is None else ((drawn, made),):
            out.append(dict(_statistics(side, ground, tasks, np.random.default_rng(fold))))
    if known is not None:
        fresh = [dict(zip(known.names, row, strict=True)) for row in known.fresh.tolist()]
    # a half in which a rare value is missing can lack a statistic
    names = tuple(name for name in fresh[0] if all(name in row for row in (*fresh, *made)))
    return Paired(
        names,
        np.asarray([[row[name] for name in names] for row in fresh]),
        np.asarray([[row[name] for name in names] for row in made]),
        rows,
        _whole(candidate, original, space, targets, stream(seed, "collapse", "whole")),
    )


def _whole(
    candidate: Table, original: Table, space: Space, targets: tuple[Target, ...], chance: np.random.Generator
) -> dict[str, float]:
    candidate, original = (table.sample(len(table), chance) for table in (candidate, original))
    a, b = Side.of(candidate, space), Side.of(original, space)
    some = np.arange(min(WHOLE, len(a), len(b)))
    return (
        marginal.measure(a, b)
        | joint.measure(a, b)
        | repeats.measure(candidate, original)
        | geometry.measure(a.take(some), geometry.Reference(b.take(some)))
        | _mean([transfer.measure(a, b, target) for target in targets])
    )


def half_samples(repeats: int, draws: int, chance: np.random.Generator) -> np.ndarray:
    """Random halves of the repeats (three at least), (draws, half): the mean over one varies as the whole mean does.

    References:
        McCarthy (1969), Pseudo-replication: half samples.
    """
    half = min(repeats, max(3, repeats // 2))
    return np.argsort(chance.random((draws, repeats)), axis=1)[:, :half]


def goals(original: Table, most: int = 3) -> tuple[Target, ...]:
    """What utility is measured on: the target, or (without one) the columns best tied to the others."""
    if original.schema.target is not None:
        return (original.schema.target,)
    p = len(original.schema.numbers)
    columns = np.hstack([np.nan_to_num(original.numbers), original.codes.astype(np.float64)])
    if columns.shape[1] < 2:
        return ()
    with np.errstate(all="ignore"):
        ties = np.nan_to_num(np.abs(np.corrcoef(columns, rowvar=False)))
    np.fill_diagonal(ties, 0.0)
    best = np.argsort(-ties.max(axis=1), kind="stable")[:most]
    return tuple(Target("regression", int(j)) if j < p else Target("classification", int(j - p)) for j in best)


def _statistics(
    side: Side, ground: geometry.Reference, tasks: list[utility.Task], chance: np.random.Generator
) -> Iterator[tuple[str, float]]:
    yield from marginal.measure(side, ground.side).items()
    yield from joint.measure(side, ground.side).items()
    yield from geometry.measure(side, ground).items()
    yield from classifier.measure(side, ground.side, chance).items()
    yield from _mean([utility.measure(side, task) for task in tasks]).items()


def _mean(found: list[dict[str, float]]) -> dict[str, float]:
    """Each statistic's mean over several targets; nothing for none."""
    return {name: float(np.mean([row[name] for row in found])) for name in found[0]} if found else {}
