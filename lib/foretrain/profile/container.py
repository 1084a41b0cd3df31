"""How is a tree of numbers, texts and arrays kept as bytes that any version can read, without pickling?

A safetensors file: the arrays as they are in memory, and in the metadata, under "tree", the JSON of the rest, where
``{"$array": "7"}`` stands for the array of that name. Equal trees give equal bytes.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from foretrain.errors import DataError

_KEY = "$array"


def pack(tree: Any) -> bytes:
    """The bytes of a tree of dicts, lists, texts, finite numbers, None, and arrays."""
    arrays: dict[str, np.ndarray[Any, Any]] = {}

    def strip(node: Any) -> Any:
        if isinstance(node, np.ndarray):
            arrays[name := str(len(arrays))] = np.ascontiguousarray(node)
            return {_KEY: name}
        if isinstance(node, dict):
            return {key: strip(value) for key, value in node.items()}
        return [strip(value) for value in node] if isinstance(node, list | tuple) else node

    text = json.dumps(strip(tree), allow_nan=False, separators=(",", ":"))
    return bytes(save(arrays, metadata={"tree": text}))


def unpack(data: bytes) -> Any:
    """The tree that `pack` turned into these bytes.

    Raises:
        DataError: the bytes are damaged or were not written by `pack`.
    """
    try:
        arrays = load(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        tree = json.loads(header["__metadata__"]["tree"])
    except (SafetensorError, ValueError, KeyError) as error:
        raise DataError(
            f"expected a stored profile, found damaged bytes ({error})", hint="Profile it again."
        ) from error

    def fill(node: Any) -> Any:
        if isinstance(node, dict):
            return arrays[node[_KEY]] if set(node) == {_KEY} else {key: fill(value) for key, value in node.items()}
        return [fill(value) for value in node] if isinstance(node, list) else node

    return fill(tree)
