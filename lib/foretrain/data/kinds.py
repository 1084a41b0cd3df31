"""Of what kind is a column, given what its values showed?

The rules, in order; the first that fits decides, and a setting (`data.kinds`) overrides all of them:

1. Declared by the source: truth values, times, durations, floats and decimals (decimals without a fraction are
   integers), categories (ordered ones are ordinal), lists of numbers of one length (embedding; other lists are text).
2. Integers stay integers however few values they take, unless they only name rows: a permutation of a range without
   gaps, or all distinct under a name such as "id", or beyond 63 bits as hashes are; those are identifiers. The target
   and time columns never are.
3. Words in a format without types, if all can be read so: integer, number, truth value (true, false), ISO 8601 point
   in time, duration. "007" and digits beyond 64 bits are codes. In a format with types, words are only read as times.
4. Words at least half of which are numbers (or times), while the others are a handful: mixed types, an error.
5. Other words. More than half distinct, above `FEW` of them: identifier if nearly all distinct and single words, text
   if of `SOME_WORDS` or more words on average, else categorical. Half or fewer distinct: categorical, but text if of
   `MANY_WORDS` or more words.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from foretrain.data.canonical import Family, family
from foretrain.data.raw import Raw
from foretrain.data.reference import Column, Kind
from foretrain.data.scan import Evidence, Words, scan
from foretrain.data.words import Meaning
from foretrain.errors import DataError

FEW = 50
"""Up to so many distinct words may all differ in a small table without being identifiers or text."""
NEARLY_ALL = 0.95
SOME_WORDS = 2.0
MANY_WORDS = 5.0
_ID_NAME = re.compile(r"(?:^|[\W_])(?:id|uuid|guid)$|[a-z]I[dD]$", re.IGNORECASE)
_BY_FAMILY = {
    Family.BOOLEAN: Kind.BOOLEAN,
    Family.DATETIME: Kind.DATETIME,
    Family.DURATION: Kind.DURATION,
    Family.BINARY: Kind.IDENTIFIER,
    Family.OTHER: Kind.TEXT,
}
_BY_MEANING = {
    Meaning.BOOLEAN: Kind.BOOLEAN,
    Meaning.DATETIME: Kind.DATETIME,
    Meaning.DURATION: Kind.DURATION,
    Meaning.INTEGER: Kind.INTEGER,
    Meaning.NUMBER: Kind.NUMERIC,
}


def columns(raw: Raw, overrides: dict[str, Kind], features: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Find the kind of each column of a source.

    Args:
        raw: the source's rows.
        overrides: kinds that the user names.
        features: columns that are never identifiers, such as the target; each with the setting that names it.

    Raises:
        DataError: a column holds no value, mixes types, or a column named by `overrides` or `features` is not there.
    """
    features = features or {}
    _check_named(raw, {**dict.fromkeys(overrides, "data.kinds"), **features})
    named = [name for name in raw.types if _ID_NAME.search(name) and name not in features]
    evidence = scan(raw, named)
    return tuple(_column(raw, name, evidence[name], overrides.get(name), name in features) for name in raw.types)


def _check_named(raw: Raw, names: Mapping[str, str]) -> None:
    for name, setting in names.items():
        if name not in raw.types:
            near = difflib.get_close_matches(name, raw.types, n=1)
            raise DataError(
                f"{setting} names a column that is not there",
                file=raw.ends[0][1] if raw.ends else None,
                column=name,
                hint=f"Did you mean {near[0]}?" if near else f"The first columns are {', '.join(list(raw.types)[:5])}",
            )


def _column(raw: Raw, name: str, evidence: Evidence, override: Kind | None, feature: bool) -> Column:
    file = raw.ends[0][1]
    if not evidence.present:
        raise DataError(
            "expected at least one value, all are null", file=file, column=name, hint="Drop this column from both"
        )
    _check_types(raw, name)
    kind = override or _found(raw, name, evidence, feature)
    source_type = str(next(dtype for _, dtype in raw.types[name] if family(dtype) is not Family.NULL))
    width, levels = 1, None
    if kind is Kind.EMBEDDING:
        width = _width(evidence, file, name)
    if kind is Kind.ORDINAL:
        levels = evidence.levels or _levels(raw, name)
    return Column(name=name, kind=kind, source_type=source_type, width=width, levels=levels)


def _check_types(raw: Raw, name: str) -> None:
    """Refuse a column whose type changes in the source, other than from integers to numbers."""
    seen = [(row, family(dtype)) for row, dtype in raw.types[name] if family(dtype) is not Family.NULL]
    found = {kind for _, kind in seen}
    for harmless in ({Family.INTEGER, Family.NUMERIC}, {Family.STRING, Family.CATEGORY}):
        if found <= harmless:
            return
    if len(found) > 1:
        row = next(row for row, kind in seen if kind is not seen[0][1])
        file, at = raw.place(row)
        other = next(kind for _, kind in seen if kind is not seen[0][1])
        raise DataError(
            f"mixed types: {seen[0][1]} before, {other} from about here on",
            file=file,
            column=name,
            row=at,
            hint="Store the column with one type",
        )


def _found(raw: Raw, name: str, evidence: Evidence, feature: bool) -> Kind:
    families = set(evidence.families) - {Family.NULL}
    if families & {Family.STRING} and Family.CATEGORY not in families:
        return _of_words(raw, name, evidence, feature)
    if Family.CATEGORY in families:
        return Kind.CATEGORICAL if evidence.levels is None else Kind.ORDINAL
    if Family.NUMERIC in families:
        whole = all(_whole_decimal(str(dtype)) for _, dtype in raw.types[name] if family(dtype) is Family.NUMERIC)
        return Kind.INTEGER if whole else Kind.NUMERIC
    if Family.INTEGER in families:
        rows_only = evidence.beyond or (not feature and _names_rows(evidence))
        return Kind.IDENTIFIER if rows_only else Kind.INTEGER
    if Family.LIST in families:
        return Kind.EMBEDDING if evidence.numeric_items and evidence.widths != {0} else Kind.TEXT
    return _BY_FAMILY[families.pop()]


def _of_words(raw: Raw, name: str, evidence: Evidence, feature: bool) -> Kind:
    if evidence.meaning is not None:
        counter = evidence.meaning is Meaning.INTEGER and not feature and _names_rows(evidence)
        return Kind.IDENTIFIER if counter else _BY_MEANING[evidence.meaning]
    words = evidence.words
    assert words is not None
    if raw.words(name):
        _check_mixed(raw, name, words)
    kind = of_distinct(words.present, words.distinct, words.mean_words)
    return Kind.CATEGORICAL if feature and kind is Kind.IDENTIFIER else kind


def of_distinct(present: int, distinct: float, mean_words: float) -> Kind:
    """Rule 5: categorical, text or identifier, from counts and the average number of words."""
    if mean_words >= MANY_WORDS and distinct > min(FEW, present / 2):
        return Kind.TEXT
    if distinct <= FEW or distinct <= present / 2:
        return Kind.CATEGORICAL
    if mean_words >= SOME_WORDS:
        return Kind.TEXT
    return Kind.IDENTIFIER if distinct >= NEARLY_ALL * present else Kind.CATEGORICAL


def _names_rows(evidence: Evidence) -> bool:
    if evidence.rows <= FEW:
        return False
    words = evidence.words
    return evidence.is_range or (words is not None and words.distinct >= 0.98 * evidence.rows)


def _check_mixed(raw: Raw, name: str, words: Words) -> None:
    if words.distinct <= 20 and words.present >= 5 * words.distinct:
        return  # a few codes that return often, "0", "1", "2", "3+": categories
    for what, share, odd in (
        ("numbers", words.numbers / words.present, words.odd["number"]),
        ("points in time", words.times / words.present, words.odd["time"]),
    ):
        if odd and share >= 0.5 and (len(odd) <= 3 or share >= 0.995):
            row, value = _first_of(raw, name, odd)
            file, at = raw.place(row)
            raise DataError(
                f"mixed types: {share:.3g} of the values are {what}, {value!r} is not"
                if share < 0.9995
                else f"mixed types: nearly all values are {what}, {value!r} is not",
                file=file,
                column=name,
                row=at,
                hint=f"Correct it, or name the kind with data.kinds.{name}",
            )


def _first_of(raw: Raw, name: str, odd: set[str]) -> tuple[int, str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = 0
    for batch in raw.batches([name]):
        array = batch.column(0)
        at = pc.index(pc.is_in(array, pa.array(sorted(odd), array.type)), True).as_py()
        if at >= 0:
            return rows + at, array[at].as_py()
        rows += batch.num_rows
    raise AssertionError("the value was there in the pass before")


def _levels(raw: Raw, name: str) -> tuple[str, ...]:
    """Levels of a column that the user calls ordinal: by value if all are numbers, else by code point."""
    seen: set[str] = set()
    from foretrain.data.canonical import canonical

    as_words = Column(name=name, kind=Kind.CATEGORICAL, source_type="")
    for batch in raw.batches([name]):
        seen.update(canonical(batch.column(0), as_words).drop_null().unique().to_pylist())
        if len(seen) > 1000:
            raise DataError("more than 1,000 levels: not ordinal", file=raw.ends[0][1], column=name)
    try:
        return tuple(sorted(seen, key=float))
    except ValueError:
        return tuple(sorted(seen))


def _width(evidence: Evidence, file: str, name: str) -> int:
    if len(evidence.widths) != 1 or not evidence.numeric_items:
        found = ", ".join(map(str, sorted(evidence.widths))) or "no"
        raise DataError(
            f"expected lists of as many numbers in each row, found {found} items",
            file=file,
            column=name,
            hint=f'Or read it as text: data.kinds.{name} = "text"',
        )
    return next(iter(evidence.widths))


def _whole_decimal(dtype: str) -> bool:
    found = re.fullmatch(r"decimal\d+\((\d+), (-?\d+)\)", dtype)
    return found is not None and int(found[2]) <= 0 and int(found[1]) - int(found[2]) <= 18
