"""Which colours does the report use, in light and in dark, and what stands on what?"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "paper": "#ffffff",
    "surface": "#f5f6f8",
    "line": "#d9dee5",
    "ink": "#15181d",
    "soft": "#545c68",
    "link": "#1f57ab",
    "original": "#2460b8",
    "candidate": "#bf4800",
    "child": "#9d2a86",
    "grandchild": "#0b6f74",
    "lower": "#7b3294",
    "higher": "#0b7a53",
    "zero": "#ffffff",
    "approve": "#23784a",
    "on-approve": "#ffffff",
    "review": "#f5c443",
    "on-review": "#1f1700",
    "reject": "#8f1218",
    "on-reject": "#ffffff",
    "underpowered": "#ffffff",
    "on-underpowered": "#15181d",
    "tone-approve": "#23784a",
    "tone-review": "#876000",
    "tone-reject": "#8f1218",
    "tone-underpowered": "#545c68",
}

DARK: Mapping[str, str] = {
    "paper": "#13161a",
    "surface": "#1b1f25",
    "line": "#39414c",
    "ink": "#eceff3",
    "soft": "#a9b2be",
    "link": "#8fbcff",
    "original": "#7fb3ff",
    "candidate": "#ff9d5c",
    "child": "#f08bdc",
    "grandchild": "#55cfd4",
    "lower": "#d29bea",
    "higher": "#5fd3a3",
    "zero": "#13161a",
    "approve": "#2a7f50",
    "on-approve": "#ffffff",
    "review": "#f5c443",
    "on-review": "#1f1700",
    "reject": "#b3262c",
    "on-reject": "#ffffff",
    "underpowered": "#13161a",
    "on-underpowered": "#eceff3",
    "tone-approve": "#5fcf92",
    "tone-review": "#f5c443",
    "tone-reject": "#ff8a85",
    "tone-underpowered": "#a9b2be",
}

VERDICTS = ("approve", "review", "reject", "underpowered")

TEXT_ON: tuple[tuple[str, str], ...] = (
    *((text, ground) for text in ("ink", "soft", "link", "original", "candidate") for ground in ("paper", "surface")),
    *((f"on-{verdict}", verdict) for verdict in VERDICTS),
    *((f"tone-{verdict}", ground) for verdict in VERDICTS for ground in ("paper", "surface")),
)
"""Every colour that text is set in, with every colour it stands on: at least 4.5 : 1."""

SHAPE_ON: tuple[tuple[str, str], ...] = (
    ("original", "paper"),
    ("candidate", "paper"),
    ("child", "paper"),
    ("grandchild", "paper"),
    ("lower", "zero"),
    ("higher", "zero"),
    *((f"tone-{verdict}", "surface") for verdict in VERDICTS),
)
"""Every colour that a picture rests on, with its ground: at least 3 : 1."""


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb``, 0 (black) to 1 (white).

    References:
        Web Content Accessibility Guidelines 2.2, "relative luminance".
    """
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21, whichever is the lighter.

    References:
        Web Content Accessibility Guidelines 2.2, "contrast ratio".
    """
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def variables(palette: Mapping[str, str]) -> str:
    """The palette as CSS custom properties."""
    return "".join(f"--{name}:{colour};" for name, colour in palette.items())
