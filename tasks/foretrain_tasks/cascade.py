"""Train the proxy models: what an operator sees of them."""

from __future__ import annotations

from collections.abc import Iterator

from foretrain.cascade.record import Cascade
from foretrain.cascade.sentences import sentences
from foretrain_tasks.stage import Rows, stage_task


def table(cascade: Cascade) -> Rows:
    return [
        {
            "tier": model.tier,
            "seed": model.seed,
            "learned from": model.arm,
            "parameters": model.parameters,
            "ended": model.ending if model.reason is None else f"{model.ending}: {model.reason}",
            "loss": model.loss,
            cascade.metric: model.metric,
            "steps": model.steps,
            "seconds": round(model.seconds, 1),
        }
        for model in cascade.models
    ]


def text(cascade: Cascade) -> str:
    return "\n".join(_lines(cascade))


def _lines(cascade: Cascade) -> Iterator[str]:
    what = f"{cascade.goal} of `{cascade.target}`" if cascade.target else cascade.goal
    yield from sentences(cascade)
    yield ""
    yield f"{cascade.finished} of {len(cascade.models)} models: {what}, {cascade.rows:,} rows each, {cascade.device}."
    yield f"Judged on the same {cascade.held_out:,} rows. Child: {cascade.generator}."
    yield ""
    yield "| tier | between | loss | 90 % | share lost | 90 % |"
    yield "|---|---|---|---|---|---|"
    for found in (*cascade.harm, *cascade.decay):
        low, high = found.interval
        shares = found.share_interval
        yield (
            f"| {found.tier} | {found.arms[0]} - {found.arms[1]} | {found.loss:+.3g} | {low:+.3g} to {high:+.3g} "
            f"| {found.share:+.1%} | {shares[0]:+.1%} to {shares[1]:+.1%} |"
        )
    yield from ("", *(f"- {note}" for note in cascade.notes))


cascade = stage_task("cascade", table, text)
