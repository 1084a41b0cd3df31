"""Generate the dataset again, from the original, in one generation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Self

import pyarrow as pa

from foretrain.collapse.loops.copula import Copula
from foretrain.collapse.loops.tree import Trees
from foretrain.data.reference import Kind
from foretrain.recommendations import models
from foretrain.recommendations.edit import BLOCK, Edit
from foretrain.recommendations.fixes.fix import Findings, Fix
from foretrain.recommendations.scene import Scene
from foretrain.record import NotRun
from foretrain.seeds import stream

FEWEST = 50
MOST_COLUMNS = 100

SETTINGS = {
    "temperature": "sample at temperature 1",
    "tail_cut": "sample without cutting tails off (top-k, top-p, clipping)",
    "mode_drop": "train the generator for longer, with weight on rare modes",
    "rare_loss": "train the generator with weight on rare categories",
    "duplicates": "sample with new noise for each row",
    "near_copies": "regularise the generator, so that it does not learn rows by heart",
    "label_noise": "let the generator draw the target given the other columns",
    "correlation_break": "draw columns together, not one by one",
}
"""By the mechanism that the candidate looks like, what to set otherwise in the user's own generator."""


class Regenerate(Fix):
    """The candidate's rows are replaced by as many from a generator fitted on the original alone.

    It stands for what the user's own generator would give after one generation, with nothing cut off.
    """

    name = "regenerate"
    does = "Replaces all rows by those of a generator fitted on the original: one generation, nothing cut off."
    sees_original = True
    order = 5

    generator: Literal["trees", "copula"]

    @classmethod
    def propose(cls, found: Findings) -> Iterator[tuple[Self, str]]:
        columns = found.original.dataset.columns
        if found.collapse.verdict in ("approve", "underpowered") or found.donor_rows < FEWEST:
            return
        if len(columns) > MOST_COLUMNS or any(column.kind is Kind.TEXT for column in columns):
            return
        likely = "" if isinstance(found.prescreen, NotRun) else next(iter(found.prescreen.mechanisms), "")
        advice = f"; in your own generator, {SETTINGS[likely]}" if likely in SETTINGS else ""
        yield cls(generator="trees"), f"Trained on its own output, a generator loses more each time{advice}."
        yield cls(generator="copula"), f"Trained on its own output, a generator loses more each time{advice}."

    @property
    def label(self) -> str:
        return self.generator

    @property
    def title(self) -> str:
        how = {"trees": "boosted trees, column by column", "copula": "a Gaussian copula"}[self.generator]
        return f"Generate anew from the original with {how}"

    def fit(self, scene: Scene) -> Edit:
        arrays = models.Arrays.of(scene)
        generator = Trees() if self.generator == "trees" else Copula()
        generator.fit(arrays.donors, stream(scene.seed, "recommendations", "regenerate"))

        def made(rows: int, block: int) -> pa.Table:
            chance = stream(scene.seed, "recommendations", "regenerate", block)
            return arrays.back(generator.draw(rows, chance), block * BLOCK)

        return Edit(made=made)
