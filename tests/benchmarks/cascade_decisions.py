"""Does the cascade's sign agree with a model ten times larger, trained on eight times the rows?

    python tests/benchmarks/cascade_decisions.py [--tables randhie fair ...] [--results FILE]

Real tables that ship inside scikit-learn and statsmodels. Of each, a quarter of the rows judges; the rest are the
original. Candidates are made of the original by eight recipes. The large model (an MLP of a million parameters, two
seeds) learns from all rows of the original or the candidate; the cascade from an eighth of them. A decision is harm or
no harm: the large model's loss on the judging rows is above the original's by more than the margin, as a share of what
there is to learn. Cases in which the large model itself is not sure (its interval holds the margin) are counted apart.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from foretrain import runner
from foretrain.cascade import stage
from foretrain.cascade.problem import Arm, Study, length
from foretrain.cascade.rows import arms
from foretrain.cascade.tiers import mlp, sizes
from foretrain.cascade.tiers.tier import NetTier, Run
from foretrain.cascade.training import together
from foretrain.cascade.training.plan import Plan
from foretrain.checkpoint import Store
from foretrain.collapse.loops import damage, real
from foretrain.collapse.loops.recipes import GENERATORS, consume
from foretrain.collapse.table import Table
from foretrain.seeds import stream
from foretrain.settings import Settings

LARGE = 1_000_000
"""Parameters of the model that decides what is true: ten times the largest tier's."""

EIGHT = 8
MOST_ROWS = 8000
"""Rows of the original at most, so that the whole takes an hour."""

TABLES = ("randhie", "fair", "medicare", "digits", "anes96", "elnino", "breast_cancer", "diabetes")

Recipe = Callable[[Table, np.random.Generator], Table]


def generations(name: str, count: int) -> Recipe:
    """A self-consuming loop."""

    def make(table: Table, chance: np.random.Generator) -> Table:
        return list(consume(table, GENERATORS[name], count, chance))[-1]

    return make


def jitter(table: Table, chance: np.random.Generator) -> Table:
    """Healthy: numbers moved by a twentieth of their deviation."""
    spread = np.nan_to_num(np.nanstd(table.numbers, axis=0)) * ~np.asarray(table.schema.whole, dtype=bool)
    return table.with_columns(table.numbers + 0.05 * spread * chance.standard_normal(table.numbers.shape), table.codes)


RECIPES: dict[str, Recipe] = {
    "healthy": jitter,
    "trees, 1 generation": generations("trees", 1),
    "trees, 3 generations": generations("trees", 3),
    "trees, 10 generations": generations("trees", 10),
    "copula, 1 generation": generations("copula", 1),
    "label noise": lambda table, chance: damage.label_noise(table, 0.3, chance),
    "duplicates": lambda table, chance: damage.duplicates(table, 0.7, chance),
    "tail cut": lambda table, _: damage.tail_cut(table, 0.15),
}


@dataclass(frozen=True)
class Case:
    """One candidate of one table.

    Attributes:
        truth: lost share of the large model, and its standard error.
        tiers: the cascade's lost share by tier, "all" the whole.
        harm: the cascade's probability of harm.
    """

    table: str
    recipe: str
    truth: tuple[float, float]
    tiers: dict[str, float]
    harm: float


def source(name: str) -> tuple[pd.DataFrame, str]:
    """A bundled table, and its target."""
    if name == "randhie":
        from statsmodels.datasets import randhie

        return randhie.load_pandas().data, "hlthp"
    if name == "diabetes":
        from sklearn.datasets import load_diabetes

        frame = load_diabetes(as_frame=True).frame
        return frame, "target"
    return real.frame(name)


def frame_of(table: Table) -> pa.Table:
    """A table as its columns' names and values, categories as words."""
    schema = table.schema
    columns: dict[str, pa.Array] = {
        name: pa.array(values, from_pandas=True) for name, values in zip(schema.numbers, table.numbers.T, strict=True)
    }
    for name, codes in zip(schema.codes, table.codes.T, strict=True):
        columns[name] = pa.array([None if k < 0 else f"level {k}" for k in codes])
    return pa.table(columns)


def study_of(candidate: Table, original: Table, target: str, rows: int | None, seed: int) -> Study:
    """What the cascade makes of the two."""
    kinds = dict.fromkeys(original.schema.numbers, "numeric") | dict.fromkeys(original.schema.codes, "categorical")
    settings = Settings.model_validate(
        {"seed": seed, "target": target, "effort": "thorough", "data": {"kinds": kinds}, "cascade": {"rows": rows}}
    )
    with tempfile.TemporaryDirectory() as root:
        refs = []
        for role, table in (("candidate", candidate), ("original", original)):
            path = Path(root) / f"{role}.parquet"
            pq.write_table(frame_of(table), path)
            refs.append(runner.profile(str(path), settings, Store(Path(root) / "store")))
        return arms.study(refs[0], refs[1], settings)


def large() -> NetTier:
    """The model that decides what is true."""
    return NetTier(
        "large",
        lambda problem, seeds: mlp.Mlp(
            problem, seeds, sizes.width(lambda hidden: sizes.parameters(mlp.Mlp(problem, (), hidden)), LARGE)
        ),
        lambda _: "MLP of a million parameters",
    )


def cases(name: str, seed: int) -> Iterator[Case]:
    """Every recipe on one table."""
    frame, target = source(name)
    chance = stream(seed, "decisions", name)
    frame = frame.iloc[chance.permutation(len(frame))[:MOST_ROWS]].reset_index(drop=True)
    original = real.from_frame(frame, target)
    for recipe, make in RECIPES.items():
        candidate = make(original, stream(seed, "decisions", name, recipe))
        whole = study_of(candidate, original, target, None, seed)
        rows = max(100, length(whole.arms["original"].train) // EIGHT)
        found = stage.learn(study_of(candidate, original, target, rows, seed), Settings(seed=seed, target=target))
        yield Case(
            name,
            recipe,
            truth(whole, seed),
            {each.tier: each.share for each in found.harm},
            found.probability_of_harm or 0.0,
        )


def truth(study: Study, seed: int) -> tuple[float, float]:
    """Share of what there is to learn that the large model loses by the candidate, and its standard error."""
    wrong = {arm: learned(study.arms[arm], study, seed) for arm in ("original", "candidate")}
    to_learn = max(study.guess - float(wrong["original"].mean()), 0.05 * study.guess)
    gap = wrong["candidate"] - wrong["original"]
    between = float(gap.mean(axis=1).std(ddof=1)) / np.sqrt(len(gap))
    within = float(gap.mean(axis=0).std(ddof=1)) / np.sqrt(gap.shape[1])
    return float(gap.mean()) / to_learn, float(np.hypot(between, within)) / to_learn


def learned(arm: Arm, study: Study, seed: int) -> np.ndarray:
    """(seeds, held-out rows) loss of the large model."""
    runs = [Run(k, "original") for k in stage.SEEDS]
    plan = Plan(steps=1000, learning_rate=1e-3, interval=25, patience=8)
    made = together.train(
        study.problem, large(), runs, {"original": arm}, study.held_out, plan,
        seed=seed, snapshots=None, advance=lambda _: None,
    )  # fmt: skip
    return np.stack([model.loss for model in made if model.loss is not None])


def show(found: pd.DataFrame, margin: float) -> None:
    """How often each tier, and the whole, decide as the large model does."""
    sure = (found["truth"] - margin).abs() > 1.645 * found["error"]
    print(f"\n{len(found)} decisions on {found['table'].nunique()} tables, {int(sure.sum())} of which the large model "
          f"is sure about; harm is a lost share above {margin:.0%}")  # fmt: skip
    rows = {}
    for name in [c for c in found.columns if c.startswith("share ")] + ["harm"]:
        said = found[name] > (0.5 if name == "harm" else margin)
        agrees = said == (found["truth"] > margin)
        rows[name.removeprefix("share ")] = {
            "all": agrees.mean(),
            "sure": agrees[sure].mean(),
            "false alarms": said[sure & (found["truth"] <= margin)].mean(),
            "misses": (~said[sure & (found["truth"] > margin)]).mean(),
        }
    print(pd.DataFrame(rows).T.rename(index={"harm": "P(harm) above one half"}).round(3).to_string())
    print("\nBy recipe: the large model's lost share, the cascade's, and how often they agree")
    found = found.assign(agrees=(found["harm"] > 0.5) == (found["truth"] > margin))
    print(found.groupby("recipe", sort=False)[["truth", "share all", "agrees"]].mean().round(3).to_string())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=list(TABLES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, help="keep a line of JSON a case here, and go on from what it holds")
    given = parser.parse_args()
    done: list[dict[str, object]] = []
    if given.results and given.results.exists():
        done = [json.loads(line) for line in given.results.read_text().splitlines()]
    for name in given.tables:
        if any(row["table"] == name for row in done):
            continue
        for case in cases(name, given.seed):
            shares = {f"share {tier}": value for tier, value in case.tiers.items()}
            row = {"table": case.table, "recipe": case.recipe, "truth": case.truth[0], "error": case.truth[1],
                   **shares, "harm": case.harm}  # fmt: skip
            print(json.dumps(row), file=sys.stderr, flush=True)
            done.append(row)
        if given.results:
            given.results.write_text("".join(json.dumps(row) + "\n" for row in done))
    show(pd.DataFrame(done), Settings().cascade.margin)


if __name__ == "__main__":
    main()
