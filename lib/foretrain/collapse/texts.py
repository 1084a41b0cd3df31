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
    from sklearn.decomposition import TruncatedSVD
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    sides = [[text or "" for text in side.to_pylist()] for side in (candidate, original)]
    both = [*sides[0], *sides[1]]
    hashed = HashingVectorizer(
        n_features=_HASHES, ngram_range=(1, 2), alternate_sign=False, token_pattern=_WORD
    ).transform(both)
    axes = np.zeros((len(both), AXES))
    if hashed.nnz:
        weighted = TfidfTransformer(sublinear_tf=True).fit_transform(hashed)
        rank = min(AXES, max(1, len(both) - 1))
        axes[:, :rank] = TruncatedSVD(rank, random_state=seed % 2**32).fit_transform(weighted)
    matrix = np.column_stack([_shape(both), axes])
    return matrix[: len(sides[0])], matrix[len(sides[0]) :]


def _shape(texts: Sequence[str]) -> Floats:
    """(rows, 2): log length, and compressed bytes a byte."""
    out = np.empty((len(texts), 2))
    for k, text in enumerate(texts):
        raw = text[:4096].encode()
        out[k] = np.log1p(len(text)), len(zlib.compress(raw, 1)) / max(len(raw), 16)
    return out
