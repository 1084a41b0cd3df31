"""How is the prior of gains made? ``python -m foretrain.recommendations.rebuild``

The project's loops over real tables that ship inside dependencies give candidates; every fix that their findings
suggest is tried on them; a decision tree learns what came of it. Each table's gains are predicted by a tree that has
not seen the table: that error ships with the prior.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from rich.progress import track
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from foretrain import runner
from foretrain.cascade.calibration.studies import arrow, target_of
from foretrain.checkpoint import Store
from foretrain.collapse.forest import Forest
from foretrain.collapse.loops import pairs, real
from foretrain.collapse.loops.pairs import Labelled
from foretrain.recommendations.fixes import restored
from foretrain.recommendations.prediction import FEWEST_ROWS_A_LEAF, LEAVES, matrix, row
from foretrain.recommendations.record import Recommendations
from foretrain.settings import Settings

OUT = Path(__file__).parent / "fitted" / "prior.json"


def main() -> None:
    """Grow the prior and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10, help="candidates of each real table")
    parser.add_argument("--simulated", type=int, default=12, help="simulated tables")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    rows: list[dict[str, float]] = []
    gains: list[float] = []
    sources: list[str] = []
    for pair in track(list(chosen(arguments.pairs, arguments.simulated)), "trying fixes"):
        found = recommended(pair)
        if found is None:
            continue
        for each in found.found:
            if each.measured is not None:
                rows.append(row(found.situation, [restored(action) for action in each.actions]))
                gains.append(each.measured.score.value)
                sources.append(pair.source)
    names = tuple(rows[0])
    x, y = matrix(rows, names), np.asarray(gains)
    tree = DecisionTreeRegressor(
        max_leaf_nodes=LEAVES, min_samples_leaf=FEWEST_ROWS_A_LEAF, random_state=0, criterion="squared_error"
    )
    unseen = cross_val_predict(tree, x, y, groups=np.asarray(sources), cv=GroupKFold(len(set(sources))))
    tree.fit(x, y)
    grown = Forest.of(_One(tree))
    arguments.out.parent.mkdir(exist_ok=True)
    about = {
        "names": names,
        "gains": len(y),
        "tables": len(set(sources)),
        "error": float(np.abs(unseen - y).mean()),
        "spread": float(np.abs(y - y.mean()).mean()),
        "command": " ".join(["python -m foretrain.recommendations.rebuild", *sys.argv[1:]]),
        "tree": {
            name.removeprefix("tree."): [round(float(v), 4) if values.dtype.kind == "f" else int(v) for v in values]
            for name, values in grown.arrays("tree").items()
        },
    }
    arguments.out.write_text(json.dumps(about) + "\n", encoding="utf-8")
    error, spread = about["error"], about["spread"]
    said = f"{len(y):,} gains of {len(set(sources))} tables; off by {error:.1f} points, the mean by {spread:.1f}"
    sys.stdout.write(said + "\n")


class _One:
    """A tree as a forest of one."""

    def __init__(self, tree: DecisionTreeRegressor) -> None:
        self.estimators_ = [tree]


def chosen(most: int, simulated: int) -> Iterator[Labelled]:
    """Candidates of the real tables, then of simulated ones: collapsed ones of all mechanisms, and some healthy."""
    for number, name in enumerate(real.CALIBRATION):
        yield from _some(list(pairs.from_real(name, 0, seed=11)), most, number)
    for number in range(simulated):
        yield from _some(list(pairs.from_simulation(number, seed=11)), max(2, most // 3), 100 + number)


def _some(made: list[Labelled], most: int, number: int) -> list[Labelled]:
    order = np.random.default_rng(number).permutation(len(made))
    return [made[k] for k in order if made[k].label != 0][:most]


def recommended(pair: Labelled) -> Recommendations | None:
    """What the stage says of a pair, with every idea tried; None where it does not run."""
    kinds = dict.fromkeys(pair.original.schema.numbers, "numeric") | dict.fromkeys(
        pair.original.schema.codes, "categorical"
    )
    with tempfile.TemporaryDirectory(prefix="foretrain-") as root:
        settings = Settings.model_validate(
            {
                "target": target_of(pair.original),
                "data": {"kinds": kinds},
                "effort": "quick",
                "cascade": {"mode": "off"},
                "signatures": {"folder": root},
                "recommendations": {"trials": 40, "seconds": 600, "record": False, "mode": "full"},
            }
        )
        found = runner.follow(
            {"candidate": arrow(pair.candidate), "original": arrow(pair.original)}, settings, Store(root), None
        )
        return found.recommendations


if __name__ == "__main__":
    main()
