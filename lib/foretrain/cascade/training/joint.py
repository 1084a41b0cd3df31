"""How far is the training of a tier, and how does it go on?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from foretrain.cascade.losses import Batch, corrupt
from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.record import ArmName
from foretrain.cascade.tiers.tier import Floats, NetTier, Run, Trained
from foretrain.cascade.training import devices
from foretrain.cascade.training.course import Course
from foretrain.cascade.training.deck import Deck, Order
from foretrain.cascade.training.engine import Engine
from foretrain.cascade.training.plan import Plan
from foretrain.cascade.training.snapshots import Snapshot, Snapshots
from foretrain.cascade.training.stack import ALIGNED
from foretrain.cascade.training.team import Team
from foretrain.progress import Advance
from foretrain.seeds import number, stream

log = logging.getLogger(__name__)

COMPANY = 2
"""Models that a stack has at least: for a single one, libraries take other ways and round differently."""

OFTEN, SELDOM = 0.5, 10.0
"""Seconds between two words on the progress, and between two lines of the log."""

_RESULT = ("steps", "batch", "learning_rate", "schedule", "warm_up", "weight_decay", "clip", "interval", "patience")


class Training:
    """The training of a tier as it stands; see `train` for the arguments."""

    def __init__(
        self,
        team: Team,
        problem: Problem,
        tier: NetTier,
        runs: Sequence[Run],
        arms: Mapping[ArmName, Arm],
        plan: Plan,
        seed: int,
        snapshots: Snapshots | None,
        advance: Callable[[Advance], None],
    ) -> None:
        self._team, self._problem, self._tier, self._runs, self._plan = team, problem, tier, runs, plan
        self._seed, self._snapshots, self._advance = seed, snapshots, advance
        self._place = ("cascade", tier.name)
        self._starts = [int(stream(seed, *self._place, "start", run.seed).integers(2**31)) for run in runs]
        names, memory = list(dict.fromkeys(run.arm for run in runs)), devices.free(team.device)
        self._rows = Deck([arms[name].train for name in names], team.device, memory)
        self._arms = torch.tensor([names.index(run.arm) for run in runs], device=self._rows.at)
        validation = [hide(problem, arms[name].validation, number(*self._place, "validation", seed)) for name in names]
        self._validation = Deck(validation, team.device, memory)
        batch = min(plan.batch, self._rows.rows)
        self._batch = batch // ALIGNED * ALIGNED or batch
        self._engine = Engine(problem, tier, team, plan.weight_decay, self._batch, plan.at_once)
        self._courses = [Course() for _ in runs]
        self._step = 0
        self._assemble(list(range(len(runs))))
        self._best = self._engine.stack.weights.clone()
        self._losses = (0.0, 0.0)
        decided = {name: value for name, value in asdict(plan).items() if name in _RESULT}
        self._identity = [tier.name, seed, [[run.seed, run.arm] for run in runs], list(self._best.shape), decided]
        self._identity += [self._rows.rows, self._validation.rows]

    def run(self) -> None:
        """Train each model to its end."""
        self._began = self._judged = self._told = self._logged = self._saved = time.monotonic()
        self._made, self._busy = 0, devices.Busy(self._team.device)
        if (found := self._snapshots.latest(self._tier.name) if self._snapshots else None) is not None:
            self._resume(found)
        if not self._courses[0].points and self._courses[0].ending is None:
            self._judge()
        while self._live:
            self._go_on()
            if self._step % self._plan.interval == 0 or self._step == self._plan.steps:
                self._judge()
            self._tell()
            if time.monotonic() - self._saved >= self._plan.snapshot_seconds or not self._live:
                self._save()

    def judged(self, held_out: Rows) -> list[Trained]:
        """Every model at its best weights on these rows."""
        self._assemble(list(range(len(self._runs))))
        self._engine.stack.weights.copy_(self._best)
        deck = Deck([held_out], self._team.device, devices.free(self._team.device))
        wrong, hits = self._engine.evaluate(deck, torch.zeros_like(self._arms))
        return [
            self._outcome(model, floats(wrong[model]), floats(hits[model]) if hits is not None else None)
            for model in range(len(self._runs))
        ]

    def _outcome(self, model: int, wrong: Floats, hits: Floats | None) -> Trained:
        course = self._courses[model]
        ending, reason = course.ending, course.reason
        assert ending is not None
        if ending != "diverged" and not np.isfinite(wrong).all():
            ending, reason = "diverged", "its loss on held-out rows is not a finite number"
        astray = ending == "diverged"
        return Trained(
            run=self._runs[model],
            loss=None if astray else wrong,
            right=None if astray else hits,
            ending=ending,
            reason=reason,
            steps=course.steps,
            seconds=course.seconds,
            curve=course.curve,
            parameters=self._engine.stack.parameters,
            state=self._engine.stack.named(model),
        )

    @property
    def _live(self) -> list[int]:
        """The models that still learn."""
        return [model for model in self._stacked if self._courses[model].ending is None]

    def _assemble(self, stacked: list[int]) -> None:
        """Go on with these models only."""
        self._stacked, self._arm = stacked, self._arms[stacked]
        self._engine.assemble([self._starts[model] for model in stacked])
        repetitions = [self._runs[model].seed for model in stacked]
        self._order = Order(self._place, self._seed, repetitions, self._rows.rows, self._batch, self._rows.at)
        self._reset()

    def _reset(self) -> None:
        """Begin to add up what happens until the next look at the validation rows."""
        self._since = 0
        self._wrong, self._lengths = torch.zeros(2, len(self._stacked), device=self._team.device)

    def _go_on(self) -> None:
        wrong = self._engine.gradients(self._batch_of(self._step))
        self._lengths += self._engine.stack.descend(self._plan.rate(self._step), self._plan.clip)
        self._wrong += wrong
        self._since += 1
        self._made += len(self._live) * self._batch
        self._step += 1

    def _batch_of(self, step: int) -> Batch:
        """This process's share of a step's rows."""
        chance = torch.Generator().manual_seed(number(*self._place, "hidden", self._seed, step))
        batch = corrupt(self._problem, self._rows.batch(self._arm, self._order.at(step)), chance)
        rank, size = self._team.rank, self._team.size
        mine = slice(rank * self._batch // size, (rank + 1) * self._batch // size)
        return batch if size == 1 else {name: values[:, mine] for name, values in batch.items()}

    def _judge(self) -> None:
        """Look at the validation rows, remember the best weights, and end the models that are done."""
        validation = floats(self._engine.evaluate(self._validation, self._arm)[0]).mean(1)
        train = floats(self._wrong) / self._since if self._since else validation
        lengths = floats(self._lengths) / max(self._since, 1)
        now = time.monotonic()
        stack, last, live = self._engine.stack, self._step >= self._plan.steps, self._live
        for model in live:
            at, course = self._stacked.index(model), self._courses[model]
            course.seconds += (now - self._judged) / len(live)
            if course.judge(self._step, train[at], validation[at], lengths[at], self._plan.patience, last):
                self._best[model] = stack.weights[at]
            if course.ending is not None:
                run, why = self._runs[model], f": {course.reason}" if course.reason else ""
                log.info("%s, %s, seed %d: %s%s", self._tier.name, run.arm, run.seed, course.ending, why)
        self._judged, self._losses = now, (mean(train), mean(validation))
        self._reset()
        self._shrink()

    def _shrink(self) -> None:
        """Leave out the models that have ended; of two, one stays as company, see `COMPANY`."""
        ended = [model for model in self._stacked if model not in self._live]
        going_on = self._live + ended[: max(0, COMPANY - len(self._live))]
        if not self._live or len(going_on) >= len(self._stacked):
            return
        at = [self._stacked.index(model) for model in going_on]
        state = {name: values[at] for name, values in self._engine.stack.state().items()}
        self._assemble(going_on)
        self._engine.stack.restore(state, self._step)

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self._snapshots is None or self._team.rank > 0:
            return
        tensors = self._engine.stack.state() | {"best": self._best, "wrong": self._wrong, "lengths": self._lengths}
        about = {
            "identity": self._identity,
            "courses": [course.to_json() for course in self._courses],
            "stacked": self._stacked,
            "since": self._since,
            "seconds": self._saved - self._judged,
            "at_once": self._engine.at_once,
            "spared": self._engine.spared,
        }
        self._snapshots.save(
            self._tier.name, self._step, {name: values.cpu().numpy() for name, values in tensors.items()}, about
        )

    def _resume(self, found: Snapshot) -> None:
        if found.about["identity"] != self._identity:
            log.warning("%s: there is a snapshot of another training, beginning anew", self._tier.name)
            return
        device = self._team.device
        state = {name: torch.tensor(values, device=device) for name, values in found.arrays.items()}
        self._step = found.step
        self._courses = [Course.of(stored) for stored in found.about["courses"]]
        self._best = state["best"]
        self._judged -= found.about["seconds"]
        self._engine.at_once = min(self._engine.at_once, found.about["at_once"])
        self._engine.spared = found.about["spared"]
        self._assemble(list(found.about["stacked"]))
        self._engine.stack.restore(state, self._step)
        self._wrong, self._lengths, self._since = state["wrong"], state["lengths"], found.about["since"]
        log.info("%s: going on from step %d", self._tier.name, self._step)

    def _tell(self) -> None:
        now = time.monotonic()
        if self._team.rank > 0 or (self._live and now - self._told < OFTEN):
            return
        self._told, device, plan = now, self._team.device, self._plan
        share = self._step / plan.steps if self._live else 1.0
        speed = self._made / max(now - self._began, 1e-9)
        fields: dict[str, str | float] = {
            "tier": self._tier.name,
            "models": f"{len(self._live)} of {len(self._runs)}",
            "step": self._step,
            "training loss": self._losses[0],
            "validation loss": self._losses[1],
            "rows/s": speed,
            "device": devices.name(device),
            "memory MB": devices.used(device) / 1e6,
            "seconds left": (plan.steps - self._step) * self._batch * len(self._live) / max(speed, 1e-9),
        }
        if (busy := self._busy.share()) is not None:
            fields["utilisation"] = busy
        made = Advance(share, f"training {self._tier.name}, step {self._step:,} of {plan.steps:,}", fields)
        self._advance(made)
        if now - self._logged >= SELDOM or not self._live:
            self._logged = now
            log.info("%s", made, extra={"fields": dict(fields)})


def hide(problem: Problem, rows: Rows, seed: int) -> Rows:
    """The rows with what is hidden of each, by the seed alone, where the goal is to fill it in."""
    batch = {name: torch.from_numpy(np.asarray(values))[None] for name, values in rows.items()}
    hidden = corrupt(problem, batch, torch.Generator().manual_seed(seed))
    return {name: values[0].numpy() for name, values in hidden.items()}


def mean(values: Floats) -> float:
    """Of those that are finite; 0 if there is none."""
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else 0.0


def floats(values: Tensor) -> Floats:
    """On the CPU, in double precision."""
    return values.detach().cpu().numpy().astype(np.float64)
