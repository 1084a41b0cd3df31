"""Which numbers do the models read of a row?"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.collapse.table import Floats, is_label
from foretrain.data.reference import Column, Kind

_CODES = {Kind.BOOLEAN, Kind.CATEGORICAL}
_TEXT = ("length", "compressibility")


@dataclass(frozen=True)
class Feature:
    """One number of a row.

    Attributes:
        name: for people: the column, and which number of it.
        column: name of the column it is read from.
        part: which number of the column, 0 where it has one only.
        levels: of a category, commonest first; its number is the place in it. None of a number.
        whole: whether it holds integers only.
    """

    name: str
    column: str
    part: int = 0
    levels: tuple[str, ...] | None = None
    whole: bool = False


@dataclass(frozen=True)
class Features:
    """How rows become numbers, fixed by both samples, the same for every batch of rows.

    A number is itself, NaN where missing or infinite. A category is the place of its level; a level that neither sample
    holds is the next number, a missing one the next after that. A text is its length and its compressibility.

    Attributes:
        target: place of the target among the features, None without one.
    """

    columns: tuple[Column, ...]
    features: tuple[Feature, ...]
    target: int | None

    @staticmethod
    def of(columns: Sequence[Column], tables: Sequence[pa.Table], target: str | None) -> Features:
        """The features of these columns.

        Args:
            columns: what to read; identifiers must not be among them.
            tables: samples of the original, then of the candidate, in canonical types.
            target: name of the column to predict.
        """
        found: list[Feature] = []
        place = None
        for column in columns:
            sides = [table[column.name].combine_chunks() for table in tables]
            if column.name == target and column.kind not in (Kind.TEXT, Kind.EMBEDDING):
                place = len(found)
            if column.kind in _CODES or (column.name == target and is_label(column, sides)):
                found.append(Feature(column.name, column.name, levels=_levels(sides)))
            elif column.kind is Kind.ORDINAL:
                order = column.levels or tuple(sorted(set().union(*(_known(side) for side in sides))))
                found.append(Feature(column.name, column.name, levels=order, whole=True))
            elif column.kind is Kind.TEXT:
                found += [Feature(f"{column.name} ({name})", column.name, k) for k, name in enumerate(_TEXT)]
            elif column.kind is Kind.EMBEDDING:
                found += [Feature(f"{column.name}[{k}]", column.name, k) for k in range(column.width)]
            else:
                found.append(Feature(column.name, column.name, whole=column.kind is not Kind.NUMERIC))
        return Features(tuple(columns), tuple(found), place)

    def read(self, rows: pa.Table | pa.RecordBatch) -> Floats:
        """The numbers of some rows, (rows, features)."""
        out = np.empty((rows.num_rows, len(self.features)))
        read: dict[str, Floats] = {}
        for k, feature in enumerate(self.features):
            array = rows.column(feature.column)
            if isinstance(array, pa.ChunkedArray):
                array = array.combine_chunks()
            if feature.levels is not None:
                out[:, k] = _codes(array, feature.levels)
                continue
            if feature.column not in read:
                read[feature.column] = _numbers(array, self._kind(feature.column))
            out[:, k] = read[feature.column][:, feature.part]
        return out

    def _kind(self, column: str) -> Kind:
        return next(each.kind for each in self.columns if each.name == column)


def _known(array: pa.Array) -> set[str]:
    return set(pc.unique(pc.cast(array, pa.string())).to_pylist()) - {None}


def _levels(sides: Sequence[pa.Array]) -> tuple[str, ...]:
    """All levels, commonest first. Counted over both tables: a level's place must not say which of them holds it."""
    counts: Counter[str] = Counter()
    for side in sides:
        counted = pc.value_counts(pc.cast(side, pa.string()).drop_null())
        counts.update(dict(zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True)))
    return tuple(sorted(counts, key=lambda name: (-counts[name], name)))


def _codes(array: pa.Array, levels: tuple[str, ...]) -> Floats:
    texts = pc.cast(array, pa.string())
    found = pc.index_in(texts, value_set=pa.array(levels, pa.string()))
    places = pc.fill_null(found, len(levels)).to_numpy(zero_copy_only=False).astype(np.float64)
    places[texts.is_null().to_numpy(zero_copy_only=False)] = len(levels) + 1
    return np.asarray(places)


def _numbers(array: pa.Array, kind: Kind) -> Floats:
    """The numbers of a column, (rows, numbers)."""
    if kind is Kind.TEXT:
        return _shape(array)
    if kind is Kind.EMBEDDING:
        return _vectors(array)
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    elif not pa.types.is_floating(array.type):
        array = array.cast(pa.int64())
    values = array.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(values), values, np.nan)[:, None]


def _shape(texts: pa.Array) -> Floats:
    """(rows, 2): log length, and compressed bytes a byte; NaN where there is no text."""
    out = np.full((len(texts), 2), np.nan)
    for k, text in enumerate(texts.to_pylist()):
        if text is not None:
            raw = text[:4096].encode()
            out[k] = np.log1p(len(text)), len(zlib.compress(raw, 1)) / max(len(raw), 16)
    return out


def _vectors(array: pa.Array) -> Floats:
    out = np.full((len(array), array.type.list_size), np.nan)
    valid = np.asarray(pc.is_valid(array))
    flat = array.drop_null().flatten().cast(pa.float32()).fill_null(np.nan).to_numpy(zero_copy_only=False)
    out[valid] = flat.reshape(-1, array.type.list_size)
    return np.where(np.isfinite(out), out, np.nan)
