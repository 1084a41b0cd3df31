"""How do the rows of two datasets become three arms of arrays: tables, texts, images?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeVar

import numpy as np
import pyarrow as pa

from foretrain.cascade.generation import child
from foretrain.cascade.problem import Problem, Rows
from foretrain.cascade.rows import masking, preparation
from foretrain.cascade.rows.question import Question, pixels
from foretrain.collapse import texts
from foretrain.collapse.rows import widen
from foretrain.collapse.table import Floats, Ints, Table, pair
from foretrain.data.reference import Kind
from foretrain.errors import DataError
from foretrain.seeds import number, stream

T = TypeVar("T")


@dataclass(frozen=True)
class Sides:
    """Rows as read, without the columns that are not learned from.

    Attributes:
        arms: the original's and the candidate's, or the candidate's alone.
        held_out: those that judge.
        groups: (held-out rows,) the same for copies of one row, unless rows repeat by nature.
    """

    arms: tuple[pa.Table, ...]
    held_out: pa.Table
    groups: Ints


@dataclass(frozen=True)
class Encoded:
    """Prepared rows of three arms, and those that judge, how many rows they are, their groups; and notes for people."""

    problem: Problem
    arms: tuple[Rows, ...]
    held_out: Rows
    judges: int
    groups: Ints
    notes: tuple[str, ...] = ()


def encode(question: Question, sides: Sides, generator: str, seed: int) -> Encoded:
    """The arms that are read, and those that the generator makes, prepared by what the first arm knows.

    Args:
        question: what is learned.
        sides: as many rows an arm.
        generator: by name, see `children`.
        seed: the run's seed.

    Raises:
        DataError: the target does not vary.
    """
    return _ENCODERS[question.data](question, sides, generator, seed)


def _tables(question: Question, sides: Sides, generator: str, seed: int) -> Encoded:
    read, held_out = arrays(question, sides, seed)
    arms = _three(read, lambda rows, chance: child.draw(rows, generator, len(rows), chance), seed)
    prepare = preparation.Tables.of(arms[0])
    rows, problem = prepare.rows(held_out), prepare.problem(arms[0], question.target)
    judges, groups = len(held_out), sides.groups
    if problem.goal == "masked columns":
        rows, which = masking.hide_columns(arms[0], rows)
        judges, groups = len(np.unique(which)), groups[which]
    return Encoded(problem, tuple(prepare.rows(arm) for arm in arms), rows, judges, groups)


def _images(question: Question, sides: Sides, generator: str, seed: int) -> Encoded:
    """Images as tables of a number a pixel, so that one generator draws pixels and target together."""
    read, held_out = arrays(question, sides, seed)
    arms = _three(read, lambda rows, chance: child.draw(rows, generator, len(rows), chance), seed)
    prepare, target = preparation.Tables.of(arms[0]), arms[0].schema.target

    def images(table: Table) -> Floats:
        numbers = table.numbers
        if target is not None and target.task == "regression":
            numbers = np.delete(numbers, target.position, axis=1)
        return np.nan_to_num(pixels(numbers, question.shape, question.last))

    scale = preparation.Scale.of(images(arms[0]))

    def rows(table: Table) -> Rows:
        goal = {"goal": prepare.rows(table)["goal"]} if target is not None else {}
        return {"pixels": scale(images(table)), **goal}

    known = prepare.problem(arms[0], question.target)
    goal = "masked pixels" if target is None else known.goal
    judge = rows(held_out) if target is not None else masking.hide_pixels(images(arms[0]), rows(held_out))
    problem = Problem("image", goal, question.target, classes=known.classes, shape=question.shape)
    return Encoded(problem, tuple(rows(arm) for arm in arms), judge, len(held_out), sides.groups)


def _texts(question: Question, sides: Sides, generator: str, seed: int) -> Encoded:  # noqa: ARG001
    name = question.columns[0].name
    written = [side[name].to_pylist() for side in (*sides.arms, sides.held_out)]
    lengths = np.asarray([len(text.encode()) for text in written[0]])
    t = preparation.width(lengths)
    cut = float((lengths > t).mean())
    read = [preparation.tokens(side, t) for side in written]
    arms = _three(read[:-1], lambda rows, chance: child.draw_texts(rows, len(rows), chance), seed)
    return Encoded(
        Problem("text", "next byte", None, shape=(t,)),
        tuple({"tokens": arm} for arm in arms),
        {"tokens": read[-1]},
        len(read[-1]),
        sides.groups,
        (f"Models read the first {t} bytes of each text; {cut:.0%} of the first arm's are longer.",) if cut else (),
    )


_ENCODERS = {"table": _tables, "image": _images, "text": _texts}


def _three(read: list[T], child: Callable[[T, np.random.Generator], T], seed: int) -> list[T]:
    """Three generations or arms, each that is missing made from the one before."""
    arms = [*read]
    while len(arms) < 3:
        arms.append(child(arms[-1], stream(seed, "cascade", "child", len(arms))))
    return arms


def arrays(question: Question, sides: Sides, seed: int) -> tuple[list[Table], Table]:
    """The arms that are read, and the rows that judge, as arrays of one schema; levels in the first arm's order."""
    first, rest = sides.arms[0], (*sides.arms[1:], sides.held_out)
    others = pa.concat_tables(rest)
    parts = list(pair(others, first, question.columns, question.target))
    for column in question.inputs:
        if column.kind is Kind.TEXT:
            read = [side[column.name].combine_chunks() for side in (first, others)]
            axes = texts.numbers_like(read[0], read[1:], number(seed, "cascade", "text", column.name))
            parts = [widen(t, more, texts.names(column.name)) for t, more in zip(parts, reversed(axes), strict=True)]
    other, made = (_common(part) for part in parts)
    target = made.schema.target
    if target is not None and target.task == "regression" and np.ptp(made.numbers[:, target.position]) == 0:
        raise DataError("expected a target that varies, found one value", column=question.target)
    ends = np.cumsum([0, *map(len, rest)])
    cut = [other.take(slice(start, end)) for start, end in pairwise(ends)]
    return [made, *cut[:-1]], cut[-1]


def _common(table: Table) -> Table:
    """The table with rare levels as one, so that generators of tables with thousands of levels take seconds."""
    target = table.schema.target
    kept = [
        k
        if target is not None and target.task == "classification" and j == target.position
        else max(1, min(k, preparation.LEVELS + 1))
        for j, k in enumerate(table.schema.levels)
    ]
    codes = np.minimum(table.codes, np.asarray(kept, np.int64) - 1)
    return replace(table, codes=codes, schema=replace(table.schema, levels=tuple(kept)))
