"""What does one pass over a dataset tell, in memory that does not grow with its rows?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from foretrain.profile.record import ColumnSummary, ProfileRef

if TYPE_CHECKING:
    from foretrain.profile.column import CATEGORIES, NUMBERS, ColumnProfile
    from foretrain.profile.frequency import Counts
    from foretrain.profile.stage import open_profile, profile, read_sample
    from foretrain.profile.table import Profile

__all__ = [
    "CATEGORIES",
    "NUMBERS",
    "ColumnProfile",
    "ColumnSummary",
    "Counts",
    "Profile",
    "ProfileRef",
    "open_profile",
    "profile",
    "read_sample",
]

_HOMES = {
    "CATEGORIES": "column",
    "NUMBERS": "column",
    "ColumnProfile": "column",
    "Counts": "frequency",
    "Profile": "table",
    "open_profile": "stage",
    "profile": "stage",
    "read_sample": "stage",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"foretrain.profile.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
