"""Recommendations as the stage gives them, made up."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from foretrain.collapse.record import Verdict
from foretrain.recommendations.history import History
from foretrain.recommendations.record import Action, Change, Cost, Measured, Recommendation, Recommendations
from foretrain.settings import SignatureSettings


def measured(
    gain: float,
    *,
    after: float | None = None,
    verdict: Verdict = "review",
    confidence: float = 1.0,
    before: float = 10.0,
) -> Measured:
    return Measured(
        score=Change(value=gain, interval=(gain - 5, gain + 5)),
        probability=Change(value=-gain / 100, interval=(-(gain + 5) / 100, -(gain - 5) / 100)),
        damage=Change(value=-gain / 200, interval=(-0.4, 0.1)),
        before=before,
        after=min(100.0, before + gain) if after is None else after,
        verdict=verdict,
        confidence=confidence,
        held_out=True,
    )


def recommendation(
    id_: str,
    gain: float | None,
    *,
    fix: str = "accumulate",
    money: float = 1.0,
    after: float | None = None,
    verdict: Verdict = "review",
    confidence: float = 1.0,
    predicted: float = 5.0,
    title: str | None = None,
) -> Recommendation:
    return Recommendation(
        id=id_,
        actions=(Action(fix=fix),),
        title=title or f"Try {id_}",
        why="It was found so.",
        predicted=predicted,
        measured=None if gain is None else measured(gain, after=after, verdict=verdict, confidence=confidence),
        cost=Cost(
            rows_after=1100, rows_lost=100, rows_changed=0, real_rows=200, new_real_rows=0, money=money, seconds=0.1
        ),
        front=False,
        not_tried=None if gain is not None else "12 others were tried before",
    )


def recommendations(run: str, found: Sequence[tuple[str, float | None]], best: str | None = None) -> Recommendations:
    """One a fix's name, with its gain; the score before was 10."""
    made = tuple(recommendation(name, gain, fix=name) for name, gain in found)
    return Recommendations(
        run=run,
        found=made,
        best=best,
        first=("repeated rows beyond the original's 0.4, above 0.05", "it is deduplicate"),
        predicted_by="prior",
        history=0,
        situation={"probability": 0.9, "damage": 0.4},
        tried=sum(gain is not None for _, gain in found),
        rows=1000,
        notes=("Expected gains come from the prior.",),
    )


if __name__ == "__main__":  # one of many writers
    folder, first = sys.argv[1], int(sys.argv[2])
    kept = History(SignatureSettings(folder=folder))
    for k in range(10):
        kept.add(recommendations(f"{first + k:012x}", [("deduplicate", 1.0)]))
