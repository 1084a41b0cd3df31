"""How well are planted bad rows found, beside detectors of outliers and of label errors, and is the confidence true?

    python tests/benchmarks/localization.py [--tables iris fair ...] [--shares 0.01 0.05 0.1] [--rounds 1]
    python tests/benchmarks/localization.py --suite SUITE

The first plants bad rows in a fresh half of each real table (the other half is the original): copies of a few rows,
values out of range, wrong labels, broken correlations, and rows of the fifth generation of a self-consuming loop. It
prints average precision by plant, the precision and recall of the rows flagged, the error of the confidence as a
probability, and false alarms on halves without a plant.

SUITE is a folder with pairs.json (pair_id, original, synthetic, target) and truth.json (bad_rows, ignore_rows): those
pairs that have bad rows are scored.

Peers, on the same rows in the same run: isolation forest and local outlier factor on the candidate, numbers and codes
standardised; confident learning by out-of-fold probabilities of boosted trees (self-confidence; for a number, the
distance from the out-of-fold prediction), as cleanlab ranks label errors, in a few lines.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, IsolationForest
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from foretrain.checkpoint import LocalFolder
from foretrain.collapse.loops import real
from foretrain.collapse.loops.recipes import GENERATORS, consume
from foretrain.data import load
from foretrain.localization import Localization, localize
from foretrain.profile import profile
from foretrain.settings import Settings

MOST = 1000
"""Rows a half at most."""


@dataclass(frozen=True)
class Case:
    """A candidate with planted rows; `ignored` rows are neither good nor bad (what copies were made of)."""

    name: str
    kind: str
    share: float
    original: pd.DataFrame
    candidate: pd.DataFrame
    target: str
    bad: np.ndarray
    ignored: np.ndarray


def copies(
    rows: pd.DataFrame, at: np.ndarray, original: pd.DataFrame, target: str, chance: np.random.Generator
) -> None:
    """Copies of one row in each dozen."""
    source = sources(rows, at)
    rows.iloc[at] = rows.iloc[source[np.arange(len(at)) % len(source)]].to_numpy()


def sources(rows: pd.DataFrame, at: np.ndarray) -> np.ndarray:
    return np.setdiff1d(np.arange(len(rows)), at)[: max(1, len(at) // 12)]


def out_of_range(
    rows: pd.DataFrame, at: np.ndarray, original: pd.DataFrame, target: str, chance: np.random.Generator
) -> None:
    """One or two numbers half a standard deviation to three beyond the original's ends."""
    numbers = list(original.select_dtypes("number"))
    for row in at:
        for name in chance.permutation(numbers)[: chance.integers(1, 3)]:
            beyond = original[name].std() * chance.uniform(0.5, 3)
            value = original[name].max() + beyond if chance.random() < 0.5 else original[name].min() - beyond
            rows.iloc[row, rows.columns.get_loc(name)] = np.rint(value) if rows[name].dtype.kind == "i" else value


def wrong_labels(
    rows: pd.DataFrame, at: np.ndarray, original: pd.DataFrame, target: str, chance: np.random.Generator
) -> None:
    """Another class; of a number, the value about half of the ranks away."""
    place = rows.columns.get_loc(target)
    if rows[target].dtype == object:
        classes = np.array(sorted(rows[target].unique()))
        for row in at:
            rows.iloc[row, place] = chance.choice(classes[classes != rows.iloc[row, place]])
        return
    values = rows[target].to_numpy(float)
    rank = (np.argsort(np.argsort(values))[at] + 0.5) / len(values)
    far = np.quantile(values, (rank + 0.5 + chance.uniform(-0.15, 0.15, len(at))) % 1)
    rows.iloc[at, place] = np.rint(far).astype(int) if rows[target].dtype.kind == "i" else far


def broken_correlations(
    rows: pd.DataFrame, at: np.ndarray, original: pd.DataFrame, target: str, chance: np.random.Generator
) -> None:
    """Every value from another row of its own column."""
    before = rows.copy()
    for place in range(rows.shape[1]):
        rows.iloc[at, place] = before.iloc[chance.integers(len(rows), size=len(at)), place].to_numpy()


def generation_5(
    rows: pd.DataFrame, at: np.ndarray, original: pd.DataFrame, target: str, chance: np.random.Generator
) -> None:
    """Rows of a generator that was refitted on its own output, and again, four times."""
    table = real.from_frame(original, target)
    name = str(chance.choice(["gaussian", "mixture", "copula", "kernel"]))
    *_, last = consume(table, GENERATORS[name], 5, chance)
    drawn = chance.permutation(len(last))[: len(at)]
    for k, column in enumerate(last.schema.numbers):
        values = last.numbers[drawn, k]
        rows.iloc[at, rows.columns.get_loc(column)] = (
            np.rint(values).astype(int) if rows[column].dtype.kind == "i" else values
        )
    for k, column in enumerate(last.schema.codes):
        levels = np.array(sorted(original[column].astype(str).unique()))
        rows.iloc[at, rows.columns.get_loc(column)] = levels[last.codes[drawn, k]].astype(rows[column].dtype)


PLANTS: dict[str, Callable[[pd.DataFrame, np.ndarray, pd.DataFrame, str, np.random.Generator], None]] = {
    each.__name__: each for each in (copies, out_of_range, wrong_labels, broken_correlations, generation_5)
}


def planted(tables: list[str], shares: list[float], rounds: int) -> Iterator[Case]:
    """Every plant of every share in every table, and each half without a plant."""
    for name in tables:
        for each in range(rounds):
            chance = np.random.default_rng([each, 2026])
            rows, target = real.frame(name)
            rows = rows.sample(frac=1, random_state=each).reset_index(drop=True)
            half = min(len(rows) // 2, MOST)
            original, fresh = rows[:half].reset_index(drop=True), rows[half : 2 * half].reset_index(drop=True)
            none = np.zeros(half, bool)
            yield Case(name, "none", 0.0, original, fresh, target, none, none)
            for kind, plant in PLANTS.items():
                for share in shares:
                    at = chance.permutation(half)[: max(2, round(share * half))]
                    made = fresh.copy()
                    plant(made, at, original, target, chance)
                    bad, ignored = none.copy(), none.copy()
                    bad[at] = True
                    if kind == "copies":
                        ignored[sources(made, at)] = True
                    yield Case(name, kind, share, original, made, target, bad, ignored)


def suite(folder: Path) -> Iterator[Case]:
    """The suite's pairs that have bad rows."""
    truth = json.loads((folder / "truth.json").read_text())["pairs"]
    for pair in json.loads((folder / "pairs.json").read_text()):
        true = truth[pair["pair_id"]]
        if not true.get("bad_rows"):
            continue
        original, candidate = (pd.read_parquet(folder / pair[side]) for side in ("original", "synthetic"))
        bad, ignored = np.zeros(len(candidate), bool), np.zeros(len(candidate), bool)
        bad[true["bad_rows"]], ignored[true["ignore_rows"]] = True, True
        share = float(bad.mean())
        yield Case(true["dataset"], true["bad_kind"], share, original, candidate, pair["target"], bad, ignored)


def judged(case: Case) -> tuple[np.ndarray, Localization, float]:
    """Every row's confidence, the record, and CPU seconds of the stage, through the stages a user runs."""
    settings = Settings(target=case.target)
    with tempfile.TemporaryDirectory() as root:
        folders = {name: LocalFolder(Path(root) / name) for name in ("lo", "lc", "po", "pc", "l")}
        original = load(case.original, settings, folders["lo"])
        candidate = load(case.candidate, settings, folders["lc"], like=original)
        real_, made = profile(original, settings, folders["po"]), profile(candidate, settings, folders["pc"])
        began = time.process_time()
        found = localize(made, real_, settings, folders["l"])
        took = time.process_time() - began
        listed = pq.read_table(found.table)
    confidence = np.zeros(len(case.candidate))
    confidence[listed["row"].to_numpy()] = listed["confidence"].to_numpy()
    return confidence, found, took


def encoded(rows: pd.DataFrame) -> np.ndarray:
    """(rows, columns): numbers, and categories as codes."""
    parts = [rows[c] if rows[c].dtype.kind in "if" else pd.Series(pd.factorize(rows[c], sort=True)[0]) for c in rows]
    return np.column_stack([part.fillna(part.median()).to_numpy(float) for part in parts])


def confident_learning(case: Case) -> np.ndarray:
    """How little a model that has not seen the row believes its label, (rows,)."""
    inputs, label = encoded(case.candidate.drop(columns=case.target)), case.candidate[case.target]
    if label.dtype.kind == "f" or (label.dtype.kind == "i" and label.nunique() > 20):
        told = cross_val_predict(HistGradientBoostingRegressor(random_state=0, max_iter=50), inputs, label, cv=3)
        return np.abs(label.to_numpy(float) - told)
    codes = pd.factorize(label, sort=True)[0]
    model = HistGradientBoostingClassifier(random_state=0, max_iter=30)
    told = cross_val_predict(model, inputs, codes, cv=3, method="predict_proba")
    return 1 - told[np.arange(len(codes)), codes]


def peers(case: Case) -> dict[str, np.ndarray]:
    """The other detectors' scores, the larger the worse."""
    rows = StandardScaler().fit_transform(encoded(case.candidate))
    near = LocalOutlierFactor(n_neighbors=min(20, len(rows) - 1)).fit(rows)
    return {
        "isolation forest": -IsolationForest(random_state=0).fit(rows).score_samples(rows),
        "local outlier factor": -near.negative_outlier_factor_,
        "confident learning": confident_learning(case),
    }


def calibration_error(confidence: np.ndarray, bad: np.ndarray, bins: int = 10) -> float:
    """Mean distance of the confidence from the share of bad rows, by bins of equal width, weighted by rows."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    parts = [place == k for k in range(bins) if (place == k).any()]
    return float(sum(abs(confidence[part].mean() - bad[part].mean()) * part.mean() for part in parts))


def measure(cases: Iterator[Case], with_peers: bool) -> None:
    """Score all cases and print the tables."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    confidence, bad, alarms, seconds, abstained = [], [], [], [], 0
    for case in cases:
        sure, found, took = judged(case)
        seconds.append(took)
        if case.kind == "none":
            alarms.append(found.flagged / found.rows)
            abstained += found.abstained is not None
            continue
        kept = ~case.ignored
        every = {"foretrain": sure} | (peers(case) if with_peers else {})
        listed = np.zeros(len(sure))
        listed[list(found.flagged_rows)] = sure[list(found.flagged_rows)]
        every["foretrain, flagged rows only"] = listed
        for name, score in every.items():
            value = float(average_precision_score(case.bad[kept], score[kept]))
            scores[name][case.kind].append(value)
            scores[name][f"{case.share:.0%}"].append(value)
        confidence.append(sure[kept])
        bad.append(case.bad[kept])
    kinds = list(next(iter(scores.values())))
    print("average precision".ljust(32), *(kind[:13].rjust(14) for kind in kinds), "mean".rjust(8))
    for name, by in scores.items():
        plants = [np.mean(by[kind]) for kind in kinds]
        whole = np.mean([value for kind in kinds if not kind.endswith("%") for value in by[kind]])
        print(name.ljust(32), *(f"{value:14.3f}" for value in plants), f"{whole:8.3f}")
    sure, true = np.concatenate(confidence), np.concatenate(bad)
    flagged = sure >= 0.5
    print(f"flagged at .5: precision {true[flagged].mean():.3f}, recall {true[flagged].sum() / true.sum():.3f}")
    print(f"calibration error {calibration_error(sure, true):.3f}; by confidence:")
    edges = [0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0001]
    for low, high in pairwise(edges):
        part = (sure >= low) & (sure < high)
        if part.any():
            print(f"  {low:.2f} to {min(high, 1):.2f}: said {sure[part].mean():.3f}, true {true[part].mean():.3f}, "
                  f"{part.sum()} rows")  # fmt: skip
    if alarms:
        print(f"without a plant: {np.mean(alarms):.4f} of rows flagged, abstained on {abstained} of {len(alarms)}")
    print(f"CPU seconds a table: median {np.median(seconds):.2f}, most {max(seconds):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=[name for name in real.CALIBRATION if name != "digits"])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.01, 0.05, 0.1])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--no-peers", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    cases = suite(given.suite) if given.suite else planted(given.tables, given.shares, given.rounds)
    measure(cases, not given.no_peers)


if __name__ == "__main__":
    main()
