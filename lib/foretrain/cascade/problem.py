"""What do the models of a cascade learn, and from which rows?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.cascade.record import ArmName, Data, Goal

Rows = Mapping[str, npt.NDArray[Any]]
"""Prepared rows: arrays that share their first axis.

============  ================  ===============================================================================
name          shape, dtype      what
============  ================  ===============================================================================
numbers       (rows, p) f32     table: numbers, each brought to a normal shape by the original's quantiles; 0 null
nulls         (rows, p) f32     table: 1 where the number is null
codes         (rows, c) i64     table: categories, commonest of the original first; 0 null or unseen, 1 .. levels
masked        (rows, p + c) f32 masked columns, held-out rows only: 1 where the column is hidden and asked for
tokens        (rows, t) i64     text: bytes + 1, then 0 to the end; the models are given a 0 before the first
pixels        (rows, k, h, w)   image: f32, centred and scaled by the original's mean and deviation
hidden        (rows, h, w) f32  masked pixels, held-out rows only: 1 where the pixel is hidden and asked for
goal          (rows,) i64, f32  classification: class from 0; regression: brought to a normal shape
============  ================  ===============================================================================
"""


@dataclass(frozen=True)
class Problem:
    """What is learned from rows of which shape.

    Attributes:
        data: table, text or image.
        goal: what is predicted.
        target: name of the predicted column, None where there is none.
        numbers: number columns among the inputs.
        levels: of each category among the inputs, without the 0 for null and unseen.
        classes: of the goal; 0 unless it is classification.
        shape: (t,) of texts, (k, h, w) of images, () of tables.
    """

    data: Data
    goal: Goal
    target: str | None
    numbers: int = 0
    levels: tuple[int, ...] = ()
    classes: int = 0
    shape: tuple[int, ...] = ()

    @property
    def outputs(self) -> int:
        """Width of a net's output: a row for tables and images, a token for texts."""
        match self.goal:
            case "classification":
                return self.classes
            case "regression":
                return 1
            case "masked columns":
                return self.numbers + sum(k + 1 for k in self.levels)
            case "next byte":
                return BYTES
            case "masked pixels":
                return int(np.prod(self.shape))


BYTES = 257
"""256 bytes, and 0 for the end."""


@dataclass(frozen=True)
class Arm:
    """The rows of one arm.

    Attributes:
        train: what models learn from; as many in every arm.
        validation: other rows of the same arm, held back to stop early.
    """

    train: Rows
    validation: Rows


@dataclass(frozen=True)
class Study:
    """Everything that the models of a cascade are given.

    Attributes:
        problem: what they learn.
        arms: three, by name, in order.
        held_out: original rows that no arm learns from, prepared like the arms'; each once a column that is hidden.
        judges: how many rows those are, each counted once.
        generator: what made the child, for people.
        groups: (held-out rows,) i64, the same for what was asked of one row; None where each is another row.
        guess: mean loss on the held-out rows of the best constant guess from the first arm's rows.
        notes: what was left out, for people.
    """

    problem: Problem
    arms: dict[ArmName, Arm]
    held_out: Rows
    judges: int
    generator: str
    guess: float
    groups: npt.NDArray[np.int64] | None = None
    notes: tuple[str, ...] = ()


def length(rows: Rows) -> int:
    """Number of rows."""
    return len(next(iter(rows.values())))


def take(rows: Rows, at: npt.NDArray[np.intp] | slice) -> Rows:
    """Some of the rows."""
    return {name: values[at] for name, values in rows.items()}
