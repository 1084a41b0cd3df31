"""What can a fix look at: samples of both tables, which of the rows are flagged, what may be taken of the original?

The original is cut in two by its rows' content. A fix that takes anything from the original sees one part, the donors;
it is scored against the other. Else it would be praised for what it copied.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foretrain import storage
from foretrain.collapse.rows import readable
from foretrain.collapse.table import Floats
from foretrain.data import open_batches
from foretrain.data.reference import Column, DatasetRef, Kind
from foretrain.localization.copies import Counts, hashes
from foretrain.localization.features import Features
from foretrain.localization.record import Localization
from foretrain.profile.hashing import Hashes, mix
from foretrain.recommendations.edit import Flags, Places, Rows
from foretrain.record import NotRun
from foretrain.seeds import number

MOST_ROWS, MOST_TEXTS = 20_000, 4_000
"""Rows a table that fixes are fitted and tried on, about; the second where there are texts."""

BATCH_ROWS = 32_768


@dataclass(frozen=True)
class Flagged:
    """The rows that localization kept, by their place in the source, rising."""

    place: Places
    confidence: Floats
    mechanism: np.ndarray

    def chosen(self, at: float, mechanisms: Sequence[str] = ()) -> Places:
        """Places of those bad with this confidence, by one of these mechanisms (any where none is named)."""
        these = self.confidence >= at
        if mechanisms:
            these &= np.isin(self.mechanism, list(mechanisms))
        return self.place[these]


@dataclass(frozen=True)
class Scene:
    """A candidate and its original, as far as fixes see them.

    Attributes:
        columns: of both tables.
        target: the column a model would be trained to predict.
        seed: where chance comes from.
        candidate: a sample; of a row that is drawn, all copies are.
        rate: share of the candidate's rows that are in it, about.
        contents: hash of each row of the whole candidate, in order.
        original: counts of the whole original's contents.
        donors: sample of the rows of the original that fixes may see and take.
        held: sample of the others.
        donor_rows: how many there are in the whole original.
        flags: reads what localization kept; empty where it did not run.
    """

    columns: tuple[Column, ...]
    target: str | None
    seed: int
    candidate: Rows
    rate: float
    contents: Hashes
    original: Counts
    donors: pa.Table
    held: pa.Table
    donor_rows: int
    flags: Callable[[], Flagged]

    @property
    def rows(self) -> int:
        """Of the whole candidate."""
        return len(self.contents)

    @cached_property
    def flagged(self) -> Flagged:
        """The rows that localization kept.

        Raises:
            ResourceError: they are not there any more.
        """
        return self.flags()

    @cached_property
    def features(self) -> Features:
        """How rows become numbers."""
        columns, _ = readable(self.columns, self.target, self.seed)
        return Features.of(columns, [self.donors, self.candidate.table], self.target)

    @cached_property
    def read_candidate(self) -> Floats:
        """The sample's numbers, (rows, features)."""
        return self.features.read(self.candidate.table)

    @cached_property
    def read_donors(self) -> Floats:
        """(donors, features)."""
        return self.features.read(self.donors)

    def place(self, column: str) -> int | None:
        """Place of a column among the features; None where it has none, or several."""
        found = [k for k, feature in enumerate(self.features.features) if feature.column == column]
        return found[0] if len(found) == 1 and self.column(column).kind is not Kind.TEXT else None

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


def read(
    candidate: DatasetRef,
    original: DatasetRef,
    localization: Localization | NotRun,
    target: str | None,
    seed: int,
    most: int | None = None,
) -> Scene:
    """Pass over both tables once.

    Memory: 8 bytes a row of the candidate, 16 a different row of the original, and the samples.

    Args:
        candidate: the dataset to be fixed.
        original: what it stands in for.
        localization: names the flagged rows.
        target: the column a model would be trained to predict.
        seed: draws the samples and the donors.
        most: rows a sample, about.

    Raises:
        DataError: a source is gone, or not what it was.
        StorageError: storage did not answer.
    """
    columns = original.columns
    most = most or (MOST_TEXTS if any(column.kind is Kind.TEXT for column in columns) else MOST_ROWS)
    rate = min(1.0, most / max(candidate.rows, 1))
    found = Sampled.of(candidate, columns, rate, seed)
    real = Sampled.of(original, columns, min(1.0, 2 * most / max(original.rows, 1)), seed)
    given = donors(hashes(real.rows.table, content(columns)), original, seed)
    return Scene(
        columns=columns,
        target=target,
        seed=seed,
        candidate=found.rows,
        rate=len(found.rows) / max(candidate.rows, 1),
        contents=found.contents,
        original=Counts.of([real.contents]),
        donors=real.rows.table.filter(pa.array(given)),
        held=real.rows.table.filter(pa.array(~given)),
        donor_rows=int(donors(real.contents, original, seed).sum()),
        flags=lambda: flagged(localization),
    )


@dataclass(frozen=True)
class Sampled:
    """A table's sample, and the contents of all its rows."""

    rows: Rows
    contents: Hashes

    @staticmethod
    def of(ref: DatasetRef, columns: Sequence[Column], rate: float, seed: int) -> Sampled:
        """Rows drawn by their content, so that copies are drawn together, whatever the order of the rows."""
        tables, places, contents = [], [np.empty(0, np.int64)], [np.empty(0, np.uint64)]
        compared = content(columns)
        salt = np.uint64(number(seed, "recommendations", "sample"))
        below = np.uint64(min(int(rate * 2**64), 2**64 - 1))
        for batch in batches(ref, columns):
            found = hashes(batch.table, compared)
            drawn = batch.keep(mix(found ^ salt) <= below)
            contents.append(found)
            places.append(drawn.place)
            tables.append(drawn.table)
        return Sampled(Rows(pa.concat_tables(tables), np.concatenate(places)), np.concatenate(contents))


def batches(ref: DatasetRef, columns: Sequence[Column]) -> Iterator[Rows]:
    """All rows of a dataset in these columns."""
    first = 0
    for batch in open_batches(ref, [column.name for column in columns], BATCH_ROWS):
        yield Rows(pa.Table.from_batches([batch]), np.arange(first, first + batch.num_rows))
        first += batch.num_rows


def content(columns: Sequence[Column]) -> list[Column]:
    """The columns by which rows are the same: all but identifiers, unless there are no others."""
    return [column for column in columns if column.kind is not Kind.IDENTIFIER] or list(columns)


def donors(contents: Hashes, original: DatasetRef, seed: int) -> Flags:
    """Which rows of the original fixes may see: half of the contents, another half of each original."""
    salt = np.uint64(number(seed, "recommendations", "donors", original.fingerprint))
    return np.asarray(mix(contents ^ salt) >> np.uint64(63) == 1)


def flagged(localization: Localization | NotRun) -> Flagged:
    """What localization found, unless it abstained."""
    if isinstance(localization, NotRun) or localization.abstained is not None:
        return Flagged(np.empty(0, np.int64), np.empty(0), np.empty(0, dtype=object))
    table = pq.read_table(io.BytesIO(storage.read(localization.table)), columns=["row", "confidence", "mechanism"])
    table = table.sort_by("row")
    mechanisms = np.asarray(table["mechanism"].to_pylist(), dtype=object)
    return Flagged(table["row"].to_numpy(), table["confidence"].to_numpy(), mechanisms)
