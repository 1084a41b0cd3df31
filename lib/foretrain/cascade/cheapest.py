"""What would the cheapest models of the cascade lose by a candidate, where all 18 would take too long?"""

from __future__ import annotations

from dataclasses import replace

from foretrain.cascade.comparison.compare import compare
from foretrain.cascade.record import Difference
from foretrain.cascade.rows import arms
from foretrain.cascade.stage import SEEDS
from foretrain.cascade.tiers import tiers
from foretrain.cascade.tiers.tier import NetTier, Run
from foretrain.cascade.training.fitting import fit
from foretrain.profile import ProfileRef
from foretrain.seeds import number
from foretrain.settings import Settings


def harm(candidate: ProfileRef, original: ProfileRef, settings: Settings) -> Difference | None:
    """How much more the smallest tier's models lose on held-out rows that learned from the candidate.

    Args:
        candidate: profiled with the same settings as the original.
        original: some of its rows judge.
        settings: as for `train`.

    Returns:
        None where the smallest tier is made of nets, or its models ended badly.

    Raises:
        DataError: there is nothing to learn.
    """
    study = arms.study(candidate, original, settings)
    tier = tiers(study.problem)[0]
    if isinstance(tier, NetTier):
        return None
    study = replace(study, arms={name: study.arms[name] for name in ("original", "candidate")})
    runs = [Run(seed, arm) for seed in SEEDS for arm in study.arms]
    seed = number(settings.seed, "cascade", tier.name) % 2**31
    trained = fit(study, tier, runs, seed=seed, snapshots=None, advance=lambda _: None)
    if not all(model.loss is not None for model in trained):
        return None
    found = compare({tier.name: trained}, study, settings.seed, settings.cascade.margin, study.groups).harm
    return found[0] if found else None
