"""Which known vectors lie nearest, among ten thousand or a million?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from foretrain.signatures.vectors import Vectors

FLAT = 20_000
"""Vectors up to which every one is compared; above it, those of the nearest cells only."""

PROBES = 24
"""Cells that are searched."""

_TRAINED = 40
"""Vectors a cell whose centre is learned from."""


@dataclass(frozen=True)
class Index:
    """An inner-product index over vectors of length one.

    References:
        Johnson, Douze and Jegou (2019), Billion-scale similarity search with GPUs (FAISS): flat and inverted file.
    """

    rows: int
    held: Any

    @staticmethod
    def of(vectors: Vectors, flat: int = FLAT) -> Index:
        """The index of these vectors, (rows, 512).

        Args:
            vectors: each of length one.
            flat: most rows that are compared one by one.
        """
        import faiss

        rows, width = vectors.shape
        held: Any = faiss.IndexFlatIP(width)
        if rows > flat:
            cells = round(2 * np.sqrt(rows))
            held = faiss.IndexIVFFlat(held, width, cells, faiss.METRIC_INNER_PRODUCT)
            held.cp.spherical = True
            held.cp.niter = 10
            some = np.random.default_rng(0).permutation(rows)[: _TRAINED * cells]
            held.train(np.ascontiguousarray(vectors[some]))
            held.nprobe = PROBES
        held.add(np.ascontiguousarray(vectors))
        return Index(rows, held)

    def nearest(self, queries: Vectors, most: int) -> tuple[Vectors, npt.NDArray[np.int64]]:
        """Similarities and rows of the nearest vectors of each query, nearest first, (queries, most) each.

        Fewer than `most` columns are given back where the index holds fewer; where cells hold fewer, rows are -1.
        """
        similarity, row = self.held.search(np.ascontiguousarray(queries), min(most, self.rows))
        return np.asarray(similarity), np.asarray(row)
