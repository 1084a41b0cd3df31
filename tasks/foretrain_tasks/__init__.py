"""How does each stage run as a Prefect task? One file a stage."""

from foretrain_tasks.cascade import cascade
from foretrain_tasks.collapse import collapse
from foretrain_tasks.diversity import diversity
from foretrain_tasks.load import load
from foretrain_tasks.localization import localization
from foretrain_tasks.prescreen import prescreen
from foretrain_tasks.profile import profile
from foretrain_tasks.recommendations import recommendations
from foretrain_tasks.report import report
from foretrain_tasks.stage import StageTask

TASKS: dict[str, StageTask] = {
    task.name: task
    for task in (load, profile, diversity, prescreen, cascade, collapse, localization, recommendations, report)
}
"""By the stage's name in `foretrain.pipeline.STAGES`."""

__all__ = [
    "TASKS",
    "StageTask",
    "cascade",
    "collapse",
    "diversity",
    "load",
    "localization",
    "prescreen",
    "profile",
    "recommendations",
    "report",
]
