"""Validate a dataset as a recorded flow: what runs, and in what order?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from prefect import flow, get_client, runtime
from prefect.client.schemas.objects import State
from prefect.states import Completed

from foretrain.api import checkpoints
from foretrain.checkpoint import Store
from foretrain.collapse.record import Verdict
from foretrain.errors import SettingsError
from foretrain.pipeline import Step
from foretrain.record import Role
from foretrain.runner import Given, Result, follow
from foretrain.settings import Settings
from foretrain.storage import absolute
from foretrain.validation import Validation
from foretrain_flows import dispatch
from foretrain_tasks import TASKS
from foretrain_tasks.progress import progress_artifact

STATES: dict[Verdict, str] = {
    "approve": "Approved",
    "review": "Review",
    "reject": "Rejected",
    "underpowered": "Underpowered",
}


def _name() -> str:
    candidate = str(runtime.flow_run.parameters["candidate"])
    return f"validate-{candidate.rstrip('/').rsplit('/', 1)[-1]}"


# Prefect writes a failed flow's exception to its storage whatever persist_result says: as JSON then, never a pickle
@flow(name="validate", flow_run_name=_name, persist_result=False, result_serializer="json")
def validate(
    candidate: str,
    original: str | None = None,
    out: str = "foretrain-out",
    settings: Settings = Settings(),  # noqa: B008 - frozen, and shown as the default in the UI
) -> Any:
    """Say whether the candidate is safe to train on instead of the original.

    A run that rejects a dataset has done its work: it is completed, and its state says the verdict.

    Args:
        candidate: file, glob, folder or URL of the dataset in question.
        original: the same for the real data it stands in for.
        out: folder or URL for validation.json, report.html and checkpoints.
        settings: as in `foretrain config show`.
    """
    root = checkpoints(settings, out)
    if root is None:
        raise SettingsError("a recorded flow needs a place for its checkpoints: set out or settings.checkpoints")
    sources: dict[Role, object] = {"candidate": candidate}
    if original is not None:
        sources["original"] = original
    order = {
        "candidate": absolute(candidate),
        "original": original and absolute(original),
        "out": absolute(out),
        "settings": settings.model_copy(update={"checkpoints": absolute(root)}).model_dump(mode="json"),
    }
    with progress_artifact():
        found = follow(sources, settings, Store(root), out, run=partial(_submit, order))
    _tag(found)
    return Completed(name=STATES[found.verdict], message=f"{found.verdict}: {found.sentence}", data=found)


def _submit(
    order: Mapping[str, Any], step: Step, given: Mapping[str, Given | None], settings: Settings, store: Store
) -> Result[Any]:
    elsewhere = partial(dispatch.order, order, settings.dispatch) if step.stage.where == "gpu" else None
    state: State[Result[Any]] = TASKS[step.stage.name](step, given, settings, store, elsewhere, return_state=True)
    return state.result()


def _tag(found: Validation) -> None:
    tags = {*runtime.flow_run.tags, f"verdict:{found.verdict}", f"severity:{found.severity.class_}"}
    with get_client(sync_client=True) as client:
        client.update_flow_run(runtime.flow_run.id, tags=sorted(tags))
