"""How are all pieces of evidence against a row put on one scale, 0 to 1?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretrain.collapse.table import Floats
from foretrain.localization.combine import Mixture
from foretrain.localization.copies import Copies, Counts, compare
from foretrain.localization.evidence import FEWEST, Evidence, Judge, Side
from foretrain.localization.features import Features
from foretrain.localization.record import Mechanism
from foretrain.localization.tails import Tail
from foretrain.profile.hashing import Hashes


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
        by: probability that the row is bad by each mechanism, (rows, mechanisms).
    """

    evidence: Evidence
    copies: Copies
    by: Floats

    @property
    def confidence(self) -> Floats:
        """Probability that the row is bad, (rows,)."""
        return np.asarray(np.minimum(self.by.sum(axis=1), 1.0))


@dataclass(frozen=True)
class Scorer:
    """Everything that was fitted: it scores any row by itself, so the order of rows changes nothing.

    Attributes:
        judge: finds evidence against a row; None where there is no original, or too few rows: only copies count then.
        features: how rows are read.
        tails: of the original's scores, by mechanism.
        mixture: how many rows are bad, by mechanism.
        tables: counts over all rows.
    """

    judge: Judge | None
    features: Features
    tails: dict[Mechanism, Tail]
    mixture: Mixture
    tables: Tables

    @staticmethod
    def fit(candidate: Side, original: Side | None, features: Features, tables: Tables, seed: int) -> Scorer:
        """Learn from samples of both tables.

        Args:
            candidate: its rows, each as often as it occurs.
            original: the same.
            features: how they were read.
            tables: counts over all rows.
            seed: draws what is left out.
        """
        enough = min(len(tables.candidate.contents), len(tables.original.contents)) >= FEWEST and features.features
        judge: Judge | None = None
        tails: dict[Mechanism, Tail] = {}
        if enough and original is not None:
            judge = Judge.fit(candidate, original, features, seed)
            usual = judge.read(original).scores(features.target)
            tails = {name: Tail.of(score) for name, score in usual.items() if np.ptp(score) > 0}
        unfitted = Scorer(judge, features, tails, Mixture((), 1.0, np.zeros((0, 0))), tables)
        p = unfitted.p(unfitted.evidence(candidate), tables.of_candidate(candidate.contents))
        return Scorer(judge, features, tails, Mixture.fit(p), tables)

    def evidence(self, side: Side) -> Evidence:
        """What speaks against these rows; nothing where nothing was fitted."""
        if self.judge is not None:
            return self.judge.read(side)
        return Evidence(np.zeros(side.numbers.shape), np.zeros(side.numbers.shape), np.zeros(len(side)))

    def p(self, evidence: Evidence, copies: Copies) -> dict[Mechanism, Floats]:
        """Each mechanism's p-values, (rows,)."""
        scores = evidence.scores(self.features.target)
        found: dict[Mechanism, Floats] = {"copy": copies.p, "copy_of_original": copies.p_other}
        return found | {name: tail.p(scores[name]) for name, tail in self.tails.items()}

    def read(self, side: Side, *, of_original: bool = False) -> Found:
        """Score rows of the candidate, or of the original as if they were the candidate's."""
        evidence = self.evidence(side)
        copies = (self.tables.of_original if of_original else self.tables.of_candidate)(side.contents)
        by = self.mixture.posterior(self.p(evidence, copies))
        place = self.mixture.mechanisms.index("copy")
        by[:, place] *= 1 - 1 / np.maximum(copies.times, 1)  # one of so many alike is the row that was copied
        return Found(evidence, copies, by)
