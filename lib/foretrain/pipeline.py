"""Which stages make a validation, and in what order?

The one list of stages, read by the in-process runner, the recorded flow and the documentation alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from foretrain.record import Record, Role
from foretrain.settings import CascadeMode, Effort, RecommendationMode, Settings

if TYPE_CHECKING:
    from foretrain.cascade.record import Cascade
    from foretrain.collapse.record import Collapse
    from foretrain.data.reference import DatasetRef
    from foretrain.diversity.record import Diversity
    from foretrain.localization.record import Localization
    from foretrain.profile.record import ProfileRef
    from foretrain.recommendations.record import Recommendations
    from foretrain.report.record import ReportRef
    from foretrain.signatures.record import Prescreen


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
    """The stages whose results it is given, in this order; those of pairs by their name."""
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
    on_failure: Literal["stop", "stop on bad data", "go on without"] = "stop"
    not_run: Callable[[Settings, Mapping[str, Record]], str | None] = lambda *_: None
    """Why it is not run, with these settings and what the steps before it found, by their names; None where it is."""
    outside: str = ""
    """ "module:function" that names the state of what it reads beside its inputs, given the settings."""


def _loaded(dataset: DatasetRef) -> str:
    return f"{dataset.rows:,} rows x {len(dataset.columns):,} columns, {dataset.format}"


def _profiled(profile: ProfileRef) -> str:
    return f"{profile.distinct_rows:,.0f} different rows, {profile.duplicate_rows:.1%} repeated"


def _measured(diversity: Diversity) -> str:
    lost = sum(value.kind == "lost" for value in diversity.rare_values)
    copies = diversity.copies_of_original
    return f"{lost} rare values lost" + (f", {copies:.1%} copies of the original" if copies is not None else "")


def _trained(cascade: Cascade) -> str:
    from foretrain.cascade.sentences import line

    return line(cascade)


FEWEST_ROWS = 20
"""Rows of either table below which nothing is compared with known failures."""


def _screened(prescreen: Prescreen) -> str:
    from foretrain.signatures.sentences import line

    return f"looks like {line(prescreen)}"


def _unlike_any(_: Settings, found: Mapping[str, Record]) -> str | None:
    sides = [cast("DatasetRef", found[step]) for step in ("load candidate", "load original") if step in found]
    if len(sides) < 2:
        return "known failures are departures from an original, and none was given"
    return None if min(side.rows for side in sides) >= FEWEST_ROWS else f"it takes {FEWEST_ROWS} rows a table"


def _without_cascade(settings: Settings, found: Mapping[str, Record]) -> str | None:
    if settings.cascade.mode == CascadeMode.OFF:
        return "no proxy models were trained: cascade.mode is off"
    if settings.cascade.mode == CascadeMode.FULL:
        return None
    if settings.effort == Effort.QUICK:
        return "proxy models are not trained at quick effort, unless cascade.mode is full"
    prescreen = cast("Prescreen | None", found.get("prescreen"))
    if prescreen is None or prescreen.novel:
        return None
    if settings.prescreen.skip_below <= prescreen.prior <= settings.prescreen.skip_above:
        return None
    from foretrain.signatures.sentences import spared

    return spared(prescreen)


def _scored(collapse: Collapse) -> str:
    return f"{collapse.verdict}, score {collapse.score:.0f} of 100"


def _localized(localization: Localization) -> str:
    if localization.abstained is not None:
        return "no row flagged"
    groups = len(localization.groups)
    return f"{localization.flagged:,} rows flagged in {groups} group{'' if groups == 1 else 's'}"


def _nothing_to_fix(settings: Settings, found: Mapping[str, Record]) -> str | None:
    if "load original" not in found:
        return "fixes are scored against an original, and none was given"
    if settings.recommendations.mode == RecommendationMode.OFF:
        return "no fixes were tried: recommendations.mode is off"
    if settings.recommendations.mode == RecommendationMode.AUTO and settings.effort == Effort.QUICK:
        return "fixes are not tried at quick effort, unless recommendations.mode is full"
    collapse, rows = cast("Collapse", found["collapse"]), cast("Localization | None", found.get("localization"))
    if collapse.verdict in ("approve", "underpowered") and (rows is None or not rows.flagged):
        return "there is nothing to fix: no collapse was found, and no row is flagged"
    return None


def _recommended(recommendations: Recommendations) -> str:
    from foretrain.recommendations.sentences import line

    return line(recommendations)


def _written(report: ReportRef) -> str:
    return report.html.rsplit("/", 1)[-1]


_BASE = ("foretrain.record", "foretrain.seeds")
_TABLES = tuple(f"foretrain.collapse.{name}" for name in ("pairing", "rows", "space", "statistics", "table", "texts"))
_GENERATORS = tuple(
    f"foretrain.collapse.loops.{name}" for name in ("copula", "gaussian", "generator", "kernel", "tree")
)

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
        on_failure="stop on bad data",
    ),
    Stage(
        name="prescreen",
        title="Prescreen",
        question="Which known failure does it look like?",
        function="foretrain.signatures:screen",
        record="foretrain.signatures.record:Prescreen",
        needs=("profile",),
        settings=("seed", "target", "signatures"),
        code=(*_BASE, "foretrain.signatures", "foretrain.collapse", "foretrain.cascade"),
        each="pair",
        finding=_screened,
        files=True,
        on_failure="go on without",
        not_run=_unlike_any,
        outside="foretrain.signatures.library:state",
    ),
    Stage(
        name="cascade",
        title="Cascade",
        question="What happens to small models that learn from it instead of the original?",
        function="foretrain.cascade:train",
        record="foretrain.cascade.record:Cascade",
        needs=("profile",),
        settings=("seed", "effort", "target", "cascade"),
        code=(*_BASE, "foretrain.cascade", *_TABLES, *_GENERATORS),
        each="pair",
        finding=_trained,
        files=True,
        where="gpu",
        on_failure="go on without",
        not_run=_without_cascade,
    ),
    Stage(
        name="collapse",
        title="Collapse",
        question="Would a model trained on it be harmed, and how badly?",
        function="foretrain.collapse:score",
        record="foretrain.collapse.record:Collapse",
        needs=("profile", "cascade"),
        settings=("seed", "effort", "target", "time_column", "verdict"),
        code=(*_BASE, "foretrain.collapse", "foretrain.cascade.catalogue"),
        each="pair",
        finding=_scored,
    ),
    Stage(
        name="localization",
        title="Localization",
        question="Which rows are bad, how sure is that, and why?",
        function="foretrain.localization:localize",
        record="foretrain.localization.record:Localization",
        needs=("profile",),
        settings=("seed", "target", "localization"),
        code=(*_BASE, "foretrain.localization", *_TABLES),
        each="pair",
        finding=_localized,
        files=True,
        on_failure="go on without",
    ),
    Stage(
        name="recommendations",
        title="Recommendations",
        question="Which fix was measured to help, by how much, and at what cost?",
        function="foretrain.recommendations:recommend",
        record="foretrain.recommendations.record:Recommendations",
        needs=("profile", "diversity", "prescreen", "collapse", "localization"),
        settings=("seed", "effort", "target", "verdict", "cascade", "signatures", "recommendations"),
        code=(*_BASE, *(f"foretrain.{name}" for name in ("recommendations", "localization", "collapse", "cascade"))),
        each="pair",
        finding=_recommended,
        on_failure="go on without",
        not_run=_nothing_to_fix,
        outside="foretrain.recommendations.history:state",
    ),
    Stage(
        name="report",
        title="Report",
        question="What does a person need to see to decide?",
        function="foretrain.report:write",
        record="foretrain.report.record:ReportRef",
        needs=("load", "diversity", "prescreen", "cascade", "collapse", "localization", "recommendations"),
        settings=(),
        code=(*_BASE, "foretrain.report", "foretrain.validation"),
        each="pair",
        finding=_written,
        files=True,
        on_failure="stop on bad data",
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


def steps(roles: tuple[Role, ...], wanted: str | None = None) -> Iterator[Step]:
    """The steps of a run over these datasets, in order.

    Args:
        roles: of the datasets, the original first.
        wanted: name of a stage, for the steps that it takes and itself; all when not given.
    """
    for stage in STAGES if wanted is None else _towards(wanted):
        yield from (Step(stage, role) for role in roles) if stage.each == "dataset" else (Step(stage),)


def _towards(name: str) -> list[Stage]:
    taken = {name}
    for stage in reversed(STAGES):
        if stage.name in taken:
            taken.update(stage.needs)
    return [stage for stage in STAGES if stage.name in taken]
