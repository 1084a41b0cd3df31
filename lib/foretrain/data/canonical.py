"""How does an array of any type become the canonical one of its kind, without loss?"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import StrEnum
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.data.reference import Column, Kind
from foretrain.data.words import parse_duration, parse_timestamp

STRINGS = {Kind.CATEGORICAL, Kind.ORDINAL, Kind.TEXT, Kind.IDENTIFIER}

_TYPES: dict[Kind, pa.DataType] = {
    Kind.NUMERIC: pa.float64(),
    Kind.INTEGER: pa.int64(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATETIME: pa.timestamp("us"),
    Kind.DURATION: pa.duration("us"),
    **dict.fromkeys(STRINGS, pa.string()),
}


class Family(StrEnum):
    """Arrow's types, as far as they matter to find and convert a kind."""

    NULL = "nothing"
    BOOLEAN = "truth values"
    INTEGER = "integers"
    NUMERIC = "numbers"
    STRING = "text"
    CATEGORY = "categories"
    DATETIME = "points in time"
    DURATION = "durations"
    LIST = "lists"
    BINARY = "bytes"
    OTHER = "values of another type"


@lru_cache(maxsize=1024)
def family(dtype: pa.DataType) -> Family:
    is_ = pa.types
    tests: list[tuple[Family, tuple[Callable[[pa.DataType], bool], ...]]] = [
        (Family.NULL, (is_.is_null,)),
        (Family.BOOLEAN, (is_.is_boolean,)),
        (Family.INTEGER, (is_.is_integer,)),
        (Family.NUMERIC, (is_.is_floating, is_.is_decimal)),
        (Family.STRING, (is_.is_string, is_.is_large_string, is_.is_string_view)),
        (Family.CATEGORY, (is_.is_dictionary,)),
        (Family.DATETIME, (is_.is_timestamp, is_.is_date)),
        (Family.DURATION, (is_.is_duration, is_.is_time)),
        (Family.LIST, (is_.is_list, is_.is_large_list, is_.is_fixed_size_list, is_.is_map, is_.is_list_view)),
        (Family.BINARY, (is_.is_binary, is_.is_large_binary, is_.is_fixed_size_binary, is_.is_binary_view)),
    ]
    return next((name for name, checks in tests if any(check(dtype) for check in checks)), Family.OTHER)


def canonical_type(column: Column) -> pa.DataType:
    """Arrow type of a column's canonical values."""
    return pa.list_(pa.float32(), column.width) if column.kind is Kind.EMBEDDING else _TYPES[column.kind]


def canonical_schema(columns: tuple[Column, ...]) -> pa.Schema:
    return pa.schema([(column.name, canonical_type(column)) for column in columns])


class Misfit(Exception):  # noqa: N818
    """A value that cannot be had in the wanted kind: its position in the array, and the value."""

    def __init__(self, at: int, value: object) -> None:
        self.at, self.value = at, value
        super().__init__(f"{value!r} at {at}")


def canonical(array: pa.Array, column: Column) -> pa.Array:
    """The array in its kind's canonical type; NaN becomes null, infinities stay.

    Raises:
        Misfit: with the first value that is not of this kind.
    """
    target = canonical_type(column)
    if array.type == target and column.kind is not Kind.NUMERIC:
        return array
    try:
        return _convert(array, column.kind, target)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, ValueError, OverflowError):
        at = _first_misfit(array, column.kind, target)
        raise Misfit(at, array[at].as_py()) from None


def in_place(dtype: pa.DataType, column: Column) -> bool:
    """Whether conversion is so cheap and sure that it can be done at every reading."""
    source, kind = family(dtype), column.kind
    if kind is Kind.NUMERIC:
        return source in (Family.NUMERIC, Family.INTEGER)
    if kind is Kind.INTEGER:
        return source is Family.INTEGER and dtype != pa.uint64()
    if kind is Kind.BOOLEAN:
        return source is Family.BOOLEAN
    if kind in STRINGS:
        return source in (Family.STRING, Family.CATEGORY, Family.INTEGER)
    if kind is Kind.DATETIME:
        return source is Family.DATETIME
    if kind is Kind.DURATION:
        return source is Family.DURATION
    return bool(dtype == canonical_type(column))


def _convert(array: pa.Array, kind: Kind, target: pa.DataType) -> pa.Array:
    source = family(array.type)
    if source is Family.NULL:
        return pa.nulls(len(array), target)
    if source is Family.CATEGORY:
        decoded = array.dictionary_decode()
        return _convert(decoded, kind, target) if kind not in STRINGS else _text(decoded)
    if kind in STRINGS:
        return _text(array)
    if source is Family.STRING:
        return _parsed(array, kind, target)
    if kind is Kind.NUMERIC and source in (Family.NUMERIC, Family.INTEGER):
        return _without_nan(array.cast(target, safe=False))
    if kind is Kind.INTEGER and source in (Family.NUMERIC, Family.INTEGER, Family.BOOLEAN):
        return (_without_nan(array) if pa.types.is_floating(array.type) else array).cast(target)
    if kind is Kind.BOOLEAN and source in (Family.NUMERIC, Family.INTEGER):
        return _zero_one(array)
    if kind is Kind.DATETIME and source is Family.DATETIME:
        return array.cast(target, safe=False)
    if kind is Kind.DURATION and source is Family.DURATION:
        if pa.types.is_time(array.type):
            array = array.cast(pa.time64("us"), safe=False).cast(pa.int64())
        return array.cast(target, safe=False)
    if kind is Kind.EMBEDDING and source is Family.LIST:
        return _embedding(array, target)
    raise pa.ArrowInvalid(f"{source} are not {kind}")


def _without_nan(array: pa.Array) -> pa.Array:
    nan = pc.is_nan(array)
    return pc.if_else(nan, pa.scalar(None, array.type), array) if pc.any(nan).as_py() else array


def _zero_one(array: pa.Array) -> pa.Array:
    numbers = _without_nan(array.cast(pa.float64()))
    if not pc.all(pc.is_in(numbers.drop_null(), pa.array([0.0, 1.0]))).as_py():
        raise pa.ArrowInvalid("expected 0 and 1 only")
    return pc.equal(numbers, 1.0)


def _parsed(array: pa.Array, kind: Kind, target: pa.DataType) -> pa.Array:
    words = pc.utf8_trim_whitespace(array.cast(pa.string()))
    if kind is Kind.NUMERIC:
        return _without_nan(words.cast(target))
    if kind is Kind.INTEGER:
        try:
            return words.cast(target)
        except pa.ArrowInvalid:  # "1.0" is an integer that a missing value turned into a float on its way
            return _without_nan(words.cast(pa.float64())).cast(target)
    if kind is Kind.BOOLEAN:
        return words.cast(target)
    if kind is Kind.DATETIME:
        return parse_timestamp(words)
    if kind is Kind.DURATION:
        return parse_duration(words)
    raise pa.ArrowInvalid(f"text is not {kind}")


def _text(array: pa.Array) -> pa.Array:
    source = family(array.type)
    if source is Family.NUMERIC and pa.types.is_floating(array.type):
        numbers = _without_nan(array)
        try:
            return numbers.cast(pa.int64()).cast(pa.string())
        except pa.ArrowInvalid:
            return numbers.cast(pa.string())
    if source is Family.BINARY:
        try:
            return array.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            return pa.array([None if v is None else v.hex() for v in array.to_pylist()], pa.string())
    if source in (Family.LIST, Family.OTHER):
        values = array.to_pylist()
        return pa.array(
            [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in values], pa.string()
        )
    return array.cast(pa.string())


def _embedding(array: pa.Array, target: pa.DataType) -> pa.Array:
    width = target.list_size
    lengths = pc.list_value_length(array)
    if not pc.all(pc.equal(lengths.drop_null(), width)).as_py():
        raise pa.ArrowInvalid(f"expected {width} values")
    if pa.types.is_fixed_size_list(array.type) or array.null_count == 0:
        values = (
            array.values.slice(array.offset * width, len(array) * width)
            if (pa.types.is_fixed_size_list(array.type))
            else array.flatten()
        )
        return pa.FixedSizeListArray.from_arrays(
            values.cast(pa.float32(), safe=False), type=target, mask=array.is_null() if array.null_count else None
        )
    filled = np.zeros((len(array), width), np.float32)  # (rows, width)
    filled[np.asarray(array.is_valid())] = np.asarray(array.flatten().cast(pa.float32(), safe=False)).reshape(-1, width)
    return pa.FixedSizeListArray.from_arrays(pa.array(filled.reshape(-1)), type=target, mask=array.is_null())


def _first_misfit(array: pa.Array, kind: Kind, target: pa.DataType) -> int:
    """Position of the first value that cannot be converted, by halving."""
    start, length = 0, len(array)
    while length > 1:
        half = length // 2
        try:
            _convert(array.slice(start, half), kind, target)
            start, length = start + half, length - half
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, ValueError, OverflowError):
            length = half
    return start
