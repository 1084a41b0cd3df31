"""What does a count of byte n-grams lose, the smallest model of texts?

Boosted trees would need a tree a round for each of 257 tokens, and thousands of rounds; counting takes one pass.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foretrain.cascade.generation.backoff import LONGEST, Backoff
from foretrain.cascade.problem import Arm, Problem, Rows, length, take
from foretrain.cascade.record import Point
from foretrain.cascade.tiers.tier import Floats, Run, Trained
from foretrain.collapse.table import Ints
from foretrain.seeds import stream

READ = 0.9
"""Share of an arm's rows that one model counts, drawn by its seed: counting knows no other chance."""

JUDGED = 500
"""Rows that a point of the learning curve is measured on, at most."""


@dataclass(frozen=True)
class Ngrams:
    """Interpolated byte n-grams; how many bytes are looked at is tuned on the first arm."""

    name: str = "n-grams"

    def describe(self, problem: Problem) -> str:
        """The architecture for people."""
        return f"byte n-grams of up to {LONGEST + 1} (Witten-Bell)"

    def tune(self, problem: Problem, arm: Arm, seed: int) -> dict[str, int]:
        """Bytes of context, by the loss on the first arm's rows that were held back."""
        model = Backoff.of(arm.train["tokens"], LONGEST)
        return {"context": int(np.argmin([loss.mean() for loss in _losses(model, arm.validation["tokens"])]))}

    def fit(self, problem: Problem, run: Run, arm: Arm, held_out: Rows, tuned: object, seed: int) -> Trained:
        """One model. Its learning curve goes by bytes of context."""
        assert isinstance(tuned, Mapping)
        start = time.perf_counter()
        rows = length(arm.train)
        read = stream(seed, "cascade", "n-grams").permutation(rows)[: max(1, round(READ * rows))]
        model = Backoff.of(take(arm.train, read)["tokens"], tuned["context"])
        loss = _losses(model, held_out["tokens"])[-1]
        seconds = time.perf_counter() - start
        seen, unseen = (
            [float(each.mean()) for each in _losses(model, tokens[:JUDGED])]
            for tokens in (arm.train["tokens"][read], arm.validation["tokens"])
        )
        return Trained(
            run=run,
            loss=loss,
            right=None,
            ending="converged",
            reason=None,
            steps=len(seen),
            seconds=seconds,
            curve=tuple(
                Point(step=k + 1, seconds=seconds * (k + 1) / len(seen), train=train, validation=validation)
                for k, (train, validation) in enumerate(zip(seen, unseen, strict=True))
            ),
            parameters=model.parameters,
        )


NGRAM = Ngrams()


def _losses(model: Backoff, tokens: Ints) -> list[Floats]:
    """Nats a byte of each text, its end among them, (rows,); by length of context."""
    asked = (tokens > 0).sum(axis=1) + 1
    return [costs.sum(axis=1) / asked for costs in model.costs(tokens)]
