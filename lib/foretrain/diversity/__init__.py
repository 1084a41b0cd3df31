"""How diverse is a dataset: in its values, its structure, its rare patterns, its texts?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from foretrain.diversity.record import Diversity, LostOrInvented, Measure

if TYPE_CHECKING:
    from foretrain.diversity.semantic import sentence_encoder
    from foretrain.diversity.stage import measure

__all__ = ["Diversity", "LostOrInvented", "Measure", "measure", "sentence_encoder"]

_HOMES = {"measure": "stage", "sentence_encoder": "semantic"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"foretrain.diversity.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
