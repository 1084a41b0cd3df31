"""How well are planted bad rows found, beside detectors of outliers and of label errors, and is the confidence true?

    python tests/benchmarks/localization.py [--tables iris fair ...] [--shares 0.01 0.05 0.1] [--rounds 1]
    python tests/benchmarks/localization.py --suite SUITE
    python tests/benchmarks/localization.py --no-peers --without crowded misleads_neighbours
    python tests/benchmarks/localization.py --fit [--rounds 2]

The first plants bad rows in a fresh half of each real table (the other half is the original): copies of a few rows,
values out of range, wrong labels, broken correlations, rows of the fifth generation of a self-consuming loop, and rows
that crowd around one. It prints average precision by plant, the precision and recall of the rows flagged, the error of
the confidence as a probability, and false alarms on halves without a plant.

SUITE is a folder with pairs.json (pair_id, original, synthetic, target) and truth.json (bad_rows, ignore_rows): those
pairs that have bad rows are scored.

--without leaves mechanisms out, so that what each adds can be measured. --fit prints the line through the log odds of
the confidence (`combine.CALIBRATION`) that brings it nearest to the share of bad rows, fitted with each table left out
and judged on that one. --held takes tables that no fit has seen.

Peers, on the same rows in the same run: isolation forest and local outlier factor on the candidate, numbers and codes
standardised; cleanlab's label quality scores, from out-of-fold predictions of boosted trees of the target (for a
classification adjusted by confident learning's thresholds). Where cleanlab is not installed, the same self-confidence
without thresholds, in a few lines.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from scipy.special import expit, logit
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, IsolationForest
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import LocalOutlierFactor
from sklearn.preprocessing import StandardScaler

from foretrain.cascade import train
from foretrain.cascade.record import Cascade
from foretrain.checkpoint import LocalFolder
from foretrain.collapse.loops import real
from foretrain.collapse.loops.recipes import GENERATORS, consume
from foretrain.data import load
from foretrain.errors import DataError
from foretrain.localization import Localization, combine, localize
from foretrain.localization.evidence import Evidence
from foretrain.localization.record import AXES, Mechanism
from foretrain.localization.stage import NO_CASCADE
from foretrain.profile import profile
from foretrain.record import NotRun
from foretrain.settings import Effort, Settings

EDGES = (0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0001)
"""Of bins of confidence."""

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


def collapsed_mode(
    rows: pd.DataFrame, at: np.ndarray, original: pd.DataFrame, target: str, chance: np.random.Generator
) -> None:
    """Rows that crowd around one row: its categories, its numbers within a twentieth of a standard deviation."""
    centre = rows.iloc[sources(rows, at)[0]]
    for place, name in enumerate(rows.columns):
        if rows[name].dtype == object:
            rows.iloc[at, place] = centre[name]
            continue
        near = centre[name] + 0.05 * original[name].std() * chance.standard_normal(len(at))
        rows.iloc[at, place] = np.rint(near).astype(int) if rows[name].dtype.kind == "i" else near


PLANTS: dict[str, Callable[[pd.DataFrame, np.ndarray, pd.DataFrame, str, np.random.Generator], None]] = {
    each.__name__: each
    for each in (copies, out_of_range, wrong_labels, broken_correlations, generation_5, collapsed_mode)
}


def _sklearn(name: str) -> tuple[pd.DataFrame, str]:
    from sklearn import datasets

    rows = getattr(datasets, f"load_{name}")(as_frame=True).frame
    if rows.target.dtype.kind == "i":
        rows["target"] = rows.target.map("class {}".format).astype(object)
    return rows, "target"


def _statsmodels(name: str, target: str, codes: tuple[str, ...] = ()) -> tuple[pd.DataFrame, str]:
    rows = import_module(f"statsmodels.datasets.{name}").load_pandas().data.dropna().reset_index(drop=True)
    for column in rows:
        if column in codes:
            rows[column] = rows[column].map("level {:.0f}".format).astype(object)
        elif rows[column].dtype.kind == "f" and (rows[column] == rows[column].round()).all():
            rows[column] = rows[column].astype(int)
    return rows, target


HELD: dict[str, Callable[[], tuple[pd.DataFrame, str]]] = {
    "wine": partial(_sklearn, "wine"),
    "diabetes": partial(_sklearn, "diabetes"),
    "modechoice": partial(_statsmodels, "modechoice", "choice", ("choice", "mode")),
    "randhie": partial(_statsmodels, "randhie", "mdvis"),
    "grunfeld": partial(_statsmodels, "grunfeld", "invest"),
    "macrodata": partial(_statsmodels, "macrodata", "realgdp"),
    "cancer": partial(_statsmodels, "cancer", "cancer"),
}
"""Tables of both libraries that nothing was fitted to."""


def planted(
    tables: dict[str, Callable[[], tuple[pd.DataFrame, str]]], shares: list[float], rounds: int
) -> Iterator[Case]:
    """Every plant of every share in every table, and each half without a plant."""
    for name, make in tables.items():
        for each in range(rounds):
            chance = np.random.default_rng([each, 2026])
            rows, target = make()
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
                    if kind in ("copies", "collapsed_mode"):
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


def judged(case: Case, effort: Effort, nets: bool = False) -> tuple[pd.DataFrame, Localization, float]:
    """rows.parquet by place, the record, and CPU seconds of the stage, through the stages a user runs.

    With `nets` the cascade is run before, at quick effort, where there are rows enough.
    """
    settings = Settings(target=case.target, effort=effort)
    with tempfile.TemporaryDirectory() as root:
        folders = {name: LocalFolder(Path(root) / name) for name in ("lo", "lc", "po", "pc", "l", "w")}
        (Path(root) / "w" / "weights").mkdir(parents=True)
        original = load(case.original, settings, folders["lo"])
        candidate = load(case.candidate, settings, folders["lc"], like=original)
        real_, made = profile(original, settings, folders["po"]), profile(candidate, settings, folders["pc"])
        cascade: Cascade | NotRun = NO_CASCADE
        if nets:
            settings = settings.model_copy(update={"effort": Effort.QUICK})
            with suppress(DataError):
                cascade = train(made, real_, settings, folders["w"])
        began = time.process_time()
        found = localize(made, real_, settings, folders["l"], cascade)
        took = time.process_time() - began
        listed = pq.read_table(found.table).to_pandas()
    return listed.set_index("row").sort_index(), found, took


def encoded(rows: pd.DataFrame) -> np.ndarray:
    """(rows, columns): numbers, and categories as codes."""
    parts = [rows[c] if rows[c].dtype.kind in "if" else pd.Series(pd.factorize(rows[c], sort=True)[0]) for c in rows]
    return np.column_stack([part.fillna(part.median()).to_numpy(float) for part in parts])


def confident_learning(case: Case) -> tuple[str, np.ndarray]:
    """How little a model that has not seen the row believes its label, (rows,), and by whom that is ranked."""
    inputs, label = encoded(case.candidate.drop(columns=case.target)), case.candidate[case.target]
    name = "cleanlab" if importlib.util.find_spec("cleanlab") else "confident learning"
    if label.dtype.kind == "f" or (label.dtype.kind == "i" and label.nunique() > 20):
        told = cross_val_predict(HistGradientBoostingRegressor(random_state=0, max_iter=50), inputs, label, cv=3)
        if name == "cleanlab":
            from cleanlab.regression.rank import get_label_quality_scores as quality_of_numbers

            return name, 1 - quality_of_numbers(label.to_numpy(float), told)
        return name, np.abs(label.to_numpy(float) - told)
    codes = pd.factorize(label, sort=True)[0]
    model = HistGradientBoostingClassifier(random_state=0, max_iter=30)
    told = cross_val_predict(model, inputs, codes, cv=3, method="predict_proba")
    if name == "cleanlab":
        from cleanlab.rank import get_label_quality_scores

        return name, 1 - get_label_quality_scores(codes, told, adjust_pred_probs=True)
    return name, 1 - told[np.arange(len(codes)), codes]


def peers(case: Case) -> dict[str, np.ndarray]:
    """The other detectors' scores, the larger the worse."""
    rows = StandardScaler().fit_transform(encoded(case.candidate))
    near = LocalOutlierFactor(n_neighbors=min(20, len(rows) - 1)).fit(rows)
    return {
        "isolation forest": -IsolationForest(random_state=0).fit(rows).score_samples(rows),
        "local outlier factor": -near.negative_outlier_factor_,
    } | dict([confident_learning(case)])


def calibration_error(confidence: np.ndarray, bad: np.ndarray, bins: int = 10) -> float:
    """Mean distance of the confidence from the share of bad rows, by bins of equal width, weighted by rows."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    parts = [place == k for k in range(bins) if (place == k).any()]
    return float(sum(abs(confidence[part].mean() - bad[part].mean()) * part.mean() for part in parts))


def by_confidence(sure: np.ndarray, true: np.ndarray) -> Iterator[tuple[float, float, int, str]]:
    """What was said, what was true, and of how many rows, by bins of confidence."""
    for low, high in pairwise(EDGES):
        part = (sure >= low) & (sure < high)
        if part.any():
            yield (
                float(sure[part].mean()),
                float(true[part].mean()),
                int(part.sum()),
                f"{low:.2f} to {min(high, 1):.2f}",
            )


def measure(cases: Iterator[Case], with_peers: bool, effort: Effort, nets: bool) -> None:
    """Score all cases and print the tables."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    confidence, bad, shares, alarms, seconds, abstained = [], [], [], [], [], 0
    for case in cases:
        rows, found, took = judged(case, effort, nets)
        sure = rows.confidence.to_numpy()
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
        every |= {f"foretrain, {axis.replace('_', ' ')}": rows[axis].to_numpy() for axis in AXES}
        for name, score in every.items():
            value = float(average_precision_score(case.bad[kept], score[kept]))
            scores[name][case.kind].append(value)
            scores[name][f"{case.share:.0%}"].append(value)
        confidence.append(sure[kept])
        bad.append(case.bad[kept])
        shares.append(np.full(kept.sum(), case.share))
    kinds = list(next(iter(scores.values())))
    print("average precision".ljust(32), *(kind[:13].rjust(14) for kind in kinds), "mean".rjust(8), "of five".rjust(8))
    for name, by in scores.items():
        plants = [np.mean(by[kind]) for kind in kinds]
        alone = {kind: by[kind] for kind in kinds if not kind.endswith("%")}
        whole = np.mean([value for values in alone.values() for value in values])
        five = np.mean([value for kind, values in alone.items() if kind != "collapsed_mode" for value in values])
        print(name.ljust(32), *(f"{value:14.3f}" for value in plants), f"{whole:8.3f}", f"{five:8.3f}")
    sure, true, share = (np.concatenate(each) for each in (confidence, bad, shares))
    for only in sorted({None, *(each for each in set(share) if (share == each).sum() > 5000)}, key=str):
        part = np.ones(len(sure), bool) if only is None else share == only
        flagged = sure[part] >= 0.5
        precision = true[part][flagged].mean() if flagged.any() else np.nan
        print(
            f"{'all' if only is None else f'{only:.0%} bad'}: flagged at .5: precision {precision:.3f}, "
            f"recall {true[part][flagged].sum() / true[part].sum():.3f}; "
            f"calibration error {calibration_error(sure[part], true[part]):.3f}; by confidence:"
        )
        for said, was, rows_, place in by_confidence(sure[part], true[part]):
            print(f"  {place}: said {said:.3f}, true {was:.3f}, {rows_} rows")
    if alarms:
        print(f"without a plant: {np.mean(alarms):.4f} of rows flagged, abstained on {abstained} of {len(alarms)}")
    print(f"CPU seconds a table: median {np.median(seconds):.2f}, most {max(seconds):.2f}")


def fit(cases: Iterator[Case], effort: Effort) -> None:
    """Fit the line through the log odds, with each table left out and with none, and print what it gives."""
    combine.CALIBRATION = (0.0, 1.0)
    parts: dict[str, list[tuple[np.ndarray, np.ndarray, float]]] = defaultdict(list)
    for case in cases:
        if case.kind != "none":
            rows, _, _ = judged(case, effort)
            kept = ~case.ignored & (rows.mechanism != "copy").to_numpy()  # theirs is bounded by how many are alike
            parts[case.name].append((rows.confidence.to_numpy()[kept], case.bad[kept], case.share))
    said, was = [], []
    for name, mine in parts.items():
        line = best_line([each for other, theirs in parts.items() if other != name for each in theirs])
        print(f"without {name}: {line}")
        said += [moved(sure, line) for sure, _, _ in mine]
        was += [bad for _, bad, _ in mine]
    for told, true, rows_, place in by_confidence(np.concatenate(said), np.concatenate(was)):
        print(f"  {place}: said {told:.3f}, true {true:.3f}, {rows_} rows")
    print(f"with all: {best_line([each for theirs in parts.values() for each in theirs])}")


def moved(sure: np.ndarray, line: tuple[float, float]) -> np.ndarray:
    """The confidence after the line."""
    return expit(line[0] + line[1] * logit(np.clip(sure, 1e-12, 1 - 1e-12)))


def best_line(parts: list[tuple[np.ndarray, np.ndarray, float]]) -> tuple[float, float]:
    """The line with the least squared distances of said and true, over bins, of all rows and by share."""
    sure, bad = (np.concatenate([part[k] for part in parts]) for k in (0, 1))
    share = np.concatenate([np.full(len(part[0]), part[2]) for part in parts])
    choices = [(added, slope) for added in np.arange(-1.0, 0.5, 0.1) for slope in np.arange(0.8, 1.9, 0.1)]

    def distance(line: tuple[float, float]) -> float:
        told = moved(sure, line)
        found = 0.0
        for only, weight in [(None, 1.0), *((each, 1 / 3) for each in set(share))]:
            part = np.ones(len(told), bool) if only is None else share == only
            bins = [each for each in by_confidence(told[part], bad[part]) if each[2] > 10 and each[0] >= EDGES[1]]
            found += weight * sum((said - was) ** 2 for said, was, _, _ in bins)
        return found

    added, slope = min(choices, key=distance)
    return round(float(added), 2), round(float(slope), 2)


def without(names: list[str]) -> None:
    """Leave mechanisms out of all that follows."""
    scores = Evidence.scores

    def fewer(self: Evidence, target: int | None) -> dict[Mechanism, np.ndarray]:
        return {name: score for name, score in scores(self, target).items() if name not in names}

    Evidence.scores = fewer  # type: ignore[method-assign]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=[name for name in real.CALIBRATION if name != "digits"])
    parser.add_argument("--shares", nargs="+", type=float, default=[0.01, 0.05, 0.1])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--held", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--without", nargs="+", default=[])
    parser.add_argument("--plants", nargs="+", default=list(PLANTS))
    parser.add_argument("--nets", action="store_true", help="run the cascade before, and localization at quick effort")
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--effort", type=Effort, default=Effort.STANDARD)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    without(given.without)
    frames = (
        {name: HELD[name] for name in HELD}
        if given.held
        else {name: partial(real.frame, name) for name in given.tables}
    )
    cases = suite(given.suite) if given.suite else planted(frames, given.shares, given.rounds)
    cases = (case for case in cases if given.suite or case.kind in (*given.plants, "none"))
    if given.fit:
        fit(cases, given.effort)
    else:
        measure(cases, not given.no_peers, given.effort, given.nets)


if __name__ == "__main__":
    main()
