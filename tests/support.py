"""What do several tests work with?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from foretrain.validation import Validation


@dataclass(frozen=True)
class Pair:
    """A candidate and its original, as files."""

    candidate: str
    original: str


def comparable(found: Validation) -> dict[str, Any]:
    """Without what may differ: how long it took, how often it was resumed, and where it was kept."""
    plain = found.to_dict()
    plain.pop("timings")
    for given in plain["inputs"].values():
        given.pop("table")
    if plain["prescreen"] is not None:
        plain["prescreen"].pop("vector")
    if plain["recommendations"] is not None:
        for each in plain["recommendations"]["found"]:
            each["cost"].pop("seconds")
    if plain["localization"] is not None:
        plain["localization"].pop("table")
    if plain["cascade"] is not None:
        for name in ("resumed", "rows_per_second", "peak_bytes", "weights"):
            plain["cascade"].pop(name)
        for model in plain["cascade"]["models"]:
            model.pop("seconds")
            for point in model["curve"]:
                point.pop("seconds")
    return plain
