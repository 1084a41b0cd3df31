"""What is the verdict on a candidate, and what does it rest on?"""

from __future__ import annotations

from threadpoolctl import threadpool_limits

from foretrain.cascade.record import Cascade
from foretrain.collapse import alone, calibration, columns, spectrum, timeline, verdict
from foretrain.collapse.dimensions import DIMENSIONS, contrasts
from foretrain.collapse.dimensions.dimension import NO_CASCADE, Comparison
from foretrain.collapse.pairing import compare
from foretrain.collapse.record import Collapse, Severity
from foretrain.collapse.rows import sample
from foretrain.profile import ProfileRef, open_profile
from foretrain.record import NotRun
from foretrain.settings import Effort, Settings

REPEATS = {Effort.QUICK: 4, Effort.STANDARD: 12, Effort.THOROUGH: 32}
"""Split-halves an effort."""

FEWEST_ROWS = 20
"""Rows of either table below which nothing is compared."""


def score(
    candidate: ProfileRef,
    original: ProfileRef | None,
    settings: Settings,
    cascade: Cascade | NotRun = NO_CASCADE,
    *,
    fitted: calibration.Calibration | None = None,
) -> Collapse:
    """Judge a candidate against its original: eight dimensions, probability, severity, verdict.

    Args:
        candidate: profiled with the same settings as the original.
        original: None to look at the candidate alone, with confidence capped.
        settings: reads seed, effort, target, time_column and verdict.
        cascade: what came of training models on both, or why none were.
        fitted: another calibration than the one that ships with this version.
    """
    if original is None:
        return alone.score(candidate, settings, cascade)
    if min(candidate.rows, original.rows) < FEWEST_ROWS:
        return verdict.too_few(candidate.rows, original.rows, FEWEST_ROWS)
    rows = sample(candidate, original, settings.target, settings.seed)
    repeats = REPEATS[settings.effort]
    fitted = fitted or calibration.load()
    with threadpool_limits(1, user_api="blas"):  # matrices are small: more threads cost more than they give
        paired = compare(rows.candidate, rows.original, repeats, settings.seed)
    judged = fitted.judge(paired, settings.seed, repeated=more_repeats(candidate, original))
    if settings.time_column is not None:
        made, real = timeline.read(candidate.dataset, original.dataset, settings.time_column)
        paired = timeline.with_time(paired, made, real, settings.seed)
    made_profile, real_profile = open_profile(candidate), open_profile(original)
    compared = columns.compare(made_profile, real_profile)
    curves = fitted.curves | timeline.CURVES | contrasts.curves()
    comparison = Comparison(paired, curves, compared, settings.seed, cascade)
    dimensions = {dimension.name: dimension.measure(comparison) for dimension in DIMENSIONS}
    least = fitted.least(min(candidate.rows, original.rows))
    by_statistics = verdict.decide(judged.probability, verdict.blind(paired, fitted.curves), settings.verdict, least)
    harm = verdict.harm(cascade, settings.verdict)
    decided = verdict.with_training(by_statistics, harm)
    severity = Severity(
        damage=judged.damage,
        interval=judged.damage_interval,
        class_=verdict.severity_class(judged.damage, decided),
        generations=judged.generations,
    )
    low, high = judged.probability_interval
    return Collapse(
        verdict=decided,
        score=100.0 * (1.0 - judged.probability),
        score_interval=(100.0 * (1.0 - high), 100.0 * (1.0 - low)),
        probability_of_collapse=judged.probability,
        probability_interval=judged.probability_interval,
        severity=severity,
        dimensions=dimensions,
        reasons=verdict.reasons(
            decided,
            dimensions,
            compared,
            (candidate.duplicate_rows, original.duplicate_rows),
            harm,
            verdict.no_harm(cascade, settings.verdict),
        ),
        sentence=verdict.sentence(decided, judged, harm if decided != by_statistics else None),
        columns=compared,
        correlations=columns.correlations(made_profile, real_profile),
        spectrum=spectrum.of(rows.candidate, rows.original, settings.seed),
        smallest_effect=verdict.smallest_effect(dimensions),
        rows_compared=paired.rows,
        repeats=repeats,
        calibration=fitted.version,
        error_rates=fitted.error_rates,
        notes=(
            *rows.notes,
            *_sizes(paired.rows, repeats),
            *timeline.notes(paired, settings.time_column),
            *_untrained(cascade),
        ),
    )


def more_repeats(candidate: ProfileRef, original: ProfileRef) -> float:
    """Share of the candidate's rows that repeat an earlier one beyond what its size explains, over all rows.

    The paired statistics cannot be relied on for it: a sample of different rows holds a row that fills a third of a
    large table no more often than any other row.
    """
    return candidate.duplicate_rows - original.duplicate_rows * max(1.0, candidate.rows / original.rows)


def _untrained(cascade: Cascade | NotRun) -> tuple[str, ...]:
    if not isinstance(cascade, NotRun):
        return ()
    return (f"Generalization Gap is that of statistics alone; its training half was not measured: {cascade.reason}.",)


def _sizes(rows: int, repeats: int) -> tuple[str, ...]:
    return (f"Paired statistics come from {repeats} random split-halves of the original, {rows:,} rows a side each.",)
