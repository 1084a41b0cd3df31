"""How does one seed give every consumer of chance a stream of its own?"""

from __future__ import annotations

import hashlib

import numpy as np


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """A generator that depends on the seed and on the consumer's name only, never on who drew before it.

    Args:
        seed: the run's seed, 0 or above.
        names: who draws, from general to particular, e.g. ``("collapse", "halves", 3)``.
    """
    return np.random.default_rng([seed, number(*names)])


def number(*names: str | int) -> int:
    """The 64-bit number that stands for a consumer's name; the same on every machine and version."""
    text = "\x1f".join(str(name) for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
