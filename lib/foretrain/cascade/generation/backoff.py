"""How likely is each next byte of a text, given the few bytes before it?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from foretrain.cascade.problem import BYTES
from foretrain.collapse.table import Floats, Ints

LONGEST = 6
"""Bytes before the next that are looked at, at most: a context and the byte after it fit 63 bits."""


@dataclass(frozen=True)
class Level:
    """What was seen after contexts of one length.

    Attributes:
        keys: (pairs,) context times 257 plus the token after it, ascending.
        count: (pairs,) how often each occurred.
        ends: (pairs,) how often pairs up to this one occurred.
        contexts: (contexts,) ascending.
        start: (contexts,) occurrences before its first.
        total: (contexts,) its occurrences.
        kinds: (contexts,) different tokens after it.
    """

    keys: Ints
    count: Ints
    ends: Ints
    contexts: Ints
    start: Ints
    total: Ints
    kinds: Ints

    @staticmethod
    def of(keys: Ints) -> Level:
        """Counted from one key an occurrence."""
        keys, count = np.unique(keys, return_counts=True)
        ends = np.cumsum(count)
        contexts, first, kinds = np.unique(keys // BYTES, return_index=True, return_counts=True)
        total = np.add.reduceat(count, first)
        return Level(keys, count, ends, contexts, ends[first] - count[first], total, kinds)

    def find(self, contexts: Ints) -> tuple[Ints, npt.NDArray[np.bool_]]:
        """Place of each context, and whether it was seen at all."""
        at = np.minimum(np.searchsorted(self.contexts, contexts), len(self.contexts) - 1)
        return at, self.contexts[at] == contexts


@dataclass(frozen=True)
class Backoff:
    """An interpolated model of the next byte, or of a text's end.

    At each length of context, what was seen after it is trusted by its occurrences, and the shorter context by the
    number of different tokens seen; below all, every token is as likely.

    Attributes:
        levels: by length of context, from 0.

    References:
        Witten and Bell (1991), The zero-frequency problem. IEEE Trans. Information Theory 37.
    """

    levels: tuple[Level, ...]

    @staticmethod
    def of(tokens: Ints, longest: int) -> Backoff:
        """Fitted on texts of (rows, t) tokens, with contexts of up to so many bytes."""
        context, following = positions(tokens, longest)
        return Backoff(tuple(Level.of(context % BYTES**k * BYTES + following) for k in range(longest + 1)))

    @property
    def parameters(self) -> int:
        """Counts kept."""
        return sum(len(level.keys) for level in self.levels)

    def costs(self, tokens: Ints) -> Iterator[Floats]:
        """Nats a token of each text, its end among them: (rows, t + 1), 0 beyond the end; by length of context, from 0.

        Args:
            tokens: (rows, t).
        """
        context, following = positions(tokens, len(self.levels) - 1)
        asked, group = np.unique(context * BYTES + following, return_inverse=True)
        context, following = asked // BYTES, asked % BYTES
        likely = np.full(len(asked), 1.0 / BYTES)
        for k, level in enumerate(self.levels):
            at, seen = level.find(context % BYTES**k)
            key = context % BYTES**k * BYTES + following
            pair = np.minimum(np.searchsorted(level.keys, key), len(level.keys) - 1)
            count = np.where(level.keys[pair] == key, level.count[pair], 0)
            kinds = level.kinds[at]
            likely = np.where(seen, (count + kinds * likely) / (level.total[at] + kinds), likely)
            out = np.zeros((len(tokens), tokens.shape[1] + 1))
            out[_asked(tokens)] = -np.log(likely)[group]
            yield out

    def draw(self, rows: int, t: int, chance: np.random.Generator) -> Ints:
        """New texts, (rows, t) tokens, byte by byte."""
        longest = len(self.levels) - 1
        out = np.zeros((rows, t), np.int64)
        going = np.arange(rows)
        context = np.zeros(rows, np.int64)
        for place in range(t):
            out[going, place] = token = self._next(context[going], chance)
            context[going] = (context[going] * BYTES + token) % BYTES**longest
            going = going[token > 0]
            if not len(going):
                break
        return out

    def _next(self, context: Ints, chance: np.random.Generator) -> Ints:
        token = chance.integers(BYTES, size=len(context))
        waiting = np.arange(len(context))
        for k in range(len(self.levels) - 1, -1, -1):
            level = self.levels[k]
            at, seen = level.find(context[waiting] % BYTES**k)
            total = level.total[at]
            trusted = seen & (chance.random(len(waiting)) * (total + level.kinds[at]) < total)
            one = level.start[at] + chance.integers(total)
            drawn = level.keys[np.searchsorted(level.ends, one, side="right")] % BYTES
            token[waiting[trusted]] = drawn[trusted]
            waiting = waiting[~trusted]
            if not len(waiting):
                break
        return token


def positions(tokens: Ints, longest: int) -> tuple[Ints, Ints]:
    """At each byte and end of each text: the bytes before it as one number, latest last; and the token there."""
    rows, t = tokens.shape
    context = np.zeros((rows, t + 1), np.int64)
    for place in range(1, t + 1):
        context[:, place] = (context[:, place - 1] * BYTES + tokens[:, place - 1]) % BYTES**longest
    asked = _asked(tokens)
    return context[asked], np.pad(tokens, ((0, 0), (0, 1)))[asked]


def _asked(tokens: Ints) -> npt.NDArray[np.bool_]:
    """(rows, t + 1): the bytes and the end of each text."""
    return np.asarray(np.arange(tokens.shape[1] + 1) <= (tokens > 0).sum(axis=1, keepdims=True))
