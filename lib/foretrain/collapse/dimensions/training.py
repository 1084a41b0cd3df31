"""How does what trained models lose enter a dimension that statistics measure too?"""

from __future__ import annotations

from dataclasses import dataclass

from foretrain.cascade.record import Cascade, Difference
from foretrain.collapse import training
from foretrain.collapse.dimensions.contrasts import judge
from foretrain.collapse.dimensions.dimension import Comparison, Family
from foretrain.collapse.record import Dimension, DimensionName, Evidence
from foretrain.record import Interval, NotRun

LOST = "share of what can be learned that is lost by training on the candidate"


@dataclass(frozen=True)
class WithTraining:
    """A family of paired statistics, and beside it what models lose that are trained on the candidate.

    The lost share is a loss already: its badness is what of it exceeds the cascade's margin. The worse half carries the
    score. Without a cascade the statistics stand alone.
    """

    statistics: Family

    @property
    def name(self) -> DimensionName:
        """Its key in a result."""
        return self.statistics.name

    @property
    def title(self) -> str:
        """For people."""
        return self.statistics.title

    @property
    def question(self) -> str:
        """What it answers, one sentence."""
        return self.statistics.question

    def measure(self, comparison: Comparison) -> Dimension:
        """The dimension's score with the evidence of both halves."""
        found, cascade = self.statistics.measure(comparison), comparison.cascade
        lost = training.whole(cascade)
        if isinstance(cascade, NotRun) or lost is None:
            return found
        return self._worse(found, comparison, cascade, lost)

    def _worse(self, found: Dimension, comparison: Comparison, cascade: Cascade, lost: Difference) -> Dimension:
        judged = judge(comparison, cascade, self.name)
        badness = _beyond(lost.share, cascade.margin)
        low, high = (_beyond(end, cascade.margin) for end in lost.share_interval)
        noise = max(lost.share_interval[1] - lost.share, lost.share - lost.share_interval[0])
        said = training.sentence(cascade) or ""
        evidence = Evidence(statistic=LOST, value=lost.share, fresh=0.0, badness=badness, sentence=said)
        effect = f"a lost share of {cascade.margin + noise:.0%}"
        return Dimension(
            title=self.title,
            question=self.question,
            measured=True,
            score=min(_least(found.score), 100.0 * (1.0 - badness), judged.score),
            interval=_both(found.interval, (100.0 * (1.0 - high), 100.0 * (1.0 - low)), judged.interval),
            fresh=_both(found.fresh, (100.0 * (1.0 - _beyond(noise, cascade.margin)), 100.0), judged.fresh),
            smallest_effect=f"{found.smallest_effect}, {effect}" if found.smallest_effect else effect,
            evidence=tuple(sorted((evidence, *found.evidence, *judged.evidence), key=lambda item: -item.badness)),
        )


def _beyond(share: float, margin: float) -> float:
    return min(1.0, max(0.0, share - margin))


def _least(score: float | None) -> float:
    return 100.0 if score is None else score


def _both(*intervals: Interval | None) -> Interval:
    """Of the least of several scores."""
    known = [interval for interval in intervals if interval is not None]
    return min(low for low, _ in known), min(high for _, high in known)
