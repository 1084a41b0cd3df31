"""Which signatures ship with this version?"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from foretrain import storage
from foretrain.errors import DataError, InternalError, ResourceError
from foretrain.record import Record
from foretrain.signatures import collection
from foretrain.signatures.collection import Collection
from foretrain.signatures.prescreen import Fitted

FITTED = "fitted.json"


class _Fitted(Record):
    provenance: dict[str, Any]
    slope: float
    offset: float
    nearest: tuple[float, ...]


def folder() -> str:
    """Where the shipped library lies."""
    return str(files("foretrain.signatures") / "seed")


@cache
def load() -> tuple[Collection, Fitted]:
    """The shipped signatures, and what was fitted on them.

    Raises:
        InternalError: they are missing or damaged.
    """
    try:
        found = _Fitted.model_validate_json(storage.read(storage.join(folder(), FITTED)))
        return collection.read(folder()), Fitted(found.slope, found.offset, np.asarray(found.nearest))
    except (DataError, ResourceError, ValueError) as error:
        raise InternalError(f"the shipped signatures cannot be read: {error}", file=folder()) from error


def write(place: str, held: Collection, fitted: Fitted, provenance: dict[str, Any]) -> None:
    """Write a library to be shipped."""
    about = _Fitted(
        provenance=provenance,
        slope=round(fitted.slope, 6),
        offset=round(fitted.offset, 6),
        nearest=tuple(round(value, 4) for value in fitted.nearest.tolist()),
    )
    collection.write(place, held)
    storage.write(storage.join(place, FITTED), (about.model_dump_json(indent=1) + "\n").encode())
