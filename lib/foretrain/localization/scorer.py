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
from foretrain.profile.hashing import Hashes, mix


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
        original: confidence of the original's rows, each held against the others, (rows,); what chance gives.
    """

    judge: Judge | None
    features: Features
    tails: dict[Mechanism, Tail]
    mixture: Mixture
    tables: Tables
    original: Floats

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
        if original is None or not enough:
            nothing = Scorer(None, features, {}, _NONE, tables, np.empty(0))
            mixture = Mixture.fit(nothing.p(nothing.evidence(candidate), tables.of_candidate(candidate.contents)))
            return Scorer(None, features, {}, mixture, tables, np.empty(0))
        judge = Judge.fit(candidate, original, features, seed)
        usual = judge.read(original).scores(features.target)
        tails = {name: Tail.of(score) for name, score in usual.items() if np.ptp(score) > 0}
        unfitted = Scorer(judge, features, tails, _NONE, tables, np.empty(0))
        found = Mixture.fit(unfitted.p(judge.read(candidate), tables.of_candidate(candidate.contents)))
        theirs = _among_themselves(original, {name: usual[name] for name in tails}, tables)
        mixture = found.beyond(Mixture.fit(theirs))
        return Scorer(judge, features, tails, mixture, tables, mixture.posterior(theirs).sum(axis=1))

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

    def read(self, side: Side) -> Found:
        """Score rows of the candidate."""
        evidence, copies = self.evidence(side), self.tables.of_candidate(side.contents)
        by = self.mixture.posterior(self.p(evidence, copies))
        place = self.mixture.mechanisms.index("copy")
        # of so many alike, one is the row that was copied, or more are no wonder: nobody can say which
        by[:, place] *= np.clip(1 - copies.usual / np.maximum(copies.times, 1), 0.0, 1.0)
        return Found(evidence, copies, by)


_NONE = Mixture((), 1.0, np.zeros((0, 0)))


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
