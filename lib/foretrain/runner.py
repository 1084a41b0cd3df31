"""How are the stages run one after the other, restored where they were run before, and told about?"""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from foretrain import checkpoint, storage
from foretrain.checkpoint import Store
from foretrain.data.faults import patiently
from foretrain.errors import DataError, ForetrainError
from foretrain.pipeline import Stage, Step, steps
from foretrain.record import Record, Role
from foretrain.settings import Settings

if TYPE_CHECKING:
    from foretrain.profile.record import ProfileRef
    from foretrain.validation import Validation

log = logging.getLogger(__name__)
R_co = TypeVar("R_co", covariant=True)


@dataclass(frozen=True)
class Result(Generic[R_co]):
    """What a step gave: its record, and the key that names it."""

    record: R_co
    key: str
    seconds: float = 0.0
    """What computing it took."""
    restored: bool = False
    finding: str = ""


@dataclass(frozen=True)
class Source:
    """A dataset as the user gave it: a path, a URL, or a table in memory."""

    record: Any
    settings: Settings

    @cached_property
    def key(self) -> str:
        """Names the content and the place it was read from."""
        from foretrain.data import fingerprint

        place = "memory"
        if isinstance(self.record, str | os.PathLike):
            place = os.fspath(self.record)
            place = place if "://" in place else str(Path(place).absolute())
        return f"{place}\0{fingerprint(self.record, self.settings)}"


class Given(Protocol):
    """An argument of a stage: a `Result` or a `Source`."""

    @property
    def record(self) -> Any: ...
    @property
    def key(self) -> str: ...


class Progress(Protocol):
    """Is told of every step."""

    def started(self, step: Step) -> None: ...
    def ended(self, step: Step, result: Result[Record]) -> None: ...
    def failed(self, step: Step, error: BaseException) -> None: ...


class _Log:
    def started(self, step: Step) -> None:
        log.debug("%s: started", step)

    def ended(self, step: Step, result: Result[Record]) -> None:
        log.info(
            "%s: %s in %.1f s: %s", step, "restored" if result.restored else "done", result.seconds, result.finding
        )

    def failed(self, step: Step, error: BaseException) -> None:
        log.info("%s: failed: %s", step, error)


_LOG = _Log()
_progress: ContextVar[Progress] = ContextVar("progress")


@contextmanager
def told(progress: Progress) -> Iterator[None]:
    """Tell this listener of the steps run inside the block."""
    token = _progress.set(progress)
    try:
        yield
    finally:
        _progress.reset(token)


def execute(
    step: Step,
    given: Mapping[str, Given | None],
    settings: Settings,
    store: Store,
) -> Result[Any]:
    """Run one step, or restore its result where the store holds it.

    Args:
        step: the stage, and the dataset it is run on.
        given: the arguments of the stage's function by name, beside settings and folder.
        settings: of the whole run; the stage sees its own.
        store: where results are kept.

    Raises:
        ForetrainError: the stage failed.
    """
    stage, progress = step.stage, _progress.get(_LOG)
    progress.started(step)
    try:
        result = _restored_or_run(stage, given, settings, store)
    except BaseException as error:
        progress.failed(step, error)
        raise
    progress.ended(step, result)
    return result


def execute_patiently(step: Step, given: Mapping[str, Given | None], settings: Settings, store: Store) -> Result[Any]:
    """`execute`, again with exponential back-off and jitter after faults that can pass."""
    return patiently(execute, step, given, settings, store)


def _restored_or_run(
    stage: Stage, given: Mapping[str, Given | None], settings: Settings, store: Store
) -> Result[Record]:
    began = time.perf_counter()
    read = {name: getattr(settings, name) for name in stage.settings}
    inputs = {name: argument.key if argument else None for name, argument in given.items()}
    key = checkpoint.key(stage.name, inputs, read, checkpoint.code_hash(stage.code))
    record: type[Record] = _named(stage.record)
    if entry := store.read(stage.name, key):
        stored = record.model_validate_json(entry.record)
        return Result(stored, key, entry.seconds, restored=True, finding=stage.finding(stored))
    function: Callable[..., Record] = _named(stage.function)
    arguments: dict[str, Any] = {name: argument.record if argument else None for name, argument in given.items()}
    if stage.settings:
        arguments["settings"] = settings.only(stage.settings)
    with store.draft(stage.name, key) as draft:
        if stage.files:
            arguments["folder"] = draft
        entry = store.commit(draft, function(**arguments), time.perf_counter() - began)
    computed = record.model_validate_json(entry.record)
    return Result(computed, key, entry.seconds, finding=stage.finding(computed))


Execute = Callable[[Step, Mapping[str, "Given | None"], Settings, Store], Result[Any]]


def follow(
    sources: Mapping[Role, object],
    settings: Settings,
    store: Store,
    out: str | None,
    run: Execute = execute_patiently,
) -> Validation:
    """Run every step in order and write down what came of it.

    Args:
        sources: the candidate, and the original where there is one.
        settings: of the whole run.
        store: where results are kept.
        out: folder or URL for validation.json and report.html; nothing is written where None.
        run: how one step is run.

    Raises:
        ForetrainError: a stage failed that the rest depends on.
    """
    roles: tuple[Role, ...] = ("original", "candidate") if "original" in sources else ("candidate",)
    done: dict[str, Result[Any]] = {}
    failures: dict[str, str] = {}
    for step in steps(roles):
        if step.stage.name == "report" and out is None:
            continue
        try:
            done[str(step)] = run(step, _given(step, done, sources, settings, failures), settings, store)
        except ForetrainError as error:
            if step.stage.on_failure == "stop" or isinstance(error, DataError):
                raise
            failures[str(step)] = str(error)
    validation = _assemble(done, settings, failures).record
    if out is not None:
        if "report" in done:
            storage.write(storage.join(out, "report.html"), storage.read(done["report"].record.html))
        storage.write(storage.join(out, "validation.json"), validation.to_json().encode())
    return validation


def profile(source: object, settings: Settings, store: Store) -> ProfileRef:
    """Load and profile one dataset."""
    done: dict[str, Result[Any]] = {}
    for step in steps(("candidate",)):
        if step.stage.each == "dataset":
            done[str(step)] = execute(step, _given(step, done, {"candidate": source}, settings, {}), settings, store)
    found: ProfileRef = done["profile candidate"].record
    return found


def _given(
    step: Step,
    done: Mapping[str, Result[Any]],
    sources: Mapping[Role, object],
    settings: Settings,
    failures: Mapping[str, str],
) -> dict[str, Given | None]:
    if step.stage.name == "report":
        return {"validation": _assemble(done, settings, failures)}
    if not step.stage.needs:
        assert step.role is not None
        like = done.get("load original") if step.role == "candidate" else None
        return {"source": Source(sources[step.role], settings), "like": like}
    if step.role:
        return {"ref": done[f"{step.stage.needs[0]} {step.role}"]}
    return {role: done.get(f"{need} {role}") for need in step.stage.needs for role in ("candidate", "original")}


def _assemble(done: Mapping[str, Result[Any]], settings: Settings, failures: Mapping[str, str]) -> Result[Validation]:
    from foretrain.validation import Inputs, Validation, versions

    original, diversity = done.get("load original"), done.get("diversity")
    collapse = done["collapse"].record
    validation = Validation(
        **{name: getattr(collapse, name) for name in type(collapse).model_fields},
        inputs=Inputs(candidate=done["load candidate"].record, original=original.record if original else None),
        diversity=diversity.record if diversity else None,
        failures=dict(failures),
        settings=settings,
        timings={step: round(result.seconds, 4) for step, result in done.items()},
        versions=versions(),
    )
    keys = {step: result.key for step, result in done.items()}
    return Result(validation, checkpoint.key("validation", keys, {"all": settings, "failures": dict(failures)}, ""))


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
