"""How is a picture written as SVG: escaped, described, sharp at any width?

Pictures have no view box of their own: they are as wide as their place, positions are percentages of it, and text
and dots keep their size on a phone. Only shapes inside a `stretched` part follow the width.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup

Point = tuple[float, float]


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """One element; attribute names in Python's spelling (``stroke_width``, ``class_``), values and text escaped."""
    written = Markup().join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _text(value))
        for key, value in attributes.items()
        if value is not None
    )
    return Markup("<{0}{1}>{2}</{0}>").format(name, written, Markup().join(children))


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")


def picture(title: str, description: str, height: float, *shapes: str, class_: str | None = None) -> Markup:
    """A whole picture, as wide as its place: the title is its name, the description what it shows, in words."""
    return element(
        "svg",
        element("title", title),
        element("desc", description),
        *shapes,
        role="img",
        class_=class_,
        width="100%",
        height=height,
    )


def stretched(
    top: float, height: float, columns: float, rows: float, *shapes: str, class_: str | None = None
) -> Markup:
    """A part whose shapes are drawn on a grid of columns x rows and stretched to the picture's width."""
    return element(
        "svg",
        *shapes,
        class_=class_,
        y=top,
        width="100%",
        height=height,
        viewBox=f"0 0 {_text(columns)} {_text(rows)}",
        preserveAspectRatio="none",
    )


def along(value: float, low: float, high: float) -> float:
    """Where a value lies between low and high, 0 to 1, cut off at both ends."""
    return min(1.0, max(0.0, (value - low) / (high - low))) if high > low else 0.5


def across(share: float) -> str:
    """A share of the picture's width, as SVG writes it."""
    return f"{_text(100 * share)}%"


def path(points: Iterable[Point], *, closed: bool = False) -> str:
    """Path data through the points, with two decimals."""
    steps = [f"{_text(x)} {_text(y)}" for x, y in points]
    return f"M{'L'.join(steps)}{'Z' if closed else ''}"
