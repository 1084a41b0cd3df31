"""What does a cascade say, in words that a manager can repeat?"""

from __future__ import annotations

from collections.abc import Sequence

from foretrain.cascade.record import Cascade, Difference
from foretrain.record import Interval

MINUS = "\N{MINUS SIGN}"

MOST = 9.995
"""Share from which it is only said to be more: it was lost many times over."""

LITTLE = 0.05
"""Share of a constant guess's loss that models must learn for a share of that to mean something."""


def sentences(cascade: Cascade) -> tuple[str, ...]:
    """What is lost, how likely that is harm, what one more generation would cost, and on how many models it rests."""
    alone = cascade.arms[0] != "original"
    of, made = ("the candidate itself", "a child of the candidate") if alone else ("the original", "the candidate")
    told = whole(cascade.decay if alone else cascade.harm)
    if told is None:
        finished = f"{cascade.finished} of {len(cascade.models)}"
        return (f"What models learn from the candidate cannot be said: too few models finished, {finished}.",)
    if learns_little(cascade):
        said = [_little(of)]
    else:
        said = [_lost(made, of, told, cascade.margin), *_probable(cascade)]
        said += [_another(step, more=told.share_interval[0] > 0) for step in _further(cascade)]
    if alone:
        said.append("What the candidate itself has lost cannot be seen without an original.")
    if cascade.finished < len(cascade.models):
        said.append(f"This rests on {cascade.finished} of {len(cascade.models)} models.")
    return tuple(said)


def line(cascade: Cascade) -> str:
    """The same in figures, e.g. "12% (8 to 17%) of what models learn is lost, P(above 5%) 0.97"."""
    alone = cascade.arms[0] != "original"
    told = whole(cascade.decay if alone else cascade.harm)
    finished = f"{cascade.finished} of {len(cascade.models)} models"
    if told is None:
        return f"too few finished, {finished}"
    if learns_little(cascade):
        said = "little to learn: models hardly beat a constant guess"
    elif alone:
        said = f"one more generation costs {_figures(told)} of what models learn"
        said += "".join(f"; the one after it {_figures(step)}" for step in _further(cascade))
    else:
        said = f"{_figures(told)} of what models learn is lost"
        if cascade.probability_of_harm is not None:
            said += f", P(above {percent(cascade.margin)}) {cascade.probability_of_harm:.2f}"
        said += "".join(f"; by one more generation {_figures(step)}" for step in _further(cascade))
    return said if cascade.finished == len(cascade.models) else f"{said}; from {finished}"


def agreement(cascade: Cascade) -> str:
    """Whether the sizes of models agree, and what a larger one would change."""
    told = cascade.harm or cascade.decay
    sizes = sum(each.arms == told[0].arms and each.tier != "all" for each in told)
    agreed = round(cascade.agreement * sizes)
    said = f"{agreed} of {sizes} sizes of models agree on the direction"
    if cascade.slope is None:
        return f"{said}."
    points = _percentage(abs(cascade.slope), _places(cascade.slope))
    if points == "0":
        return f"{said}; with ten times the parameters the lost share is the same."
    change = "higher" if cascade.slope > 0 else "lower"
    return f"{said}; with ten times the parameters the lost share is {points} points {change}."


def whole(differences: Sequence[Difference]) -> Difference | None:
    """The first difference of all tiers together; None where no models could be compared."""
    return next((each for each in differences if each.tier == "all"), None)


def _further(cascade: Cascade) -> list[Difference]:
    """What a generation costs beyond the arm that the first sentence speaks of, all tiers together."""
    steps = [each for each in cascade.decay if each.tier == "all"]
    return steps if cascade.arms[0] == "original" else steps[1:]


def weak(cascade: Cascade) -> list[str]:
    """Tiers whose models learned too little from the first arm for a share of that to mean something."""
    losses: dict[str, list[float]] = {model.tier: [] for model in cascade.models}
    for model in cascade.models:
        if model.arm == cascade.arms[0] and model.loss is not None:
            losses[model.tier].append(model.loss)
    most = (1 - LITTLE) * cascade.guess
    return [tier for tier, seen in losses.items() if not seen or sum(seen) / len(seen) > most or cascade.guess <= 0]


def learns_little(cascade: Cascade) -> bool:
    """Whether all tiers are weak."""
    return len(weak(cascade)) == len({model.tier for model in cascade.models})


def percent(share: float) -> str:
    """At most three digits: 12%, 4.7%."""
    return f"{_percentage(share, _places(share))}%"


def span(interval: Interval) -> str:
    """Both ends with as many digits: 8 to 17, 0.3 to 3.0; without the sign, which stands before it."""
    places = _places(max(interval, key=abs))
    low, high = (_digits(end, places) for end in interval)
    return f"{low} to {high}" if low != high else low


def _figures(difference: Difference) -> str:
    return f"{percent(difference.share)} ({span(difference.share_interval)})"


def _percentage(share: float, places: int) -> str:
    text = _digits(share, places).removesuffix(".0")
    return "0" if text == f"{MINUS}0" else text


def _digits(share: float, places: int) -> str:
    if abs(share) >= MOST:
        return "over 999" if share > 0 else f"under {MINUS}999"
    return f"{100 * share:.{places}f}".replace("-", MINUS)


def _places(share: float) -> int:
    return 0 if abs(100 * share) >= 9.95 else 1


def _lost(worse: str, better: str, difference: Difference, margin: float) -> str:
    low, high = difference.share_interval
    learned = f"of what models trained on {better} learn"
    if low > 0:
        said = f"Models trained on {worse} lose {_figures(difference)} {learned}"
        return f"{said}{': they are no better than a constant guess' if difference.share >= 1 else ''}."
    if high < 0:
        return (
            f"Models trained on {worse} lose nothing: they learn {percent(-difference.share)} "
            f"({span((-high, -low))}) more than models trained on {better}."
        )
    if high <= margin:
        return (
            f"Models trained on {worse} learn as much as models trained on {better}, to within "
            f"{percent(max(-low, high))}."
        )
    return (
        f"Models trained on {worse} may lose up to {percent(high)} {learned}, or nothing: "
        "the difference is not larger than chance."
    )


def _little(of: str) -> str:
    return (
        f"There is little to learn: models trained on {of} are hardly better than a constant guess, "
        "so there is little that could be lost."
    )


def _probable(cascade: Cascade) -> list[str]:
    if cascade.probability_of_harm is None:
        return []
    chance = cascade.probability_of_harm
    said = "over 99%" if chance > 0.99 else "under 1%" if chance < 0.01 else f"{chance:.0%}"
    return [f"The probability that more than {percent(cascade.margin)} is lost is {said}."]


def _another(difference: Difference, *, more: bool) -> str:
    low, high = difference.share_interval
    if high <= 0:
        return "One more generation would cost nothing more."
    if low <= 0:
        return f"One more generation would cost at most {percent(high)} more, if anything."
    return f"One more generation would cost {'another ' if more else ''}{_figures(difference)}."
