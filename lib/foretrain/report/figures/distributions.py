"""How do the two distributions of one column lie over each other?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup

from foretrain.collapse.record import ColumnComparison, Histogram
from foretrain.report import wording
from foretrain.report.figures.svg import Point, across, element, path, picture, stretched

HEIGHT = 176
_PLOT = 148
_SHOWN = 5
_LONGEST_LABEL = 30
_TICK_ROOM, _LONGEST_TICK = 36, 12  # characters: of the whole axis, of one label
_ORDERED = ("numeric", "integer", "ordinal", "datetime", "duration")


def histogram(column: ColumnComparison, drawn: Histogram) -> Markup:
    """Overlaid outlines of a continuous column, paired bars of a discrete one or of the categories that differ most."""
    title = f"{wording.clipped(column.name, 60)}: original and candidate"
    if len(drawn.edges) > 1:
        return _continuous(title, column.kind, drawn)
    if column.kind in _ORDERED and len(drawn.labels) > _SHOWN:
        return _discrete(title, drawn)
    return _categories(title, drawn)


def _continuous(title: str, kind: str, drawn: Histogram) -> Markup:
    low, high = drawn.edges[0], drawn.edges[-1]
    span = high - low or 1.0
    # bins may differ in width: the height is rows per unit of the axis, so that areas are shares
    narrowest = span / 1000
    widths = [max(right - left, narrowest) for left, right in zip(drawn.edges, drawn.edges[1:], strict=False)]
    heights = [[share / width for share, width in zip(side, widths, strict=False)] for side in _sides(drawn)]
    top = max(max(side, default=0.0) for side in heights) or 1.0
    places = [1000 * (edge - low) / span for edge in drawn.edges]
    shapes = []
    for name, side in zip(("original", "candidate"), heights, strict=True):
        steps = _steps(places, [100 - 96 * height / top for height in side])
        shapes += [
            element("path", class_=f"{name} area", d=path(steps, closed=True)),
            element("path", class_=f"{name} outline", d=path(steps), vector_effect="non-scaling-stroke"),
        ]
    ends = [wording.axis_value(end, kind) for end in (low, high)]
    return picture(
        title,
        f"Share of rows from {ends[0]} to {ends[1]}; {_peaks(drawn, kind)}",
        HEIGHT,
        stretched(0, _PLOT, 1000, 100, *shapes),
        element("line", class_="axis", x2="100%", y1=_PLOT, y2=_PLOT),
        element("text", ends[0], class_="label", y=_PLOT + 18),
        element("text", ends[1], class_="label", x="100%", y=_PLOT + 18, text_anchor="end"),
    )


def _steps(places: Sequence[float], tops: Sequence[float]) -> list[Point]:
    points: list[Point] = [(places[0], 100.0)]
    for left, right, top in zip(places, places[1:], tops, strict=False):
        points += [(left, top), (right, top)]
    return [*points, (places[-1], 100.0)]


def _peaks(drawn: Histogram, kind: str) -> str:
    said = []
    for name, side in zip(("the original", "the candidate"), _sides(drawn), strict=True):
        peak = max(range(len(side)), key=side.__getitem__)
        said.append(f"{name} peaks near {wording.axis_value((drawn.edges[peak] + drawn.edges[peak + 1]) / 2, kind)}")
    return ", ".join(said) + "."


def _discrete(title: str, drawn: Histogram) -> Markup:
    count = len(drawn.labels)
    slot, top = 1000 / count, max(*drawn.original, *drawn.candidate) or 1.0
    bars = [
        element(
            "rect",
            class_=name,
            x=slot * (index + start),
            y=100 - 96 * share / top,
            width=0.36 * slot,
            height=96 * share / top,
        )
        for name, side, start in (("original", drawn.original, 0.12), ("candidate", drawn.candidate, 0.52))
        for index, share in enumerate(side)
    ]
    named = [_tick(label) for label in drawn.labels]
    every = math.ceil(count * (max(map(len, named)) + 2) / _TICK_ROOM)
    ticks = [
        element(
            "text",
            label,
            class_="label",
            x=across((index + 0.5) / count),
            y=_PLOT + 18,
            text_anchor="middle",
        )
        for index, label in enumerate(named)
        if index % every == 0
    ]
    axis = element("line", class_="axis", x2="100%", y1=_PLOT, y2=_PLOT)
    said = f"Share of rows of {count} values, up to {wording.percent(top)}."
    return picture(title, said, HEIGHT, stretched(0, _PLOT, 1000, 100, *bars), axis, *ticks)


def _tick(label: str) -> str:
    try:
        return wording.number(float(label))
    except (ValueError, OverflowError):
        return wording.clipped(label, _LONGEST_TICK)


def _categories(title: str, drawn: Histogram) -> Markup:
    pairs = list(zip(drawn.labels, drawn.original, drawn.candidate, strict=False))
    differing = sorted(range(len(pairs)), key=lambda index: -abs(pairs[index][1] - pairs[index][2]))[:_SHOWN]
    shown = [pairs[index] for index in sorted(differing)]
    longest = max((max(original, candidate) for _, original, candidate in shown), default=0.0) or 1.0
    shapes = []
    for index, (label, original, candidate) in enumerate(shown):
        top = index * (HEIGHT / _SHOWN)
        shares = f"{wording.percentage(original, 1)} → {wording.percent(candidate, 1)}"
        shapes += [
            # first-strong isolates: a right-to-left name must not reorder its neighbours
            element("text", f"\u2068{wording.clipped(label, _LONGEST_LABEL)}\u2069", class_="label", y=top + 13),
            element("text", shares, class_="label", x="100%", y=top + 13, text_anchor="end"),
            element("rect", class_="original", y=top + 19, width=across(original / longest), height=4.5),
            element("rect", class_="candidate", y=top + 24.5, width=across(candidate / longest), height=4.5),
        ]
    of_all = f", of {len(pairs)}" if len(pairs) > len(shown) else ""
    return picture(title, f"Share of rows of the {len(shown)} categories that differ most{of_all}.", HEIGHT, *shapes)


def _sides(drawn: Histogram) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return drawn.original, drawn.candidate
