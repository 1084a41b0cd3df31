"""What do models lose that learn from the candidate, and how did they learn?"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from markupsafe import Markup

from foretrain.cascade.record import ArmName, Cascade, Difference, Model
from foretrain.record import Interval
from foretrain.report import wording
from foretrain.report.figures.bars import upright, whisker
from foretrain.report.figures.svg import across, along, element, path, picture, stretched

_ROW, _FOOT = 50, 30
_STRIP = 24
"""Height of the part of a row that has the axis; above it stand name and figures."""

_WIDEST: Interval = (-9.0, 9.0)
"""Lost shares beyond are cut off in the picture; the figures beside it are not."""

_TOP, _PLOT, _HEIGHT = 16, 200, 246
_START, _END, _DOTS = 0.12, 0.79, 0.85
"""Where the curves start and end and the losses on held-out rows begin, shares of a picture's width."""

_APART = 16
"""Between a grid line and that of the guess, at least."""

_MOST_POINTS = 120
_HIGHEST = 1.6
"""Losses above so many constant guesses are cut off."""


def difference_rows(title: str, rows: Sequence[Difference], cascade: Cascade) -> Markup:
    """Lost share of each tier and of all together, with intervals, on an axis that all such pictures share."""
    axis = share_axis(cascade)
    foot = _ROW * len(rows)
    shapes = [shape for index, row in enumerate(rows) for shape in _row(row, index * _ROW, axis, cascade)]
    for tick in ticks(*axis):
        place = along(tick, *axis)
        anchor = "start" if place < 0.04 else "end" if place > 0.96 else "middle"
        shapes.append(
            element("text", wording.lost(tick), class_="label", x=across(place), y=foot + 20, text_anchor=anchor)
        )
    return picture(title, _told(rows, cascade), foot + _FOOT, *shapes)


def _row(row: Difference, top: float, axis: Interval, cascade: Cascade) -> Iterator[Markup]:
    whole = row.tier == "all"
    said = f"{wording.lost(row.share)} ({wording.lost_range(row.share_interval)})"
    tone = "strong" if whole else "label"
    yield element("text", tier_title(cascade, row.tier), class_=tone, y=top + 15)
    yield element("text", said, class_=tone, x="100%", y=top + 15, text_anchor="end")
    strip, middle = top + _ROW - _STRIP - 2, top + _ROW - _STRIP / 2 - 2
    low, zero, high = (along(value, *axis) for value in (-cascade.margin, 0.0, cascade.margin))
    yield element("rect", class_="margin", x=across(low), y=strip, width=across(high - low), height=_STRIP)
    yield element("line", class_="grid", x2="100%", y1=middle, y2=middle)
    yield upright(zero, strip, strip + _STRIP, "zero")
    start, end = (along(value, *axis) for value in row.share_interval)
    yield from whisker((start, end), middle)
    place = across(along(row.share, *axis))
    yield element("circle", class_=f"{row.arms[0]} ringed", cx=place, cy=middle, r=7 if whole else 5)


def _told(rows: Sequence[Difference], cascade: Cascade) -> str:
    said = [
        f"{tier_title(cascade, row.tier)}: {wording.lost(row.share)}, 90 % interval "
        f"{wording.lost_range(row.share_interval)}"
        for row in rows
    ]
    return f"Share lost of what can be learned. {'; '.join(said)}."


def share_axis(cascade: Cascade) -> Interval:
    """The ends of the axis of all lost shares."""
    ends = [end for row in (*cascade.harm, *cascade.decay) for end in (*row.share_interval, row.share)]
    ends += [-cascade.margin, cascade.margin]
    low, high = max(min(ends), _WIDEST[0]), min(max(ends), _WIDEST[1])
    room = 0.06 * (high - low)
    return low - room, high + room


def learning_curves(cascade: Cascade, tier: str) -> Markup:
    """Validation loss of every model of a tier against its steps, and its loss on held-out rows at the right."""
    models = [model for model in cascade.models if model.tier == tier]
    low, high = loss_axis(cascade)
    most = max((point.step for model in models for point in model.curve), default=1)

    def down(value: float) -> float:
        return _TOP + _PLOT * (1 - along(value, low, high))

    shapes = []
    level = down(cascade.guess)
    for tick in ticks(low, high):
        if abs(down(tick) - level) >= _APART:
            shapes += [
                element("line", class_="grid", x2="100%", y1=down(tick), y2=down(tick)),
                element("text", wording.number(tick), class_="label", y=down(tick) - 4),
            ]
    shapes += [
        element("line", class_="axis", x2="100%", y1=_TOP + _PLOT, y2=_TOP + _PLOT),
        element("line", class_="guess", x2="100%", y1=level, y2=level),
        element("text", wording.number(cascade.guess), class_="label", y=level - 4),
    ]
    foot = _TOP + _PLOT + 18
    if any(model.curve for model in models):
        lines = [_line(model, most, (low, high)) for model in reversed(models) if model.curve]
        shapes += [
            stretched(_TOP, _PLOT, 1000, 100, *lines, class_="cut"),
            element("text", f"{most:,} steps", class_="label", x=across(_END), y=foot, text_anchor="end"),
        ]
    else:
        middle = across((_START + _END) / 2)
        shapes.append(
            element("text", "without steps", class_="label", x=middle, y=_TOP + _PLOT / 2, text_anchor="middle")
        )
    shapes.append(element("text", "held out", class_="label", x="100%", y=foot, text_anchor="end"))
    shapes += [
        element(
            "circle", class_=f"{model.arm} ringed", cx=across(_column(model.arm, cascade)), cy=down(model.loss), r=5
        )
        for model in models
        if model.loss is not None
    ]
    return picture(f"{tier_title(cascade, tier)}: learning curves", _ends(models, cascade), _HEIGHT, *shapes)


def _line(model: Model, most: int, axis: Interval) -> Markup:
    every = math.ceil(len(model.curve) / _MOST_POINTS)
    shown = [*model.curve[:-1:every], model.curve[-1]]
    low, high = axis
    # the square root: most is learned in the first steps
    places = [_START + (_END - _START) * math.sqrt(along(point.step, 0, most)) for point in shown]
    heights = [(high - point.validation) / (high - low) for point in shown]
    steps = path((1000 * x, 100 * y) for x, y in zip(places, heights, strict=True))
    return element("path", class_=f"{model.arm} line thin", d=steps, vector_effect="non-scaling-stroke")


def _column(arm: ArmName, cascade: Cascade) -> float:
    """Where the held-out losses of an arm stand, a share of the width."""
    return _DOTS + (0.98 - _DOTS) * cascade.arms.index(arm) / (len(cascade.arms) - 1)


def _ends(models: Sequence[Model], cascade: Cascade) -> str:
    said = []
    for arm in cascade.arms:
        losses = [model.loss for model in models if model.arm == arm and model.loss is not None]
        told = " and ".join(map(wording.number, losses)) or "none finished"
        said.append(f"{arm} {told}")
    return f"Loss on held-out rows: {'; '.join(said)}; a constant guess {wording.number(cascade.guess)}."


def loss_axis(cascade: Cascade) -> Interval:
    """The ends of the axis of all losses: from the lowest to the guess, and above it where curves begin there."""
    seen = [point.validation for model in cascade.models for point in model.curve]
    held_out = [model.loss for model in cascade.models if model.loss is not None]
    low, high = min([*seen, *held_out, cascade.guess]), max([*seen, *held_out, cascade.guess])
    high = min(high, max(_HIGHEST * cascade.guess, *held_out, cascade.guess))
    room = 0.06 * (high - low) or max(0.1 * abs(high), 1e-6)
    return low - room, high + room


def comparisons(cascade: Cascade) -> list[tuple[tuple[ArmName, ArmName], list[Difference]]]:
    """The differences by what is compared: harm, then each generation."""
    found: dict[tuple[ArmName, ArmName], list[Difference]] = {}
    for row in (*cascade.harm, *cascade.decay):
        found.setdefault(row.arms, []).append(row)
    return list(found.items())


def tiers(cascade: Cascade) -> list[str]:
    """Names of the tiers, smallest first."""
    return list(dict.fromkeys(model.tier for model in cascade.models))


def architecture(cascade: Cascade, tier: str) -> str:
    """What a tier's models are, in full."""
    return next((model.architecture for model in cascade.models if model.tier == tier), tier)


def tier_title(cascade: Cascade, tier: str) -> str:
    """A tier for people: its architecture without the details."""
    return "All together" if tier == "all" else wording.capital(architecture(cascade, tier).split(",")[0])


def ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers between two ends."""
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough)
    return [index * step for index in range(math.ceil(low / step), math.floor(high / step) + 1)]
