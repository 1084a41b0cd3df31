"""How are the stages run one after the other, restored where they were run before, and told about?"""

from __future__ import annotations

import importlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from foretrain import checkpoint, storage
from foretrain.checkpoint import Store
from foretrain.data.faults import patiently
from foretrain.errors import DataError, ForetrainError
from foretrain.pipeline import BY_NAME, Stage, Step, steps
from foretrain.progress import Advance, Pace, heard
from foretrain.record import NotRun, Record, Role
from foretrain.settings import Settings

if TYPE_CHECKING:
    from foretrain.data.reference import DatasetRef
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
    where: str = ""
    """By whom it was run, where that was a question."""


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
            place = storage.absolute(os.fspath(self.record))
        return f"{place}\0{fingerprint(self.record, self.settings)}"


class Given(Protocol):
    """An argument of a stage: a `Result` or a `Source`."""

    @property
    def record(self) -> Any: ...
    @property
    def key(self) -> str: ...


Elsewhere = Callable[[], str]
"""Has a step run by another process that shares the store, if it can. Returns by whom it was run, in words that may
follow a comma; what is not in the store then is run here."""


class Progress(Protocol):
    """Is told of every step."""

    def started(self, step: Step) -> None: ...

    def advanced(self, step: Step, made: Advance) -> None:
        """How far it is, every ten seconds at least from its first word on; called on a thread of its own."""

    def ended(self, step: Step, result: Result[Record]) -> None: ...
    def failed(self, step: Step, error: BaseException) -> None: ...


class _Log:
    def started(self, step: Step) -> None:
        self._pace = Pace()
        log.debug("%s: started", step)

    def advanced(self, step: Step, made: Advance) -> None:
        if self._pace.due(time.monotonic()):
            log.info("%s: %s", step, made, extra={"step": str(step), "done": made.done, "fields": dict(made.fields)})

    def ended(self, step: Step, result: Result[Record]) -> None:
        log.info(
            "%s: %s in %.1f s: %s", step, "restored" if result.restored else "done", result.seconds, result.finding
        )

    def failed(self, step: Step, error: BaseException) -> None:
        log.info("%s: failed: %s", step, error)


_listeners: ContextVar[tuple[Progress, ...]] = ContextVar("listeners", default=(_Log(),))


@contextmanager
def told(progress: Progress) -> Iterator[None]:
    """Tell this listener too of the steps run inside the block."""
    token = _listeners.set((*_listeners.get(), progress))
    try:
        yield
    finally:
        _listeners.reset(token)


def execute(
    step: Step,
    given: Mapping[str, Given | None],
    settings: Settings,
    store: Store,
    elsewhere: Elsewhere | None = None,
) -> Result[Any]:
    """Run one step, or restore its result where the store holds it.

    Args:
        step: the stage, and the dataset it is run on.
        given: the arguments of the stage's function by name, beside settings and folder.
        settings: of the whole run; the stage sees its own.
        store: where results are kept.
        elsewhere: asked first to have it run.

    Raises:
        ForetrainError: the stage failed.
    """
    listeners = _listeners.get()

    def advanced(made: Advance) -> None:
        for listener in listeners:
            listener.advanced(step, made)

    for listener in listeners:
        listener.started(step)
    try:
        with heard(advanced):
            result = restored(step, given, settings, store) or _run(step, given, settings, store, elsewhere)
    except BaseException as error:
        for listener in listeners:
            listener.failed(step, error)
        raise
    for listener in listeners:
        listener.ended(step, result)
    return result


def execute_patiently(step: Step, given: Mapping[str, Given | None], settings: Settings, store: Store) -> Result[Any]:
    """`execute`, again with exponential back-off and jitter after faults that can pass."""
    return patiently(execute, step, given, settings, store)


def restored(step: Step, given: Mapping[str, Given | None], settings: Settings, store: Store) -> Result[Record] | None:
    """The result of a step where the store holds it, as `execute` would give it."""
    stage = step.stage
    key = _key(stage, given, settings)
    if (entry := store.read(stage.name, key)) is None:
        return None
    record: type[Record] = _named(stage.record)
    stored = record.model_validate_json(entry.record)
    return Result(stored, key, entry.seconds, restored=True, finding=stage.finding(stored))


def _run(
    step: Step, given: Mapping[str, Given | None], settings: Settings, store: Store, elsewhere: Elsewhere | None
) -> Result[Record]:
    where = elsewhere() if elsewhere else ""
    if where and (found := restored(step, given, settings, store)):
        return replace(found, restored=False, where=where)
    began, stage = time.perf_counter(), step.stage
    key = _key(stage, given, settings)
    function: Callable[..., Record] = _named(stage.function)
    arguments: dict[str, Any] = {name: argument.record if argument else None for name, argument in given.items()}
    if stage.settings:
        arguments["settings"] = settings.only(stage.settings)
    with store.draft(stage.name, key) as draft:
        if stage.files:
            arguments["folder"] = draft
        entry = store.commit(draft, function(**arguments), time.perf_counter() - began)
    record: type[Record] = _named(stage.record)
    computed = record.model_validate_json(entry.record)
    return Result(computed, key, entry.seconds, finding=stage.finding(computed), where=where)


def _key(stage: Stage, given: Mapping[str, Given | None], settings: Settings) -> str:
    read: dict[str, object] = {name: getattr(settings, name) for name in stage.settings}
    if stage.outside:
        read["outside"] = _named(stage.outside)(settings)
    inputs = {name: argument.key if argument else None for name, argument in given.items()}
    return checkpoint.key(stage.name, inputs, read, checkpoint.code_hash(stage.code))


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
    chain = _Chain(sources, settings)
    for step in steps(chain.roles):
        if step.stage.name == "report" and out is None:
            continue
        if why := step.stage.not_run(settings, {name: result.record for name, result in chain.done.items()}):
            chain.not_run[str(step)] = why
            continue
        try:
            chain.done[str(step)] = run(step, chain.given(step), settings, store)
        except ForetrainError as error:
            how = step.stage.on_failure
            if how == "stop" or (how == "stop on bad data" and isinstance(error, DataError)):
                raise
            chain.failures[str(step)] = str(error)
    chain.remember()
    validation = chain.validation().record
    if out is not None:
        if "report" in chain.done:
            storage.write(storage.join(out, "report.html"), storage.read(chain.done["report"].record.html))
        storage.write(storage.join(out, "validation.json"), validation.to_json().encode())
    return validation


def through(
    name: str,
    sources: Mapping[Role, object],
    settings: Settings,
    store: Store,
    run: Execute = execute_patiently,
) -> Result[Any]:
    """Run one stage, and before it those it needs.

    Args:
        name: of the stage.
        sources: the candidate, and the original where there is one.
        settings: of the whole run.
        store: where results are kept.
        run: how one step is run.

    Raises:
        ForetrainError: a stage failed.
    """
    chain = _Chain(sources, settings)
    for step in steps(chain.roles, name):
        result = run(step, chain.given(step), settings, store)
        chain.done[str(step)] = result
    return result


def loaded(sources: Mapping[Role, object], settings: Settings, store: Store) -> dict[Role, DatasetRef]:
    """The datasets alone, the candidate in the original's kinds.

    Raises:
        ForetrainError: one of them cannot be loaded.
    """
    chain = _Chain(sources, settings)
    for step in steps(chain.roles, "load"):
        chain.done[str(step)] = execute_patiently(step, chain.given(step), settings, store)
    return {role: chain.done[f"load {role}"].record for role in chain.roles}


@dataclass
class _Chain:
    """What a run has so far."""

    sources: Mapping[Role, object]
    settings: Settings
    done: dict[str, Result[Any]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)

    @property
    def roles(self) -> tuple[Role, ...]:
        return ("original", "candidate") if "original" in self.sources else ("candidate",)

    def given(self, step: Step) -> dict[str, Given | None]:
        """The arguments of a step's function, beside settings and folder."""
        if step.stage.name == "report":
            return {"validation": self.validation()}
        if not step.stage.needs:
            assert step.role is not None
            like = self.done.get("load original") if step.role == "candidate" else None
            return {"source": Source(self.sources[step.role], self.settings), "like": like}
        if step.role:
            return {"ref": self.done[f"{step.stage.needs[0]} {step.role}"]}
        given: dict[str, Given | None] = {}
        for need in step.stage.needs:
            if BY_NAME[need].each == "pair":
                given[need] = self.done.get(need) or self._missing(need)
            else:
                given |= {role: self.done.get(f"{need} {role}") for role in ("candidate", "original")}
        return given

    def _missing(self, name: str) -> Result[NotRun]:
        failed = self.failures.get(name)
        reason = self.not_run[name] if failed is None else f"the {name} stage failed: {failed}"
        return Result(NotRun(reason=reason), reason)

    def remember(self) -> None:
        """Keep the outcome for later runs, where the settings say so; a failure fails nothing else."""
        if self.settings.signatures.record and "prescreen" in self.done:
            stages = ("prescreen", "collapse", "load candidate", "load original")
            self._keep("signatures", "foretrain.signatures.outcomes:remember", stages)
        if self.settings.recommendations.record and "recommendations" in self.done:
            self._keep("history", "foretrain.recommendations.history:remember", ("recommendations",))

    def _keep(self, what: str, function: str, stages: tuple[str, ...]) -> None:
        try:
            _named(function)(*(self.done[name].record for name in stages), self.settings)
        except ForetrainError as error:
            self.failures[what] = str(error)

    def validation(self) -> Result[Validation]:
        """All that was found, as one record."""
        from foretrain.validation import Inputs, Validation, versions

        found = {step: result.record for step, result in self.done.items()}
        collapse = found["collapse"]
        validation = Validation(
            **{name: getattr(collapse, name) for name in type(collapse).model_fields},
            inputs=Inputs(candidate=found["load candidate"], original=found.get("load original")),
            diversity=found.get("diversity"),
            prescreen=found.get("prescreen"),
            cascade=found.get("cascade"),
            localization=found.get("localization"),
            recommendations=found.get("recommendations"),
            failures=dict(self.failures),
            not_run=dict(self.not_run),
            settings=self.settings,
            timings={step: round(result.seconds, 4) for step, result in self.done.items()},
            versions=versions(),
        )
        keys = {step: result.key for step, result in self.done.items()}
        read = {"all": self.settings, "failures": self.failures, "not run": self.not_run}
        return Result(validation, checkpoint.key("validation", keys, read, ""))


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)
