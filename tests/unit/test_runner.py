"""Does a run compute what it must, restore what it can, and go on where it may?"""

from __future__ import annotations

import contextlib
import json
import logging
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from support import Pair

import foretrain
from foretrain import runner
from foretrain.errors import DataError, ModelError, StorageError
from foretrain.pipeline import Step
from foretrain.record import Record
from foretrain.runner import Result
from foretrain.settings import Effort, Settings, VerdictSettings
from foretrain.validation import Validation

QUICK = Settings(effort=Effort.QUICK, target="label")
ALL = ["load original", "load candidate", "profile original", "profile candidate", "diversity", "collapse", "report"]


class Told:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.computed: list[str] = []
        self.restored: list[str] = []
        self.failures: list[str] = []

    def started(self, step: Step) -> None:
        pass

    def ended(self, step: Step, result: Result[Record]) -> None:
        assert result.finding
        (self.restored if result.restored else self.computed).append(str(step))

    def failed(self, step: Step, error: BaseException) -> None:
        self.failures.append(str(step))


def run(pair: Pair, out: Path, settings: Settings = QUICK) -> tuple[Validation, Told]:
    told = Told()
    with runner.told(told):
        return foretrain.validate(pair.candidate, pair.original, config=settings, out=out), told


@pytest.fixture(scope="module")
def done(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Validation]:
    out = tmp_path_factory.mktemp("done")
    found, told = run(pair, out)
    assert (told.computed, told.restored) == (ALL, [])
    return out, found


def test_what_is_returned_is_what_is_written(done: tuple[Path, Validation]) -> None:
    out, found = done
    written = (out / "validation.json").read_text(encoding="utf-8")
    assert Validation.from_json(written) == found
    assert json.loads(written) == found.to_dict()
    assert "<html" in (out / "report.html").read_text(encoding="utf-8")
    assert list(found.timings) == ALL


def test_a_second_run_restores_everything_and_says_the_same(pair: Pair, done: tuple[Path, Validation]) -> None:
    out, found = done
    again, told = run(pair, out)
    assert (told.computed, told.restored) == ([], ALL)
    assert again == found


@pytest.mark.parametrize(
    ("changed", "computed"),
    [
        (QUICK.model_copy(update={"verdict": VerdictSettings(review_at=0.01)}), ["collapse", "report"]),
        (QUICK.model_copy(update={"effort": Effort.STANDARD}), ["diversity", "collapse", "report"]),
        (QUICK.model_copy(update={"seed": 1}), ALL[2:]),
        (QUICK.model_copy(update={"target": None}), ALL),
    ],
    ids=["verdict", "effort", "seed", "target"],
)
def test_a_changed_setting_runs_only_what_depends_on_it(
    pair: Pair, done: tuple[Path, Validation], changed: Settings, computed: list[str]
) -> None:
    _, told = run(pair, done[0], changed)
    assert told.computed == computed
    assert told.restored == [step for step in ALL if step not in computed]


def test_an_original_seen_before_is_restored(pair: Pair, done: tuple[Path, Validation], tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(Path(pair.candidate).read_text() + "20,3000.5,Bern,True\n")
    _, told = run(Pair(str(other), pair.original), done[0])
    assert told.restored == ["load original", "profile original"]


def test_a_torn_entry_is_computed_again_to_the_same(
    pair: Pair, done: tuple[Path, Validation], caplog: pytest.LogCaptureFixture
) -> None:
    out, found = done
    torn = sorted((out / "checkpoints" / "profile").glob("*/*"))
    for file in torn:
        file.write_bytes(file.read_bytes()[:-1])
    with caplog.at_level(logging.WARNING):
        again, told = run(pair, out)
    assert {"profile original", "profile candidate"} <= set(told.computed)
    assert "damaged" in caplog.text
    assert again.model_copy(update={"timings": {}}) == found.model_copy(update={"timings": {}})


def test_tables_in_memory_and_no_output_leave_nothing_behind(pair: Pair, tmp_path: Path) -> None:
    import pandas as pd

    candidate = pd.read_csv(pair.candidate)
    before = candidate.copy()
    found = foretrain.validate(candidate, pa.Table.from_pandas(pd.read_csv(pair.original)), config=QUICK)
    pd.testing.assert_frame_equal(candidate, before)
    assert found.inputs.original is not None
    assert (found.inputs.candidate.uri, found.inputs.original.uri) == ("memory", "memory")
    assert found.inputs.candidate.rows == 300
    assert not Path(found.inputs.candidate.table).exists()


def test_without_an_original(pair: Pair, tmp_path: Path) -> None:
    found = foretrain.validate(pair.candidate, config=QUICK, out=tmp_path)
    assert found.inputs.original is None
    assert json.loads((tmp_path / "validation.json").read_text())["inputs"]["original"] is None
    assert (tmp_path / "report.html").exists()


def test_configuration_as_mapping_path_or_settings(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from foretrain.api import resolve

    file = tmp_path / "c.toml"
    file.write_text("seed = 1\neffort = 'quick'")
    monkeypatch.setenv("FORETRAIN_SEED", "2")
    assert resolve(None).seed == 2
    assert resolve(file) == Settings(seed=2, effort=Effort.QUICK)
    assert resolve({"seed": 3}, "label") == Settings(seed=3, target="label")
    assert resolve(Settings(seed=4)) == Settings(seed=4)
    with pytest.raises(foretrain.SettingsError, match="Did you mean effort"):
        foretrain.validate(pair.candidate, pair.original, config={"efort": "quick"})
    with pytest.raises(foretrain.SettingsError, match="not int"):
        resolve(3)  # type: ignore[arg-type]


def test_a_stage_that_may_fail_is_gone_on_without(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise ModelError("no neighbours")

    monkeypatch.setattr("foretrain.diversity.measure", fails, raising=False)
    found, told = run(pair, tmp_path)
    assert (found.diversity, found.failures) == (None, {"diversity": "no neighbours"})
    assert told.failures == ["diversity"]
    assert "no neighbours" in (tmp_path / "report.html").read_text(encoding="utf-8")
    monkeypatch.undo()
    whole, told = run(pair, tmp_path)
    assert (whole.failures, told.computed) == ({}, ["diversity", "report"])


def test_bad_data_ends_the_run_and_keeps_what_was_done(pair: Pair, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("age,salary\n1,2\n3,4\n")
    told = Told()
    with runner.told(told), pytest.raises(DataError):
        foretrain.validate(bad, pair.original, config=QUICK, out=tmp_path)
    assert (told.computed, told.failures) == (["load original"], ["load candidate"])
    assert not (tmp_path / "validation.json").exists()


def test_a_store_and_output_behind_a_url(pair: Pair) -> None:
    import fsspec

    settings = QUICK.model_copy(update={"checkpoints": "memory://kept"})
    found = foretrain.validate(pair.candidate, pair.original, config=settings, out="memory://out")
    files = fsspec.filesystem("memory")
    assert Validation.from_json(files.cat("/out/validation.json")) == found
    assert b"<html" in files.cat("/out/report.html")
    assert files.find("/kept/profile")


@pytest.mark.parametrize(("error", "calls"), [(StorageError("gone"), 3), (DataError("ragged"), 1)])
def test_only_what_can_pass_is_tried_again(
    error: Exception, calls: int, pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import foretrain.profile

    whole, count = foretrain.profile.profile, 0

    def fails_twice(*arguments: Any, **named: Any) -> Any:
        nonlocal count
        count += 1
        if count <= 2:
            raise error
        return whole(*arguments, **named)

    monkeypatch.setattr(foretrain.profile, "profile", fails_twice)
    monkeypatch.setattr("foretrain.data.faults.FIRST_WAIT", 0.01)
    told = Told()
    with runner.told(told), contextlib.suppress(DataError):
        foretrain.validate(pair.candidate, pair.original, config=QUICK, out=tmp_path)
    assert told.failures == ["profile original"] * min(calls, 2)
    assert count == calls + (calls == 3)  # and once for the candidate
    assert (tmp_path / "validation.json").exists() == (calls == 3)
