"""Does the command line say what it must, and end with the right status?"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pytest
from support import Pair
from unit.report.cascades import cascade

from foretrain.cascade.record import Cascade
from foretrain.cascade.sentences import sentences
from foretrain.cli import app, options
from foretrain.progress import Advance, advance
from foretrain.settings import Settings
from foretrain.validation import Validation

STATUS = {"approve": 0, "reject": 1, "review": 3, "underpowered": 3}


def foretrain(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        app.main([*arguments])
    assert isinstance(ended.value.code, int)
    said = capsys.readouterr()
    return ended.value.code, said.out, said.err


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def out(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("out")
    with pytest.raises(SystemExit):
        app.main(["validate", pair.candidate, "--original", pair.original, "--effort=quick", "--out", str(folder)])
    return str(folder)


def test_validate_says_verdict_severity_bars_and_what_next(
    pair: Pair, out: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, progress = foretrain(
        "validate", pair.candidate, "--original", pair.original, "--effort=quick", "--out", out, capsys=capsys
    )
    found = Validation.from_json(Path(out, "validation.json").read_bytes())
    assert status == STATUS[found.verdict]
    assert found.verdict.upper() in said
    for dimension in found.dimensions.values():
        assert dimension.title in said
    assert said.count("not measured") >= 2
    assert "Severity" in said
    assert "Next" in said
    assert "report.html" in re.sub(r"\s", "", said)
    assert max(len(line) for line in said.splitlines()) <= 80
    assert [line.split("  ")[0] for line in progress.splitlines()][:2] == ["load original", "load candidate"]
    assert all("restored" in line for line in progress.splitlines()), progress
    assert "\x1b" not in said + progress


def test_json_is_all_that_json_prints(pair: Pair, out: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, progress = foretrain(
        "validate", pair.candidate, "--original", pair.original, "--effort=quick", "--out", out, "--json", capsys=capsys
    )
    assert progress == ""
    assert json.loads(said)["verdict"] in STATUS
    assert status == STATUS[json.loads(said)["verdict"]]
    assert said == Path(out, "validation.json").read_text(encoding="utf-8")


def test_flags_reach_the_settings(pair: Pair, out: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("seed = 1\n[profile]\nsample_rows = 5000\n[cascade]\nmode = 'full'\nmargin = 0.1\n")
    flags = [
        "--seed=9",
        "--effort=quick",
        "--target=label",
        "--cascade=off",
        "--format=csv",
        f"--config={config}",
        f"--checkpoints={out}/c",
    ]
    _, said, _ = foretrain("validate", pair.candidate, "--original", pair.original, *flags, "--json", capsys=capsys)
    found = Validation.from_json(said)
    settings = found.settings
    assert (settings.seed, settings.effort.value, settings.target) == (9, "quick", "label")
    assert (settings.data.format, settings.profile.sample_rows, settings.checkpoints) == ("csv", 5000, f"{out}/c")
    assert (settings.cascade.mode, settings.cascade.margin) == ("off", 0.1)
    assert found.not_run["cascade"] == "no proxy models were trained: cascade.mode is off"
    assert Path("foretrain-out/candidate.csv/validation.json").exists()  # the folder when --out is not given


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("data/synthetic.csv", "synthetic.csv"),
        ("synthetic.parquet", "synthetic.parquet"),
        ("s3://lake/year=2024/", "year-2024"),
        ("parts/part-*.csv.gz", "part--.csv.gz"),
        ("https://user:word@host/a.csv?X-Amz-Signature=secret", "a.csv"),
        ("..", "dataset"),
    ],
)
def test_each_candidate_has_an_output_folder_of_its_own(source: str, name: str) -> None:
    assert options.folder(None, source) == f"foretrain-out/{name}"
    assert options.folder("out", source) == "out"


def test_inspect_shows_it_again_with_the_same_status(out: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = foretrain("inspect", out, capsys=capsys)
    found = Validation.from_json(Path(out, "validation.json").read_bytes())
    assert status == STATUS[found.verdict]
    assert found.verdict.upper() in said
    assert foretrain("inspect", f"{out}/validation.json", "--json", capsys=capsys)[1] == found.to_json()


def test_profile_describes_one_dataset(pair: Pair, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = foretrain("profile", pair.original, "--out", str(tmp_path / "p"), capsys=capsys)
    assert status == 0
    assert "300 rows x 4 columns" in said
    for word in ("age", "income", "city", "label", "categorical", "Bern"):
        assert word in said
    status, said, _ = foretrain("profile", pair.original, "--json", capsys=capsys)
    assert [column["name"] for column in json.loads(said)["summary"]] == ["age", "income", "city", "label"]
    assert json.loads((tmp_path / "p" / "profile.json").read_text())["rows"] == 300


def test_profile_tells_times_as_people_write_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    days = [f"2024-02-{day:02},{day:02}:00:00" for day in range(1, 20)]
    (tmp_path / "a.csv").write_text("when,lasted\n" + "\n".join(days))
    said = re.sub(r"\s+", " ", foretrain("profile", "a.csv", capsys=capsys)[1])
    assert "2024-02-01 to 2024-02-19, mean 2024-02-10" in said
    assert "01:00:00 to 19:00:00, mean 10:00:00" in said
    when, lasted = json.loads(foretrain("profile", "a.csv", "--json", capsys=capsys)[1])["summary"]
    assert (when["minimum"], lasted["maximum"]) == ("2024-02-01", "19:00:00")


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """In place of the cascade; the settings of each call."""
    seen: list[Settings] = []

    def train(candidate: object, original: object | None, settings: Settings, folder: object) -> Cascade:
        seen.append(settings)
        advance(Advance(0.5, "half of it", {"device": "cpu"}))
        return cascade(original=original is not None, target=settings.target)

    monkeypatch.setattr("foretrain.cascade.train", train, raising=False)
    return seen


def test_cascade_alone_says_what_was_lost_and_validate_goes_on_from_there(
    pair: Pair, trained: list[Settings], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [pair.candidate, "--original", pair.original, "--effort=quick", "--target=label", "--out", str(tmp_path)]
    status, said, progress = foretrain("cascade", *words, capsys=capsys)
    assert status == 0
    for expected in (*sentences(cascade()), "Resonance NN", "harm: candidate less original", "child less candidate"):
        assert expected in re.sub(r"\s+", " ", said)
    assert "18 of 18 models finished: classification of 'label'" in said
    assert max(len(line) for line in said.splitlines()) <= 80
    steps = [line.split("  ")[0] for line in progress.splitlines()]
    assert steps == ["load original", "load candidate", "profile original", "profile candidate", "cascade", "cascade"]
    assert "cascade            50% half of it, device cpu\n" in progress
    found = Cascade.model_validate_json((tmp_path / "cascade.json").read_bytes())
    assert foretrain("cascade", *words, "--json", capsys=capsys)[1:] == (f"{found.model_dump_json(indent=2)}\n", "")
    _, validated, progress = foretrain("validate", *words, "--cascade=full", capsys=capsys)
    assert re.search(r"^cascade +restored", progress, re.MULTILINE)
    assert "Training" in validated
    assert Validation.from_json((tmp_path / "validation.json").read_bytes()).cascade == found
    assert [settings.effort for settings in trained] == ["quick"]


def test_cascade_without_an_original_shows_decay_only(
    pair: Pair, trained: list[Settings], capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, _ = foretrain("cascade", pair.candidate, capsys=capsys)
    assert status == 0
    assert "harm:" not in said
    assert "decay in one more generation: grandchild less child" in said
    assert Path("foretrain-out/candidate.csv/cascade.json").exists()


def test_sources_and_output_in_an_object_store(pair: Pair, gcs: str, capsys: pytest.CaptureFixture[str]) -> None:
    fs = fsspec.filesystem("gs")
    for name, file in (("synthetic", pair.candidate), ("real", pair.original)):
        fs.put_file(file, f"{gcs}/{name}.csv")
    out = f"{gcs}/out"
    command = ["validate", f"{gcs}/synthetic.csv", "--original", f"{gcs}/real.csv", "--effort=quick", "--out", out]
    status, said, _ = foretrain(*command, "--json", capsys=capsys)
    assert status == STATUS[json.loads(said)["verdict"]]
    assert fs.cat_file(f"{out}/validation.json").decode() == said
    assert b"</html>" in fs.cat_file(f"{out}/report.html")
    _, shown, progress = foretrain(*command, capsys=capsys)
    assert progress.count(" restored ") == 9
    assert f"{out}/report.html" in shown
    assert foretrain("inspect", out, "--json", capsys=capsys)[:2] == (status, said)


def test_config_show_is_a_file_to_start_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORETRAIN_DATA__KINDS", '{"Zip Code": "text"}')
    status, said, _ = foretrain("config", "show", capsys=capsys)
    assert status == 0
    assert "# From: environment. In the environment: FORETRAIN_DATA__KINDS" in said
    monkeypatch.delenv("FORETRAIN_DATA__KINDS")
    file = tmp_path / "again.toml"
    file.write_text(said)
    _, plain, _ = foretrain("config", "show", "--config", str(file), "--json", capsys=capsys)
    assert json.loads(plain)["data"]["kinds"] == {"Zip Code": "text"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["validate", "none.csv"], "none.csv"),
        (["validate", "PAIR", "--original", "none.csv"], "none.csv"),
        (["validate", "PAIR", "--config", "none.toml"], "none.toml: the configuration cannot be read"),
        (["validate", "PAIR", "--out", "/dev/null/x", "--effort=quick"], "/dev/null/x"),
        (["validate", "PAIR", "--prefect"], "--prefect needs the package foretrain_flows"),
        (["profile", "none.csv"], "none.csv"),
        (["inspect", "nowhere"], "nowhere/validation.json: no validation was found"),
        (["inspect", "PAIR"], "no validation was found"),
    ],
)
def test_what_is_wrong_is_one_line_and_status_2(
    pair: Pair, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, error = foretrain(*[pair.candidate if word == "PAIR" else word for word in arguments], capsys=capsys)
    last = error.splitlines()[-1]
    assert (status, said) == (2, "")
    assert last.startswith("foretrain: ")
    assert line in last
    assert "Traceback" not in error


def test_what_is_no_validation_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for text in ('{"verdict": "approve"}', "{", "[]"):
        (tmp_path / "validation.json").write_text(text)
        status, _, error = foretrain("inspect", str(tmp_path), capsys=capsys)
        assert status == 2
        assert "no validation of this version" in error
        assert error.count("\n") == 1


def test_a_mistake_of_ours_is_never_taken_for_a_rejection(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("foretrain.api.validate", lambda *_, **__: 1 / 0)
    status, _, error = foretrain("validate", pair.candidate, capsys=capsys)
    assert status == 2
    assert "a mistake of ours, please report it: ZeroDivisionError" in error


@pytest.mark.parametrize("arguments", [["--nope"], ["validate"], ["validate", "x", "--effort=slow"], ["nope"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert foretrain(*arguments, capsys=capsys)[0] == 2


@pytest.mark.parametrize(
    "arguments", [["--help"], ["validate", "--help"], ["cascade", "-h"], ["profile", "-h"], ["config", "show", "-h"]]
)
def test_help_fits_80_columns(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status, said, _ = foretrain(*arguments, capsys=capsys)
    assert status == 0
    assert max(len(line) for line in said.splitlines()) <= 80


def test_help_names_every_flag_and_the_exit_status(capsys: pytest.CaptureFixture[str]) -> None:
    _, said, _ = foretrain("validate", "--help", capsys=capsys)
    flags = "original target time-column out config seed format effort cascade json prefect checkpoints"
    for flag in flags.split():
        assert f"--{flag}" in said
    assert "0 approve, 1 reject, 2 error, 3 review or underpowered" in re.sub(r"\s+", " ", said)


def test_interruption_says_what_is_kept_and_how_to_go_on(pair: Pair, tmp_path: Path) -> None:
    script = (
        "import foretrain.profile, sys, time\n"
        "from foretrain.cli.app import main\n"
        "foretrain.profile.profile = lambda **_: (print('in the midst', file=sys.stderr, flush=True), time.sleep(60))\n"
        "main()"
    )
    command = [sys.executable, "-c", script, "validate", pair.candidate, "--original", pair.original, "--out", "out"]
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    said = ""
    for line in child.stderr:
        said += line
        if line == "in the midst\n":
            break
    time.sleep(0.5)
    os.kill(child.pid, signal.SIGINT)
    rest = child.communicate(timeout=120)[1]
    assert "load candidate" in said
    assert rest.strip().splitlines() == [
        "Interrupted. Kept in out/checkpoints: load original, load candidate. The same command goes on from there."
    ]
    assert child.returncode == 130
