"""How often is the verdict right, on labelled pairs of real tables that the calibration has not seen?

    python tests/benchmarks/detection.py SUITE [--effort quick standard thorough] [--results FOLDER]

SUITE is a folder with pairs.json (pair_id, original, synthetic, target) and truth.json (dataset, label, severity,
damage, family). Every dataset of the suite is judged by a calibration fitted without any pair of that dataset, through
the stages a user runs: load, profile, score.

Prints AUROC, accuracy, false positives, false negatives by severity and family, and severity against measured damage,
with 95 % intervals from a bootstrap over datasets.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foretrain.checkpoint import LocalFolder
from foretrain.collapse.calibration import Calibration
from foretrain.collapse.judging import score
from foretrain.collapse.loops.fit import Fit
from foretrain.collapse.statistics.models import auc
from foretrain.data import load
from foretrain.profile import profile
from foretrain.settings import Effort, Settings


def judge(suite: Path, pair: dict[str, str], fitted: Calibration, settings: Settings) -> dict[str, Any]:
    """One pair through the stages."""
    settings = settings.model_copy(update={"target": pair["target"]})
    began = time.process_time()
    with tempfile.TemporaryDirectory() as root:
        folders = {name: LocalFolder(Path(root) / name) for name in ("lo", "lc", "po", "pc")}
        original = load(suite / pair["original"], settings, folders["lo"])
        candidate = load(suite / pair["synthetic"], settings, folders["lc"], like=original)
        real, made = profile(original, settings, folders["po"]), profile(candidate, settings, folders["pc"])
        found = score(made, real, settings, fitted=fitted)
    return {
        "score": found.score,
        "collapsed": found.verdict == "reject",
        "verdict": found.verdict,
        "probability": found.probability_of_collapse,
        "damage": found.severity.damage,
        "damage_interval": found.severity.interval,
        "dimensions": {name: d.score for name, d in found.dimensions.items()},
        "bad_rows": None,
        "seconds": time.process_time() - began,
    }


def figures(rows: pd.DataFrame) -> dict[str, float]:
    """The headline figures of some pairs."""
    sick = rows["label"] == 1
    said = rows["collapsed"].astype(bool)
    severe = {f"missed {name}": float((~said[part]).mean()) for name in ("mild", "medium", "severe")
              if (part := sick & (rows["severity"] == name)).any()}  # fmt: skip
    hurt = rows[sick]
    return {
        "AUROC": auc(100 - rows["score"].to_numpy(float), sick.to_numpy()),
        "accuracy": float((said == sick).mean()),
        "false positives": float(said[~sick].mean()),
        "false negatives": float((~said[sick]).mean()),
        **severe,
        "severity: Spearman": float(hurt["damage"].rank().corr(hurt["true_damage"].rank())),
        "severity: mean absolute error": float((hurt["damage"] - hurt["true_damage"]).abs().mean()),
        "severity: inside the 90 % interval": float(hurt["inside"].mean()),
        "asked for review or underpowered": float(rows["verdict"].isin(["review", "underpowered"]).mean()),
    }


def bootstrap(rows: pd.DataFrame, draws: int = 500) -> dict[str, tuple[float, float]]:
    """95 % intervals over datasets, since the pairs of one dataset hang together."""
    chance = np.random.default_rng(0)
    groups = [group for _, group in rows.groupby("dataset")]
    drawn = pd.DataFrame(
        [figures(pd.concat([groups[k] for k in chance.integers(len(groups), size=len(groups))])) for _ in range(draws)]
    )
    return {name: tuple(drawn[name].quantile([0.025, 0.975])) for name in drawn}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", type=Path)
    parser.add_argument("--pairs", type=Path, default=Path(__file__).with_name("calibration-pairs.parquet"),
                        help="what `python -m foretrain.collapse.loops.rebuild` collected")  # fmt: skip
    parser.add_argument("--effort", type=Effort, nargs="+", default=[Effort.STANDARD])
    parser.add_argument("--results", type=Path, help="keep one JSON file a pair here")
    given = parser.parse_args()
    pairs = json.loads((given.suite / "pairs.json").read_text())
    truth = json.loads((given.suite / "truth.json").read_text())["pairs"]
    fit = Fit(pd.read_parquet(given.pairs))
    for effort in given.effort:
        table = collect(given.suite, pairs, truth, fit, Settings(effort=effort), given.results)
        show(table, effort)


def collect(
    suite: Path,
    pairs: list[dict[str, str]],
    truth: dict[str, dict[str, Any]],
    fit: Fit,
    settings: Settings,
    results: Path | None,
) -> pd.DataFrame:
    """Judge every pair, a row each of those that are labelled."""
    rows = []
    for dataset in sorted({truth[p["pair_id"]]["dataset"] for p in pairs}):
        fitted = fit.calibration(without=dataset)
        for pair in (p for p in pairs if truth[p["pair_id"]]["dataset"] == dataset):
            true = truth[pair["pair_id"]]
            found = judge(suite, pair, fitted, settings)
            if results:
                folder = results / settings.effort
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"{pair['pair_id']}.json").write_text(json.dumps(found))
            if true["label"] not in (0, 1):
                continue
            low, high = found["damage_interval"]
            rows.append(found | {"dataset": dataset, "label": true["label"], "severity": true["severity"],
                                 "family": true["family"], "true_damage": true["damage"],
                                 "inside": low <= true["damage"] <= high})  # fmt: skip
        print(f"{settings.effort}: {dataset}, {len(rows)} pairs so far", file=sys.stderr, flush=True)
    return pd.DataFrame(rows)


def show(table: pd.DataFrame, effort: Effort) -> None:
    """Print the figures with their intervals, and every wrong verdict."""
    point, interval = figures(table), bootstrap(table)
    print(f"{len(table)} pairs, {int((table['label'] == 1).sum())} collapsed; effort {effort}, "
          f"median {table['seconds'].median():.2f} CPU s a pair, load and profile included")  # fmt: skip
    for name, value in point.items():
        print(f"  {name:38s} {value:6.3f}   [{interval[name][0]:.3f}, {interval[name][1]:.3f}]")
    wrong = table[table["collapsed"] != (table["label"] == 1)]
    print("  wrong verdicts:" if len(wrong) else "  no wrong verdict")
    for _, row in wrong.iterrows():
        print(f"    {row['dataset']:14s} {row['family']:14s} true damage {row['true_damage']:.2f}, "
              f"P(collapse) {row['probability']:.2f}")  # fmt: skip


if __name__ == "__main__":
    main()
