"""Which rows of the candidate are bad, how sure is that, and why?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretrain.localization.record import Group, Localization, Mechanism, Row

if TYPE_CHECKING:
    from foretrain.localization.stage import localize

__all__ = ["Group", "Localization", "Mechanism", "Row", "localize"]


def __getattr__(name: str) -> Any:
    if name == "localize":
        from foretrain.localization.stage import localize

        return localize
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
