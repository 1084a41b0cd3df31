"""How is the calibration made again, from nothing but this package and the tables inside its dependencies?

``python -m foretrain.collapse.loops.rebuild`` makes labelled pairs (an hour or two on two cores; what is there already
in the work folder is kept), fits, and writes the calibration into the package. The same version of the libraries gives
the same calibration.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd

from foretrain.collapse.calibration import Calibration
from foretrain.collapse.features import features
from foretrain.collapse.loops import fit, pairs, real
from foretrain.collapse.pairing import compare
from foretrain.collapse.statistics import internal
from foretrain.seeds import stream

PAIRS = "pairs.parquet"

SEED = 1
REPEATS = (4, 8)
"""The calibration reads quick and standard comparisons alike."""

Job = tuple[str, int]
"""Name of a real table, "simulated" or "narrow", and which round."""

MADE = {"simulated": pairs.from_simulation, "narrow": pairs.from_narrow}


def jobs(rounds: int, simulated: int, narrow: int) -> list[Job]:
    """What there is to do."""
    real_ones = [(name, k) for k in range(rounds) for name in real.CALIBRATION]
    return real_ones + [("simulated", k) for k in range(simulated)] + [("narrow", k) for k in range(narrow)]


def measure(job: Job) -> pd.DataFrame:
    """The labelled pairs of one split of a table as rows of features, one a number of repeats."""
    import torch

    torch.set_num_threads(1)
    name, k = job
    made = MADE[name](k, SEED) if name in MADE else pairs.from_real(name, k, SEED)
    rows = []
    for item in made:
        paired = compare(item.candidate, item.original, max(REPEATS), k)
        about = {
            "source": item.source,
            "mechanism": item.mechanism,
            "strength": item.strength,
            "rows": len(item.original),
            "label": item.label,
            "damage": item.damage,
        }
        inside = internal.measure(item.candidate, stream(SEED, "calibration", "alone"))
        about |= {f"a_{name}": value for name, value in inside.items()}
        rows += [about | {"repeats": r} | features(paired, r) for r in REPEATS]
    return rounded(pd.DataFrame(rows))


def rounded(pairs: pd.DataFrame) -> pd.DataFrame:
    """The features to four significant digits, as 32-bit numbers: so they are kept, and fitted."""
    names = [c for c in pairs.columns if c.startswith((*fit.PREFIXES, "a_"))]
    values = pairs[names].fillna(0.0).to_numpy(np.float64)
    with np.errstate(divide="ignore"):
        scale = 10.0 ** (3 - np.floor(np.log10(np.where(values == 0, 1.0, np.abs(values)))))
    return pairs.assign(**dict(zip(names, (np.rint(values * scale) / scale).astype(np.float32).T, strict=True)))


def collect(work: Path, todo: list[Job], processes: int) -> pd.DataFrame:
    """All pairs, measured unless the work folder has them."""
    work.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as pool:
        waiting = {job: pool.submit(_measure_into, work, job) for job in todo}
        for place, (job, future) in enumerate(waiting.items(), start=1):
            future.result()
            print(f"{place} of {len(todo)}: {job[0]} {job[1]}", file=sys.stderr, flush=True)
    return pd.concat([pd.read_parquet(_path(work, job)) for job in todo], ignore_index=True)


def _path(work: Path, job: Job) -> Path:
    return work / f"{job[0]}-{job[1]}.parquet"


def _measure_into(work: Path, job: Job) -> None:
    path = _path(work, job)
    if path.exists():
        return
    part = path.with_suffix(".part")
    measure(job).to_parquet(part, compression="zstd")
    part.replace(path)


def write(fitted: Calibration, provenance: dict[str, object], folder: Path) -> None:
    """The calibration as JSON and safetensors."""
    from safetensors.numpy import save

    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "version": fitted.version,
        "provenance": provenance,
        "names": fitted.names,
        "alone_names": fitted.alone_names,
        "scales": {str(repeats): scale for repeats, scale in fitted.scales.items()},
        "residual": fitted.residual.round(6).tolist(),
        "generations": fitted.generations.round(6).tolist(),
        "curves": {name: points.round(6).tolist() for name, points in fitted.curves.items()},
        "caution": fitted.caution.round(6).tolist(),
        "error_rates": fitted.error_rates.model_dump(mode="json") if fitted.error_rates else None,
    }
    forests = fitted.collapse.arrays("collapse") | fitted.damage.arrays("damage") | fitted.alone.arrays("alone")
    for name, content in (
        ("forests.safetensors", save(forests)),
        ("calibration.json", (json.dumps(about, indent=1) + "\n").encode()),
    ):
        part = folder / f"{name}.part"
        part.write_bytes(content)
        part.replace(folder / name)


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=Path("calibration-pairs"), help="folder for the measured pairs")
    parser.add_argument("--rounds", type=int, default=6, help="splits of each real table")
    parser.add_argument("--simulated", type=int, default=70, help="simulated tables")
    parser.add_argument("--narrow", type=int, default=100, help="simulated tables of few rows and columns")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path(str(files("foretrain.collapse"))) / "fitted")
    given = parser.parse_args(arguments)
    found = collect(given.work, jobs(given.rounds, given.simulated, given.narrow), given.processes)
    found.to_parquet(given.work / PAIRS, compression="zstd")
    fitted = fit.Fit(found).calibration()
    libraries = ("numpy", "scipy", "scikit-learn", "lightgbm", "torch", "statsmodels")
    provenance = {
        "command": f"{fit.COMMAND} --rounds {given.rounds} --simulated {given.simulated} --narrow {given.narrow}",
        "seed": SEED,
        "tables": list(real.CALIBRATION),
        "simulated_tables": given.simulated + given.narrow,
        "pairs": int((found["repeats"] == max(REPEATS)).sum()),
        "labelled": int(((found["repeats"] == max(REPEATS)) & found["label"].notna()).sum()),
        "versions": {name: version(name) for name in libraries},
    }
    write(fitted, provenance, given.out)
    print(fitted.version, fitted.error_rates)


if __name__ == "__main__":
    main()
