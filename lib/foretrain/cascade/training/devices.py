"""Where are the nets trained, and how busy and how full is it?"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

import torch

from foretrain.errors import ResourceError, SettingsError

ROOM = 0.8
"""Share of the free memory that a step may take."""


def choose(setting: str) -> torch.device:
    """The device that a setting names: "auto", "cpu", "cuda", "cuda:1".

    Raises:
        SettingsError: there is no such kind of device.
        ResourceError: this machine has none.
    """
    if setting == "auto":
        setting = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(setting)
    except RuntimeError:
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise SettingsError(f"setting cascade.device: expected auto, cpu, cuda or cuda:1, not {setting!r}")
    if device.type == "cpu":
        return torch.device("cpu")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= found:
        raise ResourceError(
            f"there is no device {setting}: this machine has {found} GPUs that torch can use",
            hint="Set cascade.device to cpu or auto",
        )
    return torch.device("cuda", device.index or 0)


@cache
def name(device: torch.device) -> str:
    """For people: "NVIDIA H100", or the processor's."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return "CPU"


def bfloat16(device: torch.device) -> bool:
    """Whether half the bits cost nothing there."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def free(device: torch.device) -> int | None:
    """Bytes of a GPU that can still be had; None for a processor, whose memory nobody can promise."""
    if device.type != "cuda":
        return None
    cached = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(torch.cuda.mem_get_info(device)[0]) + cached


def used(device: torch.device) -> int:
    """Bytes taken now, by this process where it is a processor's memory."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    return peak(device)


def peak(device: torch.device) -> int:
    """Most bytes taken so far; those of the processes that it has started counted by the largest."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    largest = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return largest * unit


def taken(device: torch.device, work: Callable[[], object]) -> int:
    """Most bytes of a GPU that the work takes."""
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return torch.cuda.max_memory_allocated(device) - before


def fits(a_row: float, free: int | None, most: int) -> int:
    """How many rows of this many bytes fit, 1 to `most`; `most` where nobody knows what is free."""
    if free is None:
        return most
    return max(1, min(most, int(ROOM * free / max(a_row, 1.0))))


class Busy:
    """Share of the time that the device works, 0 to 1: of a GPU by NVML, of a processor by this process's time."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._wall, self._processor = time.perf_counter(), time.process_time()

    def share(self) -> float | None:
        """Since the last call; of a GPU over the last moments, None where nvidia-ml-py is not installed."""
        if self._device.type == "cuda":
            return _utilisation(self._device)
        wall, processor = time.perf_counter(), time.process_time()
        cores = torch.get_num_threads() * max(wall - self._wall, 1e-9)
        share = (processor - self._processor) / cores
        self._wall, self._processor = wall, processor
        return min(share, 1.0)


def _utilisation(device: torch.device) -> float | None:
    try:
        from pynvml import NVMLError
    except ModuleNotFoundError:
        return None
    try:
        return torch.cuda.utilization(device) / 100
    except (NVMLError, RuntimeError):  # a slice of a GPU has no figure of its own
        return None


@contextmanager
def threads(count: int) -> Iterator[None]:
    """So many threads of the processor for all that torch computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
