"""How do vectors lie in a file, so that a torn or altered one is noticed?"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from foretrain import storage
from foretrain.errors import DataError

Vectors = npt.NDArray[np.float32]

HINT = "Take it from a backup, or remove it with its entries by foretrain signatures rebuild --forget"


def write(url: str, vectors: Vectors) -> str:
    """Write vectors (rows, width) as safetensors under their final name at once; returns the SHA-256 of the file."""
    from safetensors.numpy import save

    content = save({"vectors": np.ascontiguousarray(vectors, dtype=np.float32)})
    storage.write(url, content)
    return hashlib.sha256(content).hexdigest()


def read(url: str, digest: str | None, rows: int, width: int) -> Vectors:
    """The vectors of a file, (rows, width).

    Args:
        url: of the file.
        digest: the SHA-256 it must have; not checked where None.
        rows: how many it must hold.
        width: of each.

    Raises:
        DataError: it is torn, altered, or holds something else.
        ResourceError: it is missing, or cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = storage.read(url)
    if digest is not None and hashlib.sha256(content).hexdigest() != digest:
        raise DataError("the content of this file of signatures is not what was written", file=url, hint=HINT)
    try:
        vectors = load(content)["vectors"]
    except (SafetensorError, KeyError) as error:
        raise DataError(f"this is no file of signatures: {error}", file=url, hint=HINT) from error
    if vectors.shape != (rows, width) or vectors.dtype != np.float32:
        raise DataError(f"expected {rows} signatures of {width} numbers, found {vectors.shape}", file=url, hint=HINT)
    return np.asarray(vectors)
