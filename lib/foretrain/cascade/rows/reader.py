"""How are further rows of a table read as the nets' own were?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.cascade.problem import Problem, Rows
from foretrain.cascade.rows.arms import as_asked, known
from foretrain.cascade.rows.cut import cut
from foretrain.cascade.rows.encoding import arrays
from foretrain.cascade.rows.preparation import Tables
from foretrain.cascade.rows.question import Question, ask
from foretrain.collapse.table import Schema, Table, pair
from foretrain.data.reference import Kind
from foretrain.profile import ProfileRef, read_sample
from foretrain.settings import Settings


@dataclass(frozen=True)
class Reader:
    """Reads rows as `foretrain.cascade.rows.arms.study` did those of its arms; the child is not made again.

    Attributes:
        question: what was learned from which columns.
        problem: the nets' problem.
        held_out: rows of the original that no arm learned from, prepared.
        first: one of the first arm's rows, by which others are read alike.
        schema: of the columns.
        prepare: fitted on the first arm.
        levels: of each category, in the order of its codes.
    """

    question: Question
    problem: Problem
    held_out: Rows
    first: pa.Table
    schema: Schema
    prepare: Tables
    levels: tuple[pa.Array, ...]

    @staticmethod
    def of(candidate: ProfileRef, original: ProfileRef, settings: Settings) -> Reader | None:
        """As the cascade of these two read them; None unless it was a table with a target and without texts.

        Args:
            candidate: its profile.
            original: the original's.
            settings: reads seed, effort, target and cascade, as the cascade did.

        Raises:
            DataError: there is too little to learn from, or nothing to learn.
        """
        samples = [read_sample(ref) for ref in (original, candidate)]
        question = ask(samples, original.dataset.columns, settings)
        texts = any(column.kind is Kind.TEXT for column in question.columns)
        if question.data != "table" or question.target is None or texts:
            return None
        sides, _ = cut((original, candidate), [known(sample, question) for sample in samples], question, settings)
        (first, *_), held_out = arrays(question, sides, settings.seed)
        prepare = Tables.of(first)
        rows = sides.arms[0]
        levels = tuple(
            _levels(rows[name], codes) for name, codes in zip(first.schema.codes, first.codes.T, strict=True)
        )
        problem = prepare.problem(first, question.target)
        return Reader(question, problem, prepare.rows(held_out), rows[:1], first.schema, prepare, levels)

    @property
    def inputs(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names of the numbers and of the categories among the inputs, in order."""
        schema, target = self.schema, self.question.target
        return tuple(n for n in schema.numbers if n != target), tuple(n for n in schema.codes if n != target)

    def rows(self, rows: pa.Table) -> tuple[Rows, npt.NDArray[np.bool_]]:
        """Prepared rows, and which of them have a target that the nets know, (rows,); of others it means nothing."""
        names = [column.name for column in self.question.columns]
        target = next(column for column in self.question.columns if column.name == self.question.target)
        rows = rows.select(names)
        for k, name in enumerate(names):
            if pa.types.is_dictionary(rows[name].type):
                rows = rows.set_column(k, name, pc.cast(rows[name], pa.string()))
        read = rows.set_column(names.index(target.name), target.name, as_asked(rows[target.name], target))
        made, _ = pair(read, self.first, self.question.columns, target.name)
        codes = [_codes(read[name], levels) for name, levels in zip(made.schema.codes, self.levels, strict=True)]
        table = Table(made.numbers, np.column_stack(codes) if codes else made.codes, made.schema)
        prepared = dict(self.prepare.rows(table))
        if self.problem.goal == "classification":
            told = (prepared["goal"] >= 0) & (prepared["goal"] < self.problem.classes)
            prepared["goal"] = np.where(told, prepared["goal"], 0)
            return prepared, told
        assert made.schema.target is not None
        return prepared, np.isfinite(made.numbers[:, made.schema.target.position])


def _levels(values: pa.ChunkedArray, codes: npt.NDArray[np.int64]) -> pa.Array:
    """The levels that the first arm holds, each at the place that is its code; null where it holds none."""
    texts = pc.cast(values, pa.string()).combine_chunks()
    found, first = np.unique(codes, return_index=True)
    places = np.full(int(codes.max(initial=-1)) + 1, -1)
    places[found[found >= 0]] = first[found >= 0]
    return texts.take(pa.array(places, mask=places < 0))


def _codes(values: pa.ChunkedArray, levels: pa.Array) -> npt.NDArray[np.int64]:
    """The code of each value, -1 of a null or of a level that the first arm does not hold."""
    found = pc.index_in(pc.cast(values, pa.string()), value_set=levels, skip_nulls=True)
    return np.asarray(pc.fill_null(found, -1).to_numpy(), np.int64)
