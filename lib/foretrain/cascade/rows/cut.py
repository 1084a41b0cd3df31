"""Which rows of two datasets are read: to learn from, as many of each, and to judge?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.cascade.rows.encoding import Sides
from foretrain.cascade.rows.question import Question
from foretrain.cascade.rows.selection import Counts, Pool, draw, hold_out, like_the_original, repeats_by_nature
from foretrain.errors import DataError
from foretrain.profile import ProfileRef
from foretrain.seeds import stream
from foretrain.settings import Effort, Settings

ROWS = {Effort.QUICK: 2000, Effort.STANDARD: 8000, Effort.THOROUGH: 20_000}
"""Rows an arm at most."""

HELD_OUT = 0.2
"""Share of the first dataset's rows that judges."""

MOST_HELD_OUT = 4000

FEWEST = 50
"""Rows that judge, and rows an arm, at least."""

CLASSES = 64
"""Classes at most; rows of rarer ones are left out."""


def cut(
    refs: Sequence[ProfileRef], samples: Sequence[pa.Table], question: Question, settings: Settings
) -> tuple[Sides, tuple[str, ...]]:
    """The rows of one or two arms and of the first dataset's rows apart from them, and notes for people.

    Args:
        refs: the original and the candidate, or the candidate alone.
        samples: their rows whose target is known.
        question: what is learned.
        settings: reads seed, effort and cascade.rows.

    Raises:
        DataError: there are too few rows, or there is one class only.
    """
    seed = settings.seed
    wholes = [Pool.of(sample, question.columns) for sample in samples]
    for ref, side, fewest in zip(refs, wholes, (2 * FEWEST, FEWEST), strict=False):
        _enough(ref, side, fewest)
    natural = _natural(wholes, refs, seed)
    held, rest = _apart(wholes[0].ordered(seed, "held out"), natural[0], seed)
    pools = [side.ordered(seed, f"arm {k}") for k, side in enumerate((rest, *wholes[1:]))]
    notes = ["Rows repeat because columns hold few values: held-out rows are in the arms too."] if natural[0] else []

    limit = settings.cascade.rows or ROWS[settings.effort]
    if question.goal == "classification":
        known = _classes(pools[0], _rows(pools, natural, limit, seed)[0], question)
        kept = [_of_classes(side, known, question) for side in (*pools, held)]
        lost = sum(before.total - after.total for before, after in zip((*pools, held), kept, strict=True))
        notes += [f"{lost:,} rows whose class is not among the first arm's {len(known)} are left out."] * bool(lost)
        *pools, held = kept
    for ref, side in zip(refs, pools, strict=True):
        _enough(ref, side, FEWEST)

    counts = _rows(pools, natural, limit, seed)
    groups = np.arange(held.total) if natural[0] else np.repeat(np.arange(len(held.copies)), held.copies)
    sides = Sides(
        tuple(side.keep(each).expanded() for side, each in zip(pools, counts, strict=True)), held.expanded(), groups
    )
    return sides, (*notes, *_notes(refs, pools, held, len(sides.arms[0])))


def _enough(ref: ProfileRef, side: Pool, fewest: int) -> None:
    if side.total < fewest:
        raise DataError(f"expected at least {fewest} rows to train models on, found {side.total}", file=ref.dataset.uri)


def _natural(wholes: Sequence[Pool], refs: Sequence[ProfileRef], seed: int) -> list[bool]:
    """Whether each dataset's rows repeat because its columns hold few values."""
    first = repeats_by_nature(wholes[0], stream(seed, "cascade", "repeats"))
    return [first, *(first and like_the_original(side, wholes[0], (refs[1].rows, refs[0].rows)) for side in wholes[1:])]


def _apart(whole: Pool, natural: bool, seed: int) -> tuple[Pool, Pool]:
    """The rows that judge, and the others."""
    wanted = int(np.clip(HELD_OUT * whole.total, FEWEST, MOST_HELD_OUT))
    counts = hold_out(whole, wanted, natural, stream(seed, "cascade", "held out"))
    return whole.keep(counts), whole.keep(whole.copies - counts if natural else np.where(counts, 0, whole.copies))


def _rows(pools: Sequence[Pool], natural: Sequence[bool], limit: int, seed: int) -> list[Counts]:
    """How many copies of each row every arm gets, as many rows an arm."""
    n = min(limit, *(side.total for side in pools))
    chances = [stream(seed, "cascade", "rows", k) for k in range(len(pools))]
    return [draw(side, n, each, chance) for side, each, chance in zip(pools, natural, chances, strict=True)]


def _classes(side: Pool, counts: Counts, question: Question) -> list[str]:
    """An arm's classes, the commonest `CLASSES` of them."""
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


def _notes(refs: Sequence[ProfileRef], pools: Sequence[Pool], held: Pool, n: int) -> list[str]:
    notes = []
    shared: npt.NDArray[np.bool_] = np.isin(held.hashes, pools[-1].hashes)
    if len(pools) > 1 and shared.any():
        copied = int(held.copies[shared].sum())
        notes.append(f"{copied:,} of the {held.total:,} held-out rows are in the candidate too, and were left there.")
    for ref, side in zip(refs, pools, strict=True):
        if n < side.total:
            role = "candidate" if ref is refs[-1] else "original"
            notes.append(f"Models learn from {n:,} of the {role}'s {ref.rows:,} rows.")
    return notes
