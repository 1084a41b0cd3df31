"""Which fix was measured to help, by how much, and at what cost?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from foretrain.recommendations.record import Action, Cost, Measured, Recommendation, Recommendations

if TYPE_CHECKING:
    from foretrain.recommendations.stage import recommend

__all__ = ["Action", "Cost", "Measured", "Recommendation", "Recommendations", "recommend"]


def __getattr__(name: str) -> Any:
    if name == "recommend":
        from foretrain.recommendations.stage import recommend

        return recommend
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
