"""Does the recorded flow do what the library does, and can an operator read what it did?"""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import get_client
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, FlowRunFilter, FlowRunFilterId
from prefect.client.schemas.objects import FlowRun, State
from support import Pair, comparable

import foretrain
import foretrain_tasks.stage
from foretrain.errors import DataError, StorageError
from foretrain.pipeline import STAGES, Step, steps
from foretrain.settings import (
    CascadeMode,
    CascadeSettings,
    Effort,
    RecommendationMode,
    RecommendationSettings,
    Settings,
)
from foretrain.validation import Validation
from foretrain_flows import command
from foretrain_flows.validate import STATES, validate
from foretrain_tasks import TASKS

QUICK = Settings(effort=Effort.QUICK, target="label")
OPTIONAL = ("cascade", "recommendations")
ORDER = [str(step) for step in steps(("original", "candidate")) if step.stage.name not in OPTIONAL]


def flow(pair: Pair, out: Path, settings: Settings = QUICK) -> State[Any]:
    state: State[Any] = validate(pair.candidate, pair.original, str(out), settings, return_state=True)  # type: ignore[assignment]
    return state


def recorded(state: State[Any]) -> tuple[FlowRun, dict[str, State[Any]]]:
    identity = state.state_details.flow_run_id
    assert isinstance(identity, UUID)
    with get_client(sync_client=True) as client:
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[identity])))
        return client.read_flow_run(identity), {task.name: task.state for task in tasks if task.state}


def test_flow_command_line_and_python_agree(
    pair: Pair, tmp_path: Path, prefect_api: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_python = foretrain.validate(pair.candidate, pair.original, config=QUICK, out=tmp_path / "python")
    state = flow(pair, tmp_path / "flow")
    said = {}
    for how in ("--prefect", "--no-prefect"):
        words = [pair.candidate, "--original", pair.original, "--target=label", "--effort=quick", "--json", how]
        monkeypatch.setattr("sys.argv", ["foretrain", "validate", *words, "--out", str(tmp_path / how)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            command.main()
        said[how] = Validation.from_json(capsys.readouterr().out)
        assert ended.value.code == {"approve": 0, "reject": 1}.get(in_python.verdict, 3)
    expected = comparable(in_python)
    assert comparable(state.result()) == expected
    assert comparable(said["--prefect"]) == comparable(said["--no-prefect"]) == expected
    written = Validation.from_json((tmp_path / "flow" / "validation.json").read_bytes())
    assert comparable(written) == expected


def test_a_run_is_named_tagged_and_completed_whatever_its_verdict(pair: Pair, tmp_path: Path, prefect_api: str) -> None:
    state = flow(pair, tmp_path)
    found = state.result()
    run, tasks = recorded(state)
    assert state.is_completed()
    assert (state.name, state.message) == (STATES[found.verdict], f"{found.verdict}: {found.sentence}")
    assert run.name == "validate-candidate.csv"
    assert {f"verdict:{found.verdict}", f"severity:{found.severity.class_}"} <= set(run.tags)
    assert sorted(tasks, key=ORDER.index) == ORDER
    assert {state.name for state in tasks.values()} == {"Completed"}


def test_a_rejected_dataset_is_a_completed_run(pair: Pair, tmp_path: Path, prefect_api: str) -> None:
    worst = tmp_path / "collapsed.csv"
    lines = Path(pair.original).read_text().splitlines()
    worst.write_text("\n".join([lines[0], *(lines[1 + number % 5] for number in range(300))]) + "\n")
    state = flow(Pair(str(worst), pair.original), tmp_path / "out")
    assert state.result().verdict == "reject"
    assert (state.type.value, state.name) == ("COMPLETED", "Rejected")
    assert "verdict:reject" in recorded(state)[0].tags


def test_each_task_leaves_artifacts_an_operator_can_read(repeated: Pair, tmp_path: Path, prefect_api: str) -> None:
    fixes = RecommendationSettings(mode=RecommendationMode.FULL, trials=3, record=False)
    state = flow(repeated, tmp_path, QUICK.model_copy(update={"recommendations": fixes}))
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[state.state_details.flow_run_id]))  # type: ignore[list-item]
    with get_client(sync_client=True) as client:
        artifacts = {artifact.key: artifact for artifact in client.read_artifacts(artifact_filter=wanted)}
    keys = {step.replace(" ", "-") for step in [*ORDER, "recommendations"]}
    assert set(artifacts) == keys | {f"{key}-table" for key in keys} | {"progress"}
    assert (artifacts["progress"].type, artifacts["progress"].data) == ("progress", 100.0)
    assert str(artifacts["progress"].description).startswith("report: ")
    assert str(state.result().sentence) in str(artifacts["collapse"].data)
    rows = json.loads(str(artifacts["collapse-table"].data))
    assert [row["dimension"] for row in rows] == [each.title for each in state.result().dimensions.values()]
    fixed = [row["id"] for row in json.loads(str(artifacts["recommendations-table"].data))]
    assert fixed == [each.id for each in state.result().recommendations.found]
    columns = [row["column"] for row in json.loads(str(artifacts["profile-candidate-table"].data))]
    assert columns == ["age", "income", "city", "label"]


def test_what_is_restored_shows_as_cached_and_a_changed_setting_runs_what_depends_on_it(
    pair: Pair, tmp_path: Path, prefect_api: str
) -> None:
    flow(pair, tmp_path)
    _, tasks = recorded(flow(pair, tmp_path))
    assert {state.name for state in tasks.values()} == {"Cached"}
    assert all("restored from" in str(state.message) for state in tasks.values())
    _, tasks = recorded(
        flow(
            pair,
            tmp_path,
            QUICK.model_copy(update={"effort": Effort.STANDARD, "cascade": CascadeSettings(mode=CascadeMode.OFF)}),
        )
    )
    ran = [step for step in ORDER if tasks[step].name == "Completed"]
    assert ran == ["diversity", "collapse", "localization", "report"]


def test_bad_data_fails_at_once_with_its_line(pair: Pair, tmp_path: Path, prefect_api: str) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("age,salary\n1,2\n3,4\n")
    state = flow(Pair(str(bad), pair.original), tmp_path / "out")
    run, tasks = recorded(state)
    assert run.state_type is not None
    assert run.state_type.value == "FAILED"
    with pytest.raises(DataError, match=r"bad\.csv"):
        state.result()
    (stored,) = (tmp_path / "home" / "storage").iterdir()  # the exception, which Prefect always keeps
    assert "bad.csv" in json.loads(stored.read_bytes())["message"]
    failed = tasks["load candidate"]
    assert failed.name == "Failed"
    assert "bad.csv" in str(failed.message)


@pytest.mark.parametrize(("error", "calls"), [(StorageError("gone"), 3), (DataError("ragged"), 1)])
def test_only_what_can_pass_is_tried_again(
    error: Exception,
    calls: int,
    pair: Pair,
    tmp_path: Path,
    prefect_api: str,
    monkeypatch: pytest.MonkeyPatch,
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
    monkeypatch.setitem(TASKS, "profile", TASKS["profile"].with_options(retry_delay_seconds=[0.01] * 4))
    state = flow(pair, tmp_path)
    assert state.is_completed() == (calls == 3)
    assert count == calls + (calls == 3)  # and once for the candidate


def test_delays_between_tries_double_and_are_spread() -> None:
    delays = foretrain_tasks.stage.RETRY_DELAYS
    assert all(later == 2 * earlier for earlier, later in pairwise(delays))
    for task in TASKS.values():
        assert (task.retries, task.retry_delay_seconds, task.retry_jitter_factor) == (len(delays), delays, 1)
        assert task.persist_result is False


def test_there_is_one_task_for_each_stage_of_the_list() -> None:
    assert list(TASKS) == [stage.name for stage in STAGES]
    for name, task in TASKS.items():
        assert (task.name, task.description) == (name, Step(next(s for s in STAGES if s.name == name)).stage.question)
