"""How is the shipped library made again, from nothing but this package and the tables inside its dependencies?

``python -m foretrain.signatures.rebuild`` makes labelled pairs with the project's own loops and damages, embeds them
(about ten minutes on one core), and writes the library into the package. The same versions of the libraries give the
same signatures.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from foretrain.collapse import calibration
from foretrain.collapse.loops import pairs, real
from foretrain.collapse.loops.pairs import Labelled
from foretrain.signatures import collection, prescreen, seed
from foretrain.signatures.collection import Collection
from foretrain.signatures.embedding import ROUNDS, Vector, embed
from foretrain.signatures.record import HEALTHY, Signature

SEED = 2
"""Other than the calibration's: its pairs are others of the same tables."""

Job = tuple[str, int]
"""Name of a real table, "simulated" or "narrow", and which round."""

MADE = {"simulated": pairs.from_simulation, "narrow": pairs.from_narrow}


def jobs(rounds: int, simulated: int, narrow: int) -> list[Job]:
    """What there is to do."""
    real_ones = [(name, k) for k in range(rounds) for name in real.CALIBRATION]
    return real_ones + [("simulated", k) for k in range(simulated)] + [("narrow", k) for k in range(narrow)]


def made(job: Job) -> Collection:
    """The signatures of the labelled pairs of one split of a table."""
    signatures, vectors = zip(*each(job), strict=True)
    return Collection(tuple(signatures), np.stack(vectors))


def each(job: Job) -> Iterator[tuple[Signature, Vector]]:
    """The same one by one."""
    import torch

    torch.set_num_threads(1)
    name, k = job
    generations = calibration.load().generations
    for number, pair in enumerate(_pairs(job)):
        if pair.label is None:
            continue
        with threadpool_limits(1):
            vector = embed(pair.candidate, pair.original)
        signature = Signature(
            id=f"{name}-{k}-{number}",
            mechanism=mechanism(pair.mechanism) if pair.label else HEALTHY,
            strength=round(pair.strength, 4),
            generations=round(float(np.interp(pair.damage, generations[:, 1], generations[:, 0])), 2),
            damage=round(pair.damage, 4),
            collapsed=bool(pair.label),
            origin="loops",
            dataset=pair.source,
            settings={"construction": pair.mechanism, "rows": len(pair.original)},
        )
        yield signature, vector


def _kept(work: str | None, job: Job) -> Collection:
    """What was made before, where it was."""
    if work is None:
        return made(job)
    folder = Path(work, f"{job[0]}-{job[1]}")
    if not (folder / collection.LIST).exists():
        collection.write(str(folder), made(job))
    return collection.read(str(folder))


def mechanism(construction: str) -> str:
    """The mechanism of a construction of the loops: "copula" for a biased loop over a copula."""
    return construction.removeprefix("loop_").removesuffix("_biased")


def _pairs(job: Job) -> Iterator[Labelled]:
    name, k = job
    return MADE[name](k, SEED) if name in MADE else pairs.from_real(name, k, SEED)


def clustered(found: Collection) -> Collection:
    """With the cluster of each signature."""
    groups = prescreen.clusters(found.vectors)
    named = (s.model_copy(update={"cluster": group}) for s, group in zip(found.signatures, groups, strict=True))
    return Collection(tuple(named), found.vectors)


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=seed.folder(), help="folder of the library; the package's own by default")
    parser.add_argument("--rounds", type=int, default=2, help="splits of each real table")
    parser.add_argument("--simulated", type=int, default=40, help="simulated tables")
    parser.add_argument("--narrow", type=int, default=16, help="simulated tables of few rows and columns")
    parser.add_argument("--work", help="folder for finished parts, which are kept; all is made anew when not given")
    parser.add_argument("--processes", type=int, default=1)
    given = parser.parse_args(arguments)
    todo = jobs(given.rounds, given.simulated, given.narrow)
    parts = []
    with threadpool_limits(1), ProcessPoolExecutor(given.processes) as pool:
        for number, part in enumerate(pool.map(partial(_kept, given.work), todo), start=1):
            parts.append(part)
            print(f"{number} of {len(todo)}: {todo[number - 1][0]} {todo[number - 1][1]}", file=sys.stderr, flush=True)
    whole = clustered(
        Collection(tuple(s for p in parts for s in p.signatures), np.concatenate([p.vectors for p in parts]))
    )
    fitted, _ = prescreen.fit(whole)
    seed.write(given.out, whole, fitted, provenance(given.rounds, given.simulated, given.narrow, whole))
    print(f"{len(whole)} signatures written to {given.out}")


def provenance(rounds: int, simulated: int, narrow: int, whole: Collection) -> dict[str, object]:
    """What a library was made with."""
    flags = f"--rounds {rounds} --simulated {simulated} --narrow {narrow}"
    return {
        "command": f"python -m foretrain.signatures.rebuild {flags}",
        "seed": SEED,
        "split-halves": ROUNDS,
        "tables": list(real.CALIBRATION),
        "simulated tables": simulated + narrow,
        "signatures": len(whole),
        "collapsed": sum(bool(s.collapsed) for s in whole.signatures),
        "mechanisms": sorted({s.mechanism or "" for s in whole.signatures}),
        "clusters": len({s.cluster for s in whole.signatures} - {None}),
        "libraries": {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "statsmodels", "torch")},
    }


if __name__ == "__main__":
    main()
