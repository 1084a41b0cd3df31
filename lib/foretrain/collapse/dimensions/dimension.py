"""How does a family of statistics become a score from 0 to 100?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from foretrain.cascade.record import Cascade
from foretrain.collapse.calibration import Curves
from foretrain.collapse.pairing import Paired, half_samples
from foretrain.collapse.record import ColumnComparison, Dimension, DimensionName, Evidence
from foretrain.collapse.table import Floats
from foretrain.record import NotRun
from foretrain.seeds import stream

CERTAIN = 2.0
"""Standard deviations between real split-halves within which a departure is not held against the candidate."""

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
    worse: Literal["more", "less", "any"]
    words: str


@dataclass(frozen=True)
class Comparison:
    """What a dimension may read.

    Attributes:
        paired: the paired statistics.
        curves: by statistic, the loss that goes with a departure (see `Calibration`).
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

    A statistic's badness is 0 up to two standard deviations of real split-halves; from four on it is the loss that went
    with such a departure in the calibration's tables, between them a part of it. The score is 100 less the largest
    badness in percent; its interval is over half-samples of the
    repeats. A statistic without a curve is shown, not scored.
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
        scale = _Scale(known, fresh, comparison.curves)
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


class _Scale:
    """From departures to badness, for a family of statistics.

    Args:
        fresh: (repeats, statistics) of real split-halves.
    """

    def __init__(self, known: Sequence[Statistic], fresh: Floats, curves: Curves) -> None:
        self.noise = CERTAIN * fresh.std(axis=0, ddof=1)
        self.signs = [{"more": 1.0, "less": -1.0, "any": 0.0}[s.worse] for s in known]
        self.curves = [curves.get(s.name) for s in known]

    @property
    def sharpest(self) -> int:
        """The statistic whose noise hides the least loss."""
        hidden = [
            1.0 if c is None else float(np.interp(n, c[:, 0], c[:, 1]))
            for n, c in zip(self.noise, self.curves, strict=True)
        ]
        return int(np.argmin(hidden))

    def badness(self, gap: Floats) -> Floats:
        """Of departures, (statistics,): 0 to 1 each."""
        out = np.zeros(len(gap))
        for k, (sign, curve, noise) in enumerate(zip(self.signs, self.curves, self.noise, strict=True)):
            loss = sign * gap[k] if sign else abs(gap[k])
            if curve is not None and loss > noise:
                out[k] = np.interp(loss, curve[:, 0], curve[:, 1]) * min(1.0, (loss - noise) / (noise + 1e-12))
        return out


def number(value: float) -> str:
    """At most three digits."""
    return f"{value:.3g}"


@dataclass(frozen=True)
class Awaited:
    """A dimension that nothing measures yet: reported as not measured, never as a number."""

    name: DimensionName
    title: str
    question: str
    reason: str

    def measure(self, comparison: Comparison) -> Dimension:
        """Not measured, and why."""
        return unmeasured(self, self.reason)
