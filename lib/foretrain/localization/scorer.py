"""How are all pieces of evidence against a row put on one scale, 0 to 1?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.localization.combine import Mixture, calibrated
from foretrain.localization.copies import Copies, Counts, compare
from foretrain.localization.evidence import FEWEST, Evidence, Judge, Side
from foretrain.localization.features import Features
from foretrain.localization.record import AXES, Mechanism
from foretrain.localization.tails import Tail
from foretrain.profile.hashing import Hashes, mix
from foretrain.settings import Effort

if TYPE_CHECKING:
    from foretrain.localization.influence import Influence


DIGITS = 9
"""Decimals of a confidence: what lies beyond them differs from process to process, and would order rows."""


@dataclass(frozen=True)
class Tables:
    """How often each row's content occurs in both tables, over all rows."""

    candidate: Counts
    original: Counts

    def of_candidate(self, rows: Hashes) -> Copies:
        return compare(rows, self.candidate, self.original, self.original)

    def of_original(self, rows: Hashes) -> Copies:
        """As if the rows were the candidate's: that the candidate copied them is not held against them."""
        return compare(rows, self.original, self.candidate, self.original, self.original(rows) - 1)


@dataclass(frozen=True)
class Found:
    """What was found of some rows.

    Attributes:
        evidence: by value.
        copies: by row.
        by: probability that the row is bad by each mechanism, (rows, mechanisms); those of an axis add to the axis's.
        axes: probability that it is bad by each axis, (rows, axes).
    """

    evidence: Evidence
    copies: Copies
    by: Floats
    axes: Floats

    @property
    def confidence(self) -> Floats:
        """Probability that the row is bad, (rows,)."""
        return np.asarray(self.axes.max(axis=1))


@dataclass(frozen=True)
class Scorer:
    """Everything that was fitted: it scores any row by itself, so the order of rows changes nothing.

    Attributes:
        judge: finds evidence against a row; None where there is no original, or too few rows: only copies count then.
        features: how rows are read.
        tails: of the original's scores, by mechanism.
        mixtures: how many rows are bad, by mechanism, in the order of `AXES`.
        tables: counts over all rows.
        original: confidence of the original's rows, each held against the others, (rows,); what chance gives.
        candidate: the same of the candidate's rows that it was fitted on, (rows,).
    """

    judge: Judge | None
    features: Features
    tails: dict[Mechanism, Tail]
    mixtures: tuple[Mixture, ...]
    tables: Tables
    original: Floats
    candidate: Floats

    @staticmethod
    def fit(
        candidate: Side,
        original: Side | None,
        features: Features,
        tables: Tables,
        seed: int,
        effort: Effort = Effort.STANDARD,
        influence: Influence | None = None,
    ) -> Scorer:
        """Learn from samples of both tables.

        Args:
            candidate: its rows, each as often as it occurs.
            original: the same.
            features: how they were read.
            tables: counts over all rows.
            seed: draws what is left out.
            effort: how much is fitted.
            influence: the cascade's nets, where they are asked.
        """
        enough = min(len(tables.candidate.contents), len(tables.original.contents)) >= FEWEST and features.features
        if original is None or not enough:
            nothing = Scorer(None, features, {}, (), tables, np.empty(0), np.empty(0))
            evidence, copies = nothing.evidence(candidate), tables.of_candidate(candidate.contents)
            p = nothing.p(evidence, copies)
            fitted = replace(nothing, mixtures=tuple(Mixture.fit(part) for part in _by_axis(p)))
            return replace(fitted, candidate=fitted.found(evidence, copies).confidence)
        judge = Judge.fit(candidate, original, features, seed, effort, influence)
        usual = judge.read(original).scores(features.target)
        tails = {name: Tail.of(score) for name, score in usual.items() if np.ptp(score) > 0}
        unfitted = Scorer(judge, features, tails, (), tables, np.empty(0), np.empty(0))
        evidence, copies = judge.read(candidate), tables.of_candidate(candidate.contents)
        found = _by_axis(unfitted.p(evidence, copies))
        theirs = _by_axis(_among_themselves(original, {name: usual[name] for name in tails}, tables))
        mixtures = tuple(Mixture.fit(p).beyond(Mixture.fit(q)) for p, q in zip(found, theirs, strict=True))
        by = [_posterior(mixture, p, len(original)) for mixture, p in zip(mixtures, theirs, strict=True)]
        usually = np.max([part.sum(axis=1) for part in by], axis=0)
        fitted = replace(unfitted, mixtures=mixtures, original=usually)
        return replace(fitted, candidate=fitted.found(evidence, copies).confidence)

    @property
    def mechanisms(self) -> tuple[Mechanism, ...]:
        """Of all axes."""
        return tuple(name for mixture in self.mixtures for name in mixture.mechanisms)

    def evidence(self, side: Side) -> Evidence:
        """What speaks against these rows; nothing where nothing was fitted."""
        if self.judge is not None:
            return self.judge.read(side)
        return Evidence.none(len(side), self.features)

    def p(self, evidence: Evidence, copies: Copies) -> dict[Mechanism, Floats]:
        """Each mechanism's p-values, (rows,)."""
        scores = evidence.scores(self.features.target)
        found: dict[Mechanism, Floats] = {"copy": copies.p, "copy_of_original": copies.p_other}
        return found | {name: tail.p(scores[name]) for name, tail in self.tails.items()}

    def read(self, side: Side) -> Found:
        """Score rows of the candidate."""
        return self.found(self.evidence(side), self.tables.of_candidate(side.contents))

    def found(self, evidence: Evidence, copies: Copies) -> Found:
        """What the evidence amounts to."""
        by = [
            _posterior(mixture, part, len(copies.p))
            for mixture, part in zip(self.mixtures, _by_axis(self.p(evidence, copies)), strict=True)
        ]
        place = self.mixtures[0].mechanisms.index("copy")
        # of so many alike, one is the row that was copied, or more are no wonder: nobody can say which
        one = np.clip(1 - copies.usual / np.maximum(copies.times, 1), 0.0, 1.0)
        by[0][:, place] = np.round(by[0][:, place] * one, DIGITS)
        return Found(evidence, copies, np.hstack(by), np.column_stack([part.sum(axis=1) for part in by]))


def _by_axis(p: Mapping[Mechanism, Floats]) -> list[dict[Mechanism, Floats]]:
    """The p-values of each axis's mechanisms; none of an axis where nothing was fitted for it."""
    return [{name: p[name] for name in names if name in p} for names in AXES.values()]


def _posterior(mixture: Mixture, p: Mapping[Mechanism, Floats], rows: int) -> Floats:
    """Calibrated probability by each mechanism, (rows, mechanisms), at most one in all."""
    if not mixture.mechanisms:
        return np.zeros((rows, 0))
    by = mixture.posterior(p)
    total = by.sum(axis=1, keepdims=True)
    return np.asarray(np.round(by * (calibrated(total) / np.maximum(total, 1e-300)), DIGITS))


def _among_themselves(original: Side, scores: dict[Mechanism, Floats], tables: Tables) -> dict[Mechanism, Floats]:
    """P-values of the original's rows, each half by the tails of the other, so that none is held against itself."""
    copies = tables.of_original(original.contents)
    found: dict[Mechanism, Floats] = {"copy": copies.p, "copy_of_original": copies.p_other}
    half = (mix(original.contents) & np.uint64(1)).astype(bool)
    for name, score in scores.items():
        p = np.ones(len(score))
        for mine in (half, ~half):
            if len(score) - mine.sum() > 1:
                p[mine] = Tail.of(score[~mine]).p(score[mine])
        found[name] = p
    return found
