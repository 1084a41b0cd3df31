"""Does a run that was killed in any stage go on from there, in this process and as a flow?"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from support import Pair, comparable

from foretrain.pipeline import STAGES, Stage, steps
from foretrain.validation import Validation

SCRIPT = str(Path(__file__).with_name("killed.py"))
FULL = {
    "FORETRAIN_CASCADE__MODE": "full",
    "FORETRAIN_RECOMMENDATIONS__MODE": "full",
    "FORETRAIN_RECOMMENDATIONS__TRIALS": "3",
}
ORDER = [str(step) for step in steps(("original", "candidate"))]


def run(stage: str, where: str, pair: Pair, out: Path, **environment: str) -> tuple[int, dict[str, bool]]:
    """The exit status, and whether each step that ended was restored."""
    command = [sys.executable, SCRIPT, stage, where, pair.candidate, pair.original, str(out)]
    child = subprocess.run(
        command, env=os.environ | FULL | environment, capture_output=True, text=True, timeout=120, check=False
    )
    lines = re.findall(r"^(.{18}) +(restored|[\d.]+ s)  ", child.stderr, re.MULTILINE)
    assert lines or stage == "load", child.stderr
    return child.returncode, {step.strip(): how == "restored" for step, how in lines}


def kill_in_turn(where: str, stages: Sequence[Stage], pair: Pair, out: Path, **environment: str) -> None:
    before: list[str] = []
    for stage in stages:
        status, ended = run(stage.name, where, pair, out, **environment)
        assert status == -signal.SIGKILL
        first = next(step for step in ORDER if step.split()[0] == stage.name)
        assert list(ended) == ORDER[: ORDER.index(first)]
        assert ended == {step: step in before for step in ended}
        assert not (out / "validation.json").exists()
        before = list(ended)
    status, ended = run("nowhere", where, pair, out, **environment)
    assert status in {0, 1, 3}
    assert ended == {step: step in before for step in ORDER}


def test_in_process(repeated: Pair, tmp_path: Path) -> None:
    kill_in_turn("here", STAGES, repeated, tmp_path / "killed")
    run("nowhere", "here", repeated, tmp_path / "whole")
    killed, whole = (
        Validation.from_json((tmp_path / name / "validation.json").read_bytes()) for name in ("killed", "whole")
    )
    assert comparable(killed) == comparable(whole)
    assert killed.cascade is not None
    assert killed.cascade.finished == 18
    assert killed.cascade.resumed >= 1
    assert (
        list((tmp_path / "killed" / "checkpoints" / ".unfinished").iterdir()) != []
    )  # swept later, see test_checkpoint


def test_as_a_flow(repeated: Pair, tmp_path: Path, prefect_api: str) -> None:
    mine = shutil.copy(repeated.candidate, tmp_path / "killed.csv")
    some = STAGES[::2]  # all of them are killed in process above
    copied = Pair(str(mine), repeated.original)
    kill_in_turn("flow", some, copied, tmp_path / "out", PREFECT_API_URL=prefect_api)
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs() if run.name == "validate-killed.csv"]
        assert len(runs) == len(some) + 1
        (last,) = [run for run in runs if run.state and run.state.is_completed()]
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[last.id])))
    states = {task.name: task.state_name for task in tasks}
    assert states == {step: "Completed" if step == "report" else "Cached" for step in ORDER}


@pytest.mark.parametrize("where", ["here", "flow"])
def test_two_at_once_agree(where: str, pair: Pair, tmp_path: Path, prefect_server: str) -> None:
    command = [sys.executable, SCRIPT, "nowhere", where, pair.candidate, pair.original, str(tmp_path)]
    mode = "full" if where == "here" else "off"
    environment = os.environ | {"PREFECT_API_URL": prefect_server, "FORETRAIN_CASCADE__MODE": mode}
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [child.communicate(timeout=120)[0] for child in both]
    assert both[0].returncode == both[1].returncode
    assert both[0].returncode in {0, 1, 3}
    assert said[0] == said[1]
