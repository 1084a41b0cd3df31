"""Is the cascade run by the GPU's work pool where it can be, one at a time, and is it resumed when its worker dies?"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    DeploymentFilter,
    DeploymentFilterName,
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterId,
)
from prefect.client.schemas.objects import FlowRun, State
from prefect.deployments import run_deployment
from prefect.settings import PREFECT_API_URL, PREFECT_HOME, temporary_settings
from support import Pair, comparable

from foretrain.settings import Settings
from foretrain.validation import Validation
from foretrain_flows.validate import validate

ROOT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect"]

# long enough that a run is caught in its midst on a busy machine too
SETTINGS = {"effort": "thorough", "target": "label", "cascade": {"mode": "full", "rows": 100, "snapshot_seconds": 0.2}}


class Farm:
    """The deployments of the repository's prefect.yaml, their work pools, and workers in another folder."""

    def __init__(self, api: str, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "PREFECT_API_URL": api,
            "PREFECT_HOME": str(folder / "home"),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_WORKER_HEARTBEAT_SECONDS": "5",
            "OMP_NUM_THREADS": "1",
        }
        self._workers: list[subprocess.Popen[bytes]] = []
        with get_client(sync_client=True) as client:
            for pool in ("cpu", "gpu", "nobody"):
                client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
        deploy = [*PREFECT, "--no-prompt", "deploy", "--all"]
        subprocess.run(deploy, cwd=ROOT, env=self.environment, check=True, capture_output=True, timeout=120)

    def worker(self, pool: str) -> subprocess.Popen[bytes]:
        """A new one, once it is online."""
        before = self._known(pool)
        with (self.folder / f"{pool}.log").open("ab") as log:
            worker = subprocess.Popen(
                [*PREFECT, "worker", "start", "--pool", pool],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._workers.append(worker)
        until(lambda: self._known(pool) - before, self)
        return worker

    def _known(self, pool: str) -> set[str]:
        with get_client(sync_client=True) as client:
            return {worker.name for worker in client.read_workers_for_work_pool(pool)}

    def close(self) -> None:
        for worker in self._workers:
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGTERM)
                worker.wait(30)


@pytest.fixture(scope="module")
def farm(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    folder = tmp_path_factory.mktemp("farm")
    with temporary_settings({PREFECT_API_URL: prefect_server, PREFECT_HOME: folder / "home"}):
        made = Farm(prefect_server, folder)
        try:
            made.worker("cpu")
            yield made
        finally:
            made.close()


def written(out: Path) -> Validation:
    return Validation.from_json((out / "validation.json").read_bytes())


def here(pair: Pair, out: Path, **changed: Any) -> State[Any]:
    """The last state of a validation whose flow is run in this process."""
    settings = Settings.model_validate({**SETTINGS, **changed})
    return validate(pair.candidate, pair.original, str(out), settings, return_state=True)  # type: ignore[return-value]


def sent(pair: Pair, out: Path, **changed: Any) -> FlowRun:
    """A validation whose flow is run by the other work pool."""
    settings = {**SETTINGS, **changed}
    parameters = {"candidate": pair.candidate, "original": pair.original, "out": str(out), "settings": settings}
    run = run_deployment("validate/cpu", parameters=parameters, timeout=0)
    assert isinstance(run, FlowRun)
    return run


def cascades(out: Path) -> list[FlowRun]:
    """The runs of the GPU's pool for this output, in order of their beginning."""
    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=["cascade"])),
            deployment_filter=DeploymentFilter(name=DeploymentFilterName(any_=["gpu"])),
        )
    mine = [run for run in runs if run.parameters["out"] == str(out)]
    return sorted(mine, key=lambda run: run.expected_start_time or run.created)  # type: ignore[arg-type, return-value]


def percent(run: FlowRun) -> float:
    """What its progress artifact says."""
    wanted = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[run.id]))
    with get_client(sync_client=True) as client:
        for artifact in client.read_artifacts(artifact_filter=wanted):
            if artifact.key == "progress" and str(artifact.description).startswith("cascade: "):
                return float(str(artifact.data))
    return 0.0


def until(what: Callable[[], Any], farm: Farm, seconds: float = 150.0) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.2)
    with get_client(sync_client=True) as client:
        states = "\n".join(f"{run.name}: {run.state!r}" for run in client.read_flow_runs())
    logs = "\n".join(log.read_text()[-2000:] for log in farm.folder.glob("*.log"))
    raise AssertionError(f"waited {seconds} s in vain\n{states}\n{logs}")


def training(out: Path) -> FlowRun | None:
    """The run that is in the midst of its training, if there is one."""
    return next((run for run in cascades(out) if run.state and run.state.is_running() and percent(run) >= 10), None)


def ended(run: FlowRun) -> State[Any] | None:
    with get_client(sync_client=True) as client:
        state = client.read_flow_run(run.id).state
    return state if state and state.is_final() else None


def kill(run: FlowRun) -> None:
    """Without mercy, the processes of a flow run."""
    mark = f"PREFECT__FLOW_RUN_ID={run.id}".encode()
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if mark in file.read_bytes():
                os.kill(int(file.parent.name), signal.SIGKILL)


def said(flow_run: UUID | None) -> str:
    """By the cascade's task in a validation."""
    assert flow_run is not None
    with get_client(sync_client=True) as client:
        tasks = client.read_task_runs(flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run])))
    (message,) = [task.state.message for task in tasks if task.name == "cascade" and task.state]
    return str(message)


@pytest.fixture(scope="module")
def unbroken(farm: Farm, pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State[Any]]:
    """A validation in this process, since its pool has no worker."""
    out = tmp_path_factory.mktemp("unbroken")
    return out, here(pair, out, dispatch={"pool": "nobody"})


def test_without_a_worker_it_is_run_in_the_flows_own_process(unbroken: tuple[Path, State[Any]]) -> None:
    out, state = unbroken
    assert state.is_completed()
    assert said(state.state_details.flow_run_id).endswith(
        "run in this process: the work pool 'nobody' has no worker online"
    )
    assert cascades(out) == []


def test_worker_and_run_killed_the_cascade_is_resumed_here_to_the_same_result(
    farm: Farm, pair: Pair, unbroken: tuple[Path, State[Any]], tmp_path: Path
) -> None:
    worker = farm.worker("gpu")
    run = sent(pair, tmp_path, dispatch={"lost_seconds": 8})
    child = until(lambda: training(tmp_path), farm)
    os.kill(worker.pid, signal.SIGKILL)
    kill(child)
    killed = time.monotonic()
    assert until(lambda: ended(child), farm).is_crashed()
    assert time.monotonic() - killed < 30
    state = until(lambda: ended(run), farm)
    assert state.is_completed(), state.message
    assert re.search("run in this process: .*no sign of life for .*has no worker online", said(run.id))
    found, whole = written(tmp_path), written(unbroken[0])
    with get_client(sync_client=True) as client:
        assert f"verdict:{found.verdict}" in client.read_flow_run(run.id).tags
    assert comparable(found.model_copy(update={"settings": whole.settings})) == comparable(whole)
    assert found.cascade is not None
    assert found.cascade.resumed >= 1


def test_of_two_at_once_one_waits_and_one_that_crashes_is_sent_again(farm: Farm, pair: Pair, tmp_path: Path) -> None:
    farm.worker("gpu")
    outs = [tmp_path / "first", tmp_path / "second"]
    with ThreadPoolExecutor(2) as threads:
        running = [
            threads.submit(copy_context().run, partial(here, pair, out, seed=seed, dispatch={"lost_seconds": 20}))
            for seed, out in enumerate(outs)
        ]
        kill(until(lambda: next(filter(None, map(training, outs)), None), farm))
        states = [each.result() for each in running]
    for state in states:
        assert state.is_completed(), state.message
        assert "run by the work pool 'gpu'" in said(state.state_details.flow_run_id)
    with get_client(sync_client=True) as client:
        histories = [client.read_flow_run_states(each.id) for out in outs for each in cascades(out)]
    spans = sorted(
        (
            min(state.timestamp for state in history if state.is_running()),
            max(state.timestamp for state in history if state.is_final()),
        )
        for history in histories
    )
    assert len(spans) == 3
    assert all(later[0] >= earlier[1] for earlier, later in pairwise(spans))
    assert any(state.name == "AwaitingConcurrencySlot" for history in histories for state in history)
