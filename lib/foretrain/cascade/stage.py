"""What would training on this dataset do, tried on 18 small models?"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from foretrain.cascade import probes
from foretrain.cascade.comparison.compare import compare
from foretrain.cascade.comparison.metric import METRICS, metric
from foretrain.cascade.problem import Study, length
from foretrain.cascade.record import ArmName, Cascade, Contrast, Model, Probe
from foretrain.cascade.rows import arms
from foretrain.cascade.tiers import tiers
from foretrain.cascade.tiers.tier import NetTier, Run, Tier, Trained
from foretrain.cascade.training import devices, together
from foretrain.cascade.training.fitting import fit
from foretrain.cascade.training.reservation import reserved
from foretrain.cascade.training.snapshots import Snapshots
from foretrain.cascade.training.together import Plan
from foretrain.progress import Advance, advance
from foretrain.seeds import number
from foretrain.settings import Effort, Settings

if TYPE_CHECKING:
    from foretrain.checkpoint import Folder
    from foretrain.profile import ProfileRef

SEEDS = (0, 1)

STEPS = {Effort.QUICK: 400, Effort.STANDARD: 1200, Effort.THOROUGH: 4000}
"""Steps of a net at most; most converge earlier."""

BATCH = {"table": 256, "image": 256, "text": 16}
"""Rows a step. A text is asked for each of its bytes: sixteen of them are thousands of questions."""

RATES = {"table": 2e-3, "image": 2e-3, "text": 2e-2}
"""Highest learning rate. On 1,500 English sentences, 160 steps at .002 left the transformer at 4.18 nats a byte, above
a constant guess, and at .02 at 2.81; for tables and images there was nothing to gain."""

TEXT_STEPS = 0.4
"""Share of the steps that nets of texts make at most: theirs cost a hundred times those of tables."""

LOOK, PATIENCE = 25, 6
"""Steps between two looks at the validation rows, and looks without a gain after which a model has converged."""

THREADS = 1
"""Of a processor. The nets are small: two threads took 14 times the processor time of one on a busy machine with two
cores, since each waits for the other by turning in circles."""

SHARES = (0.2, 0.25, 0.45, 0.1)
"""About which share of the time each tier takes, and the comparison at the end."""

WEIGHTS = "weights/{tier}.safetensors"


def train(candidate: ProfileRef, original: ProfileRef | None, settings: Settings, folder: Folder) -> Cascade:
    """Train three tiers of models, two seeds each, on the original, the candidate and the candidate's child.

    Args:
        candidate: profiled with the same settings as the original.
        original: None to compare the candidate with its child and grandchild.
        settings: reads seed, effort, target and cascade.
        folder: takes the nets' weights, and keeps snapshots until the stage is done.

    Raises:
        DataError: there is nothing to learn, e.g. the target is constant.
        ResourceError: the device that was asked for is not there, or storage failed.
    """
    advance(Advance(0.0, "drawing the arms"))
    study = arms.study(candidate, original, settings)
    with reserved(settings.cascade.device, settings.cascade.processes) as device:
        here = settings.cascade.model_copy(update={"device": device})
        settings = settings.model_copy(update={"cascade": here})
        return learn(study, settings, Snapshots(folder.kept("models")), folder)


def learn(
    study: Study, settings: Settings, snapshots: Snapshots | None = None, folder: Folder | None = None
) -> Cascade:
    """Train and compare the models of a study.

    Args:
        study: what to learn.
        settings: reads seed, effort and cascade.
        snapshots: what a killed run left, and where this one leaves the same.
        folder: takes the nets' weights.
    """
    bench = _Bench(study, settings, snapshots)
    ladder = tiers(study.problem)
    done = 0.0
    with devices.threads(THREADS):
        for tier, share in zip(ladder, SHARES, strict=False):
            bench.train(tier, done, share)
            done += share
        contrasts = [found for tier in ladder for found in bench.contrasts(tier, done)]
    outcome = compare(bench.trained, study, settings.seed, settings.cascade.margin, study.groups)
    advance(Advance(1.0, "compared"))
    first, second, third = study.arms
    return Cascade(
        data=study.problem.data,
        goal=study.problem.goal,
        target=study.problem.target,
        metric=METRICS[study.problem.goal],
        arms=(first, second, third),
        generator=study.generator,
        rows=length(study.arms[first].train),
        held_out=study.judges,
        guess=study.guess,
        models=tuple(model for tier in ladder for model in bench.models(tier)),
        harm=outcome.harm,
        decay=outcome.decay,
        agreement=outcome.agreement,
        slope=outcome.slope,
        margin=settings.cascade.margin,
        probability_of_harm=outcome.probability_of_harm,
        contrasts=tuple(contrasts),
        device=devices.name(bench.device),
        rows_per_second=bench.made / max(bench.seconds, 1e-9),
        peak_bytes=devices.peak(bench.device),
        resumed=snapshots.resumed if snapshots else 0,
        weights=bench.keep(ladder, folder) if folder else {},
        notes=(*study.notes, *outcome.notes),
    )


@dataclass
class _Bench:
    """The models of a study while they are trained and looked at.

    Attributes:
        trained: by tier.
        shown: each model's probes, by tier.
        made: rows that nets learned from.
        seconds: that took.
    """

    study: Study
    settings: Settings
    snapshots: Snapshots | None
    trained: dict[str, list[Trained]] = field(default_factory=dict)
    shown: dict[str, dict[Run, list[Probe]]] = field(default_factory=dict)
    made: float = 0.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.device = devices.choose(self.settings.cascade.device)
        steps, data = STEPS[self.settings.effort], self.study.problem.data
        self.steps = round(TEXT_STEPS * steps) if data == "text" else steps
        self.runs = [Run(seed, arm) for seed in SEEDS for arm in self.study.arms]

    def train(self, tier: Tier, done: float, share: float) -> None:
        """All models of a tier."""

        def tell(made: Advance) -> None:
            advance(Advance(done + share * made.done, made.text, made.fields))

        study, seed = self.study, number(self.settings.seed, "cascade", tier.name) % 2**31
        if not isinstance(tier, NetTier):
            self.trained[tier.name] = fit(study, tier, self.runs, seed=seed, snapshots=self.snapshots, advance=tell)
            return
        began, cascade = time.perf_counter(), self.settings.cascade
        plan = Plan(
            steps=self.steps,
            batch=BATCH[study.problem.data],
            learning_rate=RATES[study.problem.data],
            threads=THREADS,
            interval=LOOK,
            patience=PATIENCE,
            device=cascade.device,
            processes=cascade.processes,
            snapshot_seconds=cascade.snapshot_seconds,
        )
        self.trained[tier.name] = together.train(
            study.problem,
            tier,
            self.runs,
            study.arms,
            study.held_out,
            plan,
            seed=seed,
            snapshots=self.snapshots,
            advance=tell,
        )
        self.seconds += time.perf_counter() - began
        batch = min(plan.batch, *(length(arm.train) for arm in study.arms.values()))
        self.made += batch * sum(model.steps for model in self.trained[tier.name])

    def contrasts(self, tier: Tier, done: float) -> list[Contrast]:
        """What the models of a tier show beside their loss, candidate against original."""
        advance(Advance(done, f"looking into {tier.name}"))
        study, seed = self.study, self.settings.seed
        ended = {
            model.run: probes.trained(study.problem, tier, model, study.held_out, self.steps, seed)
            for model in self.trained[tier.name]
        }
        contrasts: list[Contrast] = []
        initial: dict[ArmName, list[Probe]] = {}
        if isinstance(tier, NetTier):
            contrasts, initial = probes.measure(study.problem, tier, study.arms, seed)
        self.shown[tier.name] = {run: [*initial.get(run.arm, ()), *shown] for run, shown in ended.items()}
        return [*contrasts, *probes.contrasts(tier.name, ended)]

    def models(self, tier: Tier) -> list[Model]:
        """The models of a tier, for the record."""
        problem, guess = self.study.problem, self.study.guess
        return [
            Model(
                tier=tier.name,
                architecture=tier.describe(problem),
                seed=model.run.seed,
                arm=model.run.arm,
                parameters=model.parameters,
                ending=model.ending,
                reason=model.reason,
                loss=None if model.loss is None else float(model.loss.mean()),
                metric=None if (found := metric(problem.goal, model, guess)) is None else float(found.mean()),
                steps=model.steps,
                seconds=model.seconds,
                curve=model.curve,
                probes=tuple(self.shown[tier.name][model.run]),
            )
            for model in self.trained[tier.name]
        ]

    def keep(self, ladder: Sequence[Tier], folder: Folder) -> dict[str, str]:
        """Write the nets' weights, a file a tier; its URL by the tier's name."""
        from safetensors.numpy import save_file

        kept = {}
        for tier in ladder:
            arrays = {
                f"{model.run.arm}/{model.run.seed}/{name}": values
                for model in self.trained[tier.name]
                for name, values in model.state.items()
            }
            if arrays:
                save_file(arrays, folder.path(WEIGHTS.format(tier=tier.name)))
                kept[tier.name] = folder.url(WEIGHTS.format(tier=tier.name))
        return kept
