"""How is a tier trained?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Plan:
    """How a tier is trained.

    On a CPU the same plan and seed give the same numbers to the bit for the same number of threads, also where the
    training was killed in between.

    Attributes:
        steps: at most.
        batch: rows a step of each model; fewer where an arm has fewer.
        learning_rate: the highest.
        schedule: of the learning rate after the warm-up: down to 0 along a cosine, or constant.
        warm_up: share of the steps in which it rises.
        weight_decay: of AdamW.
        clip: length to which each model's gradient is cut.
        interval: steps between two looks at the validation rows.
        patience: looks without a gain after which a model has converged.
        device: "auto", "cpu", "cuda", "cuda:1".
        threads: of a CPU; torch's own choice (each core, or OMP_NUM_THREADS) when not given.
        processes: that share the training, one a GPU.
        at_once: rows of each model's batch in memory together; found from what is free when not given. The batch stays
            the same, and so do the results but for rounding.
        snapshot_seconds: between two snapshots.
    """

    steps: int = 2000
    batch: int = 256
    learning_rate: float = 2e-3
    schedule: Literal["cosine", "constant"] = "cosine"
    warm_up: float = 0.05
    weight_decay: float = 0.01
    clip: float = 1.0
    interval: int = 100
    patience: int = 5
    device: str = "auto"
    threads: int | None = None
    processes: int = 1
    at_once: int | None = None
    snapshot_seconds: float = 30.0

    def rate(self, step: int) -> float:
        """The learning rate of a step, the first being 0."""
        rising = max(1, round(self.warm_up * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        if self.schedule == "constant":
            return self.learning_rate
        return self.learning_rate * (1 + math.cos(math.pi * (step - rising) / max(1, self.steps - rising))) / 2
