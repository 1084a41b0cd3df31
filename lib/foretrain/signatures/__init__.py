"""Which known failure does this candidate look like?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretrain.signatures.stage import screen

__all__ = ["screen"]


def __getattr__(name: str) -> Any:
    if name == "screen":
        from foretrain.signatures.stage import screen

        return screen
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
