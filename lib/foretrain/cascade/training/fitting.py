"""How are the models of a tier fitted one by one, and found again after a kill?"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from foretrain.cascade.problem import Study
from foretrain.cascade.record import Point
from foretrain.cascade.tiers.tier import FittedTier, Run, Trained
from foretrain.cascade.training.snapshots import Snapshot, Snapshots
from foretrain.progress import Advance

log = logging.getLogger(__name__)


def fit(
    study: Study,
    tier: FittedTier,
    runs: Sequence[Run],
    *,
    seed: int,
    snapshots: Snapshots | None,
    advance: Callable[[Advance], None],
) -> list[Trained]:
    """Fit the models of a tier; each that was fitted before is restored.

    Args:
        study: what they learn.
        tier: fits them.
        runs: the models.
        seed: the tier's, below 2**31.
        snapshots: where each model is kept when it is done.
        advance: is told of each model.
    """
    first = next(iter(study.arms.values()))
    tuned: object = None
    out = []
    for place, run in enumerate(runs):
        name = f"{tier.name}/{run.seed}-{run.arm}"
        advance(Advance(place / len(runs), f"fitting {tier.name}, model {place + 1} of {len(runs)}"))
        model = _restored(run, snapshots.latest(name)) if snapshots else None
        if model is None:
            if tuned is None:
                tuned = tier.tune(study.problem, first, seed)
            model = tier.fit(study.problem, run, study.arms[run.arm], study.held_out, tuned, seed + run.seed)
            if snapshots:
                _keep(snapshots, name, model)
        log.info("%s: %s after %d steps", name, model.ending, model.steps)
        out.append(model)
    return out


def _keep(snapshots: Snapshots, name: str, model: Trained) -> None:
    arrays = {key: values for key in ("loss", "right") if (values := getattr(model, key)) is not None}
    about = {key: getattr(model, key) for key in ("ending", "reason", "steps", "seconds", "parameters")}
    curve = [point.model_dump() for point in model.curve]
    snapshots.save(name, model.steps, arrays, {**about, "curve": curve})


def _restored(run: Run, found: Snapshot | None) -> Trained | None:
    if found is None:
        return None
    about = dict(found.about)
    curve = tuple(Point(**point) for point in about.pop("curve"))
    return Trained(run=run, loss=found.arrays.get("loss"), right=found.arrays.get("right"), curve=curve, **about)
