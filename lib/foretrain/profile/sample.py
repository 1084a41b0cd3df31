"""Which rows stand for the table where every row cannot be looked at?

The k different rows with the smallest seeded hash, each with its number of copies in the whole table: a uniform
sample of the different rows, which depends on the seed and the rows' content alone, not on order or partitioning.
A table of at most k different rows is kept whole.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from foretrain.profile.distinct import Smallest
from foretrain.profile.hashing import Hashes, mix
from foretrain.seeds import number

HASH, COPIES = "__hash__", "__copies__"
"""Names of the two columns that a sample has beside the table's own."""


class RowSample:
    """A mergeable sample of rows.

    Args:
        k: rows kept.
        seed: which rows are drawn.
        schema: the table's canonical Arrow schema.
    """

    def __init__(self, k: int, seed: int, schema: pa.Schema) -> None:
        self.k, self.seed, self.schema = k, seed, schema
        self._salt = np.uint64(number("sample", seed))
        self.smallest = Smallest(k)
        self.held: list[tuple[Hashes, pa.Table]] = []

    def update(self, rows: pa.RecordBatch, hashes: Hashes) -> None:
        """Take in a batch and its rows' content hashes, shape (rows,)."""
        seeded = mix(hashes ^ self._salt)
        self.smallest.update(seeded)
        kept = self.smallest.hashes
        within = np.flatnonzero(seeded <= kept[-1]) if kept.size else np.empty(0, np.intp)
        fresh, first = np.unique(seeded[within], return_index=True)
        held = np.concatenate([np.empty(0, np.uint64), *(held for held, _ in self.held)])
        new = ~np.isin(fresh, held, assume_unique=True)
        if new.any():
            places = within[first[new]]
            taken = pa.Table.from_batches([rows]).take(pa.array(places)).cast(self.schema)
            self.held.append((fresh[new], taken.append_column(HASH, pa.array(hashes[places], pa.uint64()))))
            self._settle(slack=2 * self.k)

    def merge(self, other: RowSample) -> RowSample:
        """The sample of both tables together."""
        merged = RowSample(min(self.k, other.k), self.seed, self.schema)
        merged.smallest = self.smallest.merge(other.smallest)
        merged.held = [*self.held, *other.held]
        merged._settle(slack=0)
        return merged

    def table(self) -> pa.Table:
        """The rows: the table's columns, then `HASH` (uint64, the row's content) and `COPIES` (int64, 1 or more).

        Sorted by the content's hash.
        """
        self._settle(slack=0)
        if not self.held:
            empty = pa.table([pa.array([], field.type) for field in self.schema], schema=self.schema)
            return empty.append_column(HASH, pa.array([], pa.uint64())).append_column(COPIES, pa.array([], pa.int64()))
        seeded, rows = self.held[0]
        counts = self.smallest.counts[np.searchsorted(self.smallest.hashes, seeded)]
        rows = rows.append_column(COPIES, pa.array(counts, pa.int64()))
        return rows.take(pa.array(np.argsort(rows[HASH].to_numpy()))).combine_chunks()

    @property
    def complete(self) -> bool:
        """Whether every different row of the table is in the sample."""
        return self.smallest.complete

    @classmethod
    def restore(cls, table: pa.Table, k: int, seed: int, schema: pa.Schema, complete: bool) -> RowSample:
        """The sample whose `table` this was."""
        restored = cls(k, seed, schema)
        rows = table.drop_columns([HASH, COPIES]).cast(schema).append_column(HASH, table[HASH])
        seeded = mix(table[HASH].to_numpy() ^ restored._salt)
        order = np.argsort(seeded)
        counts = np.asarray(table[COPIES].to_numpy(), np.int64)[order]
        restored.smallest = Smallest.restore({"k": k, "complete": complete, "hashes": seeded[order], "counts": counts})
        restored.held = [(seeded, rows)] if len(table) else []
        return restored

    def _settle(self, slack: int) -> None:
        """One table of the rows that are still drawn, each once; not yet while only a few too many are held."""
        held = sum(len(hashes) for hashes, _ in self.held)
        if held <= self.k + slack and (slack or len(self.held) <= 1):
            return
        seeded: npt.NDArray[np.uint64] = np.concatenate([hashes for hashes, _ in self.held])
        values, first = np.unique(seeded, return_index=True)
        places = first[np.isin(values, self.smallest.hashes, assume_unique=True)]
        rows = pa.concat_tables([table for _, table in self.held]).take(pa.array(places)).combine_chunks()
        self.held = [(seeded[places], rows)]
