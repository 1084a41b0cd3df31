"""Does the repository's prefect.yaml deploy, and does a worker in another folder run it?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments import run_deployment
from support import Pair

ROOT = Path(__file__).parents[2]
PREFECT = [sys.executable, "-m", "prefect"]


def test_a_worker_elsewhere_runs_the_deployment(pair: Pair, tmp_path: Path, prefect_api: str) -> None:
    environment = os.environ | {
        "PREFECT_API_URL": prefect_api,
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_WORKER_QUERY_SECONDS": "1",
    }
    with get_client(sync_client=True) as client:
        for pool in ("cpu", "gpu"):
            client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    deploy = [*PREFECT, "--no-prompt", "deploy", "--all"]
    subprocess.run(deploy, cwd=ROOT, env=environment, check=True, capture_output=True, timeout=120)
    with (tmp_path / "worker.log").open("wb") as log:
        worker = subprocess.Popen(
            [*PREFECT, "worker", "start", "--pool", "cpu"],
            cwd=tmp_path,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        parameters = {
            "candidate": pair.candidate,
            "original": pair.original,
            "out": str(tmp_path / "out"),
            "settings": {"effort": "quick", "target": "label"},
        }
        run = run_deployment("validate/cpu", parameters=parameters, timeout=120, poll_interval=1)
    finally:
        os.killpg(worker.pid, signal.SIGTERM)
        worker.wait(30)
    assert run.state is not None  # type: ignore[union-attr]
    assert run.state.is_completed(), (tmp_path / "worker.log").read_text()  # type: ignore[union-attr]
    found = json.loads((tmp_path / "out" / "validation.json").read_text())
    assert found["settings"]["target"] == "label"
    assert f"verdict:{found['verdict']}" in run.tags  # type: ignore[union-attr]
