"""How does a number read for people: at most three digits, with its unit?"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from foretrain.cascade import sentences
from foretrain.cascade.record import Goal
from foretrain.record import Interval

SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
TIMES = " \N{MULTIPLICATION SIGN} "
MOST_GENERATIONS = 20.0
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# controls, direction overrides, lone surrogates and code points that are no characters
_UNPRINTED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff\ufffe\uffff\ud800-\udfff]"
)
_LARGE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def number(value: float) -> str:
    """At most three significant digits: 0.0123, 4.5, 812, 1,230, 20.2 k, powers of ten beyond."""
    if value < 0:
        return MINUS + number(-value)
    if value == 0:
        return "0"
    if value < 1e-3 or value >= 1e15:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{mantissa}{TIMES}10{str(int(exponent)).translate(_SUPERSCRIPT)}"
    rounded = float(f"{value:.3g}")
    for step, unit in _LARGE:
        if rounded >= max(step, 1e4):
            return f"{_plain(rounded / step)}{SPACE}{unit}"
    return _plain(rounded)


def _plain(value: float) -> str:
    text = f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: float, digits: int | None = None) -> str:
    """A share, 0 to 1, as a percentage; with fixed digits where it stands in a column of numbers."""
    return f"{percentage(share, digits)}{SPACE}%"


def percentage(share: float, digits: int | None = None) -> str:
    """As `percent`, without the sign."""
    value = 100 * share
    places = digits if digits is not None else 0 if value >= 9.95 else 1
    if value == 0:
        return "0"
    if value < 0.5 * 10**-places:
        return f"<{10**-places:.{places}f}"
    text = f"{value:.{places}f}"
    # certainty about a whole is said in three digits, not four
    return text.removesuffix(".0") if digits is None or text == "100.0" else text


def percent_range(interval: Interval) -> str:
    """An interval of shares: 8 to 17 %."""
    digits = 0 if 100 * interval[1] >= 9.95 else None
    low, high = (percentage(end, digits) for end in interval)
    return f"{low} to {high}{SPACE}%" if low != high else f"{low}{SPACE}%"


def lost(share: float) -> str:
    """A lost share, which is below 0 where something was gained: 12 %, 4.7 %."""
    return spaced(sentences.percent(share))


def lost_range(interval: Interval) -> str:
    """An interval of lost shares in %, without the sign: 0.3 to 3.0."""
    return sentences.span(interval)


def in_noise(difference: float, noise: float) -> str:
    """A difference in units of its noise: +2.3; a dash where there is no noise to measure it by."""
    if noise == 0:
        return "0" if difference == 0 else "\N{EN DASH}"
    units = difference / noise
    text = f"{units:+.1f}" if abs(units) < 99.95 else f"{units:+,.0f}"
    return text.replace("-", MINUS) if float(f"{units:.1f}") else "0"


LOSSES: Mapping[Goal, str] = {
    "classification": "cross-entropy, in nats",
    "regression": "squared error of the target, which was brought to a normal shape",
    "masked columns": "nats of a hidden category, half the squared error of a hidden number",
    "next byte": "nats a byte",
    "masked pixels": "squared error of a hidden pixel",
}
"""What the loss of each goal is."""


def spaced(text: str) -> str:
    """A sentence whose percentages are written as the page's own: 12 % for 12%."""
    return re.sub(r"(?<=\d)%", f"{SPACE}%", text)


def whole_range(interval: Interval) -> str:
    """An interval of scores: 28 to 41."""
    low, high = (f"{end:.0f}" for end in interval)
    return f"{low} to {high}" if low != high else low


def quantity(value: float, unit: str) -> str:
    """A value of a measure: a share as a percentage; the unit of any other stands beside its title."""
    return percent(value, 1) if unit == "share" else number(value)


def quantity_range(interval: Interval, unit: str) -> str:
    """An interval of a measure's values."""
    low, high = (percentage(end, 1) if unit == "share" else number(end) for end in interval)
    return (f"{low} to {high}" if low != high else low) + (f"{SPACE}%" if unit == "share" else "")


def signed(value: float) -> str:
    """A correlation or a difference of two: signed, two decimals."""
    return f"{value:+.2f}".replace("-", MINUS)


def signed_points(value: float) -> str:
    """A change of score: signed, whole points, or one decimal below ten."""
    return f"{value:+.{0 if abs(value) >= 9.95 else 1}f}".replace("-", MINUS)


def rows(count: int) -> str:
    """How many rows, exactly: sizes of tables are names as much as numbers."""
    return f"{count:,} row{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Bytes: 812 B, 20.2 kB, 1.2 MB."""
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{number(value)}{SPACE}{unit}"
        value /= 1000
    return f"{number(value)}{SPACE}TB"


def seconds(value: float) -> str:
    """Time taken: 0.84 s, 12.3 s, 2 min 5 s."""
    if value < 99.95:
        return f"{value:.3g}{SPACE}s" if value >= 0.01 else f"<0.01{SPACE}s"
    minutes, rest = divmod(round(value), 60)
    return f"{minutes}{SPACE}min {rest}{SPACE}s"


def generations(value: float) -> str:
    """Damage as generations of self-consumption; the scale ends at 20."""
    if value >= MOST_GENERATIONS:
        return "20 or more generations"
    if value < 0.5:
        return "less than one generation"
    text = f"{value:.1f}".removesuffix(".0") if value < 2 else f"{value:.0f}"
    return f"{text} generation{'' if text == '1' else 's'}"


def one_in(share: float) -> str:
    """A share as a frequency: 1 row in 8."""
    if share <= 0:
        return "no row"
    if share >= 2 / 3:
        return "nearly every row" if share < 1 else "every row"
    return f"1 row in {number(max(2, round(1 / share)))}"


def axis_value(value: float, kind: str) -> str:
    """An end of a column's axis: times and durations are held as microseconds."""
    with suppress(OverflowError):  # beyond the year 9999 it is only a number
        if kind == "datetime":
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)
            return f"{moment:%Y-%m-%d}" if moment.time() == moment.min.time() else f"{moment:%Y-%m-%d %H:%M}"
        if kind == "duration":
            return str(timedelta(seconds=round(value / 1e6)))
    return number(value)


def capital(text: str) -> str:
    """The text with a capital first letter, the rest as it is."""
    return text[:1].upper() + text[1:]


def legible(text: str) -> str:
    """The text with all that would hide, reorder or break it written out as its code point."""
    return _UNPRINTED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def named(text: str) -> str:
    """A name, in quotes where it would otherwise not be seen."""
    return legible(text) if text.strip() else f'"{legible(text)}"'


def clipped(text: str, length: int) -> str:
    """A name, shortened in the middle: both ends of a long column name tell it from its neighbours."""
    text = named(text)
    if len(text) <= length:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"
