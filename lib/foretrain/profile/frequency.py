"""How often does each value of a text-like column occur?

Counted exactly up to a number of different values; beyond it by Apache DataSketches' frequent items (Misra-Gries),
which keeps every value above the stated error. Whether the counts are exact depends on the data alone, not on order.

References:
    Anderson et al. (2017), A high-performance algorithm for identifying frequent items in data streams, IMC.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from datasketches import frequent_items_error_type, frequent_strings_sketch


@dataclass(frozen=True)
class Counts:
    """Values and how often each occurs, most frequent first."""

    values: dict[Any, int]
    exact: bool
    """Whether these are all values, with their true counts."""
    error: int = 0
    """A count may be this much too high; a value that occurs more often than this is listed."""


class Frequencies:
    """A mergeable count of strings.

    Args:
        limit: different values counted exactly.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.known: dict[str, int] | None = {}
        self.sketch: frequent_strings_sketch | None = None

    def update(self, values: list[str], counts: list[int]) -> None:
        """Take in different values and how often each occurs."""
        if self.sketch is not None:
            for value, count in zip(values, counts, strict=True):
                self.sketch.update(value, count)
            return
        assert self.known is not None
        for value, count in zip(values, counts, strict=True):
            self.known[value] = self.known.get(value, 0) + count
        if len(self.known) > self.limit:
            self.overflow()

    def merge(self, other: Frequencies) -> Frequencies:
        """The counts of both inputs together."""
        merged = Frequencies(min(self.limit, other.limit))
        for side in (self, other):
            if side.known is not None:
                merged.update(list(side.known), list(side.known.values()))
            elif merged.sketch is None:
                merged.overflow()
            if side.sketch is not None:
                assert merged.sketch is not None
                merged.sketch.merge(side.sketch)
        return merged

    def counts(self) -> Counts:
        if self.sketch is None:
            assert self.known is not None
            return Counts(dict(sorted(self.known.items(), key=lambda item: (-item[1], item[0]))), exact=True)
        found = self.sketch.get_frequent_items(frequent_items_error_type.NO_FALSE_NEGATIVES)
        ranked = sorted(((name, upper) for name, _, _, upper in found), key=lambda item: (-item[1], item[0]))
        error = max((upper - lower for _, _, lower, upper in found), default=0)
        return Counts(dict(ranked), exact=False, error=int(error))

    def state(self) -> dict[str, Any]:
        if self.sketch is None:
            assert self.known is not None
            return {"limit": self.limit, "exact": dict(sorted(self.known.items())), "sketch": None}
        return {"limit": self.limit, "exact": None, "sketch": np.frombuffer(self.sketch.serialize(), np.uint8)}

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Frequencies:
        restored = cls(state["limit"])
        restored.known = state["exact"]
        if state["sketch"] is not None:
            restored.sketch = frequent_strings_sketch.deserialize(state["sketch"].tobytes())
        return restored

    def overflow(self) -> None:
        """Count by the sketch from now on."""
        # A sketch of 2^m entries is 3/4 full with the values counted so far: none of them is lost on the way.
        self.sketch = frequent_strings_sketch(int(np.ceil(np.log2(self.limit / 0.75))) + 1)
        for value, count in sorted((self.known or {}).items()):
            self.sketch.update(value, count)
        self.known = None
