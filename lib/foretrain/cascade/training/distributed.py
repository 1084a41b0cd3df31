"""How do several processes, one a GPU, share the training of a tier?

Each does its part of every batch, and gradients are averaged by DistributedDataParallel, so that the weights are those
of one process but for rounding. Started by torchrun, as ``python -m torch.distributed.run ... -m
foretrain.cascade.training.distributed FOLDER``: the folder holds what is to be learned, and takes the result.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from foretrain import errors
from foretrain.cascade.problem import Arm, Problem, Rows
from foretrain.cascade.record import ArmName, Point
from foretrain.cascade.tiers.tier import Net, NetTier, Run, Trained
from foretrain.cascade.training import devices
from foretrain.cascade.training.plan import Plan
from foretrain.cascade.training.snapshots import Snapshots
from foretrain.cascade.training.team import Forward
from foretrain.errors import ForetrainError, SettingsError
from foretrain.profile.container import pack, unpack
from foretrain.progress import Advance

if TYPE_CHECKING:
    from lightning_fabric import Fabric

log = logging.getLogger(__name__)

STUDY, RESULT, FAILURE, OUTPUT = "study.safetensors", "result.safetensors", "failure.json", "output.txt"


@dataclass(frozen=True)
class Processes:
    """A `Team` of processes.

    References:
        Li et al. (2020), PyTorch distributed: experiences on accelerating data parallel training.
    """

    fabric: Fabric

    @property
    def rank(self) -> int:
        return self.fabric.global_rank

    @property
    def size(self) -> int:
        return self.fabric.world_size

    @property
    def device(self) -> torch.device:
        return self.fabric.device

    def wrap(self, net: Net) -> Forward:
        return self.fabric.setup_module(net, move_to_device=False)

    def apart(self, forward: Forward) -> AbstractContextManager[object]:
        return self.fabric.no_backward_sync(forward)  # type: ignore[arg-type]

    def total(self, values: Tensor) -> Tensor:
        summed = self.fabric.all_reduce(values.clone(), reduce_op="sum")
        assert isinstance(summed, Tensor)
        return summed

    def least(self, value: int) -> int:
        least = self.fabric.all_reduce(torch.tensor(value, device=self.device), reduce_op="min")
        assert isinstance(least, Tensor)
        return int(least)


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
    """`together.train` by `plan.processes` processes. Out of memory, they are started again with half of the rows.

    Raises:
        SettingsError: there are not as many GPUs, or Lightning Fabric is not installed.
        ResourceError: a process ended, or not even one row a model fits in the memory.
    """
    if find_spec("lightning_fabric") is None:
        raise SettingsError("setting cascade.processes: more than one needs Lightning Fabric",
                            hint="pip install 'foretrain[gpu]'")  # fmt: skip
    kind = devices.choose(plan.device).type
    if kind == "cuda" and torch.cuda.device_count() < plan.processes:
        raise SettingsError(
            f"setting cascade.processes: {plan.processes}, but there are {torch.cuda.device_count()} GPUs"
        )
    threads = max(1, (plan.threads or torch.get_num_threads()) // plan.processes)
    plan = replace(plan, device=kind, threads=threads)
    with tempfile.TemporaryDirectory(prefix="foretrain-") as name:
        folder = Path(name)
        study = {
            "problem": asdict(problem),
            "tier": [tier.name, tier.build.__module__, tier.build.__qualname__],
            "runs": [asdict(run) for run in runs],
            "arms": {
                arm: {"train": dict(rows.train), "validation": dict(rows.validation)} for arm, rows in arms.items()
            },
            "held_out": dict(held_out),
            "seed": seed,
            "snapshots": snapshots.root if snapshots else str(folder / "snapshots"),
        }
        while True:
            (folder / STUDY).write_bytes(pack(study | {"plan": asdict(plan)}))
            failed = _start(folder, plan.processes, threads, advance)
            if failed is None:
                return [_trained(each) for each in unpack((folder / RESULT).read_bytes())]
            if not failed.get("rows") or failed["rows"] < 2:
                raise getattr(errors, failed["kind"])(failed["message"])
            plan = replace(plan, at_once=failed["rows"] // 2)
            log.warning("%s: out of memory, going on with %d rows of a model at once", tier.name, plan.at_once)


def _start(folder: Path, processes: int, threads: int, advance: Callable[[Advance], None]) -> dict[str, Any] | None:
    """Run the processes to their end, and say what failed."""
    for left in (FAILURE, RESULT):
        (folder / left).unlink(missing_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--local-addr", "127.0.0.1",
               "--nproc-per-node", str(processes), "-m", __name__, str(folder)]  # fmt: skip
    with (
        (folder / OUTPUT).open("w") as output,
        subprocess.Popen(  # noqa: S603 its own program on its own folder
            command,
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            start_new_session=True,
        ) as child,
    ):
        try:
            assert child.stdout is not None
            for line in child.stdout:
                _hear(line, advance)
            status = child.wait()
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)
            raise
    if status == 0 or (folder / RESULT).exists():  # once that is written, a process may end as it likes
        return None
    with suppress(FileNotFoundError):
        found: dict[str, Any] = json.loads((folder / FAILURE).read_text(encoding="utf-8"))
        return found
    said = (folder / OUTPUT).read_text(errors="replace").strip()
    log.error("the processes said:\n%s", said)
    return {"kind": "ResourceError", "message": f"the processes that trained together ended with status {status}"}


def _hear(line: str, advance: Callable[[Advance], None]) -> None:
    with suppress(ValueError):
        word = json.loads(line)
        if "log" in word:
            log.log(word["log"], "%s", word["message"])
        else:
            advance(Advance(**word))


def _say(word: Mapping[str, object]) -> None:
    """To the process that started this one; once that is gone this ends too, by SIGPIPE."""
    sys.stdout.write(json.dumps(word) + "\n")
    sys.stdout.flush()


class _Forward(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _say({"log": record.levelno, "message": self.format(record)})


def main(folder: Path) -> None:
    """One of the processes."""
    from lightning_fabric import Fabric

    from foretrain.cascade.training.together import train_in

    study = unpack((folder / STUDY).read_bytes())
    plan = Plan(**study["plan"])
    name, module, build = study["tier"]
    tier = NetTier(name, getattr(importlib.import_module(module), build), lambda _: name)
    fabric = Fabric(accelerator=plan.device, devices=plan.processes, strategy="ddp")
    fabric.launch()
    if fabric.global_rank == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        logging.getLogger("foretrain").addHandler(_Forward())
        logging.getLogger("foretrain").setLevel(logging.INFO)
    try:
        trained = train_in(
            Processes(fabric),
            Problem(**study["problem"] | {n: tuple(study["problem"][n]) for n in ("levels", "shape")}),
            tier,
            [Run(**run) for run in study["runs"]],
            {arm: Arm(**rows) for arm, rows in study["arms"].items()},
            study["held_out"],
            plan,
            seed=study["seed"],
            snapshots=Snapshots(study["snapshots"]),
            advance=lambda made: _say({"done": made.done, "text": made.text, "fields": dict(made.fields)}),
        )
    except ForetrainError as error:
        rows = getattr(error, "rows", None)
        failure = {"kind": _known(error), "message": str(error), "rows": rows}
        (folder / FAILURE).write_text(json.dumps(failure), encoding="utf-8")
        raise
    if fabric.global_rank == 0:
        part = folder / f"{RESULT}.part"
        part.write_bytes(pack([_plain(each) for each in trained]))
        part.replace(folder / RESULT)
    # all stay until the result is there, and leave no thread of the group to the interpreter's end, which would abort
    fabric.barrier()
    torch.distributed.destroy_process_group()


def _known(error: ForetrainError) -> str:
    return next(kind.__name__ for kind in type(error).__mro__ if hasattr(errors, kind.__name__))


def _plain(trained: Trained) -> dict[str, Any]:
    return asdict(trained) | {"curve": [point.model_dump() for point in trained.curve]}


def _trained(stored: dict[str, Any]) -> Trained:
    curve = tuple(Point(**point) for point in stored["curve"])
    return Trained(**stored | {"run": Run(**stored["run"]), "curve": curve})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
