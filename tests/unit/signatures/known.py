"""What do the tests of signatures share: random ones, and a process that adds some?"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from foretrain.signatures.collection import Collection
from foretrain.signatures.embedding import WIDTH
from foretrain.signatures.library import Library
from foretrain.signatures.record import Signature


def signatures(count: int, seed: int = 0, *, prefix: str = "s", mechanism: str | None = "copula") -> Collection:
    """Random unit vectors."""
    vectors = np.random.default_rng(seed).standard_normal((count, WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    about = tuple(
        Signature(
            id=f"{prefix}{k}",
            mechanism=mechanism,
            strength=5.0,
            generations=4.5,
            damage=0.25,
            collapsed=None if mechanism is None else mechanism != "healthy",
            origin="validation" if mechanism is None else "user",
            dataset=f"d{k % 3}",
            name="näme",
            settings={"target": None, "rows": k},
        )
        for k in range(count)
    )
    return Collection(about, vectors)


def same(a: Collection, b: Collection) -> bool:
    """Whether both hold the same, in whatever order."""
    order = [sorted(range(len(c)), key=lambda k, c=c: c.signatures[k].id) for c in (a, b)]  # type: ignore[misc]
    first, second = a.pick(order[0]), b.pick(order[1])
    return first.signatures == second.signatures and np.array_equal(first.vectors, second.vectors)


if __name__ == "__main__":  # DATABASE FOLDER NAME: add twenty signatures one by one, each a transaction of its own
    database, folder, name = sys.argv[1:]
    sys.path.insert(0, str(Path(__file__).parent))
    library, mine = Library(database, folder), signatures(20, seed=int(name), prefix=f"{name}-")
    for row in range(20):
        library.add(mine.pick([row]))
        library.add(signatures(1, prefix="everybody"))
