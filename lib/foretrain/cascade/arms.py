"""Which rows do the models of a cascade learn from, and which judge them?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.cascade import children
from foretrain.cascade.encoding import Sides, encode
from foretrain.cascade.guess import guess
from foretrain.cascade.problem import Arm, Rows, Study, length, take
from foretrain.cascade.question import Question, ask
from foretrain.cascade.record import ArmName
from foretrain.cascade.selection import Counts, Pool, draw, hold_out, like_the_original, repeats_by_nature
from foretrain.data.reference import Kind
from foretrain.errors import DataError
from foretrain.profile import ProfileRef, read_sample
from foretrain.seeds import stream
from foretrain.settings import Effort, Settings

ROWS = {Effort.QUICK: 2000, Effort.STANDARD: 8000, Effort.THOROUGH: 20_000}
"""Rows an arm at most."""

HELD_OUT = 0.2
"""Share of the first dataset's rows that judge."""

MOST_HELD_OUT = 4000

FEWEST = 50
"""Rows that judge, and rows an arm, at least."""

VALIDATION = 0.15
"""Share of an arm that is held back to stop early. Drawn row by row, not by content: whoever trains on duplicates has
them on both sides, and that must show."""

CLASSES = 64
"""Classes at most; rows of rarer ones are left out."""


def study(candidate: ProfileRef, original: ProfileRef | None, settings: Settings) -> Study:
    """Three arms of as many rows, and rows of the original that none of them learns from.

    Arms: original, candidate, child; without an original: candidate, child, grandchild, and the candidate's rows judge.
    Everything is prepared by what the first arm knows.

    Args:
        candidate: profiled like the original.
        original: None to look at the candidate alone.
        settings: reads seed, effort, target and cascade.

    Raises:
        DataError: there is too little to learn from, or nothing to learn.
        SettingsError: the generator cannot make such data.
    """
    refs = [candidate] if original is None else [original, candidate]
    samples = [read_sample(ref) for ref in refs]
    question = ask(samples, refs[0].dataset.columns, settings)
    generator = children.choose(question.data, settings.cascade.generator)
    cut = _cut(refs, [_known(sample, question) for sample in samples], question, settings)
    made = encode(question, cut.sides, generator, settings.seed)
    if not length(made.held_out):
        raise DataError("expected held-out rows with a value to ask for, all are null", file=refs[0].dataset.uri)
    names: list[ArmName] = ["original", "candidate", "child"] if original else ["candidate", "child", "grandchild"]
    arms = {name: _split(rows, settings.seed, name) for name, rows in zip(names, made.arms, strict=True)}
    return Study(
        problem=made.problem,
        arms=arms,
        held_out=made.held_out,
        generator=children.TITLES[generator],
        guess=guess(made.problem, arms[names[0]].train, made.held_out),
        groups=made.groups,
        notes=(*question.notes, *cut.notes),
    )


def _split(rows: Rows, seed: int, name: str) -> Arm:
    order = stream(seed, "cascade", "split", name).permutation(length(rows))
    held_back = max(1, round(VALIDATION * len(order)))
    return Arm(train=take(rows, order[held_back:]), validation=take(rows, order[:held_back]))


def _known(sample: pa.Table, question: Question) -> pa.Table:
    """The rows whose target (or text, or image) is known, the target in the type of its kind."""
    for column in question.columns:
        if column.name != question.target and question.data == "table":
            continue
        values = sample[column.name]
        if column.kind is Kind.CATEGORICAL:
            values = pc.cast(values, pa.string())
        elif column.kind is Kind.NUMERIC:
            values = pc.cast(values, pa.float64(), safe=False)
            values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
        sample = sample.set_column(sample.schema.get_field_index(column.name), column.name, values)
        sample = sample.filter(pc.is_valid(values))
    return sample


@dataclass(frozen=True)
class _Cut:
    sides: Sides
    notes: tuple[str, ...]


def _cut(refs: Sequence[ProfileRef], samples: Sequence[pa.Table], question: Question, settings: Settings) -> _Cut:
    """Which rows of each dataset are read."""
    seed, notes = settings.seed, []
    pools = [Pool.of(sample, question.columns) for sample in samples]
    for ref, side in zip(refs, pools, strict=True):
        _enough(ref, side, 2 * FEWEST if side is pools[0] else FEWEST)
    whole = pools[0].ordered(seed, "held out")
    by_nature = [repeats_by_nature(whole, stream(seed, "cascade", "repeats"))]
    if by_nature[0]:
        notes.append("Rows repeat because columns hold few values, so copies of a held-out row are learned from.")
    if len(pools) > 1:
        by_nature.append(by_nature[0] and like_the_original(pools[1], whole, (refs[1].rows, refs[0].rows)))
    wanted = int(np.clip(HELD_OUT * whole.total, FEWEST, MOST_HELD_OUT))
    counts = hold_out(whole, wanted, by_nature[0], stream(seed, "cascade", "held out"))
    held = whole.keep(counts)
    pools[0] = whole.keep(whole.copies - counts if by_nature[0] else np.where(counts, 0, whole.copies))
    pools = [side.ordered(seed, f"arm {k}") for k, side in enumerate(pools)]
    chances = [stream(seed, "cascade", "rows", k) for k in range(len(pools))]
    limit = settings.cascade.rows or ROWS[settings.effort]
    if question.goal == "classification":
        n = min(limit, *(side.total for side in pools))
        known = _classes(pools[0], draw(pools[0], n, by_nature[0], chances[0]), question)
        kept = [_of_classes(side, known, question) for side in (*pools, held)]
        lost = sum(before.total - after.total for before, after in zip((*pools, held), kept, strict=True))
        if lost:
            notes.append(f"{lost:,} rows whose class is not among the first arm's {len(known)} commonest are left out.")
        *pools, held = kept
    for ref, side in zip(refs, pools, strict=True):
        _enough(ref, side, FEWEST)
    n = min(limit, *(side.total for side in pools))
    shared = np.isin(held.hashes, pools[-1].hashes) if len(pools) > 1 else np.zeros(0, bool)
    if shared.any():
        copied = int(held.copies[shared].sum())
        notes.append(f"{copied:,} of the {held.total:,} held-out rows are in the candidate too, and were left there.")
    for ref, side in zip(refs, pools, strict=True):
        if n < side.total:
            role = "candidate" if ref is refs[-1] else "original"
            notes.append(f"Models learn from {n:,} of the {role}'s {ref.rows:,} rows.")
    drawn = [
        side.keep(draw(side, n, nature, chance)).expanded()
        for side, nature, chance in zip(pools, by_nature, chances, strict=True)
    ]
    groups = np.arange(held.total) if by_nature[0] else np.repeat(np.arange(len(held.copies)), held.copies)
    return _Cut(Sides(tuple(drawn), held.expanded(), groups), tuple(notes))


def _enough(ref: ProfileRef, side: Pool, fewest: int) -> None:
    if side.total < fewest:
        raise DataError(f"expected at least {fewest} rows to train models on, found {side.total}", file=ref.dataset.uri)


def _classes(side: Pool, counts: Counts, question: Question) -> list[str]:
    """The commonest classes of an arm."""
    labels = side.rows[question.target].combine_chunks().dictionary_encode()
    total = np.zeros(len(labels.dictionary), np.int64)
    np.add.at(total, labels.indices.to_numpy(), counts)
    names = labels.dictionary.to_pylist()
    known = sorted(np.flatnonzero(total).tolist(), key=lambda k: (-total[k], names[k]))[:CLASSES]
    if len(known) < 2:
        raise DataError("expected at least two classes to tell apart, found one", column=question.target)
    return [names[k] for k in known]


def _of_classes(side: Pool, known: Sequence[str], question: Question) -> Pool:
    inside = np.asarray(pc.is_in(side.rows[question.target], pa.array(known, pa.string())))
    return side.keep(np.where(inside, side.copies, 0))
