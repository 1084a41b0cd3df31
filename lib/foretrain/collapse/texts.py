"""How does a column of text become numbers that the same statistics can read?"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from foretrain.collapse.table import Floats

AXES = 8
"""Latent axes a text column."""

_HASHES = 2**14
_WORD = r"(?u)\b\w+\b"


def names(column: str) -> tuple[str, ...]:
    """What `numbers` gives, a name a column."""
    latent = tuple(f"{column} (latent {k + 1})" for k in range(AXES))
    return (f"{column} (length)", f"{column} (compressibility)", *latent)


def numbers(candidate: pa.Array, original: pa.Array, seed: int) -> tuple[Floats, Floats]:
    """Length in characters (log), compressibility, and latent axes of hashed word and pair frequencies.

    The latent axes are the truncated singular value decomposition of both tables' rows together, so that words that
    only one of them has count as well. Nulls are read as empty texts.

    Returns:
        (rows, 2 + AXES) of each table.

    References:
        Deerwester et al. (1990), latent semantic analysis; Weinberger et al. (2009), feature hashing.
    """
    both = pa.chunked_array([candidate, original]).combine_chunks()
    matrix = numbers_like(both, (), seed)[0]
    return matrix[: len(candidate)], matrix[len(candidate) :]


def numbers_like(fitted: pa.Array, others: Sequence[pa.Array], seed: int) -> list[Floats]:
    """The same numbers of several tables' rows, with the latent axes of the first table's rows alone.

    Returns:
        (rows, 2 + AXES) of the first table, then of each other.
    """
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    sides = [[text or "" for text in side.to_pylist()] for side in (fitted, *others)]
    hashing = HashingVectorizer(n_features=_HASHES, ngram_range=(1, 2), alternate_sign=False, token_pattern=_WORD)
    hashed = [hashing.transform(side) if side else None for side in sides]
    axes = [np.zeros((len(side), AXES)) for side in sides]
    if hashed[0] is not None and hashed[0].nnz:
        rank = min(AXES, max(1, len(sides[0]) - 1))
        weights, latent = TfidfTransformer(sublinear_tf=True), TruncatedSVD(rank, random_state=seed % 2**32)
        axes[0][:, :rank] = latent.fit_transform(weights.fit_transform(hashed[0]))
        for matrix, counts in zip(axes[1:], hashed[1:], strict=True):
            if counts is not None:
                matrix[:, :rank] = latent.transform(weights.transform(counts))
    return [np.column_stack([_shape(side), matrix]) for side, matrix in zip(sides, axes, strict=True)]


def _shape(texts: Sequence[str]) -> Floats:
    """(rows, 2): log length, and compressed bytes a byte."""
    out = np.empty((len(texts), 2))
    for k, text in enumerate(texts):
        raw = text[:4096].encode()
        out[k] = np.log1p(len(text)), len(zlib.compress(raw, 1)) / max(len(raw), 16)
    return out
