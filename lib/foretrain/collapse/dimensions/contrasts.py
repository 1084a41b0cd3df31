"""How do the contrasts between trained models, or their gradients, become a score from 0 to 100?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foretrain.cascade.catalogue import BY_NAME, load
from foretrain.cascade.record import Cascade, Contrast
from foretrain.collapse.calibration import Curves
from foretrain.collapse.dimensions.dimension import Comparison, number, unmeasured
from foretrain.collapse.dimensions.scale import CERTAIN, Scale
from foretrain.collapse.record import Dimension, DimensionName, Evidence
from foretrain.collapse.table import Floats
from foretrain.record import Interval, NotRun
from foretrain.seeds import stream

DRAWS = 400

POWERLESS = "what was measured of it on the trained models has not been shown to tell harm: it is shown, not scored"
TOO_FEW = "too few rows or models to measure gradients on"


def key(contrast: Contrast) -> str:
    """Its curve's name among those of a `Comparison`."""
    return f"{contrast.name}, {contrast.tier}"


def curves() -> Curves:
    """What ships with this version, by contrast."""
    return {f"{name}, {tier}": np.asarray(fitted.curve) for (name, tier), fitted in load().items() if fitted.scored}


@dataclass(frozen=True)
class Judged:
    """What a dimension's contrasts say; 100 and nothing else where none of them is scored.

    Attributes:
        score: 100 less the largest badness in percent.
        interval: 90 %, were the differences measured again.
        fresh: where fresh samples of the original lie.
        smallest_effect: what the sharpest of them could have shown; None where none is scored.
        evidence: of all, scored or not, worst first.
    """

    score: float
    interval: Interval
    fresh: Interval
    smallest_effect: str | None
    evidence: tuple[Evidence, ...]


def judge(comparison: Comparison, cascade: Cascade, name: DimensionName) -> Judged:
    """The contrasts that speak for a dimension; those that have shown no power are shown and do not move it."""
    found = [c for c in cascade.contrasts if c.name in BY_NAME and BY_NAME[c.name].dimension == name]
    curves = [comparison.curves.get(key(c)) if c.scored else None for c in found]
    scale = Scale(np.asarray([c.noise for c in found]), [BY_NAME[c.name].worse for c in found], curves)
    difference = np.asarray([c.difference for c in found])
    badness = scale.badness(difference)
    chance = stream(comparison.seed, "collapse", "contrasts", name)
    noise = scale.deviations * chance.standard_normal((DRAWS, len(found)))
    score = _score(badness)
    low, high = np.quantile([_score(scale.badness(difference + row)) for row in noise], [0.05, 0.95])
    sharpest = found[scale.sharpest] if any(curve is not None for curve in curves) else None
    evidence = [_evidence(c, float(bad)) for c, bad in zip(found, badness, strict=True)]
    return Judged(
        score=score,
        interval=(min(float(low), score), max(float(high), score)),
        fresh=(float(np.quantile([_score(scale.badness(row)) for row in noise], 0.05)), 100.0),
        smallest_effect=f"{sharpest.title} ({sharpest.tier}) off by {number(CERTAIN * sharpest.noise)}"
        if sharpest
        else None,
        evidence=tuple(sorted(evidence, key=lambda item: -item.badness)),
    )


def _score(badness: Floats) -> float:
    return 100.0 * (1.0 - float(badness.max(initial=0.0)))


def _evidence(contrast: Contrast, badness: float) -> Evidence:
    said = BY_NAME[contrast.name].sentence(contrast.candidate, contrast.original)
    return Evidence(
        statistic=f"{contrast.title} ({contrast.tier})",
        value=contrast.candidate,
        fresh=contrast.original,
        badness=badness,
        sentence=f"{said.removesuffix('.')} ({contrast.tier}).",
    )


@dataclass(frozen=True)
class Contrasted:
    """A dimension whose score is carried by the worst of the cascade's contrasts that speak for it.

    Badness is that of `Scale`, with the noise and the curve of each contrast; the interval draws its noise again.
    """

    name: DimensionName
    title: str
    question: str

    def measure(self, comparison: Comparison) -> Dimension:
        """The dimension's score; not measured without a cascade, or where no contrast has shown power."""
        if isinstance(comparison.cascade, NotRun):
            return unmeasured(self, comparison.cascade.reason)
        judged = judge(comparison, comparison.cascade, self.name)
        if judged.smallest_effect is None:
            reason = POWERLESS if judged.evidence else TOO_FEW
            return unmeasured(self, reason).model_copy(update={"evidence": judged.evidence})
        return Dimension(
            title=self.title,
            question=self.question,
            measured=True,
            score=judged.score,
            interval=judged.interval,
            fresh=judged.fresh,
            smallest_effect=judged.smallest_effect,
            evidence=judged.evidence,
        )
