"""Does the stage find what helps, say so as it was measured, and is the promise kept on the whole dataset?"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner
from unit.recommendations.scenes import duplicated, mixed

import foretrain
from foretrain.cli.app import app
from foretrain.data.reference import Kind
from foretrain.errors import DataError, ResourceError, SettingsError
from foretrain.recommendations.history import History
from foretrain.recommendations.record import Recommendations
from foretrain.settings import SignatureSettings
from foretrain.validation import Validation

CHANGES = {"effort": "quick", "cascade": {"mode": "off"}}


def run(folder: Path, candidate: object, original: object, **more: Any) -> Validation:
    wanted = {"mode": "full"} | more.pop("recommendations", {})
    settings = {**CHANGES, "signatures": {"folder": str(folder / "own")}, **more, "recommendations": wanted}
    return foretrain.validate(candidate, original, config=settings, out=folder / "out")  # type: ignore[arg-type]


def files(folder: Path, **tables: pd.DataFrame) -> Mapping[str, str]:
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    return {name: str(folder / f"{name}.parquet") for name in tables}


@pytest.fixture(scope="module")
def repeated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, str], Validation]:
    """Half of the candidate's rows repeat others; nothing else is wrong."""
    folder = tmp_path_factory.mktemp("repeated")
    places = files(folder, candidate=duplicated(mixed(600, 1), 0.5, 2), original=mixed(700, 3))
    return folder, places, run(folder, places["candidate"], places["original"])


def found_of(validation: Validation) -> Recommendations:
    assert validation.recommendations is not None, (validation.not_run, validation.failures)
    return validation.recommendations


def test_repeated_rows_are_dropped_and_the_promise_is_kept(
    repeated: tuple[Path, Mapping[str, str], Validation], tmp_path: Path
) -> None:
    _, places, validation = repeated
    found = found_of(validation)
    assert validation.verdict == "reject"
    each = found.named("deduplicate")
    assert each is not None
    assert each.measured is not None
    assert each.measured.verdict == "approve"
    assert each.measured.score.interval[0] > 50
    assert each.measured.before == pytest.approx(validation.score, abs=5)
    assert not each.measured.held_out
    assert each.cost.rows_lost == 300
    assert each.cost.rows_after == 300
    best = found.named(str(found.best))
    assert best is not None
    assert best.measured is not None
    assert best.measured.verdict == "approve"
    out = tmp_path / "fixed.parquet"
    fixed = foretrain.fix(places["candidate"], validation, ["deduplicate"], out)
    assert fixed.promise == each
    assert fixed.outcome.verdict == "approve"
    assert fixed.outcome.score == pytest.approx(each.measured.after, abs=10)
    assert fixed.mended.held_out is None
    left = pd.read_parquet(out)
    given = pd.read_parquet(places["candidate"])
    assert len(left) == fixed.mended.rows == 300
    assert not left.duplicated().any()
    assert len(left.merge(given.drop_duplicates(), how="inner", on=list(left.columns))) == 300


def test_what_was_tried_is_said_as_it_was_measured(repeated: tuple[Path, Mapping[str, str], Validation]) -> None:
    _, _, validation = repeated
    found = found_of(validation)
    measured = [each for each in found.found if each.measured is not None]
    assert found.tried == len(measured) > 4
    assert len({each.id for each in found.found}) == len(found.found)
    for each in found.found:
        assert (each.measured is None) == (each.not_tried is not None)
    for each in measured:
        assert each.measured is not None
        assert each.measured.after - each.measured.before == pytest.approx(each.measured.score.value, abs=1e-6)
        assert each.measured.score.value == pytest.approx(-100 * each.measured.probability.value)
        low, high = each.measured.score.interval
        assert low <= each.measured.score.value <= high
        assert each.measured.trained is None
    fronts = [each.front for each in measured]
    assert fronts == sorted(fronts, reverse=True)
    assert any("+" in each.id for each in found.found)
    assert found.first
    assert found.predicted_by == "prior"
    assert re.fullmatch("[0-9a-f]{12}", found.run)


def test_the_same_seed_recommends_the_same_and_the_history_knows_it(
    repeated: tuple[Path, Mapping[str, str], Validation], tmp_path: Path
) -> None:
    folder, places, validation = repeated
    again = run(tmp_path, places["candidate"], places["original"])

    def plain(found: Recommendations) -> dict[str, Any]:
        made = found.model_dump()
        for each in made["found"]:
            each["cost"].pop("seconds")
        return made

    assert plain(found_of(again)) == plain(found_of(validation))
    kept = History(SignatureSettings(folder=str(folder / "own")))
    assert kept.runs() == 1
    assert set(kept.gains().runs) == {found_of(validation).run}
    restored = run(folder, places["candidate"], places["original"])
    assert restored.recommendations == validation.recommendations  # from its checkpoint, with its seconds


def test_a_fix_that_takes_real_rows_is_scored_against_others(tmp_path: Path) -> None:
    made = mixed(500, 1).assign(income=lambda t: t["income"].clip(upper=t["income"].quantile(0.7)))
    places = files(tmp_path, candidate=made, original=mixed(900, 3))
    validation = run(tmp_path, places["candidate"], places["original"], recommendations={"trials": 30})
    found = found_of(validation)
    each = found.named("mix-original-25-weighted")
    assert each is not None
    assert each.measured is not None
    assert each.measured.held_out
    assert each.cost.real_rows > 0
    fixed = foretrain.fix(
        places["candidate"], str(tmp_path / "out"), [each.id], tmp_path / "fixed.arrow", report=tmp_path / "r"
    )
    assert fixed.mended.held_out is not None
    held = pd.read_parquet(fixed.mended.held_out)
    original = pd.read_parquet(places["original"])
    import pyarrow as pa

    left = pa.ipc.open_file(str(tmp_path / "fixed.arrow")).read_all().to_pandas()
    real = left.merge(original.drop_duplicates(), how="inner", on=list(left.columns))
    assert len(real) == each.cost.real_rows
    assert not len(real.merge(held, how="inner", on=list(left.columns)))
    assert len(held) == pytest.approx(450, abs=70)
    assert fixed.outcome.inputs.original is not None
    assert fixed.outcome.inputs.original.rows == len(held)
    assert (tmp_path / "r" / "report.html").exists()
    better = found.named("match-marginals")
    assert better is not None
    assert better.measured is not None
    assert better.measured.score.value > 10


def test_newly_collected_rows_are_taken_from_their_own_file(tmp_path: Path) -> None:
    made = mixed(400, 1).assign(income=lambda t: t["income"].clip(upper=t["income"].quantile(0.6)))
    places = files(tmp_path, candidate=made, original=mixed(800, 3), new=mixed(300, 8))
    validation = run(tmp_path, places["candidate"], places["original"], recommendations={"trials": 30})
    each = next(each for each in found_of(validation).found if each.id.startswith("collect"))
    rows = each.cost.new_real_rows
    assert each.cost.money >= rows
    with pytest.raises(SettingsError, match=r"none were given. Name them with --real"):
        foretrain.fix(places["candidate"], validation, [each.id], tmp_path / "f.csv")
    assert not (tmp_path / "f.csv").exists()
    fixed = foretrain.fix(places["candidate"], validation, [each.id], tmp_path / "f.csv", real=places["new"])
    left = pd.read_csv(tmp_path / "f.csv")
    assert len(left) == 400 + rows == fixed.mended.rows
    new = pd.read_parquet(places["new"])
    assert set(left["income"].iloc[400:].round(6)) <= set(new["income"].round(6))
    assert fixed.mended.held_out is None


def test_models_are_trained_on_the_best_where_the_cascade_is_full(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    made = mixed(500, 1)
    made["label"] = np.where(chance.random(500) < 0.6, chance.permutation(made["label"]), made["label"])
    settings = {"cascade": {"mode": "full", "rows": 300}, "effort": "quick", "target": "label"}
    validation = run(tmp_path, made, mixed(900, 3), **settings, recommendations={"trials": 30})
    trained = [each for each in found_of(validation).found if each.measured and each.measured.trained]
    assert 1 <= len(trained) <= 3
    each = trained[0]
    assert each.measured is not None
    assert each.measured.trained is not None
    low, high = each.measured.trained.interval
    assert low <= each.measured.trained.value <= high


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"recommendations": {"mode": "auto"}}, "quick effort"),
        ({"recommendations": {"mode": "off"}}, "mode is off"),
    ],
)
def test_it_says_why_nothing_was_tried(settings: dict[str, Any], reason: str, tmp_path: Path) -> None:
    validation = run(tmp_path, duplicated(mixed(200, 1), 0.5, 2), mixed(200, 3), **settings)
    assert validation.recommendations is None
    assert reason in validation.not_run["recommendations"]


def test_a_healthy_candidate_needs_no_fix_and_one_alone_can_have_none(tmp_path: Path) -> None:
    healthy = run(tmp_path / "a", mixed(500, 1), mixed(500, 3))
    assert "nothing to fix" in healthy.not_run["recommendations"]
    alone = foretrain.validate(mixed(300, 1), config={**CHANGES, "signatures": {"folder": str(tmp_path)}})
    assert "none was given" in alone.not_run["recommendations"]


def test_trials_and_time_are_limits_that_are_told(tmp_path: Path) -> None:
    made, real = duplicated(mixed(300, 1), 0.5, 2), mixed(300, 3)
    few = found_of(run(tmp_path / "a", made, real, recommendations={"trials": 2}))
    assert few.tried == 2
    assert any("recommendations.trials 2" in (each.not_tried or "") for each in few.found)
    none = found_of(run(tmp_path / "b", made, real, recommendations={"seconds": 1e-9}))
    assert none.tried == 0
    assert none.best is None
    assert all("recommendations.seconds" in (each.not_tried or "") for each in none.found)


def test_a_failed_localization_leaves_verdict_and_fixes_standing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import foretrain.localization.stage as stage

    def fail(*_: object) -> None:
        raise ResourceError("the disk is full")

    monkeypatch.setattr(stage, "_localize", fail)
    validation = run(tmp_path, duplicated(mixed(300, 1), 0.5, 2), mixed(300, 3))
    assert validation.verdict == "reject"
    assert "the disk is full" in validation.failures["localization"]
    each = found_of(validation).named("deduplicate")
    assert each is not None
    assert each.measured is not None


def test_a_history_that_cannot_be_kept_fails_alone(tmp_path: Path) -> None:
    (tmp_path / "own").write_text("no folder")
    validation = run(tmp_path, duplicated(mixed(300, 1), 0.5, 2), mixed(300, 3), recommendations={"trials": 2})
    assert validation.verdict == "reject"
    assert "history" in validation.failures or "recommendations" in validation.failures


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"apply": ["pray"]}, DataError, "has no recommendation pray. It has "),
        ({"out": "fixed.xlsx"}, SettingsError, "ends in .parquet, .csv, .arrow"),
        ({"candidate": "original"}, DataError, "is not the dataset that was validated. Validate it again"),
        ({"plan": "nowhere"}, DataError, "no validation was found"),
    ],
)
def test_a_wrong_fix_gets_one_line_and_writes_nothing(
    change: dict[str, Any],
    error: type[Exception],
    said: str,
    repeated: tuple[Path, Mapping[str, str], Validation],
    tmp_path: Path,
) -> None:
    folder, places, _ = repeated
    given = {
        "candidate": "candidate",
        "plan": str(folder / "out"),
        "apply": ["deduplicate"],
        "out": "f.parquet",
    } | change
    candidate = places[given.pop("candidate")]
    out = tmp_path / given.pop("out")
    with pytest.raises(error, match=re.escape(said)):
        foretrain.fix(candidate, given["plan"], given["apply"], out)
    assert not list(tmp_path.iterdir())


def test_a_plan_outlives_its_checkpoints_but_for_what_they_hold(
    repeated: tuple[Path, Mapping[str, str], Validation], tmp_path: Path
) -> None:
    _, places, validation = repeated
    plan = validation.model_copy(
        update={"localization": validation.localization.model_copy(update={"table": str(tmp_path / "gone.parquet")})}
        if validation.localization is not None
        else {}
    )
    assert foretrain.fix(places["candidate"], plan, ["deduplicate"], tmp_path / "f.parquet").mended.rows == 300
    flagged = next(each.id for each in found_of(plan).found if each.id.startswith("drop-flagged"))
    with pytest.raises(ResourceError, match=r"gone\.parquet"):
        foretrain.fix(places["candidate"], plan, [flagged], tmp_path / "g.parquet")
    assert not (tmp_path / "g.parquet").exists()


def test_vectors_do_not_go_into_csv(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)

    def frame(rows: int, seed: int) -> pd.DataFrame:
        return mixed(rows, seed).assign(v=list(chance.random((rows, 2))))

    made, original = frame(150, 1), frame(400, 3)
    made = pd.concat([made, made], ignore_index=True)
    settings = {"data": {"kinds": {"v": Kind.EMBEDDING}}, "recommendations": {"trials": 1}}
    validation = run(tmp_path, made, original, **settings)
    with pytest.raises(SettingsError, match=r"column 'v': CSV cannot hold"):
        foretrain.fix(made, validation, ["deduplicate"], tmp_path / "f.csv", original=original)


def test_the_command_line_applies_and_tells(
    repeated: tuple[Path, Mapping[str, str], Validation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, places, validation = repeated
    monkeypatch.setenv("FORETRAIN_SIGNATURES__FOLDER", str(tmp_path / "own"))
    call = CliRunner().invoke
    out = tmp_path / "fixed.parquet"
    words = ["--plan", str(folder / "out"), "--apply", "deduplicate", "--out", str(out)]
    told = call(app, ["fix", places["candidate"], *words, "--report", str(tmp_path / "report")])
    assert told.exit_code == 0, told.output
    assert re.search(r"score +\d+ +\d+ +\d+", told.output)
    assert re.search(r"verdict +approve +approve", told.output)
    assert pq.read_metadata(out).num_rows == 300
    run_ = found_of(validation).run
    for name in (str(folder / "out"), run_):
        told = call(app, ["outcome", name, "--applied", "deduplicate", "--score-after", "88"])
        assert told.exit_code == 0, told.output
        assert re.search(rf"run {run_}: deduplicate brought \+\d+\.\d points; \+\d+", told.output)
    kept = History(SignatureSettings(folder=str(tmp_path / "own"))).gains()
    assert 88 - validation.score == pytest.approx(max(kept.points), abs=30)
    report = json.loads((tmp_path / "report" / "validation.json").read_text())
    assert report["verdict"] == "approve"
