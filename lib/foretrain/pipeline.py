"""Which stages make a validation, and in what order?

The one list of stages, read by the in-process runner, the recorded flow and the documentation alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from foretrain.record import Role

if TYPE_CHECKING:
    from foretrain.collapse.record import Collapse
    from foretrain.data.reference import DatasetRef
    from foretrain.diversity.record import Diversity
    from foretrain.profile.record import ProfileRef
    from foretrain.report.record import ReportRef


@dataclass(frozen=True)
class Stage:
    """One stage: a library function around which there are checkpoints, progress, and in a flow a task."""

    name: str
    title: str
    question: str
    """What it answers, one sentence."""
    function: str
    """ "module:function", imported when it first runs."""
    record: str
    """ "module:class" of what it returns."""
    needs: tuple[str, ...]
    """The stages whose results it is given, in this order."""
    settings: tuple[str, ...]
    """The settings it reads; it is given no others."""
    code: tuple[str, ...]
    """The modules and packages its result depends on, beside those of the stages it needs."""
    each: Literal["dataset", "pair"]
    """Whether it runs once a dataset or once for both."""
    finding: Callable[[Any], str]
    """Its record in a few words."""
    files: bool = False
    """Whether it writes files."""
    where: Literal["here", "gpu"] = "here"
    on_failure: Literal["stop", "go on without"] = "stop"


def _loaded(dataset: DatasetRef) -> str:
    return f"{dataset.rows:,} rows x {len(dataset.columns):,} columns, {dataset.format}"


def _profiled(profile: ProfileRef) -> str:
    return f"{profile.distinct_rows:,.0f} different rows, {profile.duplicate_rows:.1%} repeated"


def _measured(diversity: Diversity) -> str:
    lost = sum(value.kind == "lost" for value in diversity.rare_values)
    copies = diversity.copies_of_original
    return f"{lost} rare values lost" + (f", {copies:.1%} copies of the original" if copies is not None else "")


def _scored(collapse: Collapse) -> str:
    return f"{collapse.verdict}, score {collapse.score:.0f} of 100"


def _written(report: ReportRef) -> str:
    return report.html.rsplit("/", 1)[-1]


_BASE = ("foretrain.record", "foretrain.seeds")

STAGES: tuple[Stage, ...] = (
    Stage(
        name="load",
        title="Load",
        question="What is in the file?",
        function="foretrain.data:load",
        record="foretrain.data.reference:DatasetRef",
        needs=(),
        settings=("data", "target", "time_column"),
        code=(*_BASE, "foretrain.data"),
        each="dataset",
        finding=_loaded,
        files=True,
    ),
    Stage(
        name="profile",
        title="Profile",
        question="What does one pass over the rows tell?",
        function="foretrain.profile:profile",
        record="foretrain.profile.record:ProfileRef",
        needs=("load",),
        settings=("seed", "profile"),
        code=(*_BASE, "foretrain.profile"),
        each="dataset",
        finding=_profiled,
        files=True,
    ),
    Stage(
        name="diversity",
        title="Diversity",
        question="How much variety is there, and what of the original's was lost?",
        function="foretrain.diversity:measure",
        record="foretrain.diversity.record:Diversity",
        needs=("profile",),
        settings=("seed", "effort", "diversity"),
        code=(*_BASE, "foretrain.diversity"),
        each="pair",
        finding=_measured,
        on_failure="go on without",
    ),
    Stage(
        name="collapse",
        title="Collapse",
        question="Would a model trained on it be harmed, and how badly?",
        function="foretrain.collapse:score",
        record="foretrain.collapse.record:Collapse",
        needs=("profile",),
        settings=("seed", "effort", "target", "time_column", "verdict"),
        code=(*_BASE, "foretrain.collapse"),
        each="pair",
        finding=_scored,
    ),
    Stage(
        name="report",
        title="Report",
        question="What does a person need to see to decide?",
        function="foretrain.report:write",
        record="foretrain.report.record:ReportRef",
        needs=("load", "diversity", "collapse"),
        settings=(),
        code=(*_BASE, "foretrain.report", "foretrain.validation"),
        each="pair",
        finding=_written,
        files=True,
        on_failure="go on without",
    ),
)
BY_NAME: dict[str, Stage] = {stage.name: stage for stage in STAGES}


@dataclass(frozen=True)
class Step:
    """One run of a stage: on one dataset, or on both."""

    stage: Stage
    role: Role | None = None

    def __str__(self) -> str:
        return f"{self.stage.name} {self.role}" if self.role else self.stage.name


def steps(roles: tuple[Role, ...]) -> Iterator[Step]:
    """Every step of a run over these datasets, in order."""
    for stage in STAGES:
        yield from (Step(stage, role) for role in roles) if stage.each == "dataset" else (Step(stage),)
