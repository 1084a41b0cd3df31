"""What do several tests work with?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pair:
    """A candidate and its original, as files."""

    candidate: str
    original: str
