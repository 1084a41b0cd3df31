"""What can be learned from these rows: a table's column, the next byte of a text, the pixels of an image?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isqrt

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.cascade.record import Data, Goal
from foretrain.collapse.rows import MOST_COLUMNS, readable
from foretrain.collapse.table import is_label
from foretrain.data.reference import Column, Kind
from foretrain.errors import DataError
from foretrain.settings import Settings

SIDE = 4
"""Pixels a side at least."""

CLEARLY = 0.1
"""By so much must neighbouring pixels correlate more than distant ones."""

_LOOKED_AT = 2000
_NO_TARGET = {Kind.TEXT, Kind.IDENTIFIER, Kind.EMBEDDING}


@dataclass(frozen=True)
class Question:
    """What is learned from which columns.

    Attributes:
        columns: what is read, the target among them; a target of classes is categorical, another numeric.
        target: name of the predicted column.
        shape: (k, h, w) of images.
        last: whether an image's channels are stored last.
        notes: what was left out, for people.
    """

    data: Data
    goal: Goal
    columns: tuple[Column, ...]
    target: str | None = None
    shape: tuple[int, ...] = ()
    last: bool = False
    notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[Column, ...]:
        """The columns without the target."""
        return tuple(column for column in self.columns if column.name != self.target)


def ask(samples: Sequence[pa.Table], columns: Sequence[Column], settings: Settings) -> Question:
    """What is learned, found from the first table's columns and rows unless a setting says so.

    Args:
        samples: canonical rows of each table, the original's first.
        columns: theirs.
        settings: target and cascade.data.

    Raises:
        DataError: there is no column to learn from.
    """
    wanted = settings.cascade.data
    target = next((column for column in columns if column.name == settings.target), None)
    texts = [column for column in columns if column.kind is Kind.TEXT and column is not target]
    if wanted == "text" or (wanted == "auto" and texts and target is None):
        return _texts(samples[0], texts, target)
    notes: tuple[str, ...] = ()
    if target is not None and target.kind in _NO_TARGET:
        notes = (f"No model of the cascade predicts {target.kind.value}: the target {target.name!r} is one input.",)
        target = None
    if wanted in ("auto", "image"):
        vectors = [column for column in columns if column.kind is Kind.EMBEDDING]
        pictured = [(column, *found) for column in vectors if (found := _picture(samples[0], column, wanted))]
        if pictured:
            column, shape, last = max(pictured, key=lambda each: each[0].width)
            return _with_target(
                Question("image", "masked pixels", (column,), None, shape, last, notes), target, samples
            )
        if wanted == "image":
            raise DataError(
                f"expected a column of images, lists of h x h or 3 x h x h numbers with h of {SIDE} or more",
                hint="Set cascade.data to auto",
            )
    read, wide = readable(columns, settings.target, settings.seed)
    left_out = [column.name for column in columns if column.kind is Kind.IDENTIFIER]
    if left_out:
        more = " ..." if len(left_out) > 5 else ""
        notes += (f"Models do not read identifiers: {', '.join(left_out[:5])}{more}.",)
    if wide:
        notes += (f"Models read {MOST_COLUMNS} of {wide:,} columns, drawn by the seed.",)
    question = _with_target(Question("table", "masked columns", tuple(read), notes=notes), target, samples)
    if not question.inputs:
        raise DataError(
            "expected at least one column to learn from, all are identifiers or the target",
            hint="Name the kind of those that are none with data.kinds",
        )
    return question


def _texts(sample: pa.Table, texts: Sequence[Column], target: Column | None) -> Question:
    if not texts:
        raise DataError("expected a text column to learn from, found none", hint="Name it with data.kinds")
    size = {column.name: pc.sum(pc.binary_length(sample[column.name])).as_py() or 0 for column in texts}
    longest = max(texts, key=lambda column: (size[column.name], column.name))
    notes = []
    if len(texts) > 1:
        notes.append(f"Of {len(texts)} text columns, models read the longest, {longest.name!r}.")
    if target is not None:
        notes.append(f"Models learn the texts' next byte, not the target {target.name!r}.")
    return Question("text", "next byte", (longest,), notes=tuple(notes))


def _with_target(question: Question, target: Column | None, samples: Sequence[pa.Table]) -> Question:
    """The question with this target's goal and kind."""
    if target is None:
        return question
    label = is_label(target, [sample[target.name].combine_chunks() for sample in samples])
    kind = Kind.CATEGORICAL if label else Kind.NUMERIC if target.kind is Kind.INTEGER else target.kind
    others = [column for column in question.columns if column.name != target.name]
    return replace(
        question,
        goal="classification" if label else "regression",
        columns=tuple(sorted([*others, target.model_copy(update={"kind": kind})], key=lambda column: column.name)),
        target=target.name,
    )


def _picture(sample: pa.Table, column: Column, wanted: str) -> tuple[tuple[int, int, int], bool] | None:
    """Shape of the images in a column, and whether channels come last; None where there are none."""
    grey, colour = isqrt(column.width), isqrt(column.width // 3)
    shapes = [((1, grey, grey), False)] if grey**2 == column.width else []
    if 3 * colour**2 == column.width:
        shapes += [((3, colour, colour), False), ((3, colour, colour), True)]
    vectors = sample[column.name].combine_chunks().drop_null()[:_LOOKED_AT]
    rows = np.nan_to_num(np.asarray(vectors.flatten(), np.float64).reshape(-1, column.width))
    found = [(smoothness(pixels(rows, shape, last)), shape, last) for shape, last in shapes if shape[1] >= SIDE]
    if not found or (wanted == "auto" and max(found)[0] < CLEARLY):
        return None
    return max(found)[1:]


def pixels(rows: npt.NDArray[np.float64], shape: tuple[int, ...], last: bool) -> npt.NDArray[np.float64]:
    """Flat images, (rows, k * h * w), as (rows, k, h, w)."""
    k, h, w = shape
    return rows.reshape(-1, h, w, k).transpose(0, 3, 1, 2) if last else rows.reshape(-1, k, h, w)


def smoothness(images: npt.NDArray[np.float64]) -> float:
    """By how much neighbouring pixels correlate more than those half an image apart, along the weaker axis.

    Both neighbours are held against both distances, so that a smooth series cut into lines is no image.

    Args:
        images: (rows, k, h, w).
    """
    spread = images.std(axis=0)
    live = spread > 1e-9 * max(float(spread.max(initial=0.0)), 1e-300)
    z = np.where(live, (images - images.mean(axis=0)) / np.where(live, spread, 1.0), 0.0)
    half = images.shape[-1] // 2

    def together(down: int, across: int) -> float:
        a, b = (slice(None, -down or None), slice(None, -across or None)), (slice(down, None), slice(across, None))
        both = (live[:, *a] & live[:, *b]).sum()
        return float((z[:, :, *a] * z[:, :, *b]).mean(axis=0).sum() / both) if both else 0.0

    return min(together(0, 1), together(1, 0)) - max(together(0, half), together(half, 0))
