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
import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from foretrain.cascade import stage
from foretrain.cascade.calibration.studies import study_of, target_of
from foretrain.cascade.problem import Arm, Study, length
from foretrain.cascade.tiers import mlp, sizes
from foretrain.cascade.tiers.tier import NetTier, Run
from foretrain.cascade.training import together
from foretrain.cascade.training.plan import Plan
from foretrain.collapse.loops import damage, real
from foretrain.collapse.loops.recipes import GENERATORS, consume
from foretrain.collapse.table import Table
from foretrain.seeds import stream
from foretrain.settings import Settings

LARGE = 1_000_000
"""Parameters of the model that decides what is true: ten times the largest tier's."""

EIGHT = 8
FEWEST = 120
"""Rows of the cascade's arms at least; of the smallest tables they are a fourth."""

MOST_ROWS = 8000
"""Rows of a table at most, so that the whole takes an hour."""

TABLES = ("randhie", "fair", "medicare", "digits", "anes96", "co2", "births", "demand")

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

        return randhie.load_pandas().data, "disea"
    if name == "births":
        rows = pd.read_csv(str(files("statsmodels") / "treatment/tests/results/cataneo2.csv"))
        columns = ["bweight", "mmarried", "alcohol", "mage", "medu", "fage", "fedu", "nprenatal", "monthslb", "order"]
        return rows[[*columns, "mbsmoke", "mrace", "prenatal", "birthmonth"]], "mmarried"
    if name in SERIES:
        return seasonal(*SERIES[name]), "change"
    return real.frame(name)


def co2() -> pd.Series:
    """Carbon dioxide on Mauna Loa, weekly."""
    from statsmodels.datasets import co2

    return co2.load_pandas().data["co2"].interpolate()


def demand() -> pd.Series:
    """Demand for electricity in Victoria, hourly."""
    return pd.read_csv(str(files("statsmodels") / "tsa/stl/tests/results/mstl_elec_vic.csv"))["y"]


SERIES: dict[str, tuple[Callable[[], pd.Series], int]] = {"co2": (co2, 52), "demand": (demand, 168)}
"""And after how many values it repeats."""


def seasonal(series: Callable[[], pd.Series], period: int) -> pd.DataFrame:
    """A value less the one a period before, from earlier ones and where in the period it is."""
    values = pd.Series(series().to_numpy())
    change = values - values.shift(period)
    rows = pd.DataFrame({f"lag{k}": change.shift(k) for k in (2, 4, 8, 24)})
    return rows.assign(place=np.arange(len(values)) % period, change=change).dropna().reset_index(drop=True)


def study(candidate: Table, original: Table, rows: int | None, seed: int, judge: Table | None = None) -> Study:
    """What the cascade makes of the two."""
    wanted = {"seed": seed, "target": target_of(original), "effort": "thorough", "cascade": {"rows": rows}}
    return study_of(candidate, original, Settings.model_validate(wanted), judge)


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
    rows = real.from_frame(frame, target)
    judge, original = rows.take(slice(0, len(rows) // 4)), rows.take(slice(len(rows) // 4, None))
    known: dict[str, np.ndarray] = {}
    for recipe, make in RECIPES.items():
        candidate = make(original, stream(seed, "decisions", name, recipe))
        whole = study(candidate, original, None, seed, judge)
        learned_from = length(whole.arms["original"].train) + length(whole.arms["original"].validation)
        settings = Settings(seed=seed, target=target_of(original))
        found = stage.learn(study(candidate, original, max(FEWEST, learned_from // EIGHT), seed), settings)
        yield Case(
            name,
            recipe,
            truth(whole, seed, known),
            {each.tier: each.share for each in found.harm},
            found.probability_of_harm or 0.0,
        )


def truth(whole: Study, seed: int, known: dict[str, np.ndarray]) -> tuple[float, float]:
    """Share of what there is to learn that the large model loses by the candidate, and its standard error."""
    wrong = {arm: learned(whole.arms[arm], whole, seed, known) for arm in ("original", "candidate")}
    to_learn = max(whole.guess - float(wrong["original"].mean()), 0.05 * whole.guess)
    gap = wrong["candidate"] - wrong["original"]
    between = float(gap.mean(axis=1).std(ddof=1)) / np.sqrt(len(gap))
    within = float(gap.mean(axis=0).std(ddof=1)) / np.sqrt(gap.shape[1])
    return float(gap.mean()) / to_learn, float(np.hypot(between, within)) / to_learn


def learned(arm: Arm, whole: Study, seed: int, known: dict[str, np.ndarray]) -> np.ndarray:
    """(seeds, held-out rows) loss of the large model; the same rows are learned once."""
    sides = (arm.train, arm.validation, whole.held_out)
    key = hashlib.sha256(b"".join(rows[name].tobytes() for rows in sides for name in sorted(rows))).hexdigest()
    if key not in known:
        runs = [Run(k, "original") for k in stage.SEEDS]
        plan = Plan(steps=800, learning_rate=1e-3, interval=25, patience=6)
        made = together.train(
            whole.problem, large(), runs, {"original": arm}, whole.held_out, plan,
            seed=seed, snapshots=None, advance=lambda _: None,
        )  # fmt: skip
        known[key] = np.stack([model.loss for model in made if model.loss is not None])
    return known[key]


def show(found: pd.DataFrame, margin: float) -> None:
    """How often each tier, and the whole, decide as the large model does."""
    names = [c for c in found.columns if c.startswith("share ")]
    found = found.assign(said=found["harm"] - 0.5)
    print(f"{len(found)} candidates of {found['table'].nunique()} tables")

    print("\nSign: is it worse than the original? Sure: the large model's difference is above 1.645 standard errors")
    sure = found["truth"].abs() > 1.645 * found["error"]
    agrees = {c.removeprefix("share "): np.sign(found[c]) == np.sign(found["truth"]) for c in names}
    print_table(
        {name: {"all": each.mean(), f"sure ({sure.sum()})": each[sure].mean()} for name, each in agrees.items()}
    )

    print(f"\nHarm: is more lost than {margin:.0%} of what there is to learn? Sure: outside of 1.645 standard errors")
    harmful = found["truth"] > margin
    sure = (found["truth"] - margin).abs() > 1.645 * found["error"]
    rows = {}
    for name in [*names, "said"]:
        said = found[name] > (0.0 if name == "said" else margin)
        rows[name.removeprefix("share ").replace("said", "P(harm) above one half")] = {
            "all": (said == harmful).mean(),
            f"sure ({sure.sum()})": (said == harmful)[sure].mean(),
            "false alarms": said[sure & ~harmful].mean(),
            "misses": (~said[sure & harmful]).mean(),
        }
    print_table(rows)

    print("\nDecisions: of two candidates of a table, or one and the original, which is the better to train on?")
    print_table(decisions(found, names))

    print("\nBy recipe: the large model's lost share, the cascade's, and how often they agree on the sign")
    found = found.assign(agrees=np.sign(found["share all"]) == np.sign(found["truth"]))
    print(found.groupby("recipe", sort=False)[["truth", "share all", "agrees"]].mean().round(3).to_string())


def decisions(found: pd.DataFrame, names: list[str]) -> dict[str, dict[str, float]]:
    """Share of pairs that each tier orders as the large model does."""
    agrees: dict[str, list[bool]] = {name: [] for name in names}
    sure = []
    for _, table in found.groupby("table"):
        whole = pd.concat(
            [table[[*names, "truth", "error"]], pd.DataFrame([dict.fromkeys([*names, "truth", "error"], 0.0)])]
        )
        for (_, one), (_, other) in combinations(whole.iterrows(), 2):
            apart = one["truth"] - other["truth"]
            sure.append(abs(apart) > 1.645 * np.hypot(one["error"], other["error"]))
            for name in names:
                agrees[name].append(np.sign(one[name] - other[name]) == np.sign(apart))
    return {
        name.removeprefix("share "): {
            f"all ({len(sure)})": float(np.mean(each)),
            f"sure ({sum(sure)})": float(np.mean(np.asarray(each)[sure])),
        }
        for name, each in agrees.items()
    }


def print_table(rows: dict[str, dict[str, float]]) -> None:
    print(pd.DataFrame(rows).T.round(3).to_string())


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
