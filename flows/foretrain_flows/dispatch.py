"""Who runs a stage that wants a GPU: a worker of the GPU's work pool, or this process?"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx
from prefect import get_client
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.filters import ArtifactFilter, ArtifactFilterFlowRunId, ArtifactFilterKey
from prefect.client.schemas.objects import Artifact, FlowRun, State, StateDetails, Worker
from prefect.deployments import run_deployment
from prefect.exceptions import ObjectNotFound
from prefect.states import Cancelled, Cancelling, Crashed

from foretrain.errors import ResourceError
from foretrain.progress import Advance, advance
from foretrain.settings import DispatchSettings
from foretrain_tasks.progress import KEY

log = logging.getLogger("foretrain.dispatch")

DEPLOYMENT = "cascade/gpu"

POLL = 2.0
"""Seconds between two looks at the run."""

MISSED = 2
"""Heartbeats that a worker may miss: Prefect calls it online for longer than that."""

GRACE = 20.0
"""Seconds a worker has to end a run that was cancelled."""

ATTEMPTS = 3
"""Runs that may be lost before this process takes over."""


def order(parameters: Mapping[str, Any], wanted: DispatchSettings) -> str:
    """Have the cascade run by a worker of the pool. What it computes is in the store then.

    Args:
        parameters: of the flow `foretrain_flows.cascade.cascade`, its paths absolute.
        wanted: the pool, and how long to wait for what.

    Returns:
        By whom it was run, or why it must be run here, for people.

    Raises:
        ResourceError: someone cancelled the run.
    """
    where = _order(parameters, wanted)
    log.info("cascade: %s", where)
    return where


def _order(parameters: Mapping[str, Any], wanted: DispatchSettings) -> str:
    lost: list[str] = []
    with get_client(sync_client=True) as client:
        while len(lost) < ATTEMPTS:
            if why := _nobody(client, wanted.pool):
                return _here(*lost, why)
            name = f"cascade-{str(parameters['candidate']).rstrip('/').rsplit('/', 1)[-1]}"
            run = run_deployment(DEPLOYMENT, parameters=dict(parameters), flow_run_name=name, timeout=0)
            assert isinstance(run, FlowRun)
            log.info("cascade: sent to the work pool %r as %s", wanted.pool, run.name)
            watch = _Watch(client, run.id, wanted)
            try:
                state = watch.until_it_ends()
            except BaseException:
                with suppress(Exception):
                    watch.end("was not wanted any more")
                raise
            if state.is_completed():
                return f"run by the work pool {wanted.pool!r} as {run.name}"
            if state.is_cancelled() and not watch.ended:
                raise ResourceError(f"its run {run.name} in the work pool {wanted.pool!r} was cancelled")
            lost.append(f"{run.name} {state.type.value.lower()} in the work pool {wanted.pool!r}: {state.message}")
            log.warning("cascade: %s", lost[-1])
            if not state.is_crashed():
                break
    return _here(*lost)


def _here(*reasons: str) -> str:
    return "run in this process: " + "; ".join(reasons)


def _nobody(client: SyncPrefectClient, pool: str | None) -> str | None:
    """Why nobody of the pool would take up a run now."""
    if pool is None:
        return "dispatch.pool is not set"
    try:
        client.read_work_pool(pool)
        client.read_deployment_by_name(DEPLOYMENT)
        workers = client.read_workers_for_work_pool(pool)
    except ObjectNotFound:
        return f"there is no work pool {pool!r} with a deployment {DEPLOYMENT}"
    return None if any(map(_lives, workers)) else f"the work pool {pool!r} has no worker online"


def _lives(worker: Worker) -> bool:
    if worker.last_heartbeat_time is None:
        return False
    silent = (datetime.now(UTC) - worker.last_heartbeat_time).total_seconds()
    return silent <= MISSED * (worker.heartbeat_interval_seconds or 30) + POLL


class _Watch:
    """Looks after a run until it ends, or ends it when it gives no sign of life.

    A sign is any change of its state or of its progress artifact. Silence counts only while the API answers.
    """

    def __init__(self, client: SyncPrefectClient, run: UUID, wanted: DispatchSettings) -> None:
        self._client, self._run, self._wanted = client, run, wanted
        self._silent = self._waited = 0.0
        self._sign: object = None
        self.ended = False
        """Whether it ended it."""

    def until_it_ends(self) -> State[Any]:
        """The run's last state."""
        while True:
            time.sleep(POLL)
            try:
                state = self._read()
                shown = self._artifact()
            except httpx.HTTPError:
                continue  # without its API this flow cannot end either, so it waits
            self._silent += POLL
            self._waited += POLL
            if (sign := (state.id, shown)) != self._sign:
                self._sign, self._silent = sign, 0.0
            if shown is not None and state.is_running():
                advance(Advance(float(str(shown.data)) / 100.0, str(shown.description).removeprefix("cascade: ")))
            if state.is_final():
                return state
            if why := self._gone(state):
                return self.end(why)

    def _gone(self, state: State[Any]) -> str | None:
        """Why the run is not to be waited for."""
        if state.is_running() or state.is_cancelling():
            silent = self._silent > self._wanted.lost_seconds
            return f"no sign of life for {self._silent:.0f} s" if silent else None
        if self._silent > self._wanted.pickup_seconds:
            return f"not begun within {self._silent:.0f} s"
        if self._waited > self._wanted.queue_seconds:
            return f"not begun within {self._waited:.0f} s, the GPU being taken"
        return None

    def end(self, why: str) -> State[Any]:
        """End the run: by its worker, where there is one that does it, or in name only. Crashed if it had begun."""
        self.ended = True
        begun = self._read()
        if not begun.is_scheduled() and not _nobody(self._client, self._wanted.pool):
            # the lease goes along, or the GPU's place would be given free twice: now, and when the lease runs out
            lease = StateDetails(deployment_concurrency_lease_id=begun.state_details.deployment_concurrency_lease_id)
            self._client.set_flow_run_state(self._run, Cancelling(message=why, state_details=lease))
            until = time.monotonic() + GRACE
            while time.monotonic() < until and not self._read().is_final():
                time.sleep(POLL)
        kind = Crashed if begun.is_running() or begun.is_cancelling() else Cancelled
        last: State[Any] = kind(message=why)
        if not self._read().is_final():
            self._client.set_flow_run_state(self._run, last, force=True)
        return last

    def _read(self) -> State[Any]:
        state = self._client.read_flow_run(self._run).state
        assert state is not None
        return state

    def _artifact(self) -> Artifact | None:
        mine = ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[self._run]), key=ArtifactFilterKey(any_=[KEY]))
        return next(iter(self._client.read_artifacts(artifact_filter=mine)), None)
