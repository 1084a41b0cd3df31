"""How does a validation's outcome come into the user's library, so that the next candidate like it is known?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from foretrain.signatures import vectors
from foretrain.signatures.collection import Collection, check_version
from foretrain.signatures.embedding import WIDTH
from foretrain.signatures.library import Library
from foretrain.signatures.record import HEALTHY, Signature

if TYPE_CHECKING:
    from foretrain.collapse.record import Collapse
    from foretrain.data.reference import DatasetRef
    from foretrain.settings import Settings
    from foretrain.signatures.record import Prescreen


def outcome(
    found: Prescreen,
    judged: Collapse,
    candidate: DatasetRef,
    original: DatasetRef,
    settings: Settings,
    mechanism: str | None = None,
) -> Collection:
    """The signature of a validated candidate. Without a mechanism it does not vote: the verdict is not the truth.

    Args:
        found: the prescreen's result.
        judged: the collapse stage's.
        candidate: what was validated.
        original: what it was held against.
        settings: of the run; reads seed and target.
        mechanism: what the user knows of it: "healthy", or how it came to collapse.

    Raises:
        DataError: it was embedded by another version, or its vector is torn.
        ResourceError: its vector is gone, as the run's checkpoints are.
    """
    check_version(found.version, found.vector)
    signature = Signature(
        id=found.pair,
        mechanism=mechanism,
        generations=judged.severity.generations,
        damage=judged.severity.damage,
        collapsed=None if mechanism is None else mechanism != HEALTHY,
        origin="validation" if mechanism is None else "user",
        dataset=original.name,
        name=candidate.name,
        verdict=judged.verdict,
        settings={
            "candidate": candidate.uri,
            "original": original.uri,
            "target": settings.target,
            "seed": settings.seed,
        },
    )
    return Collection((signature,), vectors.read(found.vector, None, 1, WIDTH))


def keep(found: Collection, settings: Settings) -> None:
    """Add an outcome to the library that the settings name; a newer one of the same pair takes the older's place.

    Raises:
        ForetrainError: the library cannot be opened or written.
    """
    Library.of(settings.signatures).add(found, newer=True)


def remember(
    found: Prescreen, judged: Collapse, candidate: DatasetRef, original: DatasetRef, settings: Settings
) -> None:
    """Keep the outcome of a run, see `outcome` and `keep`."""
    keep(outcome(found, judged, candidate, original, settings), settings)
