"""What is gained by training all nets of a tier together, and by mixing columns with the Fourier transform?

    python tests/benchmarks/cascade_speed.py                    on a GPU where there is one, else on one core
    python tests/benchmarks/cascade_speed.py --device cpu --threads 2
    python tests/benchmarks/cascade_speed.py --only mixers

"together" trains the six models of a tier in one call, "one by one" in six calls of the same code, "plain MLP" is six
`torch.nn.Sequential` of the same size, one after another, without looks at validation rows. Times are for one step of
all six, without the first call, which warms up. The gain is of wall time on a GPU, of CPU time on a CPU, where others
may be at work. How busy a GPU was is sampled from NVML, where nvidia-ml-py is installed.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import nn

from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.rows.preparation import Tables
from foretrain.cascade.tiers import resonance
from foretrain.cascade.tiers.convolution import CONVOLUTION
from foretrain.cascade.tiers.filter import FILTER
from foretrain.cascade.tiers.mixing import Mixing
from foretrain.cascade.tiers.mlp import MLP
from foretrain.cascade.tiers.resonance import RESONANCE
from foretrain.cascade.tiers.spectral import SPECTRAL
from foretrain.cascade.tiers.tier import NetTier, Run, Trained
from foretrain.cascade.tiers.transformer import TRANSFORMER
from foretrain.cascade.training import devices
from foretrain.cascade.training.plan import Plan
from foretrain.cascade.training.together import reproducible, train
from foretrain.collapse.loops import real
from foretrain.collapse.table import Table

RUNS = [Run(seed, arm) for seed in (0, 1) for arm in ("original", "candidate", "child")]
TABLE = Problem("table", "classification", "y", 14, (5,) * 6, 3)
TEXT = Problem("text", "next byte", None, shape=(128,))
IMAGE = Problem("image", "classification", "y", classes=10, shape=(1, 8, 8))
CASES = (
    (MLP, TABLE, 64, 300),
    (MLP, TABLE, 256, 150),
    (RESONANCE, TABLE, 64, 120),
    (RESONANCE, TABLE, 256, 40),
    (TRANSFORMER, TEXT, 16, 10),
    (SPECTRAL, TEXT, 16, 5),
    (CONVOLUTION, IMAGE, 128, 20),
    (FILTER, IMAGE, 128, 20),
)
PLAIN = {"mlp": 75, "resonance": 270}
"""Width of a plain MLP of as many parameters."""

MIXERS: tuple[Mixing, ...] = ("fft", "hadamard", "orthogonal", "none")


@dataclass
class Spent:
    """Wall and CPU seconds of a piece of work, and how busy the device was, sampled meanwhile."""

    device: torch.device
    wall: float = 0.0
    cpu: float = 0.0
    busy: list[float] = field(default_factory=list)

    def on(self, work: Callable[[], object]) -> Spent:
        """Measure the work."""
        done, meter = threading.Event(), devices.Busy(self.device)

        def sample() -> None:
            while not done.wait(0.1):
                if (share := meter.share()) is not None:
                    self.busy.append(share)

        sampler = threading.Thread(target=sample)
        sampler.start()
        wall, cpu = time.perf_counter(), time.process_time()
        work()
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.wall, self.cpu = time.perf_counter() - wall, time.process_time() - cpu
        done.set()
        sampler.join()
        return self

    @property
    def seconds(self) -> float:
        """What counts: wall on a GPU, CPU on a CPU."""
        return self.wall if self.device.type == "cuda" else self.cpu


def rows(problem: Problem, count: int, seed: int) -> Rows:
    """Random rows: what a step costs does not depend on what they say."""
    rng = np.random.default_rng(seed)
    match problem.data:
        case "table":
            return {
                "numbers": rng.normal(size=(count, problem.numbers)).astype(np.float32),
                "nulls": np.zeros((count, problem.numbers), np.float32),
                "codes": np.column_stack([rng.integers(k + 1, size=count) for k in problem.levels]),
                "goal": rng.integers(problem.classes, size=count),
            }
        case "text":
            return {"tokens": rng.integers(98, 123, (count, *problem.shape))}
        case "image":
            pixels = rng.normal(size=(count, *problem.shape)).astype(np.float32)
            return {"pixels": pixels, "goal": rng.integers(problem.classes, size=count)}


def plain(problem: Problem, width: int, data: Rows, steps: int, batch: int, device: torch.device) -> None:
    """Train one plain MLP on numbers and one-hot codes."""
    codes = torch.from_numpy(data["codes"])
    hot = [nn.functional.one_hot(codes[:, j], k + 1) for j, k in enumerate(problem.levels)]
    x = torch.cat([torch.from_numpy(data["numbers"]), *hot], 1).float().to(device)
    y = torch.from_numpy(data["goal"]).to(device)
    net = nn.Sequential(
        nn.Linear(x.shape[1], width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, problem.outputs)
    ).to(device)
    optimiser = torch.optim.AdamW(net.parameters(), fused=True)
    for _ in range(steps):
        here = torch.randint(len(x), (batch,), device=device)
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x[here]), y[here]).backward()
        optimiser.step()


def compare(tier: NetTier, problem: Problem, batch: int, steps: int, device: torch.device, threads: int) -> None:
    """Print a line: what a step of six models costs."""
    plan = Plan(steps=steps, batch=batch, interval=steps, device=str(device), threads=threads)
    arms = {run.arm: Arm(rows(problem, 2048, k), rows(problem, 16, 9)) for k, run in enumerate(RUNS[:3])}

    def fit(runs: Sequence[Run], plan: Plan = plan) -> list[Trained]:
        held_out = rows(problem, 16, 8)
        return train(problem, tier, runs, arms, held_out, plan, seed=0, snapshots=None, advance=lambda _: None)

    parameters = fit(RUNS, replace(plan, steps=2, interval=2))[0].parameters
    fit(RUNS[:1], replace(plan, steps=2, interval=2))
    together = Spent(device).on(lambda: fit(RUNS))
    apart = Spent(device).on(lambda: [fit([run]) for run in RUNS])
    rate, busy = 6 * batch * steps / together.wall, f"{np.mean(together.busy):.0%}" if together.busy else "-"
    line = f"{tier.name:12}{parameters:8,}{batch:6}{_cost(together, steps)}{_cost(apart, steps)}"
    peak = devices.peak(device) / 2**20
    print(f"{line}{apart.seconds / together.seconds:6.1f}{rate:10,.0f}{busy:>6}{peak:9,.0f}")
    if (width := PLAIN.get(tier.name)) is None:
        return
    given = arms["original"].train
    with reproducible(device, threads):
        plain(problem, width, given, 2, batch, device)
        peer = Spent(device).on(lambda: [plain(problem, width, given, steps, batch, device) for _ in RUNS])
    print(f"{'  plain MLP':26}{'':20}{_cost(peer, steps)}{peer.seconds / together.seconds:6.1f}")


def speed(device: torch.device, threads: int) -> None:
    """Print what training costs, tier by tier."""
    print(f"{'':26}{'together, ms':>20}{'one by one, ms':>20}{'':6}{'together':>25}")
    print(f"{'':12}{'params':>8}{'batch':>6}{'wall     CPU':>20}{'wall     CPU':>20}{'gain':>6}", end="")
    print(f"{'rows/s':>10}{'busy':>6}{'peak MB':>9}")
    for tier, problem, batch, steps in CASES:
        compare(tier, problem, batch, steps * (20 if device.type == "cuda" else 1), device, threads)


def _cost(spent: Spent, steps: int) -> str:
    return f"{1e3 * spent.wall / steps:12.1f}{1e3 * spent.cpu / steps:8.1f}"


def table(name: str) -> tuple[Problem, Arm, Rows]:
    """A real table: 60 % to learn from, 10 % to stop by, the rest to be judged on."""
    whole = real.table(name)
    order = np.random.default_rng(0).permutation(len(whole))
    cuts = np.split(order, [int(0.6 * len(order)), int(0.7 * len(order))])
    first = Table(whole.numbers[cuts[0]], whole.codes[cuts[0]], whole.schema)
    prepared = Tables.of(first)
    parts = [prepared.rows(Table(whole.numbers[at], whole.codes[at], whole.schema)) for at in cuts]
    return prepared.problem(first, "y"), Arm(parts[0], parts[1]), parts[2]


def mixers(device: torch.device, threads: int) -> None:
    """Print what the Resonance NN makes of real tables, and its controls."""
    plan = Plan(steps=300, batch=128, learning_rate=1e-3, interval=20, device=str(device), threads=threads)
    runs = [Run(seed, "original") for seed in range(5)]
    print(f"\nheld-out loss, mean and standard error of {len(runs)} seeds")
    print(f"{'':16}" + "".join(f"{name:>18}" for name in ("mlp", *MIXERS)))
    for name in ("digits", "breast_cancer", "star98", "elnino"):
        problem, arm, held_out = table(name)
        line = f"{name:16}"
        for tier in (MLP, *map(_mixed, MIXERS)):
            models = train(
                problem, tier, runs, {"original": arm}, held_out, plan, seed=0, snapshots=None, advance=lambda _: None
            )  # fmt: skip
            losses = [model.loss.mean() for model in models if model.loss is not None]
            line += f"{np.mean(losses):10.4f} ± {np.std(losses, ddof=1) / len(losses) ** 0.5:.4f}"
        print(line)


def _mixed(mixing: Mixing) -> NetTier:
    return NetTier(f"resonance {mixing}", lambda problem, seeds: resonance.build(problem, seeds, mixing), str)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", choices=["speed", "mixers"])
    options = parser.parse_args()
    device = devices.choose(options.device)
    print(f"{devices.name(device)}, torch {torch.__version__}, {options.threads} threads; six models a tier, a step")
    if options.only != "mixers":
        speed(device, options.threads)
    if options.only != "speed":
        mixers(device, options.threads)


if __name__ == "__main__":
    main()
