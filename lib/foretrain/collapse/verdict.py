"""Which verdict follows, and how is it said?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from foretrain.cascade.record import Cascade
from foretrain.collapse import training
from foretrain.collapse.calibration import Curves, Judgement
from foretrain.collapse.dimensions import DIMENSIONS
from foretrain.collapse.dimensions.dimension import number, unmeasured
from foretrain.collapse.dimensions.scale import CERTAIN
from foretrain.collapse.pairing import Paired
from foretrain.collapse.record import Collapse, ColumnComparison, Dimension, DimensionName, Evidence, Severity, Verdict
from foretrain.record import NotRun
from foretrain.settings import VerdictSettings

SEVERITY_CUTS = (0.05, 0.3, 0.6)
"""Damage at which a table is called mildly, medium and severely damaged."""

MOST_GENERATIONS = 20.0

MANY_REPEATS = 0.05
"""Share of repeated rows beyond the original's that is worth a reason."""

HALF_LOST = 0.5

BLIND = 0.5
"""Share of statistics whose noise hides a collapse, above which a table is too small for an approval."""


def decide(probability: float, blind: bool, settings: VerdictSettings, least: float = 0.0) -> Verdict:
    """The verdict: what the probability says, unless there were too few rows to have seen a collapse.

    Args:
        probability: of collapse.
        blind: whether there were too few rows.
        settings: where the verdict changes.
        least: probability below which a table of this size is not rejected (see `Calibration.least`).
    """
    if probability >= max(settings.reject_at, least):
        return "reject"
    if blind:
        return "underpowered"
    return "review" if probability >= settings.review_at else "approve"


def with_training(by_statistics: Verdict, harm: str | None) -> Verdict:
    """The verdict with what trained models say: where they did worse, nothing is approved.

    They do not reject by themselves: that a few small models did worse is reason to look, not proof of collapse.

    Args:
        by_statistics: the verdict so far.
        harm: see `harm`.
    """
    return "review" if by_statistics == "approve" and harm is not None else by_statistics


def harm(cascade: Cascade | NotRun, settings: VerdictSettings) -> str | None:
    """That trained models did worse, in words; None where they did not, or it is not sure enough."""
    return training.sentence(cascade) if training.harmful(cascade, settings.reject_at) else None


def no_harm(cascade: Cascade | NotRun, settings: VerdictSettings) -> str | None:
    """That trained models did well, in words; None where they did not, or it is not sure enough."""
    return training.sentence(cascade) if training.harmless(cascade, settings.review_at) else None


def blind(paired: Paired, curves: Curves) -> bool:
    """Whether most statistics could not have shown a collapse: their noise reaches what half-collapsed tables show."""
    noise = CERTAIN * paired.fresh.std(axis=0, ddof=1)
    hidden = [
        float(np.interp(noise[k], curve[:, 0], curve[:, 1])) >= HALF_LOST
        for k, name in enumerate(paired.names)
        if (curve := curves.get(name)) is not None and curve[-1, 1] >= HALF_LOST
    ]
    return bool(hidden) and float(np.mean(hidden)) > BLIND


def severity_class(damage: float, verdict: Verdict) -> Literal["none", "mild", "medium", "severe"]:
    """The damage in a word; a rejected table is at least mildly damaged."""
    mild, medium, severe = SEVERITY_CUTS
    if damage >= severe:
        return "severe"
    if damage >= medium:
        return "medium"
    return "mild" if damage >= mild or verdict == "reject" else "none"


def sentence(verdict: Verdict, judged: Judgement, harm: str | None = None) -> str:
    """The verdict in one sentence that a manager can repeat.

    Args:
        verdict: what was decided.
        judged: what the statistics say.
        harm: what trained models say, where the verdict rests on them alone.
    """
    if harm is not None:
        return (
            f"Review: the statistics look well (probability of collapse {judged.probability:.0%}), but models do not: "
            f"{harm[0].lower()}{harm[1:]}"
        )
    low, high = judged.damage_interval
    loss = f"{judged.damage:.0%} of utility or diversity lost ({low:.0%} to {high:.0%})"
    if verdict == "reject":
        count = max(1, round(judged.generations))
        if count == 1:
            like = "one generation"
        else:
            like = f"{count} or more generations" if count >= MOST_GENERATIONS else f"{count} generations"
        return f"Reject: training on this is like training on {like} of itself; expect {loss}."
    if verdict == "review":
        return f"Review: there are signs of collapse (probability {judged.probability:.0%}); should they hold, {loss}."
    if verdict == "underpowered":
        return "Too few rows to tell: no collapse was seen, and a collapse of the usual size could not have been."
    return f"Approve: no collapse was found (probability {judged.probability:.0%}); expect {loss}."


def reasons(
    verdict: Verdict,
    dimensions: dict[DimensionName, Dimension],
    columns: Sequence[ColumnComparison],
    repeated: tuple[float, float],
    harm: str | None = None,
    no_harm: str | None = None,
    most: int = 5,
) -> tuple[str, ...]:
    """The strongest evidence: for harm where there is any, else what was looked for and not found.

    Args:
        verdict: what was decided.
        dimensions: all eight.
        columns: worst first.
        repeated: share of rows that repeat an earlier one, of the candidate and the original.
        harm: what trained models say, where they did worse.
        no_harm: the same where they did well.
        most: reasons at most.
    """
    evidence = [item for dimension in dimensions.values() for item in dimension.evidence]
    bad = sorted((item for item in evidence if item.badness > 0.05), key=lambda item: -item.badness)
    said = [item.sentence for item in _one_each(dimensions, bad)]
    worst = next((c for c in columns if c.distance > c.fresh_distance), None)
    if worst is not None and verdict in ("reject", "review"):
        said.insert(
            min(1, len(said)),
            f"Column {worst.name} lies a distance of {number(worst.distance)} from the original; "
            f"a fresh sample would lie below {number(worst.fresh_distance)}.",
        )
    if verdict in ("reject", "review") and repeated[0] - repeated[1] > MANY_REPEATS:
        said.insert(
            0, f"{repeated[0]:.0%} of the rows repeat an earlier row exactly; in the original, {repeated[1]:.0%}."
        )
    if verdict in ("approve", "underpowered"):
        reassuring = [item.sentence for item in evidence if item.statistic.startswith(_REASSURING)]
        said = [*([no_harm] if no_harm else []), *reassuring[:3], *said]
    if harm is not None:
        said = [*(said[:1] if verdict == "reject" else []), harm, *said]
    said = list(dict.fromkeys(said))
    return tuple(said[:most])


_REASSURING = (
    "coverage",
    "classifier two-sample test, AUC of boosted trees",
    "skill on real rows of boosted trees",
)


def _one_each(dimensions: dict[DimensionName, Dimension], evidence: list[Evidence]) -> list[Evidence]:
    """Each dimension's strongest first, then the rest."""
    home = {id(item): name for name, dimension in dimensions.items() for item in dimension.evidence}
    seen: set[DimensionName] = set()
    first: list[Evidence] = []
    rest: list[Evidence] = []
    for item in evidence:
        (rest if home[id(item)] in seen else first).append(item)
        seen.add(home[id(item)])
    return first + rest


def smallest_effect(dimensions: dict[DimensionName, Dimension]) -> str:
    """What this many rows could have shown, the sharpest statistic of each dimension."""
    seen = [d.smallest_effect for d in dimensions.values() if d.smallest_effect]
    return "; ".join(seen) if seen else "none: nothing was measured"


def too_few(candidate: int, original: int | None, fewest: int) -> Collapse:
    """The verdict on tables with too few rows to compare."""
    other = "" if original is None else f", the original {original:,}"
    why = f"it takes {fewest} rows a table; the candidate has {candidate:,}{other}"
    return Collapse(
        verdict="underpowered",
        score=50.0,
        score_interval=(0.0, 100.0),
        probability_of_collapse=0.5,
        probability_interval=(0.0, 1.0),
        severity=Severity(damage=0.0, interval=(0.0, 1.0), class_="none", generations=0.0),
        dimensions={dimension.name: unmeasured(dimension, why) for dimension in DIMENSIONS},
        reasons=(f"Nothing was compared: {why}.",),
        sentence=f"Too few rows to tell: {why}.",
        columns=(),
        correlations=None,
        spectrum=None,
        smallest_effect="none: nothing was measured",
        rows_compared=0,
        repeats=0,
        calibration="none",
        error_rates=None,
        notes=("Score and probability are placeholders in the middle of their range: nothing was measured.",),
    )
