"""How does a family of statistics become a score from 0 to 100?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from foretrain.cascade.record import Cascade
from foretrain.collapse.calibration import Curves
from foretrain.collapse.dimensions.scale import Scale, Worse
from foretrain.collapse.pairing import Paired, half_samples
from foretrain.collapse.record import ColumnComparison, Dimension, DimensionName, Evidence
from foretrain.record import NotRun
from foretrain.seeds import stream

DRAWS = 60

NO_CASCADE = NotRun(reason="no models were trained")


@dataclass(frozen=True)
class Statistic:
    """A statistic of `Paired` as a dimension reads it.

    Attributes:
        name: its key in `Paired`.
        term: the field's term for it.
        worse: which departure from a fresh real sample is a loss: more, less, or any.
        words: a sentence; `{value}` and `{fresh}` stand for the candidate's and a fresh sample's value.
    """

    name: str
    term: str
    worse: Worse
    words: str


@dataclass(frozen=True)
class Comparison:
    """What a dimension may read.

    Attributes:
        paired: the paired statistics.
        curves: by statistic, the loss that goes with a departure (see `Calibration`); contrasts see `contrasts.key`.
        columns: every column's comparison over all rows, worst first.
        seed: the run's seed.
        cascade: what came of training models on both tables, or why none were.
    """

    paired: Paired
    curves: Curves
    columns: tuple[ColumnComparison, ...]
    seed: int
    cascade: Cascade | NotRun = NO_CASCADE


class Measured(Protocol):
    """One of the eight dimensions."""

    @property
    def name(self) -> DimensionName:
        """Its key in a result."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def question(self) -> str:
        """What it answers, one sentence."""

    def measure(self, comparison: Comparison) -> Dimension:
        """The dimension's score with its evidence."""


@dataclass(frozen=True)
class Family:
    """A dimension whose score is carried by the worst of a family of paired statistics.

    A statistic's badness is that of `Scale`, with the deviation between real split-halves for noise. The score is 100
    less the largest badness in percent; its interval is over half-samples of the repeats. A statistic without a curve
    is shown, not scored.
    """

    name: DimensionName
    title: str
    question: str
    statistics: tuple[Statistic, ...]

    def measure(self, comparison: Comparison, extra: Iterable[Evidence] = ()) -> Dimension:
        """The dimension's score; `extra` evidence is shown beside the statistics and does not move it."""
        paired = comparison.paired
        known = [s for s in self.statistics if s.name in paired.names]
        if not known:
            return unmeasured(self, "no column of the kind it speaks of")
        place = [paired.names.index(s.name) for s in known]
        fresh, made = paired.fresh[:, place], paired.candidate[:, place]
        scale = Scale(
            fresh.std(axis=0, ddof=1), [s.worse for s in known], [comparison.curves.get(s.name) for s in known]
        )
        badness = scale.badness((made - fresh).mean(axis=0))
        chance = stream(comparison.seed, "collapse", "interval", self.name)
        picks = half_samples(len(made), DRAWS, chance)
        drawn = np.asarray([scale.badness((made - fresh)[pick].mean(axis=0)).max() for pick in picks])
        alone = np.asarray([scale.badness(row).max() for row in fresh - fresh.mean(axis=0)])
        evidence = [
            Evidence(
                statistic=s.term,
                value=float(made[:, k].mean()),
                fresh=float(fresh[:, k].mean()),
                badness=float(badness[k]),
                sentence=s.words.format(value=number(made[:, k].mean()), fresh=number(fresh[:, k].mean())),
            )
            for k, s in enumerate(known)
        ]
        evidence.sort(key=lambda item: -item.badness)
        least = scale.sharpest
        score = 100.0 * (1.0 - float(badness.max()))
        low, high = (100.0 * (1.0 - np.quantile(drawn, [0.95, 0.05]))).tolist()
        return Dimension(
            title=self.title,
            question=self.question,
            measured=True,
            score=score,
            interval=(min(low, score), max(high, score)),
            fresh=(100.0 * (1.0 - float(np.quantile(alone, 0.95))), 100.0),
            smallest_effect=f"{known[least].term} off by {number(scale.noise[least])}",
            evidence=(*evidence, *extra),
        )


def unmeasured(dimension: Measured, reason: str) -> Dimension:
    """A dimension without a number, and why."""
    return Dimension(
        title=dimension.title,
        question=dimension.question,
        measured=False,
        score=None,
        interval=None,
        fresh=None,
        smallest_effect=None,
        reason=reason,
    )


def number(value: float) -> str:
    """At most three digits."""
    return f"{value:.3g}"
