"""A training that is killed without mercy at random moments, and gone on with until it ends.

Usage: python killed.py ROOT SEED KILLS DAMAGE

Every attempt is a process of its own, and all share ROOT/snapshots. After each kill the last snapshot is damaged as
asked: "no", "truncated", "altered". Prints how each attempt ended, as JSON.
"""

import json
import logging
import os
import random
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path

from unit.cascade.learnable import HELD_OUT, PROBLEM, RUNS, TINY, arms

from foretrain.cascade.training.snapshots import Snapshots
from foretrain.cascade.training.together import Plan, train
from foretrain.profile.container import pack

PLAN = Plan(
    steps=800, batch=64, interval=37, learning_rate=0.01, patience=4, device="cpu", threads=1, snapshot_seconds=0.0
)


def attempt(folder: Path, snapshots: Snapshots | None) -> None:
    found = train(
        PROBLEM, TINY, RUNS, arms(), HELD_OUT, PLAN, seed=5, snapshots=snapshots, advance=lambda _: None
    )  # fmt: skip
    plain = [
        {
            "loss": each.loss,
            "right": each.right,
            "state": each.state,
            "ending": [each.ending, each.reason, each.steps, each.parameters],
            "curve": [[point.step, point.train, point.validation] for point in each.curve],
        }
        for each in found
    ]
    (folder / "result").write_bytes(pack(plain))


def damage(last: Path, how: str) -> None:
    whole = last.read_bytes()
    last.write_bytes(whole[: len(whole) // 3] if how == "truncated" else whole[:-9] + b"!" + whole[-8:])


def snapshots(folder: Path) -> list[Path]:
    return sorted(folder.glob("snapshots/tiny/[0-9]*.safetensors"))


def reached(folder: Path) -> int:
    """The step of the last snapshot."""
    return max((int(path.name[:12]) for path in snapshots(folder)), default=0)


def main() -> None:
    folder, chance, kills, how = Path(sys.argv[1]), random.Random(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    train(PROBLEM, TINY, RUNS, arms(), HELD_OUT, replace(PLAN, steps=1), seed=5, snapshots=None, advance=lambda _: None)
    logging.basicConfig(level=logging.INFO, format="%(message)s")  # torch is loaded now, and a process starts fast
    moments = [0, *sorted(chance.sample(range(1, 400), kills - 1))]
    ended: list[int] = []
    while not ended or ended[-1] != 0:
        child = os.fork()
        if child == 0:
            attempt(folder, Snapshots(str(folder / "snapshots")))
            os._exit(0)
        if moments:
            while reached(folder) < moments[0]:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.02))  # a step with its snapshot takes some milliseconds
            os.kill(child, signal.SIGKILL)
            del moments[0]
        ended.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        if how != "no" and len(snapshots(folder)) > 1:
            damage(snapshots(folder)[-1], how)
    print(json.dumps(ended))


if __name__ == "__main__":
    main()
