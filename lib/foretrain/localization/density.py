"""Does a row lie where the candidate's rows crowd and the original's do not?

References:
    Wang, Kulkarni, Verdú (2009), Divergence estimation for multidimensional densities via k-nearest-neighbor distances,
    IEEE Transactions on Information Theory 55: distances to neighbours in two tables estimate the densities' ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from foretrain.collapse.table import Floats

NEIGHBOURS = 10

_LEAST = 1e-3


@dataclass(frozen=True)
class Density:
    """Neighbours among rows of both tables, FAISS indexes of squared distances."""

    candidate: Any
    original: Any

    @staticmethod
    def of(candidate: Floats, original: Floats) -> Density:
        """From the places of rows of both tables, each (rows, axes), at least one row each."""
        import faiss

        indexes = []
        for places in (candidate, original):
            index = faiss.IndexFlatL2(places.shape[1])
            index.add(np.ascontiguousarray(places, np.float32))
            indexes.append(index)
        return Density(*indexes)

    def log_ratio(self, places: Floats) -> Floats:
        """How much nearer the candidate's rows are than the original's, on a logarithmic scale, (rows,)."""
        rows = np.ascontiguousarray(places, np.float32)
        near, far = (np.log(_distance(index, rows) + _LEAST) for index in (self.candidate, self.original))
        return np.asarray(far - near)


def _distance(index: Any, rows: np.ndarray) -> Floats:
    """Mean distance of the nearest rows, (rows,)."""
    squared, _ = index.search(rows, min(NEIGHBOURS, index.ntotal))
    return np.asarray(np.sqrt(np.maximum(squared, 0.0)).mean(axis=1, dtype=np.float64))
