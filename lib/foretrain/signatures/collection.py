"""How do signatures lie in a folder, to be shipped, kept and exchanged?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import ValidationError

from foretrain import storage
from foretrain.errors import DataError
from foretrain.record import Record
from foretrain.signatures import vectors
from foretrain.signatures.embedding import VERSION, WIDTH
from foretrain.signatures.record import Signature
from foretrain.signatures.vectors import Vectors

LIST, VECTORS = "signatures.json", "vectors.safetensors"


@dataclass(frozen=True)
class Collection:
    """Signatures and their vectors, row by row.

    Attributes:
        vectors: (signatures, 512) float32, each of length one.
    """

    signatures: tuple[Signature, ...]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.signatures)

    def __add__(self, other: Collection) -> Collection:
        return Collection(self.signatures + other.signatures, np.concatenate([self.vectors, other.vectors]))

    def pick(self, rows: Sequence[int]) -> Collection:
        """The signatures of these rows."""
        return Collection(tuple(self.signatures[k] for k in rows), self.vectors[list(rows)])

    @staticmethod
    def empty() -> Collection:
        """No signatures."""
        return Collection((), np.empty((0, WIDTH), dtype=np.float32))


class _List(Record):
    version: int
    digest: str
    signatures: tuple[Signature, ...]


def write(folder: str, collection: Collection) -> None:
    """Write a collection into a folder; the list, which names the content of the vectors, comes last."""
    digest = vectors.write(storage.join(folder, VECTORS), collection.vectors)
    listed = _List(version=VERSION, digest=digest, signatures=collection.signatures)
    lines = ",\n".join(signature.model_dump_json(exclude_defaults=True) for signature in listed.signatures)
    text = f'{{"version": {VERSION}, "digest": "{digest}", "signatures": [\n{lines}\n]}}\n'
    storage.write(storage.join(folder, LIST), text.encode())


def read(folder: str) -> Collection:
    """The collection of a folder.

    Raises:
        DataError: it is torn or altered, or of another embedding version.
        ResourceError: it is missing, or cannot be read.
    """
    file = storage.join(folder, LIST)
    try:
        listed = _List.model_validate_json(storage.read(file))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"this is no list of signatures: {where}: {first['msg']}", file=file) from None
    check_version(listed.version, file)
    found = vectors.read(storage.join(folder, VECTORS), listed.digest, len(listed.signatures), WIDTH)
    return Collection(listed.signatures, found)


def check_version(version: int, place: str) -> None:
    """Refuse signatures of another embedding version.

    Raises:
        DataError: they are.
    """
    if version != VERSION:
        raise DataError(
            f"these signatures are of embedding version {version}, and this Foretrain compares version {VERSION}",
            file=place,
            hint="foretrain signatures rebuild makes them again",
        )
