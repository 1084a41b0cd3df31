"""How many different values are there, how often does each occur, and how many does another table share?

The k smallest hashes are kept, each with its exact number of occurrences (k minimum values). What is kept is a
function of the data alone, not of its order or partitioning, so merging is exact. Up to k different values the
answers are exact; above it the distinct count's standard error is 1 / sqrt(k - 2).

Apache DataSketches' HLL, CPC and theta sketches answer the first question too, but from Python they take one value a
call, 100 ms a million values; here a batch costs one comparison, 1 ms a million, once k values have been seen.

References:
    Bar-Yossef et al. (2002), Counting distinct elements in a data stream, RANDOM.
    Beyer et al. (2007), On synopses for distinct-value estimation under multiset operations, SIGMOD.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.profile.hashing import Hashes


class Smallest:
    """The k smallest hashes and their exact counts.

    Args:
        k: hashes kept.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self._hashes: Hashes = np.empty(0, np.uint64)
        self._counts: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._pending: list[tuple[Hashes, npt.NDArray[np.int64] | None]] = []
        self._waiting = 0
        self._complete = True

    def update(self, hashes: Hashes, counts: npt.NDArray[np.int64] | None = None) -> None:
        """Take in one hash a value, shape (values,), or different hashes and how often each occurs."""
        if not self._complete:
            small = hashes <= self._hashes[-1]
            hashes, counts = hashes[small], counts[small] if counts is not None else None
        if hashes.size:
            self._pending.append((hashes.copy(), counts))
            self._waiting += hashes.size
            if self._waiting > 2 * self.k:
                self._settle()

    def merge(self, other: Smallest) -> Smallest:
        """The same of both inputs together."""
        bounds = [side.hashes[-1] for side in (self, other) if not side.complete]
        hashes, counts = np.concatenate([self.hashes, other.hashes]), np.concatenate([self.counts, other.counts])
        if bounds:
            within = hashes <= min(bounds)
            hashes, counts = hashes[within], counts[within]
        return Smallest(min(self.k, other.k)).keep(hashes, counts, complete=not bounds)

    @property
    def complete(self) -> bool:
        """Whether every different value is kept: the answers are exact."""
        self._settle()
        return self._complete

    @property
    def hashes(self) -> Hashes:
        """The hashes kept, ascending, shape (at most k,)."""
        self._settle()
        return self._hashes

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How often each of `hashes` occurred, exactly."""
        self._settle()
        return self._counts

    @property
    def distinct(self) -> float:
        """Different values, exact or estimated."""
        hashes = self.hashes
        if self.complete:
            return float(hashes.size)
        return (hashes.size - 1) / ((float(hashes[-1]) + 1.0) / 2.0**64)

    @property
    def relative_error(self) -> float:
        """Standard error of `distinct` as a share of it; 0 where it is exact."""
        return 0.0 if self.complete else (self.hashes.size - 2) ** -0.5

    def repeated(self, total: int) -> float:
        """Share of the total inputs that repeat an earlier one, 0 to 1.

        Beyond k different values there are two estimates: 1 - 1 / (mean count of those kept), precise unless a few
        values hold a large part of the inputs, and 1 - distinct / total, which sees those. The first is taken where
        both agree within three standard errors.
        """
        if total == 0:
            return 0.0
        by_distinct = min(max(1.0 - self.distinct / total, 0.0), 1.0)
        if self.complete:
            return by_distinct
        by_counts = float(1.0 - 1.0 / self.counts.mean())
        agree = abs(by_counts - by_distinct) <= 3.0 * self.relative_error * self.distinct / total
        return by_counts if agree else by_distinct

    def overlap(self, other: Smallest) -> float:
        """Share of this side's inputs, counted with their repeats, that occur on the other side, 0 to 1."""
        bounds = [side.hashes[-1] for side in (self, other) if not side.complete and side.hashes.size]
        within = self.hashes <= min(bounds) if bounds else np.ones(self.hashes.size, dtype=bool)
        counts = self.counts[within]
        if not counts.size:
            return 0.0
        shared = np.isin(self.hashes[within], other.hashes, assume_unique=True)
        return float(counts[shared].sum() / counts.sum())

    def state(self) -> dict[str, Any]:
        return {"k": self.k, "complete": self.complete, "hashes": self.hashes, "counts": self.counts}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Smallest:
        return cls(state["k"]).keep(state["hashes"], state["counts"], complete=state["complete"])

    def _settle(self) -> None:
        if self._pending:
            pending, self._pending, self._waiting = self._pending, [], 0
            single = [hashes for hashes, counts in pending if counts is None]
            values, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *single]), return_counts=True)
            counted = [(hashes, counts) for hashes, counts in pending if counts is not None]
            counted += [(self._hashes, self._counts), (values, counts)]
            hashes = np.concatenate([part for part, _ in counted])
            self.keep(hashes, np.concatenate([part for _, part in counted]), complete=self._complete)

    def keep(self, hashes: Hashes, counts: npt.NDArray[np.int64], *, complete: bool) -> Smallest:
        """Become the smallest of these, where complete says whether they are all."""
        order = np.argsort(hashes)
        hashes, counts = hashes[order], counts[order]
        first = np.flatnonzero(np.append(True, hashes[1:] != hashes[:-1])) if hashes.size else np.empty(0, np.intp)
        values, totals = hashes[first], np.add.reduceat(counts, first) if hashes.size else counts
        self._complete = complete and values.size <= self.k
        self._hashes, self._counts = values[: self.k], totals[: self.k].astype(np.int64)
        return self
