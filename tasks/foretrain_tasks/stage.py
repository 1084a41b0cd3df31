"""How does a stage of the list become a Prefect task: retried where that helps, shown as Cached where restored?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from prefect import Task, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.states import Completed

from foretrain.checkpoint import Store
from foretrain.errors import ForetrainError
from foretrain.pipeline import BY_NAME, Step
from foretrain.runner import Elsewhere, Given, Result, execute
from foretrain.settings import Settings

RETRY_DELAYS = [2, 4, 8, 16]
"""Seconds before each new try of what can pass, doubling; spread by up to as much again."""

Rows = Sequence[Mapping[str, object]]
StageTask = Task[[Step, Mapping[str, Given | None], Settings, Store, Elsewhere | None], Any]


def stage_task(name: str, table: Callable[[Any], Rows], text: Callable[[Any], str]) -> StageTask:
    """The task of one stage.

    Args:
        name: the stage's name in the list.
        table: rows of the table that an operator sees, from the stage's record.
        text: what stands above it, in Markdown.
    """
    stage = BY_NAME[name]

    @task(
        name=name,
        description=stage.question,
        task_run_name="{step}",
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=len(RETRY_DELAYS),
        retry_delay_seconds=list(RETRY_DELAYS),
        retry_jitter_factor=1,
        retry_condition_fn=can_pass,
    )
    def run(
        step: Step,
        given: Mapping[str, Given | None],
        settings: Settings,
        store: Store,
        elsewhere: Elsewhere | None = None,
    ) -> Any:
        result = execute(step, given, settings, store, elsewhere)
        _leave_artifacts(step, result, table(result.record), text(result.record))
        if result.restored:
            return Completed(name="Cached", message=f"restored from {step.stage.name}/{result.key}", data=result)
        return Completed(message=", ".join(filter(None, (result.finding, result.where))), data=result)

    return run


def can_pass(_task: Task[Any, Any], _run: TaskRun, state: State[Any]) -> bool:
    """Whether trying again can help: never with bad data."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, ForetrainError) and error.can_pass


def _leave_artifacts(step: Step, result: Result[Any], rows: Rows, text: str) -> None:
    key = str(step).replace(" ", "-")
    how = f"restored from checkpoint `{result.key}`" if result.restored else f"took {result.seconds:.1f} s"
    how = ", ".join(filter(None, (how, result.where)))
    create_markdown_artifact(f"**{step}**: {result.finding} ({how})\n\n{text}", key=key, description=result.finding)
    create_table_artifact([dict(row) for row in rows], key=f"{key}-table", description=step.stage.question)
