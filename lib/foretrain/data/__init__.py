"""How does a table, from wherever and in whatever format, become a dataset that stages can stream?

Names are loaded on first use, so that the records of this package stay cheap to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from foretrain.data.reference import Column, DatasetRef, Kind

if TYPE_CHECKING:
    from foretrain.data.batches import open_batches
    from foretrain.data.identity import fingerprint
    from foretrain.data.stage import load

__all__ = ["Column", "DatasetRef", "Kind", "fingerprint", "load", "open_batches"]

_HOMES = {"fingerprint": "identity", "load": "stage", "open_batches": "batches"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"foretrain.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
