"""When can the score not tell bad rows from good ones?"""

from __future__ import annotations

from scipy.stats import binomtest

from foretrain.collapse.table import Floats
from foretrain.localization.worst import Rows

SURE = 0.95
"""A row of at least this confidence stands by itself."""

APART = 0.9
"""Area under the ROC curve from which the score tells the tables apart, however many of the original's rows are like
the candidate's."""

CHANCE = 0.05
"""Probability that chance alone flags so many rows, below which a table's rows are flagged."""


def abstention(kept: Rows, made: Floats, real: Floats, ability: float | None, at: float) -> str | None:
    """Why no row is to be flagged; None where some are.

    Rows are flagged where one is a copy, or surer than `SURE` and all of the original's, where the score tells the
    tables apart, or where the candidate has more of them than the original, whose own rows were scored in the same way.

    Args:
        kept: the candidate's surest rows.
        made: confidence of the candidate's sample, (rows,).
        real: of the original's, (rows,); empty without one.
        ability: area under the ROC curve of the confidence, candidate against original.
        at: the threshold.
    """
    told = "" if ability is None else f" (area under the ROC curve {ability:.2f})"
    flagged = kept.confidence >= at
    if not flagged.any():
        return f"no row is more likely bad than not{told}" if at == 0.5 else f"no row reaches {at:.0%}{told}"
    copied = (kept.times[flagged] > 1) | (kept.other[flagged] > 0)
    mine, theirs = int((made >= at).sum()), int((real >= at).sum())
    sure = kept.confidence.max() >= SURE > real.max(initial=0.0)
    if not len(real) or sure or copied.any() or (ability is not None and ability >= APART):
        return None
    share = len(made) / (len(made) + len(real))
    if mine and binomtest(mine, mine + theirs, share, alternative="greater").pvalue < CHANCE:
        return None
    return f"the score would flag as many rows of the original as of the candidate{told}"
