"""How often is a collapse seen, by mechanism, severity and number of rows; and do false alarms grow with rows?

    python tests/benchmarks/power.py PAIRS [--sizes 500 5000 50000]

PAIRS is what `python -m foretrain.collapse.loops.rebuild` collected. The first tables print the detection rate on the
calibration's own pairs, each predicted by forests that saw no pair of its source; constructions that did no measurable
harm are shown as damage "below 0.1". The last one draws good and collapsed candidates of simulated tables of growing
size, and prints how likely collapse is said to be; then how often fresh samples of narrow tables are rejected.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from foretrain.collapse import calibration
from foretrain.collapse.loops import damage
from foretrain.collapse.loops.copula import Copula
from foretrain.collapse.loops.fit import Fit
from foretrain.collapse.loops.gaussian import Gaussian
from foretrain.collapse.loops.kernel import Kernel
from foretrain.collapse.loops.simulated import Simulated
from foretrain.collapse.loops.tree import Trees
from foretrain.collapse.pairing import compare
from foretrain.collapse.statistics.repeats import repeated_share
from foretrain.collapse.table import Schema, Table

DAMAGE = ([-0.01, 0.1, 0.2, 0.3, 0.6, 1.01], ["below 0.1", "0.1 to 0.2", "0.2 to 0.3", "0.3 to 0.6", "above 0.6"])
ROWS = ([0, 150, 400, 1000, 10**9], ["up to 150 rows", "to 400", "to 1,000", "above"])


def curves(pairs: pd.DataFrame) -> None:
    """Detection rates of held-out pairs."""
    fit = Fit(pairs)
    fitted = fit.calibration()
    most = int(pairs["repeats"].max())
    table = pairs.assign(said=fitted.probability(fit.held.vote, most) >= 0.5)
    table = table[table["repeats"] == most]
    table["size"] = pd.cut(table["rows"], ROWS[0], labels=ROWS[1])
    table["harm"] = pd.cut(table["damage"], DAMAGE[0], labels=DAMAGE[1])
    healthy = table[table["label"] == 0]
    print("False alarms on healthy candidates")
    print(_grid(healthy, "mechanism", "size"))
    sick = table[(table["label"] != 0) & ~table["mechanism"].isin(healthy["mechanism"].unique())]
    print("\nDetection rate by damage and number of rows (all constructions)")
    print(_grid(sick, "harm", "size"))
    print("\nDetection rate by mechanism and damage")
    print(_grid(sick, "mechanism", "harm"))


def _grid(table: pd.DataFrame, down: str, across: str) -> str:
    groups = table.groupby([down, across], observed=True)["said"]
    text = groups.mean().map("{:.2f}".format) + groups.count().map(" ({})".format)
    return text.unstack(across).fillna("").to_string()


def growth(sizes: list[int], models: int = 3) -> None:
    """Probability of collapse against the number of rows."""
    fitted = calibration.load()
    rows = []
    for size in sizes:
        for k in range(models):
            chance = np.random.default_rng([k, size])
            model = Simulated(np.random.default_rng(1000 + k))
            original, fresh = model.draw(size, chance), model.draw(size, chance)
            candidates = {"fresh rows": fresh, "30 % duplicates": damage.duplicates(fresh, 0.3, chance)}
            for name, generator in (
                ("smooth bootstrap", Kernel(0.15, 0.0)),
                ("trees, one generation", Trees()),
                ("copula, one generation", Copula()),
                ("Gaussian, one generation", Gaussian()),
            ):
                generator.fit(original, chance)
                candidates[name] = generator.draw(size, chance)
            for name, table in candidates.items():
                paired = compare(table.sample(20_000, chance), original.sample(20_000, chance), 12, 0)
                found = fitted.judge(paired, 0, repeated_share(table) - repeated_share(original))
                rows.append({"candidate": name, "rows": size, "P": found.probability})
    table = pd.DataFrame(rows).pivot_table(index="candidate", columns="rows", values="P", aggfunc=["mean", "max"])
    print(f"\nProbability of collapse against rows, mean and largest of {models} simulated tables")
    print(table.round(2).to_string())


def narrow(sizes: tuple[int, ...] = (60, 100, 300), draws: int = 12) -> None:
    """False alarms on fresh samples of narrow tables."""
    fitted = calibration.load()
    print(f"\nShare of fresh samples rejected, standard effort, {draws} draws each")
    for name, numbers, codes in (("two categories", 0, 2), ("six categories", 0, 6), ("3 numbers, 2 categories", 3, 2)):
        found = []
        for size in sizes:
            said = []
            for seed in range(draws):
                chance = np.random.default_rng(seed)
                original, fresh = (_tied(numbers, codes, size, chance) for _ in range(2))
                judged = fitted.judge(compare(fresh, original, 12, seed), seed)
                said.append(judged.probability >= max(0.5, fitted.least(size)))
            found.append(f"{size} rows {np.mean(said):.2f}")
        print(f"  {name:24s} {', '.join(found)}")


def _tied(numbers: int, codes: int, rows: int, chance: np.random.Generator) -> Table:
    """Columns that share a hidden group."""
    group = chance.integers(0, 3, rows)
    x = chance.standard_normal((rows, numbers)) + group[:, None]
    flags = [np.where(chance.random(rows) < 0.6, group, chance.integers(0, 4, rows)) for _ in range(codes)]
    names = tuple(f"x{k}" for k in range(numbers)), tuple(f"c{k}" for k in range(codes))
    return Table(x, np.column_stack(flags), Schema(names[0], (False,) * numbers, names[1], (4,) * codes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[500, 5_000, 50_000])
    given = parser.parse_args()
    curves(pd.read_parquet(given.pairs))
    growth(given.sizes)
    narrow()


if __name__ == "__main__":
    main()
