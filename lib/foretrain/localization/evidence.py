"""What speaks against a row, by models that have not seen it?

Rows are dealt into folds by their content, so that copies stay together. A fold's rows, of both tables, are judged by
models and tails of the other folds' rows. So a row of the original is judged as a row of the candidate is, and says
what is usual.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretrain.cascade.problem import Rows, take
from foretrain.collapse.table import Floats
from foretrain.localization.conditional import Conditional
from foretrain.localization.features import Features
from foretrain.localization.marginal import Marginal
from foretrain.localization.neighbours import JUDGES, QUICK_JUDGES, Neighbours
from foretrain.localization.record import Mechanism
from foretrain.localization.synthetic import QUICK_ROUNDS, ROUNDS, Classifier
from foretrain.localization.tails import Tail
from foretrain.profile.hashing import Hashes, mix
from foretrain.seeds import number, stream
from foretrain.settings import Effort

if TYPE_CHECKING:  # loads torch
    from foretrain.localization.influence import Influence

MOST_PREDICTED = 64
"""Of more features, so many are predicted, drawn by the seed (the target among them)."""

MOST_FITTED = 8000
"""Rows of a table that models learn from, drawn by the seed."""

FEWEST = 20
"""Different rows a table below which no model is fitted."""


def folds(rows: int, effort: Effort) -> int:
    """How many folds: the fewer rows, the more of them each model must see."""
    if effort == Effort.QUICK:
        return 3 if rows < 500 else 2
    return 5 if rows < 1000 else 3 if rows < 5000 else 2


@dataclass(frozen=True)
class Side:
    """Rows of one table.

    Attributes:
        numbers: (rows, features).
        contents: the hash of each row's content, (rows,).
        for_nets: the same rows as the cascade's nets read them; None where those are not asked.
    """

    numbers: Floats
    contents: Hashes
    for_nets: Rows | None = None

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> Side:
        nets = None if self.for_nets is None else take(self.for_nets, rows)
        return Side(self.numbers[rows], self.contents[rows], nets)


@dataclass(frozen=True)
class Evidence:
    """What speaks against each row, as minus natural logarithms of probabilities.

    Attributes:
        surprise: of each value given the row's others, (rows, features).
        range: of each value by itself, (rows, features).
        synthetic: log odds of the candidate against the original, (rows,).
        crowded: log ratio of the candidate's density to the original's, (rows,).
        misleading: minus what a row is worth to a nearest-neighbour model, (rows,); None without a target.
        harmful: how much a step of training on it harms the cascade's nets, (rows,); None where they are not asked.
    """

    surprise: Floats
    range: Floats
    synthetic: Floats
    crowded: Floats
    misleading: Floats | None
    harmful: Floats | None = None

    @staticmethod
    def none(rows: int, features: Features) -> Evidence:
        """Nothing yet."""
        shape = (rows, len(features.features))
        worth = None if features.target is None else np.zeros(rows)
        return Evidence(np.zeros(shape), np.zeros(shape), np.zeros(rows), np.zeros(rows), worth)

    def scores(self, target: int | None) -> dict[Mechanism, Floats]:
        """One number a mechanism, the larger the worse, each (rows,)."""
        found: dict[Mechanism, Floats] = {"out_of_range": self.range.max(axis=1, initial=0.0)}
        if self.surprise.shape[1] > 1:
            found["unlikely_combination"] = self.surprise.sum(axis=1)
            if target is not None:
                found["unlikely_target"] = self.surprise[:, target]
        found |= {"looks_synthetic": self.synthetic, "crowded": self.crowded}
        if self.misleading is not None:
            found["misleads_neighbours"] = self.misleading
        if self.harmful is not None:
            found["harms_models"] = self.harmful
        return found


@dataclass(frozen=True)
class _Fold:
    conditional: Conditional
    marginal: Marginal
    classifier: Classifier
    neighbours: Neighbours
    losses: tuple[Tail | None, ...]


@dataclass(frozen=True)
class Judge:
    """The models of all folds."""

    features: Features
    folds: tuple[_Fold, ...]
    salt: np.uint64
    influence: Influence | None

    @staticmethod
    def fit(
        candidate: Side,
        original: Side,
        features: Features,
        seed: int,
        effort: Effort = Effort.STANDARD,
        influence: Influence | None = None,
    ) -> Judge:
        """Learn what is usual, and how the tables differ.

        Args:
            candidate: a sample of its rows, at least `FEWEST`.
            original: the same of the original.
            features: how the rows were read.
            seed: draws what is left out of large tables.
            effort: at quick there are fewer folds, and only the target is predicted by trees.
            influence: the cascade's nets, where they are asked.
        """
        salt = np.uint64(number("localization", "folds", seed))
        count = folds(min(len(candidate), len(original)), effort)
        quick = effort == Effort.QUICK
        predicted = _predicted(features, seed)
        known, drawn = (_drawn(side, seed, name) for side, name in ((original, "original"), (candidate, "candidate")))
        home = [_home(side.contents, salt, count) for side in (known, drawn, original)]
        without = []
        for k in range(count):
            real, made = known.take(home[0] != k), drawn.take(home[1] != k)
            both = np.concatenate([real.numbers, made.numbers])
            conditional = Conditional.fit(
                both, real.numbers, features.features, predicted, features.target, linear=quick
            )
            without.append(
                (
                    conditional,
                    Marginal.of(original.numbers[home[2] != k], features.features),
                    Classifier.fit(made.numbers, real.numbers, seed, QUICK_ROUNDS if quick else ROUNDS),
                    Neighbours.of(
                        conditional.scale, made.numbers, real.numbers, features.features, features.target,
                        stream(seed, "localization", "neighbours", k), QUICK_JUDGES if quick else JUDGES,
                    ),
                )
            )  # fmt: skip
        losses = np.empty(original.numbers.shape)
        for k, (conditional, *_) in enumerate(without):
            losses[home[2] == k] = conditional.losses(original.numbers[home[2] == k])
        made_folds = tuple(_Fold(*models, _tails(losses[home[2] != k])) for k, models in enumerate(without))
        return Judge(features, made_folds, salt, influence)

    def read(self, side: Side) -> Evidence:
        """The evidence against these rows; it depends on each row alone."""
        home = _home(side.contents, self.salt, len(self.folds))
        out = Evidence.none(len(side), self.features)
        if self.influence is not None and side.for_nets is not None:
            out = replace(out, harmful=self.influence.score(side.for_nets))
        for k, fold in enumerate(self.folds):
            mine = np.flatnonzero(home == k)
            if not len(mine):
                continue
            rows = side.numbers[mine]
            out.range[mine] = -np.log(np.maximum(fold.marginal.p(rows), 1e-12))
            out.synthetic[mine] = fold.classifier.log_odds(rows)
            out.crowded[mine], misleading = fold.neighbours.read(rows)
            if out.misleading is not None:
                out.misleading[mine] = misleading
            losses = fold.conditional.losses(rows)
            for j, tail in enumerate(fold.losses):
                if tail is not None:
                    out.surprise[mine, j] = -np.log(tail.p(losses[:, j]))
        return out

    def contributions(self, side: Side) -> Floats:
        """What each feature adds to the log odds that a row is the candidate's, (rows, features)."""
        home = _home(side.contents, self.salt, len(self.folds))
        out = np.zeros(side.numbers.shape)
        for k, fold in enumerate(self.folds):
            if (mine := home == k).any():
                out[mine] = fold.classifier.contributions(side.numbers[mine])
        return out

    def harm(self, side: Side) -> Floats:
        """What each feature adds to the harm that a row does to the cascade's nets, (rows, features)."""
        out = np.zeros(side.numbers.shape)
        if self.influence is not None and side.for_nets is not None and len(side):
            parts = self.influence.contributions(side.for_nets)
            for k, feature in enumerate(self.features.features):
                out[:, k] = parts.get(feature.name, 0.0)
        return out


def _home(contents: Hashes, salt: np.uint64, count: int) -> np.ndarray:
    """The fold of each row, by its content."""
    return (mix(contents ^ salt) % np.uint64(count)).astype(np.int64)


def _drawn(side: Side, seed: int, name: str) -> Side:
    if len(side) <= MOST_FITTED:
        return side
    return side.take(np.sort(stream(seed, "localization", "fitted", name).permutation(len(side))[:MOST_FITTED]))


def _predicted(features: Features, seed: int) -> Sequence[int]:
    every = len(features.features)
    if every <= MOST_PREDICTED:
        return range(every)
    drawn = set(stream(seed, "localization", "predicted").permutation(every)[:MOST_PREDICTED].tolist())
    return sorted(drawn | ({features.target} if features.target is not None else set()))


def _tails(losses: Floats) -> tuple[Tail | None, ...]:
    """The tail of each feature's losses; None where all are alike."""
    return tuple(Tail.of(each, heavy=False) if len(each) > 1 and np.ptp(each) > 0 else None for each in losses.T)
