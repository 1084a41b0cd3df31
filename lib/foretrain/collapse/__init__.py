"""How likely is it that training on this candidate is training on a collapsed table?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretrain.collapse.judging import score

__all__ = ["score"]


def __getattr__(name: str) -> Any:
    if name == "score":
        from foretrain.collapse.judging import score

        return score
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
