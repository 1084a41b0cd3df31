"""How is the calibration of the probes made again, from nothing but this package and the tables in its dependencies?

``python -m foretrain.cascade.calibration.rebuild`` trains quick cascades on labelled pairs (about an hour on two
cores; what is there already in the work folder is kept), fits, and writes the calibration into the package.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.resources import files
from pathlib import Path

import pandas as pd

from foretrain.cascade import stage
from foretrain.cascade.calibration import fit
from foretrain.cascade.calibration.studies import study_of, target_of
from foretrain.cascade.catalogue import FITTED
from foretrain.collapse.loops import pairs, real
from foretrain.collapse.loops.pairs import Labelled
from foretrain.errors import DataError
from foretrain.seeds import number, stream
from foretrain.settings import Effort, Settings

PAIRS = "probe-pairs.parquet"

SEED = 2
"""Other splits and tables than the calibration of the statistics saw."""

A_SIDE = 6
"""Harmful and harmless candidates of each table at most: models cost more than statistics."""

Job = tuple[str, int]
"""Name of a real table or "simulated", and which one."""


def measure(job: Job) -> pd.DataFrame:
    """The contrasts and lost shares of some labelled pairs of a table, a row a pair."""
    name, k = job
    made = pairs.from_simulation(k, SEED) if name == "simulated" else pairs.from_real(name, k, SEED)
    return pd.DataFrame(_row(pair, number(SEED, "probes", name, k) % 2**31) for pair in _some(made, name, k))


def _some(made: Iterator[Labelled], name: str, k: int) -> list[Labelled]:
    """As many harmful as harmless ones, by chance."""
    chance, known = stream(SEED, "probes", name, k), [pair for pair in made if pair.label is not None]
    sides = [[pair for pair in known if pair.label == label] for label in (0, 1)]
    return [side[place] for side in sides for place in sorted(chance.permutation(len(side))[:A_SIDE])]


def _row(pair: Labelled, seed: int) -> dict[str, object]:
    about: dict[str, object] = {
        "source": pair.source,
        "mechanism": pair.mechanism,
        "strength": pair.strength,
        "rows": len(pair.original),
        "label": pair.label,
        "damage": pair.damage,
    }
    settings = Settings(seed=seed, effort=Effort.QUICK, target=target_of(pair.original))
    try:
        found = stage.learn(study_of(pair.candidate, pair.original, settings), settings)
    except DataError as error:
        return about | {"reason": str(error)}
    for contrast in found.contrasts:
        about[f"d_{contrast.name}@{contrast.tier}"] = contrast.difference
        about[f"n_{contrast.name}@{contrast.tier}"] = contrast.noise
    for difference in found.harm:
        about[f"share_{difference.tier}"] = difference.share
        about[f"low_{difference.tier}"], about[f"high_{difference.tier}"] = difference.share_interval
    return about | {"goal": found.goal, "harm": found.probability_of_harm}


def collect(work: Path, todo: list[Job], processes: int) -> pd.DataFrame:
    """All pairs, measured unless the work folder has them."""
    work.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        waiting = {job: pool.submit(_measure_into, work, job) for job in todo}
        for place, (job, future) in enumerate(waiting.items(), start=1):
            future.result()
            print(f"{place} of {len(todo)}: {job[0]} {job[1]}", file=sys.stderr, flush=True)  # noqa: T201
    return pd.concat([pd.read_parquet(_path(work, job)) for job in todo], ignore_index=True)


def _path(work: Path, job: Job) -> Path:
    return work / f"{job[0]}-{job[1]}.parquet"


def _measure_into(work: Path, job: Job) -> None:
    path = _path(work, job)
    if not path.exists():
        part = path.with_suffix(".part")
        measure(job).to_parquet(part, compression="zstd")
        part.replace(path)


def show(found: pd.DataFrame) -> str:
    """Each probe's power, and which are scored, as a table."""
    rows = [
        {"probe": name, "tier": tier, "power": each.power, "largest loss": each.curve[-1][1], "scored": each.scored}
        for name, tiers in fit.fitted(found).probes.items()
        for tier, each in tiers.items()
    ]
    return str(pd.DataFrame(rows).sort_values("power", ascending=False).to_string(index=False)) if rows else "none"


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("probe-pairs"), help="folder for the measured pairs")
    parser.add_argument("--rounds", type=int, default=1, help="splits of each real table")
    parser.add_argument("--simulated", type=int, default=10, help="simulated tables")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(str(files("foretrain.cascade.catalogue"))) / FITTED)
    given = parser.parse_args(arguments)
    todo: list[Job] = [(name, k) for k in range(given.rounds) for name in real.CALIBRATION]
    todo += [("simulated", k) for k in range(given.simulated)]
    found = collect(given.work, todo, given.processes)
    found = found[found["harm"].notna()].drop(columns="reason", errors="ignore")  # the others have too few rows
    found.to_parquet(given.work / PAIRS, compression="zstd")
    part = given.out.with_suffix(".part")
    part.write_text(fit.fitted(found).model_dump_json(indent=1) + "\n", encoding="utf-8")
    part.replace(given.out)
    print(show(found))  # noqa: T201


if __name__ == "__main__":
    main()
