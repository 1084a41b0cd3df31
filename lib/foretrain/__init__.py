"""Is this synthetic dataset safe to train on?

>>> import foretrain
>>> validation = foretrain.validate("synthetic.parquet", "original.parquet", target="label")
>>> validation.verdict
'approve'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foretrain.api import fix, validate
    from foretrain.errors import DataError, ForetrainError, ModelError, ResourceError, SettingsError, StorageError
    from foretrain.settings import Settings
    from foretrain.validation import Validation

__all__ = [
    "DataError",
    "ForetrainError",
    "ModelError",
    "ResourceError",
    "Settings",
    "SettingsError",
    "StorageError",
    "Validation",
    "fix",
    "validate",
]

_PLACES = {"validate": "api", "fix": "api", "Settings": "settings", "Validation": "validation"}


def __getattr__(name: str) -> object:
    """Import on first use: `import foretrain` itself costs nothing."""
    if name == "__version__":
        from importlib.metadata import version

        return version("foretrain")
    if name in __all__:
        return getattr(import_module(f"foretrain.{_PLACES.get(name, 'errors')}"), name)
    raise AttributeError(f"module 'foretrain' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
