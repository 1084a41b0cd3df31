"""Do two processes that share a training come to what one comes to?"""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from unit.cascade.learnable import HELD_OUT, HUNGRY, PROBLEM, RUNS, TINY, arms

from foretrain.cascade.tiers.tier import NetTier, Trained
from foretrain.cascade.training import distributed
from foretrain.cascade.training.snapshots import Snapshots
from foretrain.cascade.training.together import Plan, train
from foretrain.errors import InternalError, ResourceError, SettingsError
from foretrain.progress import Advance

PLAN = {
    "steps": 600,
    "schedule": "constant",
    "batch": 72,
    "interval": 20,
    "learning_rate": 0.01,
    "patience": 4,
    "device": "cpu",
    "threads": 1,
}


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def trained(
    tier: NetTier,
    snapshots: Snapshots | None = None,
    advance: Callable[[Advance], None] = lambda _: None,
    **plan: Any,
) -> list[Trained]:
    whole = Plan(**PLAN | plan)
    return train(PROBLEM, tier, RUNS, arms(), HELD_OUT, whole, seed=1, snapshots=snapshots, advance=advance)


class KillOneOfThem:
    """With its first word after the start; later ones may still be in the pipe when all have ended."""

    def __init__(self) -> None:
        self.killed = False

    def __call__(self, made: Advance) -> None:
        if made.fields["step"] > 0 and not self.killed:
            self.killed = True
            kill_one_of_them()


def kill_one_of_them() -> None:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            above = int(Path(f"/proc/{parent}/stat").read_text().rpartition(")")[2].split()[1])
            if above == os.getpid() and b"foretrain.cascade.training.distributed" in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
                return
    raise AssertionError("there is no process to kill")


def test_two_processes_agree_with_one_also_after_running_out_of_memory_and_being_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        with pytest.raises(ResourceError, match="the processes that trained together ended with status 1"):
            trained(HUNGRY, Snapshots(str(tmp_path)), KillOneOfThem(), processes=2, snapshot_seconds=0.01)
        assert "out of memory, going on with 16 rows of a model at once" in caplog.text
        assert "SIGKILL" in caplog.text
        told: list[Advance] = []
        two = trained(TINY, Snapshots(str(tmp_path)), told.append, processes=2)
    assert "tiny: going on from step " in caplog.text
    assert "tiny, original, seed 0: " in caplog.text
    assert told[-1].done == 1.0
    for one, both in zip(trained(TINY), two, strict=True):
        assert (one.run, one.ending, one.steps, one.parameters) == (both.run, both.ending, both.steps, both.parameters)
        assert one.right is not None
        assert both.right is not None
        np.testing.assert_allclose(both.loss, one.loss, rtol=2e-3, atol=2e-4)
        assert abs(both.right.mean() - one.right.mean()) < 0.01
        for mine, theirs in zip(one.curve, both.curve, strict=True):
            assert (theirs.step, theirs.train, theirs.validation) == (
                mine.step,
                pytest.approx(mine.train, rel=1e-4),
                pytest.approx(mine.validation, rel=1e-4),
            )
        assert {name: value.shape for name, value in both.state.items()} == {
            name: value.shape for name, value in one.state.items()
        }
    for one, both in zip(trained(TINY, Snapshots(str(tmp_path))), two, strict=True):
        assert both.loss is not None
        np.testing.assert_array_equal(both.loss, one.loss)


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ({"kind": "InternalError", "message": "the arms differ"}, InternalError),
        ({"kind": "ResourceError", "message": "ran out of memory at 1 rows", "rows": 1}, ResourceError),
    ],
)
def test_what_goes_wrong_in_them_is_one_line(
    failure: dict[str, Any], kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "_start", lambda *_: failure)
    with pytest.raises(kind, match=failure["message"]):
        trained(TINY, processes=2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_what_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ResourceError, match="there is no device cuda"):
        trained(TINY, processes=2, device="cuda")
    monkeypatch.setattr(distributed, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match=r"more than one needs Lightning Fabric\. pip install 'foretrain\[gpu\]'"):
        trained(TINY, processes=2)
