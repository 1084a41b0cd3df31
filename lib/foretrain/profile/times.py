"""How does a time read for people, that is held as a number of microseconds?"""

from __future__ import annotations

import numpy as np

DAY = 86_400_000_000
_LAST = 2**63 - 1


def instant(micros: float) -> str:
    """A point in time since 1970 in ISO 8601: "2024-02-29", "2024-02-29T12:30:00", "2024-02-29T12:30:00.500000"."""
    whole = max(-_LAST, min(round(micros), _LAST))  # a float may round up to what 64 bits do not hold
    return str(np.datetime64(whole, "us")).removesuffix(".000000").removesuffix("T00:00:00")


def duration(micros: float) -> str:
    """A time taken: "00:00:01.500000", "1 days 02:03:04", "-02:00:00", "-1 days -02:03:04"."""
    sign = "-" if micros < 0 else ""
    days, rest = divmod(abs(round(micros)), DAY)
    clock = str(np.datetime64(rest, "us")).partition("T")[2].removesuffix(".000000")
    return f"{sign}{days} days {sign}{clock}" if days else f"{sign}{clock}"
