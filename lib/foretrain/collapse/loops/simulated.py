"""How are random tables made, of which as many fresh rows can be drawn as wanted?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretrain.collapse.table import Floats, Ints, Schema, Table, Target

WIDE = (3, 32)
NARROW = (2, 8)
"""Fewest and most columns."""


@dataclass(frozen=True)
class _Node:
    """One column: a random function of earlier columns plus noise, and a marginal that it is bent to."""

    parents: np.ndarray
    weights: Floats
    bend: int
    noise: float
    marginal: str
    shape: float
    levels: Floats


class Simulated:
    """A random structural model over mixed columns; the same seed gives the same model.

    Columns are drawn in order: each is a random linear, quadratic, thresholded or periodic function of up to four
    earlier ones plus Gaussian noise, bent to a random marginal (normal, log-normal, Student, uniform, bimodal, counts,
    zero-inflated, or categories of random frequencies). The target is the last column.

    Args:
        chance: what the model is made of.
        narrow: two to eight columns, often all of one kind, rather than three to 32.

    References:
        Hollmann et al. (2023), TabPFN: tables drawn from random structural causal models as a prior over datasets.
    """

    def __init__(self, chance: np.random.Generator, narrow: bool = False) -> None:
        least, most = NARROW if narrow else WIDE
        width = int(np.clip(np.exp(chance.uniform(np.log(least), np.log(most))), least, most))
        likely = [0.3, 0.1, 0.2, 0.1, 0.3] if narrow else [0.25, 0.35, 0.3, 0.1, 0.0]
        share_codes = chance.choice([0.0, 0.2, 0.5, 0.8, 1.0], p=likely)
        self.classes = int(chance.choice([0, 2, 3, 6], p=[0.4, 0.35, 0.15, 0.1]))
        self.groups = int(chance.choice([0, 3, 6], p=[0.5, 0.25, 0.25]))
        self.offsets = chance.normal(0, 2.0, size=(max(self.groups, 1), width))
        self.nodes: list[_Node] = []
        for j in range(width):
            count = min(j, int(chance.integers(0, 4))) if j < width - 1 else min(j, int(chance.integers(2, 6)))
            parents = chance.permutation(j)[:count]
            is_code = (j == width - 1 and self.classes > 0) or (j < width - 1 and chance.random() < share_codes)
            k = self.classes if j == width - 1 and self.classes else int(chance.choice([2, 3, 4, 6, 10, 25]))
            frequency = np.sort(chance.dirichlet(np.full(k, chance.choice([0.5, 1.0, 4.0]))))[::-1]
            self.nodes.append(
                _Node(
                    parents,
                    chance.normal(size=count),
                    int(chance.integers(4)),
                    float(np.exp(chance.uniform(np.log(0.1), np.log(1.5)))),
                    "codes" if is_code else str(chance.choice(_MARGINALS)),
                    float(chance.uniform(0.3, 1.2)),
                    np.cumsum(np.clip(frequency, 0.004, None) / np.clip(frequency, 0.004, None).sum()),
                )
            )
        made = self._latent(4096, chance)
        self.sorted = np.sort(made, axis=0)

    def _latent(self, rows: int, chance: np.random.Generator) -> Floats:
        out = np.zeros((rows, len(self.nodes)))
        group = chance.integers(max(self.groups, 1), size=rows)
        for j, node in enumerate(self.nodes):
            signal = np.zeros(rows)
            for parent, weight in zip(node.parents, node.weights, strict=True):
                value = out[:, parent]
                bent = (value, value**2 - 1, np.sign(value), np.sin(2 * value))[node.bend]
                signal += weight * bent
            if self.groups:
                signal += 0.7 * self.offsets[group, j]
            total = signal + node.noise * chance.standard_normal(rows)
            out[:, j] = total / max(1.0, np.sqrt((node.weights**2).sum() + node.noise**2))
        return out

    def draw(self, rows: int, chance: np.random.Generator) -> Table:
        """That many fresh rows."""
        latent = self._latent(rows, chance)
        numbers: list[Floats] = []
        codes: list[Ints] = []
        names, whole, code_names, levels = [], [], [], []
        target: Target | None = None
        for j, node in enumerate(self.nodes):
            last = j == len(self.nodes) - 1
            level = (np.searchsorted(self.sorted[:, j], latent[:, j]) + 0.5) / (len(self.sorted) + 1)
            if node.marginal == "codes":
                if last:
                    target = Target("classification", len(codes))
                codes.append(np.searchsorted(node.levels[:-1], level))
                code_names.append(f"c{j}")
                levels.append(len(node.levels))
            else:
                if last:
                    target = Target("regression", len(numbers))
                value, is_whole = _bend(node.marginal, node.shape, latent[:, j], level)
                numbers.append(value)
                names.append(f"x{j}")
                whole.append(is_whole)
        return Table(
            # a square of a square, bent to a log-normal, can leave what a number can hold
            np.clip(np.column_stack(numbers), -_LARGEST, _LARGEST) if numbers else np.empty((rows, 0)),
            np.column_stack(codes).astype(np.int64) if codes else np.empty((rows, 0), np.int64),
            Schema(tuple(names), tuple(whole), tuple(code_names), tuple(levels), target),
        )


_LARGEST = 1e30

_MARGINALS = ("plain", "plain", "plain", "lognormal", "student", "uniform", "counts", "zeros", "rounded")


def _bend(marginal: str, shape: float, value: Floats, level: Floats) -> tuple[Floats, bool]:
    match marginal:
        case "lognormal":
            return np.exp(shape * value), False
        case "student":
            return np.sinh(1.2 * shape * value), False
        case "uniform":
            return level, False
        case "counts":
            return np.floor(np.exp(shape * value + 1.2)), True
        case "zeros":
            return np.maximum(0.0, value), False
        case "rounded":
            return np.rint(3 * value), True
        case _:
            return value, False
