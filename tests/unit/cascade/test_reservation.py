"""Has one run the GPU at a time, and is it free again when that run is killed?"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest
import torch

from foretrain.cascade.training import devices, reservation
from foretrain.cascade.training.reservation import one_of, reserved
from foretrain.progress import Advance, heard

HOLDER = """
import sys, time
from foretrain.cascade.training.reservation import one_of
with one_of(sys.argv[1:]) as place:
    print(place, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def names() -> list[str]:
    return [f"test-{secrets.token_hex(8)}" for _ in range(2)]


def test_a_killed_holder_gives_it_back_at_once(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reservation, "AGAIN", 0.01)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, *names], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "0\n"
    with one_of(names) as place:
        assert place == 1
    got, told = threading.Event(), []

    def wait() -> None:
        with heard(told.append), one_of(names[:1]):
            got.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert not got.wait(1.0)
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()
    assert got.wait(5.0)
    waiting.join()
    assert Advance(0.0, "waiting for the GPU, which another run has") in told


def test_it_is_given_back_though_the_work_fails(names: list[str]) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), one_of(names) as place:
            assert place == 0
            _ = 1 / 0


def test_a_processor_is_never_reserved() -> None:
    with reserved("cpu"), reserved("cpu") as device:
        assert device == "cpu"


@pytest.fixture
def two_gpus(names: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Their names; nothing is computed on them."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda gpu: SimpleNamespace(uuid=names[gpu]))
    monkeypatch.setattr(devices, "choose", lambda setting: torch.device(setting.replace("auto", "cuda:0")))


@pytest.mark.usefixtures("two_gpus")
def test_of_two_gpus_the_free_one_is_taken(names: list[str]) -> None:
    with reserved("auto") as first, reserved("auto") as second:
        assert (first, second) == ("cuda:0", "cuda:1")
        assert reservation._free(names) is None
    with reserved("cuda:1") as asked:
        assert asked == "cuda:1"
        assert reservation._free(names[1:]) is None
    with reserved("auto", processes=2) as both:
        assert both == "auto"
        assert reservation._free(names) is None
