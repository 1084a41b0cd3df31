"""Train the proxy models as a recorded flow of its own: what a worker with a GPU runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from foretrain.api import checkpoints
from foretrain.checkpoint import Store
from foretrain.errors import SettingsError
from foretrain.pipeline import Step
from foretrain.progress import HEARTBEAT
from foretrain.record import Role
from foretrain.runner import Given, Result, through
from foretrain.settings import Settings
from foretrain_tasks import TASKS
from foretrain_tasks.progress import progress_artifact


def _name() -> str:
    candidate = str(runtime.flow_run.parameters["candidate"])
    return f"cascade-{candidate.rstrip('/').rsplit('/', 1)[-1]}"


@flow(name="cascade", flow_run_name=_name, persist_result=False, result_serializer="json")
def cascade(
    candidate: str,
    original: str | None = None,
    out: str = "foretrain-out",
    settings: Settings = Settings(),  # noqa: B008 - frozen, and shown as the default in the UI
) -> Any:
    """Train 18 small models on the original, the candidate and the candidate's child, and compare them.

    Its result is left in the checkpoint store: a validation of the same data with the same settings restores it.

    Args:
        candidate: file, glob, folder or URL of the dataset in question.
        original: the same for the real data it stands in for.
        out: folder or URL for checkpoints.
        settings: as in `foretrain config show`.
    """
    root = checkpoints(settings, out)
    if root is None:
        raise SettingsError("a recorded flow needs a place for its checkpoints: set out or settings.checkpoints")
    sources: dict[Role, object] = {"candidate": candidate}
    if original is not None:
        sources["original"] = original
    with progress_artifact(min(HEARTBEAT, settings.dispatch.lost_seconds / 4)):
        result = through("cascade", sources, settings, Store(root), run=_submit)
    return Completed(message=result.finding, data=result.record)


def _submit(step: Step, given: Mapping[str, Given | None], settings: Settings, store: Store) -> Result[Any]:
    state: State[Result[Any]] = TASKS[step.stage.name](step, given, settings, store, return_state=True)
    return state.result()
