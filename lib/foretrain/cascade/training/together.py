"""How are all models of a tier trained together, and what comes of each?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch

from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.record import ArmName
from foretrain.cascade.tiers.tier import NetTier, Run, Trained
from foretrain.cascade.training import devices
from foretrain.cascade.training.joint import Training
from foretrain.cascade.training.plan import Plan
from foretrain.cascade.training.snapshots import Snapshots
from foretrain.cascade.training.team import Alone, Team
from foretrain.progress import Advance

__all__ = ["Plan", "train", "train_in"]


def train(
    problem: Problem,
    tier: NetTier,
    runs: Sequence[Run],
    arms: Mapping[ArmName, Arm],
    held_out: Rows,
    plan: Plan,
    *,
    seed: int,
    snapshots: Snapshots | None,
    advance: Callable[[Advance], None],
) -> list[Trained]:
    """Train the models of a tier together, each until it has converged on its own arm's validation rows.

    Models of one seed start alike and see the rows of their arms in the same order. One that goes astray ends, and
    changes no number of the others. One that never got better than it began ("stalled") is judged as it began.

    Args:
        problem: what is learned.
        tier: builds the nets.
        runs: the models.
        arms: what they learn from; as many rows in each.
        held_out: rows that all are judged on.
        plan: how.
        seed: of the whole run.
        snapshots: where a killed training is found again; None to keep none.
        advance: is told how far the tier is, at most twice a second.

    Returns:
        what came of each run, in their order.

    Raises:
        SettingsError: there is no such device.
        ResourceError: this machine has no such device, or not even one row a model fits in its memory.
    """
    if plan.processes > 1:
        from foretrain.cascade.training.distributed import train as train_apart

        return train_apart(problem, tier, runs, arms, held_out, plan, seed=seed, snapshots=snapshots, advance=advance)
    team = Alone(devices.choose(plan.device))
    return train_in(team, problem, tier, runs, arms, held_out, plan, seed=seed, snapshots=snapshots, advance=advance)


def train_in(
    team: Team,
    problem: Problem,
    tier: NetTier,
    runs: Sequence[Run],
    arms: Mapping[ArmName, Arm],
    held_out: Rows,
    plan: Plan,
    *,
    seed: int,
    snapshots: Snapshots | None,
    advance: Callable[[Advance], None],
) -> list[Trained]:
    """`train` as one of a team, in which all get the same."""
    with reproducible(team.device, plan.threads):
        training = Training(team, problem, tier, runs, arms, plan, seed, snapshots, advance)
        training.run()
        return training.judged(held_out)


@contextmanager
def reproducible(device: torch.device, threads: int | None) -> Iterator[None]:
    """Inside, a CPU repeats itself to the bit."""
    settings: Any = torch.utils.deterministic
    before = torch.get_num_threads(), torch.get_deterministic_debug_mode(), settings.fill_uninitialized_memory
    torch.set_num_threads(threads or before[0])
    # what torch.use_deterministic_algorithms sets, which would load the compiler too
    torch.set_deterministic_debug_mode("error" if device.type == "cpu" else before[1])
    settings.fill_uninitialized_memory = False  # takes time, and nothing reads what it fills
    try:
        with torch.cuda.device(device) if device.type == "cuda" else nullcontext():
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.set_deterministic_debug_mode(before[1])
        settings.fill_uninitialized_memory = before[2]
