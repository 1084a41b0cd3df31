"""Is the prescreen a stage like any other, that spares the cascade only when told, and remembers only when told?"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from support import Pair

import foretrain
from foretrain import pipeline, runner
from foretrain.checkpoint import Store
from foretrain.cli import app
from foretrain.collapse.loops import real
from foretrain.pipeline import BY_NAME
from foretrain.settings import CascadeMode, CascadeSettings, Effort, PrescreenSettings, Settings, SignatureSettings
from foretrain.signatures import collection, library
from foretrain.signatures.library import Library
from foretrain.signatures.record import HEALTHY, Prescreen
from foretrain.validation import Validation


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """Half of the candidate's rows are copies of a few."""
    folder = tmp_path_factory.mktemp("sick")
    rows, _ = real.frame("fair")
    rows = rows.sample(800, random_state=1)
    rows[:400].to_csv(folder / "original.csv", index=False)
    copies = pd.concat([rows[400:600], rows[400:410].sample(200, replace=True, random_state=0)])
    copies.to_csv(folder / "candidate.csv", index=False)
    return Pair(str(folder / "candidate.csv"), str(folder / "original.csv"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    own = SignatureSettings(folder=str(tmp_path / "own"))
    return Settings(effort=Effort.QUICK, target="affair", signatures=own)


def screened(pair: Pair, settings: Settings, store: Path) -> Prescreen:
    sources = {"candidate": pair.candidate, "original": pair.original}
    found = runner.through("prescreen", sources, settings, Store(str(store))).record  # type: ignore[arg-type]
    assert isinstance(found, Prescreen)
    return found


def test_it_names_the_failure(sick: Pair, settings: Settings, tmp_path: Path) -> None:
    found = screened(sick, settings, tmp_path)
    assert found.mechanisms[0].mechanism == "duplicates"
    assert found.prior > 0.9
    assert not found.novel
    assert found.sentence.startswith("It looks like duplicated rows")
    assert found.matches[0].similarity > 0.7
    again = screened(sick, settings, tmp_path / "other")
    assert again.model_copy(update={"vector": ""}) == found.model_copy(update={"vector": ""})


def test_a_validation_holds_and_shows_it(pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app.main(["validate", pair.candidate, "--original", pair.original, "--effort=quick", "--out", str(tmp_path)])
    found = Validation.from_json((tmp_path / "validation.json").read_bytes())
    assert found.prescreen is not None
    assert "Looks like" in capsys.readouterr().out


def test_without_an_original_or_with_few_rows_it_is_not_run(pair: Pair, tmp_path: Path) -> None:
    quick = Settings(effort=Effort.QUICK)
    found = foretrain.validate(pair.candidate, config=quick)
    assert found.prescreen is None
    assert found.not_run["prescreen"].startswith("known failures are departures from an original")
    few = pd.read_csv(pair.candidate)[:19]
    found = foretrain.validate(few, pair.original, config=quick)
    assert found.not_run["prescreen"] == "it takes 20 rows a table"


@pytest.mark.parametrize(
    ("mode", "effort", "skip", "prior", "novel", "spared"),
    [
        ("auto", Effort.STANDARD, (0.0, 0.99), 0.995, False, True),
        ("auto", Effort.STANDARD, (0.0, 0.99), 0.985, False, False),
        ("auto", Effort.STANDARD, (0.0, 0.99), 0.001, False, False),
        ("auto", Effort.STANDARD, (0.02, 0.99), 0.001, False, True),
        ("auto", Effort.STANDARD, (0.0, 0.99), 0.995, True, False),
        ("full", Effort.STANDARD, (0.0, 0.99), 0.995, False, False),
        ("auto", Effort.THOROUGH, (0.0, 1.0), 0.995, False, False),
    ],
)
def test_only_a_clear_case_spares_the_cascade_and_only_at_auto(
    mode: str, effort: Effort, skip: tuple[float, float], prior: float, novel: bool, spared: bool
) -> None:
    found = Prescreen.model_validate_json(json.dumps(_said(prior, novel)))
    settings = Settings(
        effort=effort,
        cascade=CascadeSettings(mode=CascadeMode(mode)),
        prescreen=PrescreenSettings(skip_below=skip[0], skip_above=skip[1]),
    )
    why = BY_NAME["cascade"].not_run(settings, {"prescreen": found})
    assert (why is not None) == spared
    assert why is None or why.startswith("no proxy models were trained: the prescreen is sure enough")
    off = settings.model_copy(update={"cascade": CascadeSettings(mode=CascadeMode.OFF)})
    assert BY_NAME["cascade"].not_run(off, {"prescreen": found}) == "no proxy models were trained: cascade.mode is off"


def _said(prior: float, novel: bool) -> dict[str, object]:
    signature = {"id": "a", "mechanism": "copula", "strength": 5, "generations": 4, "damage": 0.5}
    return {
        "matches": [
            {"similarity": 0.93, "signature": signature | {"collapsed": True, "origin": "loops", "dataset": "iris"}}
        ],
        "mechanisms": [{"mechanism": "copula", "share": 0.7}],
        "generations": 4,
        "prior": prior,
        "novelty": 0.5,
        "novel": novel,
        "cluster": None,
        "sentence": "It looks like a Gaussian copula.",
        "library": 100,
        "version": 1,
        "pair": "p",
        "vector": "v",
    }


def test_a_spared_cascade_is_said_not_to_be_run_and_the_verdict_stands(
    sick: Pair, settings: Settings, tmp_path: Path
) -> None:
    standard = settings.model_copy(
        update={"effort": Effort.STANDARD, "prescreen": PrescreenSettings(skip_above=0.5)},
    )
    found = foretrain.validate(sick.candidate, sick.original, config=standard, out=tmp_path)
    assert found.verdict == "reject"
    assert found.cascade is None
    assert "the prescreen is sure enough" in found.not_run["cascade"]
    assert "looks like duplicated rows" in found.not_run["cascade"]
    assert found.dimensions["gradient_health"].reason == found.not_run["cascade"]


def test_what_is_recorded_is_known_next_time_and_does_not_judge_itself(
    sick: Pair, settings: Settings, tmp_path: Path
) -> None:
    record = settings.model_copy(
        update={"signatures": settings.signatures.model_copy(update={"record": True})},
    )
    first = foretrain.validate(sick.candidate, sick.original, config=settings, out=tmp_path / "out")
    assert not Library.exists(settings.signatures)
    foretrain.validate(sick.candidate, sick.original, config=record, out=tmp_path / "out")
    (kept,) = Library.of(settings.signatures).read().signatures
    assert first.prescreen is not None
    assert (kept.id, kept.verdict, kept.collapsed, kept.origin) == (first.prescreen.pair, "reject", None, "validation")
    again = screened(sick, settings, tmp_path / "out" / "checkpoints")
    assert kept.id not in {match.signature.id for match in again.matches}
    other = tmp_path / "other.csv"
    pd.read_csv(sick.candidate)[:-1].to_csv(other, index=False)
    like = screened(Pair(str(other), sick.original), settings, tmp_path / "out" / "checkpoints")
    assert like.matches[0].signature == kept
    assert like.matches[0].similarity > 0.9


def test_a_damaged_library_fails_the_prescreen_alone(sick: Pair, settings: Settings, tmp_path: Path) -> None:
    record = settings.model_copy(update={"signatures": settings.signatures.model_copy(update={"record": True})})
    foretrain.validate(sick.candidate, sick.original, config=record, out=tmp_path / "out")
    (file,) = (tmp_path / "own").glob("*.safetensors")
    file.write_bytes(b"torn")
    found = foretrain.validate(sick.candidate, sick.original, config=record, out=tmp_path / "new")
    assert found.verdict == "reject"
    assert found.prescreen is None
    assert file.name in found.failures["prescreen"]


def run(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main(["signatures", *words])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_commands(
    sick: Pair,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORETRAIN_SIGNATURES__FOLDER", settings.signatures.folder)
    monkeypatch.setenv("COLUMNS", "200")
    out = str(tmp_path / "out")
    foretrain.validate(sick.candidate, sick.original, config=settings, out=out)
    assert run("add", out, "--mechanism", "copies", capsys=capsys)[0] == 0
    status, said, _ = run("list", capsys=capsys)
    assert (status, "copies" in said, "collapsed" in said) == (0, True, True)
    (listed,) = json.loads(run("list", "--json", capsys=capsys)[1])
    assert (listed["mechanism"], listed["collapsed"], listed["origin"]) == ("copies", True, "user")
    assert "duplicates" in run("list", "--shipped", capsys=capsys)[1]
    assert run("export", str(tmp_path / "kept"), capsys=capsys)[:2] == (
        0,
        f"1 signatures written to {tmp_path / 'kept'}\n",
    )
    (before,) = collection.read(str(tmp_path / "kept")).vectors
    monkeypatch.setattr(library, "VERSION", 0)  # as an earlier version of Foretrain would have left it
    Library.of(settings.signatures).add(collection.read(str(tmp_path / "kept")), newer=True)
    monkeypatch.setattr(library, "VERSION", 1)
    status, _, error = run("export", str(tmp_path / "no"), capsys=capsys)
    assert (status, "embedding version 0" in error) == (2, True)
    status, said, _ = run("rebuild", capsys=capsys)
    assert (status, said) == (0, "1 signatures in one file, 1 of them made again; 0 left as they are\n")
    (after,) = Library.of(settings.signatures).read().vectors
    assert np.array_equal(before, after)
    (file,) = Path(settings.signatures.folder).glob("*.safetensors")
    file.write_bytes(b"torn")
    Path(sick.candidate).rename(tmp_path / "away.csv")
    try:
        assert run("rebuild", capsys=capsys)[0] == 2
        assert run("rebuild", "--forget", capsys=capsys)[0] == 0
    finally:
        (tmp_path / "away.csv").rename(sick.candidate)
    assert len(Library.of(settings.signatures).read()) == 0
    assert run("add", str(tmp_path / "kept"), capsys=capsys)[1] == "1 signatures added\n"
    assert run("add", str(tmp_path / "nothing"), capsys=capsys)[0] == 2


def test_a_healthy_candidate_looks_healthy(pair: Pair, tmp_path: Path) -> None:
    found = screened(pair, Settings(target="label"), tmp_path)
    assert found.mechanisms[0].mechanism == HEALTHY
    assert found.prior < 0.5
    assert pipeline.BY_NAME["prescreen"].finding(found).startswith("looks like healthy")
