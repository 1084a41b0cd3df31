"""Does a GPU replay a net's kernels faster than Python launches them?"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import torch

from foretrain.cascade.losses import Batch
from foretrain.cascade.tiers.tier import Net

log = logging.getLogger(__name__)

TRIES = 10


def replay(net: Net, batch: Batch, step: Callable[[], object]) -> bool:
    """Record the net's kernels as CUDA graphs, and leave it so where that is faster.

    Batches must have the shape of this one from then on, outside of `Net.eval`.

    Args:
        net: on a GPU.
        batch: like those to come.
        step: runs the net forward and backward on such a batch.
    """
    plain = net.forward
    before = _seconds(step)
    try:
        torch.cuda.make_graphed_callables(net, (dict(batch),))  # type: ignore[arg-type]
        after = _seconds(step)
    except RuntimeError as error:  # an operation that cannot be recorded
        log.info("CUDA graphs cannot be used: %s", error)
        after = before
    if after >= before:
        net.forward = plain  # type: ignore[method-assign]
    log.info("a step takes %.2f ms launched, %.2f ms replayed", 1e3 * before, 1e3 * after)
    return after < before


def _seconds(step: Callable[[], object]) -> float:
    step()
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(TRIES):
        step()
    torch.cuda.synchronize()
    return (time.perf_counter() - began) / TRIES
