"""What does training on this dataset do to small models?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretrain.cascade.stage import train

__all__ = ["train"]


def __getattr__(name: str) -> Any:
    if name == "train":
        from foretrain.cascade.stage import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
