"""What is known of one column after one pass?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.data.reference import Column, Kind
from foretrain.errors import InternalError
from foretrain.profile import hashing
from foretrain.profile.distinct import Smallest
from foretrain.profile.frequency import Counts, Frequencies
from foretrain.profile.moments import Moments
from foretrain.profile.quantiles import Quantiles, Values
from foretrain.settings import ProfileSettings

NUMBERS = frozenset({Kind.NUMERIC, Kind.INTEGER, Kind.BOOLEAN, Kind.DATETIME, Kind.DURATION})
"""Kinds whose values are numbers: a boolean as 0 and 1, datetimes and durations in microseconds."""

CATEGORIES = frozenset({Kind.CATEGORICAL, Kind.ORDINAL})
"""Kinds whose values are counted one by one."""


class _Mergeable(Protocol):
    def merge(self, other: Self, /) -> Self: ...


T = TypeVar("T", bound=_Mergeable)


def _merged(one: T | None, other: T | None) -> T | None:
    return one.merge(other) if one is not None and other is not None else None


@dataclass(frozen=True)
class Batch:
    """One batch of a column, read: what the table's own measures need from it."""

    hashes: hashing.Hashes
    """One a row, salted by the column's name."""
    numbers: Values | None = None
    """Of a column of numbers, shape (rows,); where not present, anything."""
    present: npt.NDArray[np.bool_] | None = None
    """Where the number is neither missing nor infinite; None = everywhere."""


@dataclass
class ColumnProfile:
    """Everything known of one column. Merging two is exact but for quantiles and uncounted values (see there).

    What `moments` and `quantiles` are about: the value of a number; the length in characters of a text or identifier;
    each dimension of an embedding (moments only). Categories have neither.
    """

    column: Column
    rows: int
    nulls: int
    """Missing values; NaN counts as missing."""
    infinities: int
    values: Smallest
    """Hashes of the values that are not missing."""
    moments: Moments | None
    quantiles_: Quantiles | None
    frequencies: Frequencies | None
    salt: np.uint64 = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.salt = hashing.salt(self.column.name)

    @classmethod
    def empty(cls, column: Column, settings: ProfileSettings) -> ColumnProfile:
        categories = column.kind in CATEGORIES
        return cls(
            column=column,
            rows=0,
            nulls=0,
            infinities=0,
            values=Smallest(settings.distinct_k),
            moments=None if categories else Moments.empty(column.width if column.kind is Kind.EMBEDDING else 1),
            # Batches are sorted as a whole, so that levels of eight times KLL's size cost no more than KLL.
            quantiles_=None if categories or column.kind is Kind.EMBEDDING else Quantiles(8 * settings.quantile_k),
            frequencies=Frequencies(settings.max_categories) if categories else None,
        )

    def update(self, array: pa.Array) -> Batch:
        """Take in one batch of the column in its canonical type."""
        self.rows += len(array)
        if self.column.kind in NUMBERS:
            return self._numbers(array)
        if self.column.kind is Kind.EMBEDDING:
            return self._vectors(array)
        return self._categories(array) if self.column.kind in CATEGORIES else self._texts(array)

    def merge(self, other: ColumnProfile) -> ColumnProfile:
        """The profile of both inputs together."""
        return replace(
            self,
            rows=self.rows + other.rows,
            nulls=self.nulls + other.nulls,
            infinities=self.infinities + other.infinities,
            values=self.values.merge(other.values),
            moments=_merged(self.moments, other.moments),
            quantiles_=_merged(self.quantiles_, other.quantiles_),
            frequencies=_merged(self.frequencies, other.frequencies),
        )

    # What to ask it.

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def kind(self) -> Kind:
        return self.column.kind

    @property
    def present(self) -> int:
        """Values that are not missing."""
        return self.rows - self.nulls

    @property
    def distinct(self) -> float:
        """Different values, missing ones apart: exact up to settings.profile.distinct_k, else an estimate."""
        return self.values.distinct

    @property
    def minimum(self) -> float | None:
        """Smallest finite number, or shortest length; None where there is none."""
        return self._moment("minimum")

    @property
    def maximum(self) -> float | None:
        """Largest finite number, or longest length; None where there is none."""
        return self._moment("maximum")

    @property
    def mean(self) -> float | None:
        return self._moment("mean")

    @property
    def variance(self) -> float | None:
        """Unbiased; None below two values."""
        return self._moment("variance")

    @property
    def skewness(self) -> float | None:
        """Third standardised moment m3 / m2^1.5, biased as in scipy.stats.skew; None for a constant."""
        return self._standardised("m3", 1.5)

    @property
    def kurtosis(self) -> float | None:
        """Fourth standardised moment m4 / m2^2, 3 for a normal distribution; None for a constant."""
        return self._standardised("m4", 2.0)

    def cdf(self, points: npt.ArrayLike) -> Values:
        """Share of the finite numbers (or lengths) at or below each point, same shape; exact up to 32,768 values."""
        return self._ordered().cdf(points)

    def quantiles(self, shares: npt.ArrayLike) -> Values:
        """The numbers (or lengths) below which these shares lie (inverse CDF), same shape; exact as `cdf`.

        Raises:
            InternalError: the column has no order, or no finite value.
        """
        sketch = self._ordered()
        if not sketch.n:
            raise InternalError("a quantile was asked of a column without values", column=self.name)
        return sketch.quantiles(shares)

    def counts(self) -> Counts:
        """How often each value occurs, most frequent first; missing values apart.

        Strings for categories, numbers for columns of numbers. Exact up to settings.profile.max_categories (numbers:
        distinct_k) different values. Beyond it the frequent ones: of categories by a frequent-items sketch, of numbers
        those that the quantile sketch kept three times and that hold more than three of its rank errors. Empty and
        not exact for texts, identifiers and embeddings, which are not counted.
        """
        if self.frequencies is not None:
            return self.frequencies.counts()
        if self.kind not in NUMBERS:
            return Counts({}, exact=False)
        if self.values.complete:
            dtype = np.float64 if self.kind is Kind.NUMERIC else np.int64
            values = hashing.numbers(self.values.hashes, self.salt, dtype)
            counts, exact, error = self.values.counts, True, 0
        else:
            kept, cumulative = self._ordered().weighted()
            values, first = np.unique(kept, return_index=True)
            counts = np.diff(np.concatenate([[0], cumulative[np.append(first[1:], kept.size) - 1]]))
            error = int(np.ceil(3.0 * self._ordered().rank_error * self._ordered().n))
            often = (np.diff(np.append(first, kept.size)) > 2) & (counts > error)
            values, counts, exact = values[often], counts[often], False
        order = np.lexsort((values, -counts))
        return Counts(dict(zip(values[order].tolist(), counts[order].tolist(), strict=True)), exact, error)

    def state(self) -> dict[str, Any]:
        return {
            "column": self.column.model_dump(mode="json"),
            "rows": self.rows,
            "nulls": self.nulls,
            "infinities": self.infinities,
            "values": self.values.state(),
            "moments": self.moments.state() if self.moments is not None else None,
            "quantiles": self.quantiles_.state() if self.quantiles_ is not None else None,
            "frequencies": self.frequencies.state() if self.frequencies is not None else None,
        }

    @classmethod
    def restore(cls, state: dict[str, Any]) -> ColumnProfile:
        return cls(
            column=Column.model_validate(state["column"]),
            rows=state["rows"],
            nulls=state["nulls"],
            infinities=state["infinities"],
            values=Smallest.restore(state["values"]),
            moments=Moments(**state["moments"]) if state["moments"] is not None else None,
            quantiles_=Quantiles.restore(state["quantiles"]) if state["quantiles"] is not None else None,
            frequencies=Frequencies.restore(state["frequencies"]) if state["frequencies"] is not None else None,
        )

    # One batch, by what the kind holds.

    def _numbers(self, array: pa.Array) -> Batch:
        if self.kind is Kind.NUMERIC:
            raw = array.fill_null(np.nan).to_numpy(zero_copy_only=False)
            values, missing = raw, np.isnan(raw)
            present = np.isfinite(raw)
            self.infinities += int(len(raw) - present.sum() - missing.sum())
        else:
            whole = array.cast(pa.int8()) if self.kind is Kind.BOOLEAN else array
            raw = whole.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
            values, missing = raw.astype(np.float64), array.is_null().to_numpy(zero_copy_only=False)
            present = ~missing
        hashes = hashing.number_hashes(raw, self.salt)
        finite = values if present.all() else values[present]
        assert self.moments is not None
        assert self.quantiles_ is not None
        self.moments = self.moments.merge(Moments.of(finite))
        self.quantiles_.update(finite)
        self._seen(hashes, missing)
        return Batch(hashes, values, None if finite is values else present)

    def _categories(self, array: pa.Array) -> Batch:
        coded = array if pa.types.is_dictionary(array.type) else array.dictionary_encode()
        codes = coded.indices.fill_null(len(coded.dictionary)).to_numpy(zero_copy_only=False)
        counts = np.bincount(codes, minlength=len(coded.dictionary) + 1)
        self.nulls += int(counts[-1])
        seen = np.flatnonzero(counts[:-1])
        names = coded.dictionary.take(pa.array(seen))
        hashes = np.full(counts.size, hashing.null_hash(self.salt))
        hashes[seen] = hashing.string_hashes(names, self.salt)
        self.values.update(hashes[seen], counts[seen])
        assert self.frequencies is not None
        self.frequencies.update(names.to_pylist(), counts[seen].tolist())
        return Batch(hashes[codes])

    def _texts(self, array: pa.Array) -> Batch:
        hashes = hashing.string_hashes(array, self.salt)
        lengths = pc.utf8_length(array.drop_null()).cast(pa.float64()).to_numpy(zero_copy_only=False)
        assert self.moments is not None
        assert self.quantiles_ is not None
        self.moments = self.moments.merge(Moments.of(lengths))
        self.quantiles_.update(lengths)
        self._seen(hashes, array.is_null().to_numpy(zero_copy_only=False))
        return Batch(hashes)

    def _vectors(self, array: pa.Array) -> Batch:
        missing = array.is_null().to_numpy(zero_copy_only=False)
        flat = array.drop_null().flatten().cast(pa.float32()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        vectors = flat.reshape(-1, self.column.width)
        hashes = np.empty(len(array), np.uint64)
        hashes[~missing] = hashing.vector_hashes(vectors, self.salt)
        whole = vectors[np.isfinite(vectors).all(axis=1)].astype(np.float64)
        self.infinities += int(np.isinf(vectors).any(axis=1).sum())
        assert self.moments is not None
        each = [Moments.of(whole[:, dimension]) for dimension in range(self.column.width)]
        self.moments = self.moments.merge(Moments.together(each))
        self._seen(hashes, missing)
        return Batch(hashes)

    def _seen(self, hashes: hashing.Hashes, missing: npt.NDArray[np.bool_]) -> None:
        """Count nulls and different values; the rows' hashes get their mark where the value is missing."""
        nulls = int(missing.sum())
        self.nulls += nulls
        self.values.update(hashes[~missing] if nulls else hashes)
        if nulls:
            hashes[missing] = hashing.null_hash(self.salt)

    def _ordered(self) -> Quantiles:
        if self.quantiles_ is None:
            raise InternalError(f"a {self.kind.value} column has no order", column=self.name)
        return self.quantiles_

    def _moment(self, name: str) -> float | None:
        if self.moments is None or self.kind is Kind.EMBEDDING or not self.moments.n[0]:
            return None
        value = float(getattr(self.moments, name)[0])
        return value if np.isfinite(value) else None

    def _standardised(self, name: str, power: float) -> float | None:
        moment, square = self._moment(name), self._moment("m2")
        if moment is None or not square or self.minimum == self.maximum:
            return None
        assert self.moments is not None
        n = float(self.moments.n[0])
        value = (moment / n) / (square / n) ** power
        return value if np.isfinite(value) else None
