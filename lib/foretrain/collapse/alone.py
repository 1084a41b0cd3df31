"""What can be said of a candidate without its original?

Whether tails or modes were lost cannot be known: a truncated distribution is a valid distribution. What is left is
repetition, crowding and a degenerate spectrum, so the probability is kept near the middle and nothing is approved.
"""

from __future__ import annotations

import numpy as np

from foretrain.cascade.record import Cascade
from foretrain.collapse import calibration, training
from foretrain.collapse.dimensions import DIMENSIONS
from foretrain.collapse.dimensions.dimension import number, unmeasured
from foretrain.collapse.record import Collapse, Severity, Verdict
from foretrain.collapse.rows import sample
from foretrain.collapse.statistics import internal
from foretrain.collapse.verdict import severity_class, too_few
from foretrain.profile import ProfileRef
from foretrain.record import NotRun
from foretrain.seeds import stream
from foretrain.settings import Settings

CAP = (0.25, 0.75)
"""The probability of collapse is held within these."""

FEWEST_ROWS = 20

WHY = "it is measured against an original, and none was given"


def score(candidate: ProfileRef, settings: Settings, cascade: Cascade | NotRun) -> Collapse:
    """Judge a candidate by its inside, and by what models lose that are trained on one more generation."""
    if candidate.rows < FEWEST_ROWS:
        return too_few(candidate.rows, None, FEWEST_ROWS)
    rows = sample(candidate, candidate, settings.target, settings.seed)
    fitted = calibration.load()
    found = internal.measure(rows.candidate, stream(settings.seed, "collapse", "alone"))
    found["repeats"] = candidate.duplicate_rows
    probability = float(np.clip(fitted.alone_probability(found), *CAP))
    verdict: Verdict = "reject" if probability >= CAP[1] else "review"
    decay = training.decay(cascade)
    repeated, near = found["repeats"], found["near_repeats"]
    damage = float(np.clip(max(repeated, near), 0, 1))
    return Collapse(
        verdict=verdict,
        score=100.0 * (1.0 - probability),
        score_interval=(100.0 * (1.0 - CAP[1]), 100.0 * (1.0 - CAP[0])),
        probability_of_collapse=probability,
        probability_interval=CAP,
        severity=Severity(
            damage=damage,
            interval=(damage, 1.0),
            class_=severity_class(damage, verdict),
            generations=float(np.interp(damage, fitted.generations[:, 1], fitted.generations[:, 0])),
        ),
        dimensions={dimension.name: unmeasured(dimension, WHY) for dimension in DIMENSIONS},
        reasons=(
            f"A share of {number(repeated)} of the rows repeats an earlier row exactly.",
            f"A share of {number(near)} of the rows has a near-duplicate.",
            f"The columns vary in {found['rank_share']:.0%} of the directions they have.",
            *([decay] if decay else []),
        ),
        sentence=_SENTENCES[verdict],
        columns=(),
        correlations=None,
        spectrum=None,
        smallest_effect="lost tails and lost modes cannot be seen without an original, at any number of rows",
        rows_compared=len(rows.candidate),
        repeats=0,
        calibration=fitted.version,
        error_rates=None,
        notes=(
            *rows.notes,
            _NOTE,
        ),
    )


_NOTE = (
    "No original was given: lost tails and modes cannot be seen, so the probability is held between 25 and 75 %, "
    "nothing is approved, and the damage is only what repeated rows show."
)

_SENTENCES: dict[Verdict, str] = {
    "reject": "Reject: even without an original to compare with, the candidate repeats itself like a collapsed table.",
    "review": "Review: without an original, collapse can be neither shown nor ruled out.",
}
