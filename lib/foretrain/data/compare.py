"""Do two datasets have the same columns of the same kinds, and can the one be read as the other?"""

from __future__ import annotations

from foretrain.data.canonical import STRINGS, Family, family
from foretrain.data.kinds import of_distinct
from foretrain.data.raw import Raw, listed
from foretrain.data.reference import Column, DatasetRef, Kind
from foretrain.data.scan import Evidence, scan
from foretrain.data.words import Meaning
from foretrain.errors import DataError

_READABLE: dict[Kind, set[Family]] = {
    Kind.NUMERIC: {Family.NUMERIC, Family.INTEGER},
    Kind.INTEGER: {Family.INTEGER, Family.NUMERIC, Family.BOOLEAN},
    Kind.BOOLEAN: {Family.BOOLEAN, Family.INTEGER, Family.NUMERIC},
    Kind.CATEGORICAL: {Family.STRING, Family.CATEGORY, Family.INTEGER, Family.NUMERIC, Family.BINARY},
    Kind.ORDINAL: {Family.STRING, Family.CATEGORY, Family.INTEGER, Family.NUMERIC},
    Kind.IDENTIFIER: {Family.STRING, Family.CATEGORY, Family.INTEGER, Family.NUMERIC, Family.BINARY},
    Kind.TEXT: {Family.STRING, Family.CATEGORY, Family.LIST, Family.OTHER, Family.BINARY},
    Kind.DATETIME: {Family.DATETIME, Family.STRING},
    Kind.DURATION: {Family.DURATION, Family.STRING},
    Kind.EMBEDDING: {Family.LIST},
}
"""Types whose values can become a kind without loss; each value is then checked as it is converted."""


def impose(raw: Raw, original: DatasetRef) -> tuple[Column, ...]:
    """The original's columns and kinds, for a candidate's rows; the order of the candidate's columns does not matter.

    Allowed without a word, since nothing is lost: integers for numbers, whole numbers for integers, 0 and 1 for truth
    values, integers for categories, words for whatever they can be read as, and a column without values for any kind.

    Raises:
        DataError: columns differ (which), or a kind does.
    """
    _check_columns(raw, original)
    evidence = scan(raw, [name for name, kind in original.kinds.items() if kind in STRINGS and raw.words(name)])
    for column in original.columns:
        found = {family(dtype): dtype for _, dtype in raw.types[column.name]}
        found.pop(Family.NULL, None)
        readable = set(_READABLE[column.kind])
        if raw.words(column.name):
            readable.add(Family.STRING)
        odd = next((name for name in found if name not in readable), None)
        if odd is not None:
            _refuse(raw, column, f"{odd} ({found[odd]})")
        if raw.words(column.name) and column.kind in STRINGS:
            _check_words(raw, column, evidence[column.name])
    return tuple(
        column.model_copy(update={"source_type": str(raw.types[column.name][0][1])}) for column in original.columns
    )


def _check_columns(raw: Raw, original: DatasetRef) -> None:
    missing = [column.name for column in original.columns if column.name not in raw.types]
    added = [name for name in raw.types if name not in original.kinds]
    if missing or added:
        parts = [f"lacks {listed(missing)}"] * bool(missing) + [f"has {listed(added)} besides"] * bool(added)
        raise DataError(
            f"columns differ from the original's ({original.uri}): {', '.join(parts)}",
            file=raw.ends[0][1],
            column=(missing or added)[0] if len(missing) + len(added) == 1 else None,
            hint="Give both tables the same columns",
        )


def _check_words(raw: Raw, column: Column, evidence: Evidence) -> None:
    """Words that all mean a time, a truth value, or a number that hardly repeats, are not the original's words."""
    words = evidence.words
    meaning = evidence.meaning
    if words is None or meaning is None:
        return
    varied = of_distinct(words.present, words.distinct, 1.0) is not Kind.CATEGORICAL
    if meaning in (Meaning.DATETIME, Meaning.DURATION) or (
        meaning is Meaning.NUMBER and column.kind is not Kind.IDENTIFIER and varied
    ):
        _refuse(raw, column, {Meaning.NUMBER: "numbers"}.get(meaning, f"{meaning}s"))


def _refuse(raw: Raw, column: Column, found: str) -> None:
    raise DataError(
        f"kinds differ: {column.kind} in the original ({column.source_type}), here {found}",
        file=raw.ends[0][1],
        column=column.name,
        hint=f"Store it as in the original, or name a kind that fits both with data.kinds.{column.name}",
    )
