"""Which candidates, healthy and collapsed, are made of one real table?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from foretrain.collapse.loops import damage
from foretrain.collapse.loops.autoencoder import Autoencoder
from foretrain.collapse.loops.copula import Copula
from foretrain.collapse.loops.gaussian import Gaussian, GaussianMixture
from foretrain.collapse.loops.generator import Generator
from foretrain.collapse.loops.kernel import Kernel
from foretrain.collapse.loops.tree import Trees
from foretrain.collapse.table import Table

GENERATORS: dict[str, Callable[[], Generator]] = {
    "gaussian": Gaussian,
    "mixture": GaussianMixture,
    "copula": Copula,
    "kernel": Kernel,
    "trees": Trees,
    "autoencoder": Autoencoder,
}
"""The generators that feed on their own output."""

MANY_ROWS = 1500
"""Tables of more rows are consumed for at most five generations."""


@dataclass(frozen=True)
class Made:
    """A candidate and how it was made.

    Attributes:
        mechanism: name of the construction.
        strength: its parameter: generations, or a share.
        healthy: whether the construction is meant to be harmless.
    """

    table: Table
    mechanism: str
    strength: float
    healthy: bool


def consume(
    table: Table,
    generator: Callable[[], Generator],
    generations: int,
    chance: np.random.Generator,
    *,
    rows: int | None = None,
    temperature: float = 1.0,
) -> Iterator[Table]:
    """A self-consuming loop: fit, draw, fit on what was drawn, ...; yields every generation.

    Args:
        table: what the first generation is fitted on.
        generator: makes a new generator for every generation.
        generations: how many.
        chance: what fits and draws are made with.
        rows: rows a generation; as many as the table by default.
        temperature: below 1, each generation is drawn nearer to its mean (biased sampling).
    """
    for _ in range(generations):
        model = generator()
        model.fit(table, chance)
        table = model.draw(rows or len(table), chance)
        if temperature < 1.0:
            table = damage.temperature(table, temperature, chance)
        yield table


def healthy(original: Table, holdout: Table, chance: np.random.Generator) -> Iterator[Made]:
    """Candidates that should pass: fresh real rows, with a little noise, mixed with good synthetic ones.

    Args:
        original: the rows the validation will see as original.
        holdout: other real rows.
        chance: what shares and rows are drawn with.
    """
    n = min(len(original), len(holdout))
    fresh = holdout.sample(n, chance)
    yield Made(fresh, "fresh", 0.0, True)
    yield Made(holdout.sample(max(20, round(chance.uniform(0.5, 0.9) * n)), chance), "fresh_part", 0.0, True)
    yield Made(_jitter(holdout.sample(n, chance), 0.05, chance), "fresh_jitter", 0.05, True)
    yield Made(_jitter(original.sample(n, chance), 0.1, chance), "jitter", 0.1, True)
    share = float(chance.uniform(0.1, 0.6))
    name = str(chance.choice(["copula", "mixture", "trees", "kernel"]))
    made = next(consume(original, GENERATORS[name], 1, chance))
    yield Made(_mix(fresh, made, share, chance), "mix_fresh", share, True)
    share = float(chance.uniform(0.1, 0.5))
    yield Made(_mix(holdout.sample(n, chance), original, share, chance), "mix_original", share, True)
    yield Made(next(consume(original, Trees, 1, chance)), "trees_once", 1.0, True)
    kernel = Kernel(bandwidth=0.15, flip=0.0)
    kernel.fit(original, chance)
    yield Made(kernel.draw(n, chance), "smooth_bootstrap", 0.15, True)
    grown = original
    for _ in range(3):
        grown = Table.stack([grown, next(consume(grown, Trees, 1, chance, rows=len(original)))])
    yield Made(grown.sample(round(1.2 * n), chance), "accumulate", 3.0, True)


def collapsed(original: Table, holdout: Table, chance: np.random.Generator) -> Iterator[Made]:
    """Candidates that should fail, from barely to wholly collapsed.

    Args:
        original: the rows the validation will see as original.
        holdout: other real rows, which direct damages start from.
        chance: what strengths and rows are drawn with.
    """
    for name, generator in GENERATORS.items():
        slow = name == "autoencoder" or len(original) > MANY_ROWS
        most = int(chance.choice([2, 3, 5] if slow else [3, 5, 10, 20]))
        marks = {int(chance.integers(1, most + 1)), most}
        biased = name in ("gaussian", "mixture", "copula") and chance.random() < 0.4
        rows = max(20, round(float(chance.choice([0.7, 1.0, 1.0, 1.5])) * len(original)))
        for generation, table in enumerate(
            consume(original, generator, most, chance, rows=rows, temperature=0.9 if biased else 1.0), start=1
        ):
            if generation in marks:
                yield Made(table, f"loop_{name}" + ("_biased" if biased else ""), float(generation), False)
    n = min(len(original), len(holdout))
    for _ in range(2):
        base = holdout.sample(n, chance)
        share = float(chance.uniform(0.1, 0.7))
        yield Made(damage.duplicates(base, share, chance), "duplicates", share, False)
    for _ in range(2):
        base = holdout.sample(n, chance)
        share, noise = float(chance.uniform(0.1, 0.7)), float(10 ** chance.uniform(-3.5, -1.3))
        yield Made(damage.near_copies(base, share, chance, noise), "near_copies", share, False)
    share = float(chance.uniform(0.08, 0.5))
    yield Made(damage.mode_drop(holdout.sample(n, chance), share, chance), "mode_drop", share, False)
    share = float(chance.uniform(0.03, 0.4))
    yield Made(damage.tail_cut(holdout.sample(n, chance), share), "tail_cut", share, False)
    scale = float(chance.uniform(0.5, 0.95))
    yield Made(damage.temperature(holdout.sample(n, chance), scale, chance), "temperature", 1 - scale, False)
    share = float(chance.uniform(0.15, 0.9))
    yield Made(damage.correlation_break(holdout.sample(n, chance), share, chance), "correlation_break", share, False)
    for _ in range(2):
        share = float(chance.uniform(0.1, 0.8))
        yield Made(damage.label_noise(holdout.sample(n, chance), share, chance), "label_noise", share, False)
    share = float(chance.uniform(0.05, 0.4))
    yield Made(damage.rare_loss(holdout.sample(n, chance), share, chance), "rare_loss", share, False)


def _jitter(table: Table, noise: float, chance: np.random.Generator) -> Table:
    spread = np.nan_to_num(np.nanstd(table.numbers, axis=0))
    whole = np.asarray(table.schema.whole, dtype=bool)
    shake = noise * spread * chance.standard_normal(table.numbers.shape)
    return table.with_columns(np.where(whole, table.numbers, table.numbers + shake), table.codes)


def _mix(base: Table, other: Table, share: float, chance: np.random.Generator) -> Table:
    k = round(share * len(base))
    mixed = Table.stack([base.sample(len(base) - k, chance), other.sample(k, chance)])
    return mixed.sample(len(mixed), chance)
