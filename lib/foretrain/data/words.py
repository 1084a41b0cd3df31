"""What do words mean: integers, numbers, truth values, points in time, durations, or just themselves?"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc


class Meaning(StrEnum):
    """What every value of an array can be read as, the narrowest that fits all."""

    NOTHING = "nothing"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DURATION = "duration"
    WORDS = "words"


NULLS = ["", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None"]
"""Words that stand for "no value", those of pandas."""
NUMBER = r"^\s*[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|inf|Infinity)\s*$"
DATETIME = r"^\s*\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?\s*$"
_CLOCK = (
    r"^(?P<sign>)(?:(?P<days>-?\d+) days?,? ?)?(?P<minus>[+-])?"
    r"(?:(?P<hours>\d+):(?P<minutes>\d\d):(?P<seconds>\d\d(?:\.\d+)?))?$"
)
_ISO = (
    r"^(?P<sign>-)?P(?:(?P<days>-?\d+)D)?(?P<minus>)"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?$"
)
_SECONDS = {"days": 86400.0, "hours": 3600.0, "minutes": 60.0, "seconds": 1.0}
_PROBE = 32


def meaning(array: pa.Array, typed: bool = False) -> Meaning:
    """What all words of an array can be read as.

    Numbers with a leading zero ("007") or more digits than 64 bits hold are codes, not numbers.

    Args:
        array: strings.
        typed: the format has numbers and truth values of its own, so that only times are looked for.
    """
    words = array.drop_null()
    if len(words) == 0:
        return Meaning.NOTHING
    if words.type != pa.string():
        words = words.cast(pa.string())
    # A failing cast costs ten times a good one: ask the first few before all.
    head = words.slice(0, _PROBE)
    for candidate, read in _READERS.items():
        if typed and candidate not in (Meaning.DATETIME, Meaning.DURATION):
            continue
        if _read(read, head) is not None and (values := _read(read, words)) is not None:
            return Meaning.WORDS if _codes(words, values) else candidate
    return Meaning.WORDS


def parse_timestamp(words: pa.Array) -> pa.Array:
    """ISO 8601 dates and times as timestamp[us], zones brought to UTC, digits beyond microseconds cut."""
    try:
        return words.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    short = pc.replace_substring_regex(words, r"(\.\d{6})\d+", r"\1")
    zoned = pc.match_substring_regex(short, r"\d(?:Z|[+-]\d\d:?\d\d)$")
    local = pc.if_else(zoned, pa.scalar(None, pa.string()), short).cast(pa.timestamp("us"))
    utc = pc.if_else(zoned, short, pa.scalar(None, pa.string())).cast(pa.timestamp("us", "UTC"))
    return pc.coalesce(local, utc.cast(pa.timestamp("us")))


def parse_duration(words: pa.Array) -> pa.Array:
    """Durations ("1 days 02:03:04.5", "02:03:04", "P1DT2H3M4.5S") as duration[us]."""
    for pattern in (_CLOCK, _ISO):
        parts = pc.extract_regex(words, pattern)
        found = pc.and_(parts.is_valid(), pc.match_substring_regex(words, r"\d"))
        if pc.all(found.filter(words.is_valid())).as_py():
            break
    else:
        raise pa.ArrowInvalid("not durations")
    total = {
        name: pc.multiply(_number(pc.struct_field(parts, name)), seconds * 1e6) for name, seconds in _SECONDS.items()
    }
    clock = pc.add(pc.add(total["hours"], total["minutes"]), total["seconds"])
    clock = pc.if_else(pc.equal(pc.struct_field(parts, "minus"), "-"), pc.negate(clock), clock)
    sums = pc.add(total["days"], clock)
    sums = pc.if_else(pc.equal(pc.struct_field(parts, "sign"), "-"), pc.negate(sums), sums)
    micros = pc.round(sums).cast(pa.int64())
    return pc.if_else(words.is_valid(), micros, pa.scalar(None, pa.int64())).cast(pa.duration("us"))


def _number(part: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(part, ""), "0", part).cast(pa.float64())


def _codes(words: pa.Array, values: pa.Array) -> bool:
    """Whether what reads as numbers are labels: "007", or more digits than 64 bits hold."""
    if pa.types.is_integer(values.type):
        zeros = words.filter(pc.starts_with(words, "0"))
        return bool(len(zeros) and pc.any(pc.match_substring_regex(zeros, r"^0[\dxX]")).as_py())
    if pa.types.is_floating(values.type):
        large = words.filter(pc.fill_null(pc.greater_equal(pc.abs(values), 1e18), False))
        return bool(len(large) and pc.any(pc.match_substring_regex(large, r"^\s*[+-]?\d{19,}\s*$")).as_py())
    return False


def _read(read: Callable[[pa.Array], pa.Array], words: pa.Array) -> pa.Array | None:
    for trimmed in (False, True):
        try:
            return read(pc.utf8_trim_whitespace(words) if trimmed else words)
        except pa.ArrowInvalid:
            continue
    return None


_READERS: dict[Meaning, Callable[[pa.Array], pa.Array]] = {
    Meaning.INTEGER: lambda words: words.cast(pa.int64()),
    Meaning.NUMBER: lambda words: words.cast(pa.float64()),
    Meaning.BOOLEAN: lambda words: words.cast(pa.bool_()),
    Meaning.DATETIME: parse_timestamp,
    Meaning.DURATION: parse_duration,
}
