"""When can the score not tell bad rows from good ones?"""

from __future__ import annotations

from scipy.stats import binomtest

from foretrain.localization.scorer import Found
from foretrain.localization.worst import Rows

SURE = 0.95
"""A row of at least this confidence stands by itself."""

CHANCE = 0.05
"""Probability that chance alone flags so many rows, below which a table's rows are flagged."""


def abstention(kept: Rows, made: Found, real: Found | None, ability: float | None, at: float) -> str | None:
    """Why no row is to be flagged; None where some are.

    Rows are flagged where one is sure by itself or a copy, or where the candidate has more of them than the original,
    whose own rows were scored in the same way.

    Args:
        kept: the candidate's surest rows.
        made: what was found of the candidate's sample.
        real: of the original's, if there is one.
        ability: area under the ROC curve of the confidence, candidate against original.
        at: the threshold.
    """
    told = "" if ability is None else f" (area under the ROC curve {ability:.2f})"
    flagged = kept.confidence >= at
    if not flagged.any():
        return f"no row is more likely bad than not{told}" if at == 0.5 else f"no row reaches {at:.0%}{told}"
    copied = (kept.times[flagged] > 1) | (kept.other[flagged] > 0)
    if real is None or kept.confidence.max() >= SURE or copied.any():
        return None
    mine, theirs = int((made.confidence >= at).sum()), int((real.confidence >= at).sum())
    share = len(made.confidence) / (len(made.confidence) + len(real.confidence))
    if mine and binomtest(mine, mine + theirs, share, alternative="greater").pvalue < CHANCE:
        return None
    return f"the score would flag as many rows of the original as of the candidate{told}"
