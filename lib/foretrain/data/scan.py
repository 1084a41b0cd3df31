"""What do a column's values show about its kind: one pass that stops as soon as it knows, one more for words?

Everything here is a sum, a minimum, a maximum or a set, so that it depends on neither the order of rows nor on how
they were cut into batches and files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from foretrain.data.canonical import Family, family
from foretrain.data.raw import Raw
from foretrain.data.words import DATETIME, NUMBER, Meaning, meaning

KEPT = 16384
"""Distinct hashes kept a column: counts are exact below, within 0.8 % (one standard error) above."""
EXAMPLES = 1024
"""Distinct values whose length and words are looked at: those with the smallest hashes."""
_FEW = 4


@dataclass
class Evidence:
    """What is known of one column."""

    rows: int
    families: list[Family]
    settled: bool = False
    present: int = 0
    """Values that are neither null nor NaN; a lower bound once settled."""
    meanings: set[Meaning] = field(default_factory=set)
    low: int | None = None
    high: int | None = None
    sums: tuple[int, int] = (0, 0)
    """Of integers and of their squares, modulo 2**64."""
    widths: set[int] = field(default_factory=set)
    """Lengths of lists; at most a few."""
    numeric_items: bool = True
    levels: tuple[str, ...] | None = None
    words: Words | None = None
    beyond: bool = False
    """Whether an integer is too large for 64 bits with a sign."""
    counts: bool = True
    """Whether the integers so far can be a row counter."""

    @property
    def meaning(self) -> Meaning | None:
        """What all words can be read as; None if nothing but themselves, or not all the same."""
        if self.meanings <= {Meaning.INTEGER, Meaning.NUMBER}:
            return max(self.meanings, default=None)
        return next(iter(self.meanings - {Meaning.WORDS}), None) if len(self.meanings) == 1 else None

    @property
    def is_range(self) -> bool:
        """Whether the integers are a permutation of a range without gaps, as a row counter is.

        Sum and sum of squares of n integers within a span of n equal the range's for all but contrived others.
        """
        if not self.counts or self.low is None or self.high is None or self.high - self.low + 1 != self.rows:
            return False
        low, high = self.low, self.high

        def squares(n: int) -> int:
            return n * (n + 1) * (2 * n + 1) // 6

        total = (low + high) * self.rows // 2
        square = squares(high) - squares(low - 1)
        return self.sums == (total % 2**64, square % 2**64)


@dataclass
class Words:
    """Distinct values and their look, for a column of strings (or of integers that may be identifiers)."""

    present: int = 0
    numbers: int = 0
    times: int = 0
    odd: dict[str, set[str]] = field(default_factory=lambda: {"number": set(), "time": set()})
    """A few of the distinct values that are not a number, and not a point in time."""
    hashes: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))  # (at most KEPT,), ascending
    examples: pa.Array = field(default_factory=lambda: pa.array([], pa.string()))  # those of the first hashes

    @property
    def distinct(self) -> float:
        """Distinct values: exact up to `KEPT`, then the k-minimum-values estimate.

        References:
            Beyer et al. (2007), On synopses for distinct-value estimation under multiset operations, SIGMOD.
        """
        if len(self.hashes) < KEPT:
            return float(len(self.hashes))
        return min((KEPT - 1) / (float(self.hashes[-1]) / 2.0**64), float(self.present))

    @property
    def mean_words(self) -> float:
        """Words a distinct value, on average over the examples."""
        if len(self.examples) == 0:
            return 0.0
        return float(pc.mean(pc.list_value_length(pc.utf8_split_whitespace(self.examples))).as_py())

    def add(self, array: pa.Array, classify: bool) -> None:
        counted = array.drop_null().value_counts()
        values, counts = counted.field("values"), counted.field("counts")
        if pa.types.is_dictionary(values.type):
            values = values.dictionary_decode()
        self.present += len(array) - array.null_count
        if len(values) == 0:
            return
        texts = values.cast(pa.string())
        if classify:
            for name, pattern in (("number", NUMBER), ("time", DATETIME)):
                fits = pc.match_substring_regex(texts, pattern)
                weight = pc.sum(counts.filter(fits)).as_py() or 0
                if name == "number":
                    self.numbers += weight
                else:
                    self.times += weight
                if len(self.odd[name]) < _FEW:
                    self.odd[name].update(texts.filter(pc.invert(fits)).slice(0, _FEW).to_pylist())
        fresh = _hashes(texts)
        kept, at = np.unique(np.concatenate([self.hashes, fresh]), return_index=True)
        kept, at = kept[:KEPT], at[:EXAMPLES]
        old, new = at[at < len(self.hashes)], at[at >= len(self.hashes)] - len(self.hashes)
        both = pa.concat_arrays([self.examples.take(pa.array(old)), texts.take(pa.array(new)).cast(pa.string())])
        self.examples = both.take(pa.array(np.argsort(np.concatenate([self.hashes[old], fresh[new]]))))
        self.hashes = kept


def scan(raw: Raw, named: Collection[str] = ()) -> dict[str, Evidence]:
    """Look at every column for as long as it takes to know its kind.

    Args:
        raw: the source's rows.
        named: integer columns whose name suggests an identifier, so that their distinct values are counted.
    """
    found = {
        name: Evidence(raw.rows, list(dict.fromkeys(family(dtype) for _, dtype in types)))
        for name, types in raw.types.items()
    }
    # The first batch settles most columns of a typed source; only the others are read to their end.
    first = next(iter(raw.batches(list(raw.types))), None)
    if first is not None:
        _look(raw, first, found)
    rest = [name for name, evidence in found.items() if not evidence.settled]
    if rest and first is not None and first.num_rows < raw.rows:
        for name in rest:
            found[name] = Evidence(raw.rows, found[name].families)
        for batch in raw.batches(rest):
            _look(raw, batch, {name: found[name] for name in rest})
            if all(found[name].settled for name in rest):
                break
    words = [
        name for name, evidence in found.items() if (evidence.meanings and evidence.meaning is None) or name in named
    ]
    if words:
        for name in words:
            found[name].words = Words()
        strings = [name for name in words if all(family(dtype) is Family.STRING for _, dtype in raw.types[name])]
        for batch in raw.batches(words, encoded=strings):
            for name, array in zip(batch.schema.names, batch.columns, strict=True):
                if family(array.type) in (Family.STRING, Family.CATEGORY, Family.INTEGER):
                    counted = found[name].words
                    assert counted is not None
                    counted.add(array, classify=raw.words(name))
    return found


def _look(raw: Raw, batch: pa.RecordBatch, found: dict[str, Evidence]) -> None:
    for name, array in zip(batch.schema.names, batch.columns, strict=True):
        evidence = found[name]
        if not evidence.settled:
            _observe(evidence, array, raw.words(name))


def _observe(evidence: Evidence, array: pa.Array, untyped: bool) -> None:
    kind = family(array.type)
    if kind is Family.NUMERIC and pa.types.is_floating(array.type):
        evidence.present += len(array) - (pc.sum(pc.is_null(array, nan_is_null=True)).as_py() or 0)
    else:
        evidence.present += len(array) - array.null_count
    if kind is Family.STRING:
        if Meaning.WORDS not in evidence.meanings:
            read = meaning(array, typed=not untyped)
            evidence.meanings |= {read} - {Meaning.NOTHING}
            if evidence.counts and read is Meaning.INTEGER:
                _count(evidence, pc.utf8_trim_whitespace(array).cast(pa.int64()))
        evidence.settled = Meaning.WORDS in evidence.meanings
    elif kind is Family.INTEGER:
        _count(evidence, array)
        evidence.settled = evidence.present > 0 and not evidence.counts and array.type != pa.uint64()
    elif kind is Family.LIST:
        _observe_lists(evidence, array)
    elif kind is Family.CATEGORY:
        if array.type.ordered:
            levels = array.dictionary.cast(pa.string()).to_pylist()
            evidence.levels = tuple(dict.fromkeys((*(evidence.levels or ()), *levels)))
        evidence.settled = evidence.present > 0 and not array.type.ordered
    else:
        evidence.settled = evidence.present > 0


def _count(evidence: Evidence, array: pa.Array) -> None:
    if array.type == pa.uint64():
        evidence.beyond = evidence.beyond or (pc.max(array).as_py() or 0) >= 2**63
        evidence.counts = False
        return
    if array.null_count:
        evidence.counts = False
        return
    if len(array) == 0:
        return
    numbers = np.asarray(array).astype(np.int64).view(np.uint64)
    ends = pc.min_max(array)
    low, high = ends["min"].as_py(), ends["max"].as_py()
    evidence.low = low if evidence.low is None else min(low, evidence.low)
    evidence.high = high if evidence.high is None else max(high, evidence.high)
    total, square = evidence.sums
    evidence.sums = (
        (total + int(numbers.sum(dtype=np.uint64))) % 2**64,
        (square + int((numbers * numbers).sum(dtype=np.uint64))) % 2**64,
    )
    # More values than the span holds, or a span of more than there are rows: no row counter.
    evidence.counts = high - low + 1 >= len(array) and evidence.high - evidence.low + 1 <= evidence.rows


def _observe_lists(evidence: Evidence, array: pa.Array) -> None:
    if pa.types.is_map(array.type):
        evidence.numeric_items, evidence.settled = False, evidence.present > 0
        return
    item = family(array.type.value_type)
    evidence.numeric_items = evidence.numeric_items and item in (Family.INTEGER, Family.NUMERIC, Family.NULL)
    lengths: Iterable[int] = pc.unique(pc.list_value_length(array).drop_null()).to_pylist()
    evidence.widths |= set(sorted(lengths)[:_FEW])
    fixed = pa.types.is_fixed_size_list(array.type)
    evidence.settled = evidence.present > 0 and (fixed or not evidence.numeric_items)


def _hashes(texts: pa.Array) -> np.ndarray:
    """A 64-bit hash of each string, the same for the same text on every run."""
    import polars as pl

    series = pl.from_arrow(texts)
    assert isinstance(series, pl.Series)
    return series.hash(seed=0).to_numpy()
