"""Where do rows of mixed columns lie as points, so that distances between them mean something?

Numbers are centred at the reference's median and scaled by its interquartile range (as a normal's standard
deviation), then bounded at ten; a category is one of its reference's 30 most frequent levels, or another, as points
at distance one from each other; embeddings are scaled to the weight of one column; a missing value is a level or an
indicator of its own. Texts and identifiers have no place here. Beyond 128 dimensions a seeded projection keeps
distances to some 10 %.

References:
    Gower (1971), A general coefficient of similarity, Biometrics 27 (the idea of one weight a column).
    Li, Hastie, Church (2006), Very sparse random projections, KDD.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.data.reference import Column, Kind
from foretrain.profile import CATEGORIES, NUMBERS
from foretrain.seeds import stream

Points = npt.NDArray[np.float32]

_LEVELS, _BOUND, _WIDEST = 30, 10.0, 128


def encode(tables: Sequence[pa.Table], columns: Sequence[Column], reference: int, seed: int) -> list[Points]:
    """Points of each table's rows, shape (rows, dimensions), all on the scale of one of the tables.

    Args:
        tables: with these columns in canonical types.
        columns: name and kind of each.
        reference: which table sets the scale.
        seed: of the projection.
    """
    blocks: list[list[npt.NDArray[np.float64]]] = []
    for column in sorted(columns, key=lambda each: each.name):
        parts = [table[column.name].combine_chunks() for table in tables]
        if column.kind in CATEGORIES or column.kind is Kind.BOOLEAN:
            blocks.append(_levels(parts, reference))
        elif column.kind in NUMBERS:
            blocks.append(_numbers(parts, reference))
        elif column.kind is Kind.EMBEDDING:
            blocks.append(_vectors(parts, reference, column.width))
    if not blocks:
        return [np.zeros((table.num_rows, 0), np.float32) for table in tables]
    points = [np.concatenate(parts, axis=1) for parts in zip(*blocks, strict=True)]
    width = points[0].shape[1]
    if width > _WIDEST:
        matrix = stream(seed, "diversity", "projection").normal(size=(width, _WIDEST)) / np.sqrt(_WIDEST)
        points = [part @ matrix for part in points]
    return [part.astype(np.float32) for part in points]


def as_floats(array: pa.Array) -> npt.NDArray[np.float64]:
    """Numbers of any kind as float64, shape (rows,), NaN where missing or infinite."""
    whole = array if pa.types.is_floating(array.type) else _integers(array)
    values = whole.cast(pa.float64(), safe=False).fill_null(np.nan).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(values), values, np.nan)


def _integers(array: pa.Array) -> pa.Array:
    return (array.cast(pa.int8()) if pa.types.is_boolean(array.type) else array).cast(pa.int64())


def _numbers(parts: list[pa.Array], reference: int) -> list[npt.NDArray[np.float64]]:
    values = [as_floats(part) for part in parts]
    known = values[reference][~np.isnan(values[reference])]
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75]) if known.size else (0.0, 0.0, 0.0)
    scale = (high - low) / 1.349 or (known.std() if known.size else 0.0) or 1.0
    scaled = [np.clip((part - middle) / scale, -_BOUND, _BOUND) for part in values]
    gaps = any(np.isnan(part).any() for part in scaled)
    return [np.stack([np.nan_to_num(part), np.isnan(part).astype(float)][: 1 + gaps], axis=1) for part in scaled]


def _levels(parts: list[pa.Array], reference: int) -> list[npt.NDArray[np.float64]]:
    texts = [part.cast(pa.string()).fill_null("\0missing") for part in parts]
    counted = pc.value_counts(texts[reference])
    names, counts = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
    kept = [name for _, name in sorted(zip([-count for count in counts], names, strict=True))[:_LEVELS]]
    known = pa.array(kept, pa.string())
    codes = [pc.index_in(part, known).fill_null(len(kept)).to_numpy(zero_copy_only=False) for part in texts]
    return [np.eye(len(kept) + 1)[part] * np.sqrt(0.5) for part in codes]


def _vectors(parts: list[pa.Array], reference: int, width: int) -> list[npt.NDArray[np.float64]]:
    values = []
    for part in parts:
        full = np.full((len(part), width), np.nan)
        full[~part.is_null().to_numpy(zero_copy_only=False)] = (
            part.drop_null().flatten().to_numpy(zero_copy_only=False).reshape(-1, width)
        )
        values.append(np.where(np.isfinite(full), full, np.nan))
    known = values[reference][~np.isnan(values[reference]).any(axis=1)]
    centre = known.mean(axis=0) if len(known) else np.zeros(width)
    scale = float(np.sqrt(known.var(axis=0).sum())) if len(known) else 0.0
    return [np.nan_to_num(np.clip((part - centre) / (scale or 1.0), -_BOUND, _BOUND)) for part in values]
