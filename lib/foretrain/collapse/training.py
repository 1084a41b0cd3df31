"""What do the trained models say of the candidate?"""

from __future__ import annotations

from foretrain.cascade import sentences
from foretrain.cascade.record import Cascade, Difference
from foretrain.record import NotRun

FEWEST_AGREE = 2
"""Tiers that must agree for a finding to count."""


def whole(cascade: Cascade | NotRun) -> Difference | None:
    """The candidate against the original, all tiers together; None where they were not compared."""
    return None if isinstance(cascade, NotRun) else sentences.whole(cascade.harm)


def harmful(cascade: Cascade | NotRun, least: float) -> bool:
    """Whether models surely did worse on the candidate.

    That is: more than the margin is lost with at least this probability, the difference is larger than chance, since
    between noisy models a probability is soon one half, and tiers agree.
    """
    lost = whole(cascade)
    if isinstance(cascade, NotRun) or lost is None or cascade.probability_of_harm is None:
        return False
    agreeing = round(cascade.agreement * (len(cascade.harm) - 1))
    return cascade.probability_of_harm >= least and lost.share_interval[0] > 0 and agreeing >= FEWEST_AGREE


def harmless(cascade: Cascade | NotRun, most: float) -> bool:
    """Whether more than the margin is lost with less than this probability."""
    return not isinstance(cascade, NotRun) and (cascade.probability_of_harm or 0.0) < most


def sentence(cascade: Cascade | NotRun) -> str | None:
    """What models lose by learning from the candidate, with its interval and probability; None without an original."""
    lost = whole(cascade)
    if isinstance(cascade, NotRun) or lost is None:
        return None
    if sentences.learns_little(cascade):
        low, high = lost.share_interval
        return (
            f"Models trained on the original hardly learn anything; the loss of models trained on the candidate is "
            f"{lost.share:+.0%} of a constant guess's beyond theirs ({low:+.0%} to {high:+.0%})."
        )
    return " ".join(sentences.sentences(cascade)[:2])


def decay(cascade: Cascade | NotRun) -> str | None:
    """What one more generation would cost, where there is no original to compare with."""
    if isinstance(cascade, NotRun) or cascade.arms[0] == "original" or sentences.whole(cascade.decay) is None:
        return None
    return sentences.sentences(cascade)[0]
