"""What must something offer that runs a validation as a recorded flow?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from foretrain.settings import Settings

if TYPE_CHECKING:
    from foretrain.validation import Validation


class Recorder(Protocol):
    """Runs validations so that they can be looked at later. The library knows none; its caller hands one in."""

    def configured(self) -> bool:
        """Whether the user has set up a place to record to, so that recording is the default."""

    def validate(self, candidate: str, original: str | None, settings: Settings, out: str) -> Validation:
        """Do what `foretrain.validate` does, recorded."""
