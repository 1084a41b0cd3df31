"""Which rows repeat another row exactly, more often than chance explains?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from scipy.special import pdtrc

from foretrain.collapse.table import Floats
from foretrain.data.reference import Column, Kind
from foretrain.profile.hashing import Hashes, mix, null_hash, number_hashes, salt, string_hashes, vector_hashes


def hashes(rows: pa.Table | pa.RecordBatch, columns: Sequence[Column]) -> Hashes:
    """64 bits that stand for a row's content in these columns, (rows,); independent of the columns' order."""
    total: Hashes = np.zeros(rows.num_rows, np.uint64)
    for column in columns:
        array = rows.column(column.name)
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        total += _values(array, column)
    return mix(total)


def _values(array: pa.Array, column: Column) -> Hashes:
    """One hash a value, (rows,)."""
    mark = salt(column.name)
    missing = array.is_null().to_numpy(zero_copy_only=False)
    if pa.types.is_dictionary(array.type):
        codes = array.indices.fill_null(0).to_numpy(zero_copy_only=False)
        found = (
            string_hashes(array.dictionary, mark)[codes] if len(array.dictionary) else np.zeros(len(array), np.uint64)
        )
    elif pa.types.is_string(array.type):
        found = string_hashes(array, mark)
    elif column.kind is Kind.EMBEDDING:
        found = np.zeros(len(array), np.uint64)
        flat = array.drop_null().flatten().cast(pa.float32()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        found[~missing] = vector_hashes(flat.reshape(-1, array.type.list_size), mark)
    elif pa.types.is_floating(array.type):
        found = number_hashes(array.fill_null(0).to_numpy(zero_copy_only=False), mark)
    else:
        whole = array.cast(pa.int8()) if pa.types.is_boolean(array.type) else array
        found = number_hashes(whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False), mark)
    if missing.any():
        found[missing] = null_hash(mark)
    return found


@dataclass(frozen=True)
class Counts:
    """How often each row's content occurs in a table: 16 bytes a different row."""

    contents: Hashes
    times: np.ndarray
    rows: int

    @staticmethod
    def of(parts: Iterable[Hashes]) -> Counts:
        """Of all rows' hashes."""
        every = np.concatenate([np.empty(0, np.uint64), *parts])
        contents, times = np.unique(every, return_counts=True)
        return Counts(contents, times, len(every))

    def __call__(self, wanted: Hashes) -> np.ndarray:
        """How often each of these occurs, (rows,), 0 or above."""
        if not len(self.contents):
            return np.zeros(len(wanted), np.int64)
        place = np.minimum(np.searchsorted(self.contents, wanted), len(self.contents) - 1)
        return np.where(self.contents[place] == wanted, self.times[place], 0)

    def repeated(self) -> float:
        """Share of rows that occur more than once, half a row added: 0 to 1."""
        return float((self.times[self.times > 1].sum() + 0.5) / (self.rows + 1))


@dataclass(frozen=True)
class Copies:
    """What repetition says of a row of one table, beside the other.

    Attributes:
        p: probability that chance repeats the row at least so often in its table, (rows,).
        usual: how many alike, itself among them, are no wonder, (rows,), 1 or above.
        p_other: probability that chance makes it occur in the other table, (rows,).
        times: how often it occurs in its table, (rows,).
        other: how often in the other, (rows,).
    """

    p: Floats
    usual: Floats
    p_other: Floats
    times: np.ndarray
    other: np.ndarray


def compare(rows: Hashes, own: Counts, other: Counts, original: Counts, elsewhere: np.ndarray | None = None) -> Copies:
    """Repetitions of some rows of a table.

    The others of a row's kind are taken for Poisson, with the mean that its count in the other table leads to expect;
    where it has none there, the share of the original's rows that are repeated.

    Args:
        rows: their hashes.
        own: counts in their own table.
        other: counts in the table beside it.
        original: counts in the original, which says how often rows repeat by chance.
        elsewhere: how often each occurs among rows that are not its own, where that is not its count in the other.
    """
    times, there = own(rows), other(rows)
    usual = original.repeated()
    mean = np.where(there > 0, own.rows / max(other.rows, 1) * (there + 0.5), usual)
    p = np.where(times > 1, pdtrc(np.maximum(times - 2, 0), mean), 1.0)
    found = there if elsewhere is None else elsewhere
    return Copies(np.asarray(p), np.maximum(mean, 1.0), np.where(found > 0, usual, 1.0), times, found)
