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
from unit.report.cascades import cascade

import foretrain
from foretrain import runner
from foretrain.cascade.record import Cascade
from foretrain.checkpoint import Folder, Store
from foretrain.errors import DataError, ModelError, StorageError
from foretrain.pipeline import Step
from foretrain.profile.record import ProfileRef
from foretrain.progress import Advance, advance
from foretrain.record import Record, Role
from foretrain.runner import Result
from foretrain.settings import CascadeMode, CascadeSettings, Effort, Settings, VerdictSettings
from foretrain.validation import Validation

QUICK = Settings(effort=Effort.QUICK, target="label")
OFF = CascadeSettings(mode=CascadeMode.OFF)
FULL = CascadeSettings(mode=CascadeMode.FULL)
ALL = [
    *("load original", "load candidate", "profile original", "profile candidate"),
    *("diversity", "prescreen", "collapse", "localization", "report"),
]


class Told:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.computed: list[str] = []
        self.restored: list[str] = []
        self.failures: list[str] = []
        self.advances: list[tuple[str, Advance]] = []

    def started(self, step: Step) -> None:
        pass

    def advanced(self, step: Step, made: Advance) -> None:
        self.advances.append((str(step), made))

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
        (QUICK.model_copy(update={"cascade": CascadeSettings(rows=200)}), ["report"]),
        (QUICK.model_copy(update={"verdict": VerdictSettings(review_at=0.01)}), ["collapse", "report"]),
        (QUICK.model_copy(update={"effort": Effort.STANDARD, "cascade": OFF}), ["diversity", "collapse", "report"]),
        (QUICK.model_copy(update={"seed": 1}), ALL[2:]),
        (QUICK.model_copy(update={"target": None}), ALL),
    ],
    ids=["cascade", "verdict", "effort", "seed", "target"],
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


def test_the_verdict_stands_where_rows_could_not_be_told(
    pair: Pair, done: tuple[Path, Validation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise DataError("no rows")

    monkeypatch.setattr("foretrain.localization.localize", fails, raising=False)
    found, told = run(pair, tmp_path)
    assert (found.localization, found.flagged_rows) == (None, ())
    assert (found.failures, told.failures) == ({"localization": "no rows"}, ["localization"])
    assert (found.verdict, found.score) == (done[1].verdict, done[1].score)
    assert "no rows" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_rows_are_in_the_result_and_on_the_page(pair: Pair, tmp_path: Path) -> None:
    lines = Path(pair.candidate).read_text().splitlines()
    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join([*lines, *["44,999999.5,Bern,True"] * 9]) + "\n")
    found, _ = run(Pair(str(bad), pair.original), tmp_path / "out")
    assert found.localization is not None
    assert set(found.flagged_rows) >= set(range(300, 309))
    assert found.localization.table.startswith(str(tmp_path / "out"))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "9 rows share this exact combination of values." in page
    assert 'href="#rows"' in page


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


class Training:
    """In place of the cascade: remembers what it was given, fails as it is told."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.given: list[tuple[ProfileRef, ProfileRef | None, Settings]] = []
        self.failure = failure

    def __call__(
        self, candidate: ProfileRef, original: ProfileRef | None, settings: Settings, folder: Folder
    ) -> Cascade:
        self.given.append((candidate, original, settings))
        advance(Advance(0.5, "half of it"))
        if self.failure is not None:
            raise self.failure
        folder.path("weights").write_bytes(b"1")
        return cascade(original=original is not None)


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Training:
    training = Training()
    monkeypatch.setattr("foretrain.cascade.train", training, raising=False)
    return training


def test_the_cascade_is_between_diversity_and_collapse_and_is_kept(
    pair: Pair, done: tuple[Path, Validation], training: Training
) -> None:
    out = done[0]
    found, told = run(pair, out, QUICK.model_copy(update={"cascade": FULL}))
    assert told.computed == ["cascade", "collapse", "report"]
    assert ("cascade", Advance(0.5, "half of it")) in told.advances
    assert found.cascade == cascade()
    assert Validation.from_json((out / "validation.json").read_bytes()) == found
    assert (found.failures, set(found.not_run)) == ({}, {"recommendations"})
    (given,) = training.given
    assert given[0].dataset.name == "candidate"
    assert given[1] is not None
    assert (given[2].effort, given[2].target, given[2].cascade) == (Effort.QUICK, "label", FULL)
    again, told = run(pair, out, QUICK.model_copy(update={"cascade": FULL}))
    assert (told.computed, again.cascade) == ([], found.cascade)
    quicker = CascadeSettings(mode=CascadeMode.FULL, snapshot_seconds=1)
    assert "cascade" in run(pair, out, QUICK.model_copy(update={"cascade": quicker}))[1].restored
    assert (
        "cascade"
        in run(pair, out, QUICK.model_copy(update={"cascade": CascadeSettings(mode="full", rows=150)}))[1].computed
    )


@pytest.mark.parametrize(
    ("effort", "settings", "why"),
    [
        (Effort.QUICK, CascadeSettings(), "proxy models are not trained at quick effort, unless cascade.mode is full"),
        (Effort.STANDARD, OFF, "no proxy models were trained: cascade.mode is off"),
    ],
)
def test_a_cascade_that_was_not_to_be_run_is_said_not_to_be_measured(
    pair: Pair, tmp_path: Path, training: Training, effort: Effort, settings: CascadeSettings, why: str
) -> None:
    found, told = run(pair, tmp_path, QUICK.model_copy(update={"effort": effort, "cascade": settings}))
    assert (training.given, "cascade" in told.computed) == ([], False)
    assert (found.cascade, found.not_run["cascade"], found.failures) == (None, why, {})
    for name in ("gradient_health", "loss_landscape"):
        dimension = found.dimensions[name]
        assert (dimension.measured, dimension.score, dimension.reason) == (False, None, why)


@pytest.mark.parametrize("failure", [ModelError("all 18 diverged"), DataError("the target is constant")])
def test_a_cascade_that_fails_is_gone_on_without(
    pair: Pair, tmp_path: Path, training: Training, failure: Exception
) -> None:
    training.failure = failure
    full = QUICK.model_copy(update={"cascade": FULL})
    found, told = run(pair, tmp_path, full)
    assert (found.cascade, found.failures) == (None, {"cascade": str(failure)})
    assert "cascade" not in found.not_run
    assert told.failures == ["cascade"]
    assert str(failure) in str(found.dimensions["gradient_health"].reason)
    training.failure = None
    found, told = run(pair, tmp_path, full)
    assert told.computed == ["cascade", "collapse", "report"]
    assert found.cascade is not None


def test_without_an_original_the_cascade_is_run_too(pair: Pair, tmp_path: Path, training: Training) -> None:
    found = foretrain.validate(pair.candidate, config=QUICK.model_copy(update={"cascade": FULL}), out=tmp_path)
    assert training.given[0][1] is None
    assert found.cascade is not None
    assert found.cascade.arms == ("candidate", "child", "grandchild")


def sources(pair: Pair) -> dict[Role, object]:
    return {"candidate": pair.candidate, "original": pair.original}


def test_through_a_stage_runs_what_it_needs_and_no_more(pair: Pair, tmp_path: Path, training: Training) -> None:
    told = Told()
    with runner.told(told):
        result = runner.through("cascade", sources(pair), QUICK, Store(tmp_path))
    assert result.record == cascade()
    assert told.computed == [*ALL[:4], "cascade"]
    training.failure = ModelError("all 18 diverged")
    with pytest.raises(ModelError, match="all 18"):
        runner.through("cascade", sources(pair), QUICK.model_copy(update={"seed": 3}), Store(tmp_path))


def test_what_was_run_elsewhere_is_taken_from_the_store(pair: Pair, tmp_path: Path, training: Training) -> None:
    store, other = Store(tmp_path), []

    def order() -> str:
        other.append(runner.through("cascade", sources(pair), QUICK, store))
        return "run by somebody"

    def run_with(order: Any) -> Any:
        def run(step: Step, given: Any, settings: Settings, store: Store) -> Result[Any]:
            return runner.execute(step, given, settings, store, order if step.stage.where == "gpu" else None)

        return run

    result = runner.through("cascade", sources(pair), QUICK, store, run=run_with(order))
    assert len(training.given) == len(other) == 1
    assert (result.record, result.where, result.restored) == (other[0].record, "run by somebody", False)
    again = runner.through("cascade", sources(pair), QUICK, store, run=run_with(lambda: pytest.fail("nobody is asked")))
    assert (again.restored, again.where) == (True, "")
    changed = QUICK.model_copy(update={"seed": 8})
    here = runner.through("cascade", sources(pair), changed, store, run=run_with(lambda: "run in this process"))
    assert (len(training.given), here.where, here.restored) == (2, "run in this process", False)


def test_every_listener_is_told_and_the_log_too(
    pair: Pair, tmp_path: Path, training: Training, caplog: pytest.LogCaptureFixture
) -> None:
    told = Told(), Told()
    with caplog.at_level(logging.INFO, "foretrain.runner"), runner.told(told[0]), runner.told(told[1]):
        runner.through("cascade", sources(pair), QUICK, Store(tmp_path))
    assert told[0].computed == told[1].computed
    assert told[0].advances == told[1].advances
    (line,) = [record for record in caplog.records if "half of it" in record.message]
    assert line.message == "cascade: 50% half of it"
    assert (line.step, line.done, line.fields) == ("cascade", 0.5, {})  # type: ignore[attr-defined]
