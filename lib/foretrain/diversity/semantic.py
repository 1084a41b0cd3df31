"""Do the texts say different things, or the same again and again?

All measures at an equal budget of tokens or documents, and to be read two-sided: under self-consumption distinct-n
falls first, while compression and self-repetition first move the other way.

References:
    Li et al. (2016), A diversity-promoting objective function for neural conversation models, NAACL (distinct-n).
    Salkar et al. (2022), Self-repetition in abstractive neural summarizers, AACL.
    Shaib et al. (2024), Standardizing the measurement of text diversity, arXiv:2403.00553 (compression ratio).
    Friedman, Dieng (2023), The Vendi score, TMLR; Ospanov et al. (2024), arXiv:2410.21719 (order 2).
    Deerwester et al. (1990), Indexing by latent semantic analysis, JASIS 41; Naeem et al. (2020), ICML (coverage).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from foretrain.diversity.draws import Better, Index, Pools, compared, percent, plain
from foretrain.diversity.encoding import Points
from foretrain.diversity.record import Measure
from foretrain.diversity.structural import across
from foretrain.profile.hashing import mix
from foretrain.seeds import number

Vectors = npt.NDArray[np.float64]
Encoder = Callable[[Sequence[str]], Vectors]
"""Turns texts into vectors, shape (texts, dimensions)."""

_TOKENS, _DOCUMENTS, _DIMENSIONS = 20_000, 500, 64
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Texts:
    """Several texts as one run of tokens."""

    ids: npt.NDArray[np.int64]
    """Of each token, the number of its word; shape (tokens,)."""
    homes: npt.NDArray[np.int64]
    """Of each token, the number of its text, ascending; shape (tokens,)."""
    words: tuple[str, ...]
    """The words by number."""

    @classmethod
    def of(cls, texts: Sequence[str], words: dict[str, int] | None = None) -> Texts:
        """Words and marks in lower case; new ones are added to words, which other texts may share."""
        words = {} if words is None else words
        split = [_WORD.findall(text.lower()) for text in texts]
        ids = np.fromiter((words.setdefault(word, len(words)) for each in split for word in each), np.int64)
        return cls(ids, np.repeat(np.arange(len(split)), [len(each) for each in split]), tuple(words))

    def take(self, rows: npt.NDArray[np.int64]) -> Texts:
        """The texts of these different numbers, ascending."""
        kept = np.isin(self.homes, rows)
        return Texts(self.ids[kept], self.homes[kept], self.words)

    def first(self, tokens: int) -> Texts:
        """The first so many tokens."""
        return Texts(self.ids[:tokens], self.homes[:tokens], self.words)

    def runs(self, n: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """A 64-bit number for each run of n tokens within a text, and that text's number."""
        count = max(self.ids.size - n + 1, 0)
        keys = np.zeros(count, np.uint64)
        for start in range(n):
            keys = mix(keys + self.ids[start : start + count].astype(np.uint64) + np.uint64(1))
        within = self.homes[:count] == self.homes[n - 1 : n - 1 + count]
        return keys[within], self.homes[:count][within]


def distinct(texts: Texts, n: int) -> float:
    """Share of the runs of n tokens that are different ones, 0 to 1; NaN where there is no such run."""
    keys, _ = texts.runs(n)
    return np.unique(keys).size / keys.size if keys.size else float("nan")


def self_repetition(texts: Texts, n: int = 4) -> float:
    """Share of the texts of at least n tokens with a run of n that another text has too, 0 to 1.

    NaN where no text is as long.
    """
    keys, homes = texts.runs(n)
    if not keys.size:
        return float("nan")
    pairs = np.unique(np.stack([keys, homes.astype(np.uint64)]), axis=1)
    _, places, counts = np.unique(pairs[0], return_inverse=True, return_counts=True)
    return np.unique(pairs[1][counts[places] > 1]).size / np.unique(homes).size


def compression_ratio(texts: Texts) -> float:
    """How many times smaller zlib makes the tokens: higher where they repeat themselves; NaN where there are none."""
    if not texts.ids.size:
        return float("nan")
    ends = np.append(texts.homes[1:] != texts.homes[:-1], True)
    words = (texts.words[token] + ("\n" if end else " ") for token, end in zip(texts.ids, ends, strict=True))
    data = "".join(words).encode(errors="replace")
    return len(data) / len(zlib.compress(data, 6))


def vendi(vectors: Vectors | csr_array) -> float:
    """Order-2 Vendi score, the effective number of different rows: 1 to rows.

    1 / sum of squared eigenvalues of K / n, K the kernel of the normalised rows: the sum of squares of K's entries,
    which needs no eigenvalues and so no truncation. A row of zeros is unlike any other.
    """
    n = vectors.shape[0]
    lengths = np.sqrt(np.asarray((vectors * vectors) @ np.ones(vectors.shape[1])))
    rows = vectors[lengths > 0] / lengths[lengths > 0, None]
    kernel = rows @ rows.T
    return float(n**2 / ((kernel * kernel).sum() + n - rows.shape[0]))


def hashed(texts: Sequence[str]) -> csr_array:
    """Hashed TF-IDF of words and pairs of words, shape (texts, 16384)."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

    counts = HashingVectorizer(n_features=2**14, ngram_range=(1, 2), norm=None, alternate_sign=False).transform(texts)
    return csr_array(TfidfTransformer(sublinear_tf=True).fit_transform(counts))


def embedded(weights: csr_array, seed: int) -> Points:
    """The same texts in 64 dimensions, by truncated SVD (latent semantic analysis), as unit vectors or zeros."""
    from sklearn.decomposition import TruncatedSVD

    width = max(min(_DIMENSIONS, weights.shape[0] - 1), 1)
    points = TruncatedSVD(width, n_iter=2, random_state=number("semantic", seed) % 2**32).fit_transform(weights)
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return np.asarray(points / np.where(lengths > 0, lengths, 1.0), np.float32)


def sentence_encoder(model: str) -> Encoder:
    """An encoder by a sentence-transformers model, a name or a folder: the optional extra in place of `hashed`.

    Raises:
        ModelError: sentence-transformers is not installed, or the model cannot be loaded.
    """
    from foretrain.errors import ModelError

    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise ModelError(
            f"to encode texts by {model!r} takes sentence-transformers, which is not installed",
            hint="Install foretrain[text], or leave diversity.encoder out",
        ) from error
    try:
        loaded = SentenceTransformer(model)
    except Exception as error:  # some libraries below it raise nothing narrower
        raise ModelError(
            f"expected a sentence-transformers model, {model!r} could not be loaded ({error})",
            hint="Name another, or leave diversity.encoder out",
        ) from error
    return lambda texts: np.asarray(loaded.encode(list(texts), show_progress_bar=False), dtype=float)


def measures(pools: Pools, column: str, seed: int, encoder: Encoder | None = None) -> list[Measure]:
    """The family's measures of one text column; none where there are fewer than ten texts a draw."""
    sides = [pools.candidate] if pools.original is None else [pools.candidate, pools.original]
    texts = [[text or "" for text in side[column].to_pylist()] for side in sides]
    # One space and one set of words for both tables' pools, and so for all draws.
    kept = [min(len(side), 4 * _DOCUMENTS) for side in texts]
    used = [text for side, count in zip(texts, kept, strict=True) for text in side[:count]]
    if pools.rows < 10 or sum(_WORD.search(text) is not None for text in used) < 10:
        return []
    space = encoder(used) if encoder is not None else hashed(used)
    vectors = [space[: kept[0]], space[kept[0] :]]
    points = np.split(embedded(csr_array(space), seed), kept[:1]) if len(sides) == 2 else []
    words: dict[str, int] = {}
    split = [Texts.of(side, words) for side in texts]
    split = [Texts(each.ids, each.homes, tuple(words)) for each in split]
    rows = []
    for draw in pools.draws:
        chosen = [(0, draw.candidate)] if draw.half is None else [(0, draw.candidate), (1, draw.half)]
        documents = [split[side].take(index) for side, index in chosen]
        budget = min([_TOKENS, *(each.ids.size for each in documents)])
        for (side, index), each in zip(chosen, documents, strict=True):
            cut = each.first(budget)
            few = _few(index, kept[side])
            grams = [distinct(cut, n) for n in (1, 2, 3)]
            row = [*grams, self_repetition(cut), compression_ratio(cut), vendi(vectors[side][few]) / few.size]
            if draw.rest is not None:
                row.append(across(points[side][few], points[1][_few(draw.rest, kept[1])])[1])
            rows.append(row)
    table = np.array(rows).reshape(len(pools.draws), len(sides), -1)
    found = []
    for place, (name, title, unit, better) in enumerate(_MEASURES[: table.shape[2]]):
        theirs = table[:, 1, place] if len(sides) == 2 else None
        read = percent if unit == "share" else plain
        title = f"{title} of {column!r}"
        found.append(compared(name, title, unit, better, table[:, 0, place], theirs, pools.taken, [column], read))
    return [each for each in found if each is not None]


_MEASURES: tuple[tuple[str, str, str, Better], ...] = (
    ("distinct_1", "Different words", "share", "near_original"),
    ("distinct_2", "Different runs of 2 words", "share", "near_original"),
    ("distinct_3", "Different runs of 3 words", "share", "near_original"),
    ("self_repetition", "Texts sharing 4 words in a row with another", "share", "near_original"),
    ("compression_ratio", "Compression ratio", "ratio", "near_original"),
    ("vendi", "Effectively different texts (Vendi score of order 2)", "share", "near_original"),
    ("text_coverage", "Original texts with a text near by (coverage)", "share", "higher"),
)


def _few(index: Index, kept: int) -> Index:
    """Those of a draw that were embedded."""
    return index[index < kept][:_DOCUMENTS]
