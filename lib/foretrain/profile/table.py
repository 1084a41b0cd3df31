"""What is known of a whole table after one pass, and how do the parts of two passes become one?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from threadpoolctl import threadpool_limits

from foretrain.data.reference import Column, Kind
from foretrain.errors import DataError
from foretrain.profile.column import NUMBERS, ColumnProfile
from foretrain.profile.container import pack, unpack
from foretrain.profile.distinct import Smallest
from foretrain.profile.hashing import Hashes, mix
from foretrain.profile.moments import Comoments, Values
from foretrain.profile.sample import RowSample
from foretrain.settings import ProfileSettings, Settings

VERSION = 1
"""Of the stored form; one that this code does not know is refused."""

_CELLS = 2**21
"""Numbers looked at in one step: bounds the memory of wide tables."""


class Profile:
    """A mergeable profile of a table: ``a.merge(b)`` is the profile of both tables' rows together.

    Exact and independent of order and partitioning: rows, nulls, infinities, minima, maxima, different values and
    rows, duplicates, counts, the sample. To rounding: moments and correlations. Within their stated errors: quantiles
    of more than 32,768 values, counts of more than settings.profile.max_categories values.

    `columns` maps each name to its `ColumnProfile`.
    """

    def __init__(
        self,
        columns: dict[str, ColumnProfile],
        comoments: Comoments,
        row_hashes: Smallest,
        sample: RowSample,
    ) -> None:
        self.columns = columns
        self._comoments, self._row_hashes, self._sample = comoments, row_hashes, sample
        self.rows = next(iter(columns.values())).rows if columns else 0

    @classmethod
    def empty(cls, columns: Sequence[Column], settings: Settings | None = None) -> Profile:
        """The profile of no rows: merging it changes nothing."""
        settings = settings or Settings()
        options: ProfileSettings = settings.profile
        return cls(
            {column.name: ColumnProfile.empty(column, options) for column in columns},
            Comoments.empty(sum(column.kind in NUMBERS for column in columns)),
            Smallest(max(options.distinct_k, options.sample_rows)),
            RowSample(options.sample_rows, settings.seed, schema(columns)),
        )

    @classmethod
    def of(
        cls, columns: Sequence[Column], batches: Iterable[pa.RecordBatch], settings: Settings | None = None
    ) -> Profile:
        """The profile of these batches.

        Args:
            columns: name and kind of each column.
            batches: record batches with these columns in their canonical types, of any size; categories may be
                dictionary-encoded, batch by batch, which is cheaper.
            settings: seed and profile settings.
        """
        profile = cls.empty(columns, settings)
        rows = int(np.clip(_CELLS // max(len(columns), 1), 1024, 65536))
        with threadpool_limits(limits=1, user_api="blas"):  # threads cost more than these small products
            for batch in rechunk(batches, rows):
                profile.update(batch)
        return profile

    def merge(self, other: Profile) -> Profile:
        """The profile of both tables' rows together.

        Raises:
            DataError: the columns or the seeds differ.
        """
        mine, theirs = ({name: each.kind for name, each in side.columns.items()} for side in (self, other))
        if list(mine.items()) != list(theirs.items()):
            raise DataError(f"expected two profiles of the same columns, got {mine} and {theirs}")
        if self._sample.seed != other._sample.seed:
            raise DataError(f"expected two profiles of one seed, got {self._sample.seed} and {other._sample.seed}")
        return Profile(
            {name: column.merge(other.columns[name]) for name, column in self.columns.items()},
            self._comoments.merge(other._comoments),
            self._row_hashes.merge(other._row_hashes),
            self._sample.merge(other._sample),
        )

    # What to ask it.

    @property
    def distinct_rows(self) -> float:
        """Different rows: exact up to settings.profile.sample_rows, else an estimate with a 0.7 % standard error.

        Rows that differ in identifiers alone are copies here, in `duplicate_share` and in `overlap`.
        """
        return self._row_hashes.distinct

    def duplicate_share(self) -> float:
        """Share of the rows that repeat an earlier row exactly, 0 to 1; over all rows (see `Smallest.repeated`)."""
        return self._row_hashes.repeated(self.rows)

    def overlap(self, other: Profile) -> float:
        """Share of this table's rows that occur exactly in the other, 0 to 1.

        Counted over all rows whose hash lies among the smallest of both tables: every row of tables of up to
        settings.profile.sample_rows different rows, and a uniform sample of so many different rows of larger ones.
        """
        return self._row_hashes.overlap(other._row_hashes)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the columns of numbers, in the order of `correlation` and `covariance`."""
        return tuple(name for name, column in self.columns.items() if column.kind in NUMBERS)

    def correlation(self) -> tuple[tuple[str, ...], Values, Values]:
        """Pearson correlations of all pairs of columns of numbers, pairwise complete.

        Returns:
            names; the matrix, shape (names, names), NaN where one side is constant; the number of rows behind each
            entry, same shape.
        """
        return self.numbers, self._comoments.correlation, self._comoments.n

    def covariance(self) -> tuple[tuple[str, ...], Values, Values]:
        """The same with covariances."""
        return self.numbers, self._comoments.covariance, self._comoments.n

    def sample(self) -> pa.Table:
        """The seeded sample: the columns, ``__hash__`` and ``__copies__`` (see `RowSample`)."""
        return self._sample.table()

    @property
    def sample_complete(self) -> bool:
        """Whether the sample holds every different row."""
        return self._sample.complete

    def to_bytes(self, *, sample: bool = True) -> bytes:
        """All of it as bytes: a safetensors file (see `container`), versioned, without pickles.

        Args:
            sample: include the sample's rows; without them, `from_bytes` must be given them.
        """
        kept = self._sample
        rows = pa.BufferOutputStream()
        if sample:
            with pa.ipc.new_stream(rows, (table := kept.table()).schema) as stream:
                stream.write_table(table)
        return pack(
            {
                "version": VERSION,
                "columns": [column.state() for column in self.columns.values()],
                "comoments": self._comoments.state(),
                "row_hashes": self._row_hashes.state(),
                "sample": {"k": kept.k, "seed": str(kept.seed), "complete": kept.complete},
                "rows": np.frombuffer(rows.getvalue(), np.uint8),
            }
        )

    @classmethod
    def from_bytes(cls, data: bytes, sample: pa.Table | None = None) -> Profile:
        """The profile that `to_bytes` wrote.

        Raises:
            DataError: the bytes are damaged, or of a version this code does not know.
        """
        state: dict[str, Any] = unpack(data)
        if state.get("version") != VERSION:
            raise DataError(
                f"expected a stored profile of version {VERSION}, found {state.get('version')}",
                hint="Profile it again.",
            )
        columns = {each["column"]["name"]: ColumnProfile.restore(each) for each in state["columns"]}
        table = sample if sample is not None else pa.ipc.open_stream(state["rows"].tobytes()).read_all()
        kept = state["sample"]
        return cls(
            columns,
            Comoments(**state["comoments"]),
            Smallest.restore(state["row_hashes"]),
            RowSample.restore(
                table,
                kept["k"],
                int(kept["seed"]),
                schema([each.column for each in columns.values()]),
                kept["complete"],
            ),
        )

    def update(self, batch: pa.RecordBatch) -> None:
        """Take in one batch."""
        rows = batch.num_rows
        self.rows += rows
        numbers = len(self.numbers)
        values = np.empty((numbers, rows))
        present = np.ones((numbers, rows), dtype=bool)
        hashes: Hashes = np.zeros(rows, np.uint64)
        content: Hashes = np.zeros(rows, np.uint64)
        named_only = all(column.kind is Kind.IDENTIFIER for column in self.columns.values())
        place = 0
        for name, column in self.columns.items():
            read = column.update(batch.column(name))
            hashes += read.hashes
            if named_only or column.kind is not Kind.IDENTIFIER:
                content += read.hashes
            if read.numbers is not None:
                values[place] = read.numbers
                if read.present is not None:
                    present[place] = read.present
                place += 1
        hashes = mix(hashes)
        self._comoments = self._comoments.merge(Comoments.of(values, present))
        self._row_hashes.update(mix(content))
        self._sample.update(batch.select(list(self.columns)), hashes)


def schema(columns: Sequence[Column]) -> pa.Schema:
    """The canonical Arrow schema of these columns."""
    types: dict[Kind, pa.DataType] = {
        Kind.NUMERIC: pa.float64(),
        Kind.INTEGER: pa.int64(),
        Kind.BOOLEAN: pa.bool_(),
        Kind.DATETIME: pa.timestamp("us"),
        Kind.DURATION: pa.duration("us"),
    }
    vectors = {column.name: pa.list_(pa.float32(), column.width) for column in columns if column.kind is Kind.EMBEDDING}
    return pa.schema([(each.name, vectors.get(each.name) or types.get(each.kind, pa.string())) for each in columns])


def rechunk(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of exactly so many, the last one shorter: what follows no longer sees the files."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        start = 0
        while batch.num_rows - start + held >= rows:
            part = batch.slice(start, rows - held)
            start += part.num_rows
            yield _joined([*waiting, part])
            waiting, held = [], 0
        if start < batch.num_rows:
            waiting.append(batch.slice(start))
            held += batch.num_rows - start
    if waiting:
        yield _joined(waiting)


def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    return parts[0] if len(parts) == 1 else pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
