"""Where does one number stand: on its scale, with its interval, against the band of fresh real samples?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from foretrain.collapse.record import Dimension
from foretrain.diversity.record import Measure
from foretrain.record import Interval
from foretrain.report import wording
from foretrain.report.figures.svg import across, along, element, picture


def gauge(
    title: str,
    description: str,
    value: float,
    interval: Interval,
    *,
    ticks: Sequence[float] = (),
    colour: Literal["tone", "plain"] = "tone",
) -> Markup:
    """A share, 0 to 1, on its whole scale, with its interval and the places where the verdict changes.

    In the verdict's tone where more is worse, plain where it is not.
    """
    return picture(
        title,
        description,
        28,
        element("rect", class_="track", y=8, width="100%", height=12, rx=2),
        element("rect", class_=colour, y=8, width=across(along(value, 0, 1)), height=12, rx=2),
        *(upright(tick, 4, 24, "tick") for tick in ticks),
        *whisker((along(interval[0], 0, 1), along(interval[1], 0, 1)), 14),
        class_="gauge",
    )


def dimension_bar(dimension: Dimension) -> Markup:
    """A dimension's score, 0 to 100; a grey outline where it was not measured."""
    if not dimension.measured or dimension.score is None:
        return picture(
            f"{dimension.title}: not measured",
            dimension.reason or "Not measured.",
            32,
            element("rect", class_="unmeasured", x=1, y=9, width="99.6%", height=14, rx=2),
        )
    described = [f"Score {dimension.score:.0f} of 100"]
    shapes = [element("rect", class_="track", y=10, width="100%", height=12, rx=2)]
    if dimension.fresh is not None:
        described.append(f"fresh real samples score {wording.whole_range(dimension.fresh)}")
        shapes.append(_band(dimension.fresh[0] / 100, dimension.fresh[1] / 100, 32))
    shapes.append(
        element("rect", class_="candidate", y=10, width=across(along(dimension.score, 0, 100)), height=12, rx=2)
    )
    if dimension.interval is not None:
        described.append(f"90 % interval {wording.whole_range(dimension.interval)}")
        shapes += whisker((dimension.interval[0] / 100, dimension.interval[1] / 100), 16)
    return picture(dimension.title, "; ".join(described) + ".", 32, *shapes)


def measure_strip(measure: Measure) -> Markup:
    """A diversity measure as a dot, on an axis that its fresh band and the original span."""
    marks = [measure.candidate, *(measure.fresh or ()), *(() if measure.original is None else (measure.original,))]
    room = 0.12 * (max(marks) - min(marks)) or max(abs(marks[0]) * 0.1, 1e-9)
    low, high = min(marks) - room, max(marks) + room
    shapes = [element("line", class_="axis", x2="100%", y1=12, y2=12)]
    if measure.fresh is not None:
        shapes.append(_band(along(measure.fresh[0], low, high), along(measure.fresh[1], low, high), 24))
    if measure.original is not None:
        shapes.append(upright(along(measure.original, low, high), 3, 21, "original thick"))
    place = across(along(measure.candidate, low, high))
    shapes.append(element("circle", class_="candidate ringed", cx=place, cy=12, r=5.5))
    return picture(measure.title, measure.sentence, 24, *shapes)


def cell_bar(share: float) -> Markup:
    """A thin bar below a number in a table: decoration, the number says it all."""
    track = element("rect", class_="track", width="100%", height=3)
    bar = element("rect", class_="candidate", width=across(along(share, 0, 1)), height=3)
    return element("svg", track, bar, class_="cell", width="100%", height=3, aria_hidden="true")


def share_bar(title: str, share: float) -> Markup:
    """A share of all rows, 0 to 1."""
    return picture(
        title,
        f"{wording.percent(share)} of rows.",
        12,
        element("rect", class_="track", width="100%", height=12, rx=2),
        element("rect", class_="candidate", width=across(along(share, 0, 1)), height=12, rx=2),
    )


def _band(start: float, end: float, height: float) -> Markup:
    width = max(end - start, 0.004)
    return element("rect", class_="fresh", x=across(min(start, 1 - width)), width=across(width), height=height)


def upright(share: float, top: float, bottom: float, class_: str) -> Markup:
    """A line from top to bottom."""
    return element("line", class_=class_, x1=across(share), x2=across(share), y1=top, y2=bottom)


def whisker(interval: Interval, middle: float) -> list[Markup]:
    """The interval as a line with two ends, on a halo so that it reads on bar and track alike."""
    start, end = interval
    return [
        shape
        for class_ in ("halo", "whisker")
        for shape in (
            element("line", class_=class_, x1=across(start), x2=across(end), y1=middle, y2=middle),
            upright(start, middle - 5, middle + 5, class_),
            upright(end, middle - 5, middle + 5, class_),
        )
    ]
