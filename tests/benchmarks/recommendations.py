"""Are promises kept, and do fixes help? ``python tests/benchmarks/recommendations.py [--suite DIR] --results FILE``

Every candidate that is not approved is validated, the best recommendation is applied to the whole of it, and the
result is validated again: promise and outcome stand side by side. Without ``--suite``, candidates are made here from
real tables that ship inside dependencies, and the harm of candidate and result is measured as well, on rows that
nothing was made from: whether an approved result does no harm.

Results are kept line by line; the same command goes on from there and prints the tables.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import track

import foretrain
from foretrain.cascade.calibration.studies import arrow, target_of
from foretrain.collapse.loops import real, recipes
from foretrain.collapse.loops.harm import Ruler
from foretrain.collapse.pairing import goals
from foretrain.collapse.table import Table
from foretrain.recommendations.fixes import restored
from foretrain.recommendations.prediction import prior, row
from foretrain.seeds import stream

SETTINGS: dict[str, Any] = {"cascade": {"mode": "off"}, "recommendations": {"trials": 24, "record": False}}
ROUND = 7
"""Splits of the tables that no fit has seen."""


@dataclass(frozen=True)
class Case:
    """A candidate with its original, as files."""

    name: str
    family: str
    candidate: str
    original: str
    target: str | None
    kinds: dict[str, str]
    ruler: Ruler | None = None
    like: Table | None = None


def of_suite(suite: Path) -> Iterator[Case]:
    """Its collapsed pairs."""
    truth = json.loads((suite / "truth.json").read_text())["pairs"]
    for pair in json.loads((suite / "pairs.json").read_text()):
        about = truth[pair["pair_id"]]
        if about["label"] == 1:
            files = str(suite / pair["synthetic"]), str(suite / pair["original"])
            yield Case(pair["pair_id"], about["family"], *files, pair["target"], {})


def of_tables(most: int, root: Path) -> Iterator[Case]:
    """So many collapsed candidates of each table, and the ruler of its fresh rows."""
    for number, name in enumerate(real.CALIBRATION):
        chance = stream(0, "recommendations benchmark", name, ROUND)
        rows = real.table(name)
        rows = rows.sample(len(rows), chance)
        n = min(round(0.375 * len(rows)), 700)
        original, holdout = rows.take(slice(0, n)), rows.take(slice(n, 2 * n))
        apart = rows.take(slice(0, 2 * n))
        splits = [apart.sample(n, chance) for _ in range(8)]
        ruler = Ruler(rows.take(slice(2 * n, 2 * n + 1000)), splits, goals(original), chance, 0.5)
        made = [each for each in recipes.collapsed(original, holdout, chance) if len(each.table) >= 40]
        order = np.random.default_rng(number).permutation(len(made))
        kinds = dict.fromkeys(original.schema.numbers, "numeric") | dict.fromkeys(original.schema.codes, "categorical")
        pq.write_table(arrow(original), root / f"{name}.parquet")
        for k in order[:most]:
            path = root / f"{name}-{k}.parquet"
            pq.write_table(arrow(made[k].table), path)
            files = str(path), str(root / f"{name}.parquet")
            yield Case(f"{name}-{k}", made[k].mechanism, *files, target_of(original), kinds, ruler, original)


def harm(case: Case, file: str) -> float | None:
    """Share of utility or diversity lost, measured on fresh rows."""
    if case.ruler is None or case.like is None:
        return None
    frame, schema = pd.read_parquet(file), case.like.schema
    numbers = [frame[name].to_numpy(np.float64) for name in schema.numbers]
    codes = [frame[name].str.removeprefix("level ").fillna("-1").astype(np.int64).to_numpy() for name in schema.codes]
    table = Table(
        np.column_stack(numbers) if numbers else np.empty((len(frame), 0)),
        np.column_stack(codes) if codes else np.empty((len(frame), 0), np.int64),
        schema,
    )
    found = case.ruler.measure(table)
    return found.damage if found.counted else 0.0


def judge(case: Case) -> dict[str, Any]:
    """Promise and outcome of one candidate."""
    began = time.process_time()
    with tempfile.TemporaryDirectory() as root:
        settings = {**SETTINGS, "target": case.target, "data": {"kinds": case.kinds}, "signatures": {"folder": root}}
        validation = foretrain.validate(case.candidate, case.original, config=settings, out=root)
        found = validation.recommendations
        out: dict[str, Any] = {
            "name": case.name,
            "family": case.family,
            "verdict": validation.verdict,
            "score": validation.score,
            "rows": validation.inputs.candidate.rows,
        }
        if found is None:
            return out
        stage = validation.timings["recommendations"]
        out |= {"tried": found.tried, "stage": stage, "harm": harm(case, case.candidate)}
        known = prior()
        single = [each for each in found.found if each.measured is not None and len(each.actions) == 1]
        out["expected"] = [
            (
                each.predicted,
                float(known.predict([row(found.situation, [restored(a) for a in each.actions])])[0]),
                each.measured.score.value,
                each.actions[0].fix,
            )
            for each in single
            if each.measured is not None
        ]
        if found.best is None:
            return out
        best = found.named(found.best)
        assert best is not None
        assert best.measured is not None
        mended = str(Path(root) / "mended.parquet")
        fixed = foretrain.fix(case.candidate, validation, [found.best], mended)
        return out | {
            "best": found.best,
            "promise": best.measured.score.value,
            "promised": best.measured.after,
            "low": best.measured.before + best.measured.score.interval[0],
            "high": best.measured.before + best.measured.score.interval[1],
            "promised verdict": best.measured.verdict,
            "outcome": fixed.outcome.score,
            "outcome verdict": fixed.outcome.verdict,
            "rows after": fixed.mended.rows,
            "real": best.cost.real_rows,
            "harm after": harm(case, mended),
            "seconds": time.process_time() - began,
        }


def told(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The tables."""
    refused = [r for r in rows if r["verdict"] in ("reject", "review")]
    rejected = [r for r in rows if r["verdict"] == "reject"]
    yield f"{len(rows)} collapsed candidates, {len(rejected)} rejected, {len(refused) - len(rejected)} to be reviewed"
    best = [r for r in refused if "best" in r]
    yield f"a fix was measured to help: {len(best)} of {len(refused)}"
    error = np.asarray([abs(r["promised"] - r["outcome"]) for r in best])
    gain = np.asarray([abs(r["promise"] - (r["outcome"] - r["score"])) for r in best])
    inside = np.mean([r["low"] - 1e-9 <= r["outcome"] <= r["high"] + 1e-9 for r in best])
    yield f"promised and found score: {error.mean():.1f} points apart on average, {np.median(error):.1f} in the median"
    yield f"promised and found gain: {gain.mean():.1f} on average, {np.median(gain):.1f} in the median"
    yield f"found score within the promised 90 % interval: {inside:.0%}"
    for before in ("reject", "review"):
        some = [r for r in refused if r["verdict"] == before]
        promised = Counter(r.get("promised verdict", "no fix") for r in some)
        outcome = Counter(r.get("outcome verdict", "no fix") for r in some)
        yield f"{before}: promised {dict(promised)}, found {dict(outcome)}"
    kept = [r for r in best if r["promised verdict"] == "approve"]
    held = sum(r["outcome verdict"] == "approve" for r in kept)
    yield f"promised approvals that were approved: {held} of {len(kept)}"
    approved = [r for r in best if r["outcome verdict"] == "approve"]
    if approved:
        real_ = np.asarray([r["real"] / max(r["rows after"], 1) for r in approved])
        size = np.asarray([r["rows after"] / r["rows"] for r in approved])
        none = sum(r["real"] == 0 for r in approved)
        yield f"of the approved, {none} hold no real row; real rows {np.median(real_):.0%} in the median"
        yield f"their size, share of the candidate's: {np.median(size):.2f} in the median"
    measured = [r for r in best if r.get("harm after") is not None]
    if measured:
        for verdict in ("approve", "review", "reject"):
            some = [r for r in measured if r["outcome verdict"] == verdict]
            if some:
                clean = sum(r["harm after"] == 0 for r in some)
                before, after = (np.mean([r[name] for r in some]) for name in ("harm", "harm after"))
                yield (
                    f"result {verdict}: {clean} of {len(some)} without harm on fresh rows; harm {before:.2f} before, "
                    f"{after:.2f} after"
                )
    every = np.asarray([(a, b, c) for r in refused for a, b, c, _ in r.get("expected", [])])
    if len(every):
        spread = np.abs(every[:, 2] - every[:, 2].mean()).mean()
        off = np.abs(every[:, 1] - every[:, 2]).mean()
        yield f"expected by the prior, {len(every):,} fixes: {off:.1f} points off; the mean, {spread:.1f}"
    kinds = Counter(part for r in best for part in _kinds(r["best"]))
    yield f"in the best plans: {dict(kinds.most_common())}"
    stage = [r["stage"] for r in refused if "stage" in r]
    yield f"the stage took {np.median(stage):.1f} s in the median, {max(stage):.1f} at most"


def _kinds(best: str) -> Iterator[str]:
    from foretrain.recommendations.fixes import FIXES

    for part in best.split("+"):
        yield next((name for name in FIXES if part == name or part.startswith(f"{name}-")), part)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--each", type=int, default=6, help="candidates of each table, without a suite")
    parser.add_argument("--results", type=Path, required=True)
    arguments = parser.parse_args()
    pa.set_cpu_count(1)
    rows = (
        [json.loads(line) for line in arguments.results.read_text().splitlines()] if arguments.results.exists() else []
    )
    done = {r["name"] for r in rows}
    with tempfile.TemporaryDirectory() as root:
        cases = of_suite(arguments.suite) if arguments.suite else of_tables(arguments.each, Path(root))
        for case in track(list(cases), "mending"):
            if case.name in done:
                continue
            rows.append(judge(case))
            with arguments.results.open("a") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print(*told(rows), sep="\n")


if __name__ == "__main__":
    main()
