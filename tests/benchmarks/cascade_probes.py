"""Do gradients and curvature before training tell collapsed texts and images from healthy ones?

    python tests/benchmarks/cascade_probes.py [--results FILE]

Four sources each: docstrings of four packages, a sentence a row; the digits of scikit-learn, 0 to 4 and 5 to 9, with
the digit to tell and without. Of each source, two fresh samples are healthy; of the original, generations 3 and 8 of
the loop of the child's own generator are collapsed. "power" is the area under the ROC curve of a departure, as it is
and beyond its noise; the nets are those of the cascade, before training. What is only seen after training is not
measured here. Of as many candidates a side, chance alone reaches a power of .77 in one of twenty cases.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.datasets import load_digits

from foretrain.cascade import probes
from foretrain.cascade.calibration.studies import study_of_rows
from foretrain.cascade.catalogue import BY_NAME
from foretrain.cascade.generation import child
from foretrain.cascade.record import Data
from foretrain.cascade.rows.preparation import tokens
from foretrain.cascade.tiers import tiers
from foretrain.cascade.tiers.tier import NetTier
from foretrain.collapse.dimensions.scale import CERTAIN
from foretrain.collapse.loops import real
from foretrain.collapse.statistics.models import auc
from foretrain.collapse.table import Table
from foretrain.seeds import stream
from foretrain.settings import Effort, Settings

PACKAGES = ("sklearn", "scipy", "pandas", "statsmodels")
TEXTS = 500
"""Sentences of an original, and of each candidate."""

LONGEST = 160
"""Bytes of a sentence at most."""

IMAGES = 290
GENERATIONS = (3, 8)


@dataclass(frozen=True)
class Pair:
    """A candidate and its original."""

    data: Data
    source: str
    candidate: pa.Table
    original: pa.Table
    mechanism: str
    harmful: bool
    target: str | None


def texts(package: str) -> Iterator[Pair]:
    """Pairs of a package's docstrings."""
    chance = stream(0, "probes", package)
    found = list(dict.fromkeys(sentences(package, 3 * TEXTS)))
    rows = [found[k] for k in chance.permutation(len(found))]
    original, *fresh = (rows[k * TEXTS : (k + 1) * TEXTS] for k in range(3))
    made = [("fresh sample", False, each) for each in fresh]
    drawn = tokens(original, LONGEST)
    for generation in range(1, max(GENERATIONS) + 1):
        drawn = child.draw_texts(drawn, TEXTS, chance)
        if generation in GENERATIONS:
            made.append((f"loop of {generation}", True, [written(each) for each in drawn]))
    for mechanism, harmful, rows in made:
        candidate, real_rows = (pa.table({"text": pa.array(side, pa.string())}) for side in (rows, original))
        yield Pair("text", package, candidate, real_rows, mechanism, harmful, None)


def sentences(package: str, wanted: int) -> Iterator[str]:
    """Sentences of a package's docstrings, file after file, until there are as many."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed")
    seen: set[str] = set()
    for file in sorted(Path(spec.origin).parent.rglob("*.py")):
        if "test" in str(file):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module):
                told = re.sub(r"\s+", " ", ast.get_docstring(node) or "")
                for sentence in re.split(r"(?<=[.!?]) ", told):
                    if 30 <= len(sentence.encode()) <= LONGEST and re.fullmatch(r"[A-Z][\w ,.'()-]+", sentence):
                        seen.add(sentence)
                        yield sentence
        if len(seen) >= wanted:
            return


def written(row: np.ndarray) -> str:
    """A text of its tokens."""
    return bytes(int(k) - 1 for k in row if k).decode(errors="replace")


def images(digits: str, told: bool) -> Iterator[Pair]:
    """Pairs of images of these digits."""
    chance = stream(0, "probes", digits, str(told))
    found = load_digits(as_frame=True)
    frame = found.data.assign(digit=found.target.astype(str)) if told else found.data
    frame = frame[found.target.astype(str).isin(list(digits))].sample(frac=1, random_state=chance.integers(2**31))
    goal = "digit" if told else None
    rows = real.from_frame(frame.reset_index(drop=True), goal)
    original, *fresh = (rows.take(slice(k * IMAGES, (k + 1) * IMAGES)) for k in range(3))
    made = [("fresh sample", False, each) for each in fresh]
    drawn = original
    for generation in range(1, max(GENERATIONS) + 1):
        drawn = child.draw(drawn, "components", IMAGES, chance)
        if generation in GENERATIONS:
            made.append((f"loop of {generation}", True, drawn))
    source = f"digits {digits}, {'with' if told else 'without'} a target"
    for mechanism, harmful, candidate in made:
        yield Pair("image", source, pictures(candidate), pictures(original), mechanism, harmful, goal)


def pictures(table: Table) -> pa.Table:
    """A column of pixels, and the digit where it is told."""
    columns = {"pixels": pa.array(list(table.numbers.astype(np.float32)), pa.list_(pa.float32(), 64))}
    if table.codes.shape[1]:
        columns["digit"] = pa.array([f"level {code}" for code in table.codes[:, 0]])
    return pa.table(columns)


def pairs() -> Iterator[Pair]:
    for package in PACKAGES:
        yield from texts(package)
    for told in (True, False):
        for digits in ("01234", "56789"):
            yield from images(digits, told)


def measure(pair: Pair, seed: int) -> dict[str, object]:
    """Each departure and its noise, by probe and net."""
    kinds = {"data": {"kinds": {"text": "text"}}} if pair.data == "text" else {"cascade": {"data": "image"}}
    settings = Settings.model_validate({"seed": seed, "effort": Effort.QUICK, "target": pair.target, **kinds})
    study = study_of_rows(pair.candidate, pair.original, settings)
    row: dict[str, object] = {"data": pair.data, "source": pair.source, "mechanism": pair.mechanism,
                              "label": int(pair.harmful)}  # fmt: skip
    arms = {name: arm for name, arm in study.arms.items() if name in ("original", "candidate")}
    for tier in tiers(study.problem):
        if isinstance(tier, NetTier):
            for found in probes.measure(study.problem, tier, arms, seed)[0]:
                row |= {f"d_{found.name}@{tier.name}": found.difference, f"n_{found.name}@{tier.name}": found.noise}
    return row


def show(found: pd.DataFrame) -> None:
    """The power of each probe in each net."""
    for data, of in found.groupby("data", sort=False):
        harmful = of["label"].to_numpy() > 0
        rows = []
        for column in of.dropna(axis=1, how="all").columns:
            if column.startswith("d_"):
                name, tier = column.removeprefix("d_").split("@")
                gap, noise = of[column].to_numpy(np.float64), of["n_" + column[2:]].to_numpy(np.float64)
                worse = BY_NAME[name].worse
                departure = np.abs(gap) if worse == "any" else gap if worse == "more" else -gap
                beyond = departure > CERTAIN * noise
                rows.append({
                    "net": tier,
                    "probe": name,
                    "power": auc(departure, harmful),
                    "beyond noise": auc(np.where(beyond, departure, 0.0), harmful),
                    "harmful beyond noise": beyond[harmful].mean(),
                    "harmless beyond noise": beyond[~harmful].mean(),
                })  # fmt: skip
        sides = f"{harmful.sum()} collapsed and {(~harmful).sum()} healthy candidates"
        print(f"\n{data}: {sides} of {of['source'].nunique()} sources")
        print(pd.DataFrame(rows).sort_values(["net", "power"], ascending=[True, False]).round(3).to_string(index=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, help="keep a line of JSON a pair here")
    given = parser.parse_args()
    done = []
    for number, pair in enumerate(pairs()):
        done.append(measure(pair, number))
        if given.results:
            given.results.write_text("".join(json.dumps(row) + "\n" for row in done))
    show(pd.DataFrame(done))


if __name__ == "__main__":
    main()
