"""How far apart do models end that learned from two fresh samples of the same rows, and do the intervals say so?

    python tests/benchmarks/cascade_noise.py [--tables 40] [--results FILE]

Nothing is lost there, so that each difference should lie inside its 90 % interval nine times in ten; "unstretched" is
how often it would without the widening of `compare.STRETCH`. "scale" is by how
much an interval must be stretched for that of a normal: the root mean square of the differences in standard deviations,
the largest twentieth cut off at what a normal has. Half of the tables are real ones cut in two, half simulated.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

from foretrain.cascade import stage
from foretrain.cascade.calibration.studies import study_of, target_of
from foretrain.cascade.comparison.compare import STRETCH
from foretrain.collapse.loops import real
from foretrain.collapse.loops.simulated import Simulated
from foretrain.collapse.table import Table
from foretrain.errors import DataError
from foretrain.seeds import stream
from foretrain.settings import Effort, Settings

MOST_ROWS = 2000
FEWEST_ROWS = 150
ENDS = 3.29
"""Standard deviations between the ends of a 90 % interval."""


def pair(number: int) -> tuple[str, Table, Table]:
    """Two disjoint samples of one table."""
    chance = stream(3, "noise", number)
    if number % 2:
        n = int(np.exp(chance.uniform(np.log(FEWEST_ROWS), np.log(MOST_ROWS))))
        model = Simulated(chance)
        return f"simulated {number}", model.draw(n, chance), model.draw(n, chance)
    names = [name for name in real.CALIBRATION if len(real.table(name)) >= 2 * FEWEST_ROWS]
    name = names[number // 2 % len(names)]
    rows = real.table(name).sample(2 * MOST_ROWS, chance)
    return name, rows.take(slice(0, len(rows) // 2)), rows.take(slice(len(rows) // 2, None))


def measure(number: int) -> dict[str, object] | None:
    """The lost share of each tier and its interval; None where there is too little to learn from."""
    name, original, candidate = pair(number)
    settings = Settings(seed=number, effort=Effort.QUICK, target=target_of(original))
    try:
        found = stage.learn(study_of(candidate, original, settings), settings)
    except DataError:
        return None
    row: dict[str, object] = {"number": number, "table": name, "rows": found.rows, "harm": found.probability_of_harm}
    for each in found.harm:
        row |= {f"share {each.tier}": each.share, f"low {each.tier}": each.share_interval[0],
                f"high {each.tier}": each.share_interval[1]}  # fmt: skip
    return row


def show(found: pd.DataFrame) -> None:
    """By tier: how often the interval holds nothing, and by how much it is too narrow."""
    rows = {}
    for tier in [c.removeprefix("share ") for c in found.columns if c.startswith("share ")]:
        share, low, high = (found[f"{part} {tier}"] for part in ("share", "low", "high"))
        known = share.notna() & (high > low)
        z = np.abs(share - 0.0)[known] / ((high - low)[known] / ENDS)
        rows[tier] = {
            "pairs": known.sum(),
            "holds 0": ((low <= 0) & (high >= 0))[known].mean(),
            "unstretched": ((share <= (share - low) / STRETCH) & (share >= (share - high) / STRETCH))[known].mean(),
            "above 0": (low > 0)[known].mean(),
            "scale": np.sqrt((np.minimum(z, np.quantile(z, 0.95)) ** 2).mean()),
            "median share": share[known].abs().median(),
        }
    print(f"{len(found)} pairs of fresh samples, {found['rows'].median():.0f} rows an arm in the middle")
    print(pd.DataFrame(rows).T.round(3).to_string())
    print(f"P(harm) above one half: {(found['harm'] > 0.5).mean():.3f}, above .9: {(found['harm'] > 0.9).mean():.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, default=40)
    parser.add_argument("--results", type=Path, help="keep a line of JSON a pair here, and go on from what it holds")
    given = parser.parse_args()
    done = []
    if given.results and given.results.exists():
        done = [json.loads(line) for line in given.results.read_text().splitlines()]
    for number in range(given.tables):
        if any(row["number"] == number for row in done):
            continue
        row = measure(number)
        if row is not None:
            done.append(row)
            if given.results:
                given.results.write_text("".join(json.dumps(row) + "\n" for row in done))
    show(pd.DataFrame(done))


if __name__ == "__main__":
    main()
