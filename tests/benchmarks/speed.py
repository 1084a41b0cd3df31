"""What does each stage cost, beside the floor and beside a peer's report?

    python tests/benchmarks/speed.py                          10k, 100k and 1M rows x 20 mixed columns and a timestamp
    python tests/benchmarks/speed.py --rows 10000 --effort quick
    python tests/benchmarks/speed.py --small                  1,000 rows x 10 columns, many times: median and p99

Every line is measured in a process of its own, so that its peak memory is its own; stages before it are restored from
the checkpoint store. CPU seconds are of all threads, and without imports: each process first does its work on a
small pair. "chain" is all stages but the cascade, "all" is all of them. "floor" is pyarrow streaming both files once;
"peer" is SDMetrics' QualityReport, reading included.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from foretrain import pipeline

STAGES = tuple(stage.name for stage in pipeline.STAGES)
TRAINED = "cascade"
"""The stage that trains models: the chain is summed without it, and with it where it runs."""

LEVELS = (2, 3, 5, 10, 50, 100, 500, 1000)


def table(rows: int, seed: int, numbers: int = 12, levels: tuple[int, ...] = LEVELS) -> pa.Table:
    """Correlated numbers with 1 % nulls in five of them, categories of Zipf frequencies, a timestamp."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=rows)
    columns: dict[str, pa.Array] = {}
    for place in range(numbers):
        values = common * np.sqrt(place / numbers) + rng.normal(size=rows)
        values = np.exp(values) if place % 3 == 2 else values
        columns[f"number_{place}"] = pa.array(values, mask=rng.random(rows) < (0.01 if place < 5 else 0.0))
    for count in levels:
        shares = 1.0 / np.arange(1, count + 1)
        names = np.array([f"level {each}" for each in range(count)])
        columns[f"category_{count}"] = pa.array(names[rng.choice(count, rows, p=shares / shares.sum())])
    columns["moment"] = pa.array(1_700_000_000_000_000 + rng.integers(0, 10**13, rows), pa.timestamp("us"))
    return pa.table(columns)


def synthetic(real: pa.Table, seed: int) -> pa.Table:
    """A stand-in as generators make them: a bootstrap with noise, tails cut and the rarest categories merged."""
    rng = np.random.default_rng(seed)
    drawn = real.take(pa.array(rng.integers(0, real.num_rows, real.num_rows))).combine_chunks()
    for place, name in enumerate(drawn.column_names):
        column = drawn[name].combine_chunks()
        if name.startswith("number"):
            values = column.to_numpy(zero_copy_only=False)
            low, high = np.nanquantile(values, [0.002, 0.998])
            values = np.clip(values + 0.05 * np.nanstd(values) * rng.normal(size=len(values)), low, high)
            drawn = drawn.set_column(place, name, pa.array(values, from_pandas=True))
        elif name.startswith("category") and (count := int(name.split("_")[1])) > 50:
            merged = pa.compute.if_else(pa.compute.equal(column, f"level {count - 1}"), "level 0", column)
            drawn = drawn.set_column(place, name, merged)
    return drawn


def files(folder: Path, rows: int, **options: Any) -> tuple[Path, Path]:
    """Paths of the original and the candidate, made where missing."""
    folder.mkdir(parents=True, exist_ok=True)
    original, candidate = folder / "original.parquet", folder / "candidate.parquet"
    if not candidate.exists():
        real = table(rows, 1, **options)
        pq.write_table(real, original)
        pq.write_table(synthetic(real, 2), candidate)
    return original, candidate


def floor(original: Path, candidate: Path) -> None:
    for path in (original, candidate):
        for _ in pq.ParquetFile(path).iter_batches(65536):
            pass


def peer(original: Path, candidate: Path) -> None:
    real, made = (pq.read_table(path).to_pandas() for path in (original, candidate))
    kinds = {"n": "numerical", "c": "categorical", "m": "datetime"}
    metadata = {"columns": {name: {"sdtype": kinds[name[0]]} for name in real}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from sdmetrics.reports.single_table import QualityReport

        report = QualityReport()
        report.generate(real, made, metadata, verbose=False)
        report.get_score()


class Done(Exception):
    """The stage asked for is over."""


def stage(name: str, original: Path, candidate: Path, effort: str) -> dict[str, float]:
    """Wall and CPU seconds of one stage; those before it are restored, or computed, and not counted."""
    from foretrain import runner
    from foretrain.checkpoint import Store
    from foretrain.pipeline import Step
    from foretrain.settings import Effort, Settings

    spent = {"wall": 0.0, "cpu": 0.0}

    def run(step: Step, given: Mapping[str, Any], settings: Settings, store: Store) -> runner.Result[Any]:
        counted = step.stage.name == name
        if not counted and STAGES.index(step.stage.name) > STAGES.index(name):
            raise Done
        wall, cpu = time.perf_counter(), time.process_time()
        result = runner.execute(step, given, settings, store)
        if counted:
            spent["wall"] += time.perf_counter() - wall
            spent["cpu"] += time.process_time() - cpu
        return result

    folder = original.parent
    sources: dict[Any, object] = {"original": original, "candidate": candidate}
    with contextlib.suppress(Done):
        runner.follow(sources, Settings(effort=Effort(effort)), Store(str(folder / effort)), str(folder / "out"), run)
    return spent


def child(name: str, folder: Path, rows: int, effort: str) -> None:
    """Print what one line of the table costs, in this process."""
    for place, size in (("warm", 600), (str(rows), rows)):
        pair = files(folder / place, size)
        if name in STAGES:
            spent = stage(name, *pair, effort)
        else:
            wall, cpu = time.perf_counter(), time.process_time()
            {"floor": floor, "peer": peer}[name](*pair)
            spent = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    print(json.dumps(spent | {"peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def measured(name: str, folder: Path, rows: int, effort: str) -> dict[str, float]:
    """What one line costs, in a process of its own."""
    here = [sys.executable, __file__, "--rows", str(rows), "--effort", effort, "--child", name, "--folder", str(folder)]
    done = subprocess.run(here, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def compare(rows: int, folder: Path, effort: str) -> None:
    """Print the table for one size."""
    files(folder / "warm", 600)
    paths = files(folder / str(rows), rows)
    width, size = len(LEVELS) + 13, sum(path.stat().st_size for path in paths) / 2**20
    print(f"\n{rows:,} rows x {width} columns, twice ({size:.0f} MB of Parquet), effort {effort}")
    print(f"{'':12}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'x floor':>9}{'of peer':>9}")
    lines = {name: measured(name, folder, rows, effort) for name in ("floor", *STAGES, "peer")}
    for title, parts in (("chain", [name for name in STAGES if name != TRAINED]), ("all", STAGES)):
        chain = [lines[name] for name in parts]
        lines[title] = {key: sum(line[key] for line in chain) for key in ("wall", "cpu")}
        lines[title]["peak"] = max(line["peak"] for line in chain)
    for name in ("floor", *STAGES, "chain", "all", "peer"):
        line = lines[name]
        print(
            f"{name:12}{line['wall']:9.2f}{line['cpu']:9.2f}{line['peak']:9.0f}"
            f"{line['cpu'] / lines['floor']['cpu']:9.1f}{line['cpu'] / lines['peer']['cpu']:9.1%}"
        )


def small(effort: str, cascade: str, times: int = 40) -> None:
    """Print median and 99th percentile of a whole validation of 1,000 rows x 10 columns, once imported."""
    import foretrain

    with tempfile.TemporaryDirectory() as folder:
        original, candidate = files(Path(folder), 1000, numbers=6, levels=(2, 5, 50))
        foretrain.validate(candidate, original, config={"effort": effort, "cascade": {"mode": cascade}})
        walls, cpus = [], []
        for seed in range(times):
            wall, cpu = time.perf_counter(), time.process_time()
            foretrain.validate(
                candidate, original, config={"effort": effort, "seed": seed, "cascade": {"mode": cascade}}
            )
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
    for what, values in (("wall", walls), ("CPU", cpus)):
        middle, worst = np.quantile(values, [0.5, 0.99])
        told = f"{what} median {middle:.2f} s, p99 {worst:.2f} s, of {times}"
        print(f"1,000 rows x 10 columns, {effort}, cascade {cascade}: {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--effort", default="standard", choices=["quick", "standard", "thorough"])
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--cascade", default="off", choices=["off", "auto", "full"], help="of --small")
    parser.add_argument("--folder", type=Path, help="keep the files here, and restore what was computed before")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.folder, options.rows[0], options.effort)
    elif options.small:
        small(options.effort, options.cascade)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            for rows in options.rows:
                compare(rows, options.folder or Path(scratch), options.effort)


if __name__ == "__main__":
    main()
