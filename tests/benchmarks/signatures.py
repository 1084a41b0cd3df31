"""Does the library of signatures know a failure it has not seen, how fast, and what would sparing the cascade cost?

    python tests/benchmarks/signatures.py [--parts accuracy time speed] [--rows 10000 200000 1000000]

`accuracy` judges every shipped signature by those of other datasets: the mechanism, the probability of collapse, and
what share of cascades the prescreen would spare at which error; then the same for fresh pairs of other simulated
tables, which neither the weights of the embedding nor the calibration of the prior have seen. `time` is what an
embedding costs, `speed` what a look-up does among that many signatures: the shipped ones, moved a little at random. A
million takes some minutes and 6 GB.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from foretrain.collapse import calibration, pairing
from foretrain.collapse.loops import pairs, real
from foretrain.collapse.loops.simulated import Simulated
from foretrain.settings import PrescreenSettings
from foretrain.signatures import prescreen, rebuild, seed
from foretrain.signatures.collection import Collection
from foretrain.signatures.embedding import WIDTH, embed
from foretrain.signatures.index import FLAT, Index
from foretrain.signatures.prescreen import NEIGHBOURS, NOVEL, Known
from foretrain.signatures.record import HEALTHY
from foretrain.signatures.vectors import Vectors

THRESHOLDS = (0.9, 0.95, 0.98, 0.99, 0.995)
UNSEEN = (("narrow", range(900, 908), pairs.from_narrow), ("wider", range(900, 908), pairs.from_simulation))
"""Simulated tables that nothing was fitted on."""


def accuracy() -> None:
    """Of the shipped library, each dataset judged by the others, and of tables that nothing was fitted on."""
    held, fitted = seed.load()
    similarity, row = prescreen.apart(held, NEIGHBOURS)
    weight = prescreen.weights(similarity)
    mechanism = np.asarray([s.mechanism for s in held.signatures])
    collapsed = np.asarray([bool(s.collapsed) for s in held.signatures])
    generations = np.asarray([s.generations for s in held.signatures])
    vote = (weight * collapsed[row]).sum(axis=1)
    prior, nearest = fitted.probability(vote), similarity[:, 0]
    votes = zip(row, weight, strict=True)
    ranked = [[m.mechanism for m in prescreen.shares(list(mechanism[r]), w)] for r, w in votes]
    of_real = np.asarray([s.dataset in real.CALIBRATION for s in held.signatures])
    print(f"{len(held):,} signatures, {len(set(mechanism))} mechanisms, each judged without its dataset")
    for name, some in (("real tables", of_real), ("simulated", ~of_real), ("all", np.ones(len(held), bool))):
        _print(name, mechanism[some], [ranked[k] for k in np.flatnonzero(some)], collapsed[some], prior[some])
    said = (weight * generations[row]).sum(axis=1)
    sick = collapsed & of_real
    print(
        f"generations against measured, collapsed real pairs: Spearman {_spearman(said[sick], generations[sick]):.3f}"
    )
    print("\nby mechanism, real tables: top-1, top-3, pairs")
    for each in sorted(set(mechanism)):
        some = np.flatnonzero(of_real & (mechanism == each))
        first = np.mean([ranked[k][0] == each for k in some])
        third = np.mean([each in ranked[k][:3] for k in some])
        print(f"  {each:20s} {first:.2f} {third:.2f} ({len(some)})")
    novelty = np.asarray([fitted.novelty(float(s)) for s in nearest])
    spared("shipped signatures", prior[novelty >= NOVEL], collapsed[novelty >= NOVEL], len(held))
    unseen(Known(held, Collection.empty(), fitted))


def unseen(known: Known) -> None:
    """The same on fresh pairs."""
    print("\nsimulated tables that nothing was fitted on, against the whole library")
    for name, numbers, make in UNSEEN:
        made = [pair for k in numbers for pair in make(k, 9) if pair.label is not None]
        found = [known.look(embed(pair.candidate, pair.original)) for pair in made]
        collapsed = np.asarray([bool(pair.label) for pair in made])
        mechanism = np.asarray([rebuild.mechanism(p.mechanism) if p.label else HEALTHY for p in made])
        prior = np.asarray([each.prior for each in found])
        _print(name, mechanism, [[m.mechanism for m in each.mechanisms] for each in found], collapsed, prior)
        print(f"flagged as novel: {np.mean([each.novel for each in found]):.3f}")
        sure = np.asarray([not each.novel for each in found])
        spared(name, prior[sure], collapsed[sure], len(made))
        limit = PrescreenSettings().skip_above
        left = [pair for pair, p, familiar in zip(made, prior, sure, strict=True) if familiar and p > limit]
        judge, caution = calibration.load().judge, calibration.load().least
        said = [
            judge(pairing.compare(pair.candidate, pair.original, 4, 0), 0).probability
            >= max(0.5, caution(min(len(pair.candidate), len(pair.original))))
            for pair in left
        ]
        print(f"  of {len(left)} spared by default, rejected by the statistics alone (quick): {sum(said)}")


def spared(name: str, prior: np.ndarray, collapsed: np.ndarray, of: int) -> None:
    """Which share of cascades a threshold spares, and which share of those spared was on the wrong side."""
    print(f"\nsparing the cascade, {name}: share of pairs spared, wrong among them")
    for limit in THRESHOLDS:
        above, below = prior > limit, prior < 1 - limit
        wrong = (~collapsed[above]).sum(), collapsed[below].sum()
        print(
            f"  above {limit:.3f}: {above.sum() / of:.3f}, {wrong[0]} of {above.sum()};"
            f"  below {1 - limit:.3f}: {below.sum() / of:.3f}, {wrong[1]} of {below.sum()}"
        )


def _print(name: str, mechanism: np.ndarray, ranked: list[list[str]], collapsed: np.ndarray, prior: np.ndarray) -> None:
    first = np.mean([names[0] == each for names, each in zip(ranked, mechanism, strict=True)])
    third = np.mean([each in names[:3] for names, each in zip(ranked, mechanism, strict=True)])
    count = np.sort(np.unique(mechanism, return_counts=True)[1])[::-1] / len(mechanism)
    print(
        f"{name:12s} {len(mechanism):5,} pairs: mechanism top-1 {first:.3f}, top-3 {third:.3f} (the commonest: "
        f"{count[0]:.3f}, {count[:3].sum():.3f}); prior AUROC {roc_auc_score(collapsed, prior):.4f}, "
        f"Brier {np.mean((prior - collapsed) ** 2):.4f}"
    )


def _spearman(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


def cost(rows: int = 1000) -> None:
    """CPU seconds of an embedding beside the collapse stage's comparison, 1,000 rows by about ten columns."""
    model = next(m for k in range(99) if len((m := Simulated(np.random.default_rng(k))).nodes) == 10)
    chance = np.random.default_rng(0)
    a, b = model.draw(rows, chance), model.draw(rows, chance)
    print(f"\n{rows:,} rows x {len(model.nodes)} columns, CPU seconds, median of 9")
    with threadpool_limits(1):
        for name, call in (
            ("embedding", lambda: embed(a, b)),
            ("collapse, quick (4 split-halves)", lambda: pairing.compare(a, b, 4, 0)),
            ("collapse, standard (12)", lambda: pairing.compare(a, b, 12, 0)),
        ):
            call()
            taken = []
            for _ in range(9):
                began = time.process_time()
                call()
                taken.append(time.process_time() - began)
            print(f"  {name:34s} {np.median(taken):.3f}")


def speed(sizes: list[int], asked: int = 200) -> None:
    """Look-up of one signature, 25 neighbours."""
    held, _ = seed.load()
    print(f"\nlook-up of {NEIGHBOURS} among so many signatures of {WIDTH} numbers")
    for rows in sizes:
        vectors = many(held.vectors, rows, 0)
        queries = many(held.vectors, asked, 1)
        began = time.perf_counter()
        index = Index.of(vectors)
        built = time.perf_counter() - began
        taken, got = [], []
        for query in queries:
            began = time.perf_counter()
            got.append(index.nearest(query[None, :], NEIGHBOURS)[1][0])
            taken.append(1e3 * (time.perf_counter() - began))
        exact = np.argpartition(-(queries @ vectors.T), NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        recall = np.mean([len(set(a) & set(b)) / NEIGHBOURS for a, b in zip(got, exact, strict=True)])
        kind = "flat" if rows <= FLAT else "cells"
        print(
            f"  {rows:>9,} {kind:5s}: median {np.median(taken):.3f} ms, 95th percentile "
            f"{np.quantile(taken, 0.95):.3f} ms, recall {recall:.4f}, built in {built:.1f} s"
        )


def many(vectors: Vectors, rows: int, number: int) -> Vectors:
    """Signatures like the shipped ones: between two of them at random, and off by noise; (rows, 512)."""
    chance = np.random.default_rng([7, number])
    out = np.empty((rows, WIDTH), dtype=np.float32)
    for start in range(0, rows, 50_000):
        part = out[start : start + 50_000]
        one, other = (vectors[chance.integers(len(vectors), size=len(part))] for _ in range(2))
        share = chance.random((len(part), 1), dtype=np.float32) * np.float32(0.5)
        part[:] = one + share * (other - one)
        part += 0.01 * chance.standard_normal(part.shape, dtype=np.float32)
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", default=["accuracy", "time", "speed"])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 200_000, 1_000_000])
    given = parser.parse_args()
    if "accuracy" in given.parts:
        accuracy()
    if "time" in given.parts:
        cost()
    if "speed" in given.parts:
        speed(given.rows)


if __name__ == "__main__":
    main()
