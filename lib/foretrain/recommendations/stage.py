"""Which fix was measured to help, by how much, and at what cost?"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from foretrain.collapse.record import Collapse
from foretrain.diversity.record import Diversity
from foretrain.errors import ForetrainError
from foretrain.localization.record import Localization
from foretrain.profile import ProfileRef
from foretrain.progress import Advance, advance
from foretrain.recommendations import history, prediction, rank
from foretrain.recommendations.apply import Applied
from foretrain.recommendations.fixes import Findings, Fix, action, proposals, restored
from foretrain.recommendations.prediction import Learned, Prior
from foretrain.recommendations.record import Cost, Measured, Recommendation, Recommendations
from foretrain.recommendations.retrain import Retraining
from foretrain.recommendations.scene import read
from foretrain.recommendations.trial import Trials
from foretrain.record import NotRun
from foretrain.settings import CascadeMode, Prices, Settings
from foretrain.signatures.record import Prescreen

CONFIRMED = 4
"""Fixes that are measured again at most."""

RETRAINED = 3
"""Fixes that models are trained after, where the cascade is full."""

BEST, COMBINED = 3, 3
"""Fixes that are combined with each other, and combinations tried."""

ADDS = ("mix-original", "accumulate", "collect")
"""Of which a combination holds one at most: each brings real rows of its own number."""


@dataclass(frozen=True)
class Idea:
    """A fix, or several, and why."""

    fixes: tuple[Fix, ...]
    why: str

    @property
    def id(self) -> str:
        return "+".join(name(fix) for fix in self.fixes)


def name(fix: Fix) -> str:
    """E.g. "drop-flagged-50"."""
    label = re.sub(r"[^\w.-]+", "-", fix.label).strip("-")
    return f"{fix.name}-{label}" if label else fix.name


def recommend(
    candidate: ProfileRef,
    original: ProfileRef,
    diversity: Diversity | NotRun,
    prescreen: Prescreen | NotRun,
    collapse: Collapse,
    localization: Localization | NotRun,
    settings: Settings,
) -> Recommendations:
    """Think of fixes by the findings, try them on a sample, the most promising first, and rank them by what came of it.

    Each is applied to the same sample and scored against the same rows of the original as the sample before it, so
    that the change is measured pair by pair. Then the best are combined.

    Args:
        candidate: profiled with the same settings as the original.
        original: what it stands in for.
        diversity: what was found there, as in the next three; or why nothing was.
        prescreen: the same.
        collapse: the same.
        localization: the same.
        settings: reads seed, effort, target, verdict, cascade, signatures and recommendations.

    Raises:
        DataError: a source is gone, or not what it was.
        StorageError: storage did not answer.
    """
    advance(Advance(0.0, "thinking of fixes"))
    began = time.monotonic()
    found = Findings(candidate, original, diversity, prescreen, collapse, localization, settings.target)
    numbers = prediction.situation(found)
    expected, prior, gains = _predictor(settings)
    ideas = _ordered([Idea((fix,), why) for fix, why in proposals(found)], numbers, expected)
    scene = read(candidate.dataset, original.dataset, localization, settings.target, settings.seed)
    trials = Trials(scene, settings, original.rows)
    wanted = settings.recommendations
    out: list[Recommendation] = []

    def attempt(some: Sequence[tuple[Idea, float]], most: int) -> None:
        for idea, points in some:
            tried = sum(each.measured is not None for each in out)
            why = None
            if tried >= most:
                why = f"{tried} others were tried before, of recommendations.trials {wanted.trials}"
            elif time.monotonic() - began > wanted.seconds:
                why = f"the time set by recommendations.seconds, {wanted.seconds:g} s, was over"
            advance(Advance(min(0.99, tried / wanted.trials), f"trying {idea.id}"))
            out.append(_tried(idea, points, trials, wanted.prices, why))

    spare = min(COMBINED, wanted.trials // 4)
    attempt(ideas, wanted.trials - spare)
    attempt(_ordered(list(_combined(out, ideas)), numbers, expected)[:spare], wanted.trials)
    _confirm(out, trials)
    ranked = rank.ranked(out)
    if settings.cascade.mode == CascadeMode.FULL:
        ranked = _retrained(ranked, trials, original, settings)
    best = rank.best(ranked)
    return Recommendations(
        run=run_id(candidate, original, settings),
        found=ranked,
        best=None if best is None else best.id,
        first=prior.path(prediction.row(numbers, ideas[0][0].fixes)) if ideas and expected is prior else (),
        predicted_by=expected.name,
        history=gains,
        situation=numbers,
        tried=sum(each.measured is not None for each in out),
        rows=len(scene.candidate),
        notes=_notes(candidate, len(scene.candidate), expected, prior, ranked),
    )


def _confirm(out: list[Recommendation], trials: Trials) -> None:
    """Measure the best again, with all repeats, until the best is one that was; the best of many is often lucky."""
    done: set[str] = set()
    while (best := rank.best(out)) is not None and best.id not in done and len(done) < CONFIRMED:
        done.add(best.id)
        advance(Advance(0.99, f"trying {best.id} again"))
        outcome, _ = trials.run([restored(action) for action in best.actions], surely=True)
        assert isinstance(outcome, Measured)
        out[out.index(best)] = best.model_copy(update={"measured": outcome})


def _retrained(
    ranked: Sequence[Recommendation], trials: Trials, original: ProfileRef, settings: Settings
) -> tuple[Recommendation, ...]:
    """With what boosted trees lose before and after the best few."""
    scene = trials.scene
    bench = Retraining(original.dataset, scene.candidate.table, scene.held, settings)
    helped = sorted((each for each in ranked if each.measured is not None), key=lambda each: (-_gain(each), each.id))
    trained: dict[str, Recommendation] = {}
    for count, each in enumerate(helped[:RETRAINED]):
        advance(Advance(0.99, f"training on {each.id}, {count + 1} of {min(RETRAINED, len(helped))}"))
        assert each.measured is not None
        table = trials.applied([restored(action) for action in each.actions]).table
        try:
            change = bench.change(table)
        except ForetrainError:  # what models cannot learn stays unknown
            continue
        trained[each.id] = each.model_copy(update={"measured": each.measured.model_copy(update={"trained": change})})
    return tuple(trained.get(each.id, each) for each in ranked)


def run_id(candidate: ProfileRef, original: ProfileRef, settings: Settings) -> str:
    """Names what was validated against what, and how."""
    read = settings.only(("seed", "effort", "target", "verdict")).model_dump_json()
    text = "\n".join([candidate.dataset.fingerprint, original.dataset.fingerprint, read])
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def _predictor(settings: Settings) -> tuple[Prior | Learned, Prior, int]:
    """What gains are expected by, the prior, and how many gains of the history were read."""
    prior = prediction.prior()
    runs = history.read_runs(settings)
    if not runs:
        return prior, prior, 0
    held = history.History(settings.signatures).gains(runs)
    learned = prediction.learned(held.numbers, held.points, held.runs, prior)
    better = learned is not None and learned.error < learned.prior_error
    return (learned if learned is not None and better else prior), prior, len(held.points)


def _ordered(ideas: Sequence[Idea], numbers: prediction.Numbers, expected: Prior | Learned) -> list[tuple[Idea, float]]:
    """With the points that each is expected to bring, most first."""
    points = expected.predict([prediction.row(numbers, idea.fixes) for idea in ideas])
    return sorted(zip(ideas, points.tolist(), strict=True), key=lambda pair: (-pair[1], pair[0].id))


def _combined(out: Sequence[Recommendation], ideas: Sequence[tuple[Idea, float]]) -> Iterator[Idea]:
    """The best that were measured to help, two and three together, where they go together."""
    by_id = {idea.id: idea for idea, _ in ideas}
    helped = [each for each in out if each.measured is not None and each.measured.score.value > 0]
    helped.sort(key=lambda each: (-_gain(each), each.id))
    fixes: list[Fix] = []
    for each in helped:
        (fix,) = by_id[each.id].fixes
        kinds = {_kind(other) for other in fixes}
        if fix.name != "regenerate" and not fix.collects and _kind(fix) not in kinds and len(fixes) < BEST:
            fixes.append(fix)
    for count in (2, 3):
        for some in combinations(fixes, count):
            yield Idea(tuple(sorted(some, key=lambda fix: fix.order)), "Each of them helped by itself.")


def _kind(fix: Fix) -> str:
    return "adds" if fix.name in ADDS else fix.name


def _gain(each: Recommendation) -> float:
    assert each.measured is not None
    return each.measured.score.value


def _tried(idea: Idea, points: float, trials: Trials, prices: Prices, why: str | None) -> Recommendation:
    measured: Measured | None = None
    applied: Applied | None = None
    if why is None:
        try:
            outcome, applied = trials.run(idea.fixes)
            measured, why = (None, outcome) if isinstance(outcome, str) else (outcome, None)
        except ForetrainError as error:
            why = str(error)
    titles = [fix.title for fix in idea.fixes]
    return Recommendation(
        id=idea.id,
        actions=tuple(action(fix) for fix in idea.fixes),
        title="; then ".join([titles[0], *(title[0].lower() + title[1:] for title in titles[1:])]),
        why=idea.why,
        predicted=points,
        measured=measured,
        cost=_cost(idea.fixes, applied, prices),
        front=False,
        not_tried=why,
    )


def _cost(fixes: Sequence[Fix], applied: Applied | None, prices: Prices) -> Cost:
    if applied is None:
        return Cost(rows_after=0, rows_lost=0, rows_changed=0, real_rows=0, new_real_rows=0, money=0.0, seconds=0.0)
    new = applied.real_rows if any(fix.collects for fix in fixes) else 0
    money = (
        prices.lost_row * applied.rows_lost
        + prices.real_row * (applied.real_rows - new)
        + prices.new_row * new
        + prices.hour * applied.seconds / 3600
    )
    return Cost(
        rows_after=applied.rows,
        rows_lost=applied.rows_lost,
        rows_changed=applied.rows_changed,
        real_rows=applied.real_rows,
        new_real_rows=new,
        money=round(money, 2),
        seconds=round(applied.seconds, 2),
    )


def _notes(
    candidate: ProfileRef, rows: int, expected: Prior | Learned, prior: Prior, found: Sequence[Recommendation]
) -> tuple[str, ...]:
    notes = []
    if rows < candidate.rows:
        notes.append(f"Fixes were tried on {rows:,} of {candidate.rows:,} rows, drawn by the seed, copies together.")
    if any(each.measured is not None and each.measured.held_out for each in found):
        notes.append(
            "Where values or rows of the original enter, they come from one half of it; the score was taken against "
            "the other half, before and after."
        )
    if isinstance(expected, Learned):
        notes.append(
            f"Expected gains come from your history: off by {expected.error:.1f} points on runs it had not seen, the "
            f"prior by {expected.prior_error:.1f}."
        )
    else:
        notes.append(
            f"Expected gains come from the prior: off by {prior.error:.1f} points on datasets it had not seen, where "
            f"always expecting the mean is off by {prior.spread:.1f}."
        )
    return tuple(notes)
