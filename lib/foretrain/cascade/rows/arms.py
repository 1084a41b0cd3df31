"""What are the models of a cascade given: three arms to learn from, and rows that judge them?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.cascade.generation import child
from foretrain.cascade.problem import Arm, Rows, Study, length, take
from foretrain.cascade.record import ArmName
from foretrain.cascade.rows.cut import cut
from foretrain.cascade.rows.encoding import encode
from foretrain.cascade.rows.guess import guess
from foretrain.cascade.rows.question import Question, ask
from foretrain.data.reference import Column, Kind
from foretrain.errors import DataError
from foretrain.profile import ProfileRef, read_sample
from foretrain.seeds import stream
from foretrain.settings import Settings

VALIDATION = 0.15
"""Share of an arm that is held back to stop early. Drawn row by row, not by content: whoever trains on duplicates has
them on both sides, and that must show."""


def study(
    candidate: ProfileRef, original: ProfileRef | None, settings: Settings, judge: ProfileRef | None = None
) -> Study:
    """Three arms of as many rows, and rows of the original that none of them learns from.

    Arms: original, candidate, child; without an original: candidate, child, grandchild, and the candidate's rows judge.
    Everything is prepared by what the first arm knows.

    Args:
        candidate: profiled like the original.
        original: None to look at the candidate alone.
        settings: reads seed, effort, target and cascade.
        judge: rows that judge instead of some of the first dataset's.

    Raises:
        DataError: there is too little to learn from, or nothing to learn.
        SettingsError: the generator cannot make such data.
    """
    refs = [candidate] if original is None else [original, candidate]
    samples = [read_sample(ref) for ref in refs]
    question = ask(samples, refs[0].dataset.columns, settings)
    generator = child.choose(question.data, settings.cascade.generator)
    sides, notes = cut(refs, [known(sample, question) for sample in samples], question, settings)
    if judge is not None:
        held_out = known(read_sample(judge), question).select(sides.held_out.column_names)
        sides = replace(sides, held_out=held_out, groups=np.arange(len(held_out)))
    made = encode(question, sides, generator, settings.seed)
    if not length(made.held_out):
        raise DataError("expected held-out rows with a value to ask for, all are null", file=refs[0].dataset.uri)
    names: list[ArmName] = ["original", "candidate", "child"] if original else ["candidate", "child", "grandchild"]
    arms = {name: _split(rows, settings.seed, name) for name, rows in zip(names, made.arms, strict=True)}
    return Study(
        problem=made.problem,
        arms=arms,
        held_out=made.held_out,
        judges=made.judges,
        generator=child.TITLES[generator],
        guess=guess(made.problem, arms[names[0]].train, made.held_out),
        groups=made.groups,
        notes=(*question.notes, *notes, *made.notes),
    )


def _split(rows: Rows, seed: int, name: str) -> Arm:
    order = stream(seed, "cascade", "split", name).permutation(length(rows))
    held_back = max(1, round(VALIDATION * len(order)))
    return Arm(train=take(rows, order[held_back:]), validation=take(rows, order[:held_back]))


def known(sample: pa.Table, question: Question) -> pa.Table:
    """The rows whose target (or text, or image) is known, the target in the type of its kind."""
    for column in question.columns:
        if column.name != question.target and question.data == "table":
            continue
        values = as_asked(sample[column.name], column)
        sample = sample.set_column(sample.schema.get_field_index(column.name), column.name, values)
        sample = sample.filter(pc.is_valid(values))
    return sample


def as_asked(values: pa.ChunkedArray, column: Column) -> pa.ChunkedArray:
    """A column's values in the type of the kind that a question reads it as; infinite numbers are null."""
    if column.kind is Kind.CATEGORICAL:
        return pc.cast(values, pa.string())
    if column.kind is Kind.NUMERIC:
        values = pc.cast(values, pa.float64(), safe=False)
        return pc.if_else(pc.is_finite(values), values, pa.scalar(None, pa.float64()))
    return values
