"""What can go wrong, in five categories, and what can the user do about it?

::

    ForetrainError
    ├── DataError        the input is not what it must be: never retried
    ├── ModelError       a model could not be fitted or loaded
    ├── ResourceError    storage, memory or a device failed or is full
    │   └── StorageError     reading or writing storage failed: may pass, retried
    ├── TimeLimitError   a time limit ran out
    ├── SettingsError    a setting is unknown or out of range (a kind of DataError for the caller)
    └── InternalError    a mistake of ours
"""

from __future__ import annotations

from typing import ClassVar, Literal

Category = Literal["data", "model", "resource", "timeout", "internal"]


class ForetrainError(Exception):
    """Base of all errors that a user can meet: one line, with where it happened and what to do.

    Args:
        message: what was expected and what came, one line.
        file: path or URL of the file, where known.
        column: name of the column, where known.
        row: row number in the file, the first data row being 1, where known.
        hint: what the user can do next.
    """

    category: ClassVar[Category] = "internal"
    can_pass: ClassVar[bool] = False
    """Whether trying again can help."""

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        column: str | None = None,
        row: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.message, self.file, self.column, self.row, self.hint = message, file, column, row, hint
        place = ", ".join(
            part
            for part in (
                file,
                f"column {_short(column)}" if column is not None else None,
                f"row {row}" if row is not None else None,
            )
            if part
        )
        line = f"{place}: {message}" if place else message
        whole = f"{line.rstrip('. ')}. {hint}" if hint else line
        super().__init__(" ".join(whole.split()))


def _short(name: str, most: int = 80) -> str:
    text = repr(name)
    return text if len(text) <= most else f"{text[: most - 5]} ...{text[0]}"


class DataError(ForetrainError):
    """The input is not what it must be."""

    category = "data"


class SettingsError(DataError):
    """A setting is unknown, of the wrong type, or out of range."""


class ModelError(ForetrainError):
    """A model could not be fitted, loaded or applied."""

    category = "model"


class ResourceError(ForetrainError):
    """Memory, disk or a device is exhausted or missing."""

    category = "resource"


class StorageError(ResourceError):
    """Storage or the network failed in a way that can pass."""

    can_pass = True


class TimeLimitError(ForetrainError):
    """A time limit ran out."""

    category = "timeout"


class InternalError(ForetrainError):
    """A mistake of ours; please report it."""
