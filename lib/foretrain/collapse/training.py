"""What do the trained models say of the candidate, in words?"""

from __future__ import annotations

from foretrain.cascade.record import Cascade, Difference
from foretrain.record import NotRun

FEWEST_AGREE = 2
"""Tiers that must agree for a finding to count."""


def whole(cascade: Cascade | NotRun) -> Difference | None:
    """The candidate against the original, all tiers together; None where they were not compared."""
    if isinstance(cascade, NotRun):
        return None
    return next((difference for difference in cascade.harm if difference.tier == "all"), None)


def harmful(cascade: Cascade | NotRun, least: float) -> bool:
    """Whether models did worse on the candidate, beyond the margin, with this probability or more, and tiers agree."""
    if isinstance(cascade, NotRun) or cascade.probability_of_harm is None:
        return False
    return cascade.probability_of_harm >= least and _agreeing(cascade) >= FEWEST_AGREE


def sentence(cascade: Cascade) -> str | None:
    """What models lose by learning from the candidate, with its interval and who agrees; None without an original."""
    lost = whole(cascade)
    if lost is None or cascade.probability_of_harm is None:
        return None
    low, high = lost.share_interval
    return (
        f"Models trained on the candidate instead of the original lose {lost.share:.0%} of what can be learned "
        f"({low:.0%} to {high:.0%}; {_agreeing(cascade)} of {len(cascade.harm) - 1} sizes of model agree); "
        f"the probability that it is more than {cascade.margin:.0%} is {cascade.probability_of_harm:.0%}."
    )


def decay(cascade: Cascade | NotRun) -> str | None:
    """What one more generation would lose; None where it was not tried."""
    if isinstance(cascade, NotRun):
        return None
    child = next((d for d in cascade.decay if d.tier == "all" and d.arms == ("child", "candidate")), None)
    if child is None:
        return None
    low, high = child.share_interval
    return (
        f"Models trained on one more generation ({cascade.generator}, refitted on the candidate) lose a further "
        f"{child.share:.0%} of what can be learned ({low:.0%} to {high:.0%})."
    )


def _agreeing(cascade: Cascade) -> int:
    """Tiers whose difference has the sign of the whole."""
    return round(cascade.agreement * (len(cascade.harm) - 1))
