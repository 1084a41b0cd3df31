"""Who has a GPU to himself? One cascade at a time, of all that run on a machine."""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import torch

from foretrain.cascade.training import devices
from foretrain.progress import Advance, advance

AGAIN = 1.0
"""Seconds between two tries."""


@contextmanager
def reserved(device: str, processes: int = 1) -> Iterator[str]:
    """Have a GPU to oneself inside the block, after waiting for it where another run has it.

    Args:
        device: as in the settings; any free GPU at auto.
        processes: GPUs wanted, the first ones where more than one.

    Yields:
        The device to train on. No processor is ever reserved.
    """
    chosen = devices.choose(device)
    if chosen.type != "cuda":
        yield device
        return
    names = [str(torch.cuda.get_device_properties(gpu).uuid) for gpu in range(torch.cuda.device_count())]
    if processes > 1:
        with ExitStack() as held:
            for name in names[:processes]:
                held.enter_context(one_of([name]))
            yield device
    elif device == "auto":
        with one_of(names) as place:
            yield f"cuda:{place}"
    else:
        with one_of([names[chosen.index or 0]]):
            yield device


@contextmanager
def one_of(names: Sequence[str]) -> Iterator[int]:
    """Have one of these to oneself inside the block: its place in the list.

    Held by a lock of the kernel on a file, which goes with the process that has it, however that ends.
    """
    while (found := _free(names)) is None:
        advance(Advance(0.0, "waiting for the GPU, which another run has"))
        time.sleep(AGAIN)
    place, lock = found
    try:
        yield place
    finally:
        os.close(lock)


def _free(names: Sequence[str]) -> tuple[int, int] | None:
    for place, name in enumerate(names):
        lock = _open(Path(tempfile.gettempdir()) / f"foretrain-{name}.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return place, lock
    return None


def _open(file: Path) -> int:
    try:
        return os.open(file, os.O_RDONLY)  # another user's may not be opened to be made
    except FileNotFoundError:
        return os.open(file, os.O_RDONLY | os.O_CREAT, 0o644)
