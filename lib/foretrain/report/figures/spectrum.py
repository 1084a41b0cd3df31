"""On which of the original's principal axes did variance vanish, and where did it grow?"""

from __future__ import annotations

import math

from markupsafe import Markup

from foretrain.collapse.record import Spectrum
from foretrain.report import wording
from foretrain.report.figures.svg import across, element, path, picture, stretched

HEIGHT = 300
_TOP, _PLOT = 14, 252
_MOST_DOTS = 40


def spectrum_lines(spectrum: Spectrum) -> Markup:
    """Both spectra on a logarithmic axis, with the band of the original's halves behind."""
    axes = len(spectrum.original)
    positive = [value for value in (*spectrum.original, *spectrum.candidate) if value > 0] or [1.0]
    top = math.ceil(math.log10(max(positive)) - 1e-9)
    # an axis that vanished altogether is drawn at the foot, not ten decades below
    floor = max(math.floor(math.log10(min(positive)) + 1e-9), top - 6)
    floor = min(floor, top - 1)

    def down(value: float) -> float:
        height = math.log10(max(value, 10.0**floor)) - floor
        return 100 * (1 - min(height / (top - floor), 1.0))

    def right(index: int) -> float:
        return 1000 * (index + 0.5) / max(1, axes)

    shapes = []
    if spectrum.fresh:
        upper = [(right(index), down(high)) for index, (_, high) in enumerate(spectrum.fresh)]
        lower = [(right(index), down(low)) for index, (low, _) in enumerate(spectrum.fresh)]
        shapes.append(element("path", class_="fresh", d=path([*upper, *reversed(lower)], closed=True)))
    for name, values in (("original", spectrum.original), ("candidate", spectrum.candidate)):
        line = path((right(index), down(value)) for index, value in enumerate(values))
        shapes.append(element("path", class_=f"{name} line", d=line, vector_effect="non-scaling-stroke"))

    grid = []
    for power in range(floor, top + 1):
        height = _TOP + _PLOT * (top - power) / (top - floor)
        label = f"{wording.number(100.0 * 10**power)}{wording.SPACE}%"
        grid += [
            element("line", class_="axis" if power == floor else "grid", x2="100%", y1=height, y2=height),
            element("text", label, class_="label", y=height - 5),
        ]
    dots = [
        element("circle", class_=name, cx=across(right(index) / 1000), cy=_TOP + _PLOT * down(value) / 100, r=3.5)
        for name, values in (("original", spectrum.original), ("candidate", spectrum.candidate))
        for index, value in enumerate(values)
        if axes <= _MOST_DOTS
    ]
    foot = _TOP + _PLOT + 22
    return picture(
        "Variance along the original's principal axes",
        _described(spectrum),
        HEIGHT,
        *grid,
        stretched(_TOP, _PLOT, 1000, 100, *shapes),
        *dots,
        element("text", "widest axis", class_="label", y=foot),
        element("text", f"narrowest of {axes}", class_="label", x="100%", y=foot, text_anchor="end"),
    )


def outside(spectrum: Spectrum) -> tuple[int, int]:
    """On how many axes the candidate lies below, and above, the band of fresh halves."""
    compared = list(zip(spectrum.candidate, spectrum.fresh, strict=False))
    return sum(value < low for value, (low, _) in compared), sum(value > high for value, (_, high) in compared)


def _described(spectrum: Spectrum) -> str:
    below, above = outside(spectrum)
    return (
        f"Of {len(spectrum.original)} axes the candidate varies less than fresh real samples on {below} "
        f"and more on {above}."
    )
