"""Do the three pins still hold what they were made for? One test each, so that an upgrade is caught."""

from __future__ import annotations

import json
import time
import urllib.request
from datetime import datetime, timedelta
from importlib import metadata

from packaging.requirements import Requirement
from prefect import get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.client.schemas.schedules import CronSchedule


def test_prefect_pin_everything_prefect_wants_is_installed() -> None:
    wanted = [Requirement(text) for text in metadata.requires("prefect") or []]
    wanted = [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]
    wanted += [Requirement(text) for text in metadata.requires("httpx") or [] if text.startswith("certifi")]
    assert len(wanted) > 40
    wrong = [str(each) for each in wanted if not each.specifier.contains(metadata.version(each.name), prereleases=True)]
    assert wrong == []


def test_fastapi_pin_the_server_starts_and_answers(prefect_server: str) -> None:
    with urllib.request.urlopen(f"{prefect_server}/admin/version", timeout=10) as answer:
        assert json.load(answer) == metadata.version("prefect")


def test_sqlalchemy_pin_a_cron_deployment_gets_scheduled_runs(prefect_api: str) -> None:
    from foretrain_flows.validate import validate

    with get_client(sync_client=True) as client:
        flow = client.create_flow(validate)
        schedule = DeploymentScheduleCreate(schedule=CronSchedule(cron="*/5 * * * *", timezone="UTC"), active=True)
        deployment = client.create_deployment(flow, name="pinned", schedules=[schedule])
        wanted = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
        until = time.monotonic() + 60
        while not (runs := client.read_flow_runs(deployment_filter=wanted)) and time.monotonic() < until:
            time.sleep(0.5)
        client.delete_deployment(deployment)
    assert runs
    assert all(run.state_name == "Scheduled" for run in runs)
    starts = [run.expected_start_time for run in runs]
    assert all(isinstance(start, datetime) and start.minute % 5 == 0 for start in starts)
    assert max(starts) - min(starts) >= timedelta(minutes=5)
