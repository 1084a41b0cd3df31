"""In which order do rows and columns stand, when neither their order nor their names may count?

Every column gets a number from its values in the original, and every row one from its values, by sums of hashes. Sums
do not know an order, so the same table gives the same order however it came. Columns that hold the same values in
another order of rows are told apart by the rows in which they hold them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from foretrain.collapse.table import Schema, Table, Target

Hashes = npt.NDArray[np.uint64]


def ordered(candidate: Table, original: Table) -> tuple[Table, Table]:
    """Both tables with columns and rows in an order that follows from their values alone.

    Number columns of which the original holds nothing but nulls are left out: there is nothing to compare them with.
    """
    number_keys, code_keys = _column_keys(original, candidate)
    by_number, by_code = np.argsort(number_keys, kind="stable"), np.argsort(code_keys, kind="stable")
    held = np.flatnonzero(~np.isnan(original.numbers).all(axis=0))
    by_number = by_number[np.isin(by_number, held)]
    schema = _schema(original.schema, by_number, by_code)
    out = []
    for table in (candidate, original):
        rows = np.argsort(_row_keys(table, number_keys, code_keys), kind="stable")
        moved = replace(table, numbers=table.numbers[:, by_number], codes=table.codes[:, by_code], schema=schema)
        out.append(moved.take(rows))
    return out[0], out[1]


def _column_keys(original: Table, candidate: Table) -> tuple[Hashes, Hashes]:
    """Of the number columns and of the category columns."""
    keys = np.concatenate([_mix(_bits(values)).sum(axis=0) for values in (original.numbers, original.codes)])
    at = original.numbers.shape[1]
    tied = np.triu(keys[:, None] == keys, 1).any(axis=0)
    if tied.any():
        within = np.zeros_like(keys)
        for table in (original, candidate):
            rows = _mix(_row_keys(table, keys[:at], keys[at:]))[:, None]
            within += np.concatenate([_mix(_bits(v) ^ rows).sum(axis=0) for v in (table.numbers, table.codes)])
        # columns that are still alike may be swapped without changing the table: whichever came first goes first
        within += _mix(np.triu(within[:, None] == within, 1).sum(axis=0).astype(np.uint64))
        keys = np.where(np.isin(keys, keys[tied]), within, keys)
    return keys[:at], keys[at:]


def _row_keys(table: Table, number_keys: Hashes, code_keys: Hashes) -> Hashes:
    key = np.zeros(len(table), dtype=np.uint64)
    for columns, keys in ((_bits(table.numbers), number_keys), (_bits(table.codes), code_keys)):
        for column, salt in zip(columns.T, keys, strict=True):
            key += _mix(column ^ _mix(salt))
    return key


def _schema(schema: Schema, by_number: npt.NDArray[np.intp], by_code: npt.NDArray[np.intp]) -> Schema:
    target = schema.target
    if target is not None:
        place = np.flatnonzero((by_number if target.task == "regression" else by_code) == target.position)
        target = Target(target.task, int(place[0])) if len(place) else None
    return Schema(
        tuple(schema.numbers[j] for j in by_number),
        tuple(schema.whole[j] for j in by_number),
        tuple(schema.codes[j] for j in by_code),
        tuple(schema.levels[j] for j in by_code),
        target,
    )


def _bits(values: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Hashes:
    """The values as 64-bit patterns, one for both zeros and one for all nulls."""
    plain = np.ascontiguousarray(values, dtype=np.float64) + 0.0
    return np.where(np.isnan(plain), np.nan, plain).view(np.uint64)


def _mix(bits: Hashes) -> Hashes:
    """A hash of each pattern.

    References:
        Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators: the finaliser of SplitMix64.
    """
    with np.errstate(over="ignore"):
        bits = bits + np.uint64(0x9E3779B97F4A7C15)
        bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(bits ^ (bits >> np.uint64(31)), dtype=np.uint64)
