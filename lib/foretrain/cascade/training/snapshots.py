"""How is a training that was killed found again as it stood, on a disk or behind a URL?

A snapshot is one file, ``<root>/<name>/<step>-<SHA-256>.safetensors``: the digest in its name is over every byte of it,
so that one that is torn or was altered is noticed. The last two are kept.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from foretrain.errors import ResourceError
from foretrain.profile.container import pack, unpack
from foretrain.storage import faults, filesystem, join, write

log = logging.getLogger(__name__)

Arrays = Mapping[str, npt.NDArray[Any]]

KEPT = 2
COUNT = "resumed"


@dataclass(frozen=True)
class Snapshot:
    """A training at some step.

    Attributes:
        step: steps made.
        arrays: its numbers by name.
        about: the rest, plain JSON.
    """

    step: int
    arrays: Arrays
    about: Mapping[str, Any]


class Snapshots:
    """Snapshots of several trainings, by name.

    Args:
        root: local folder or fsspec URL; made when first written to.
    """

    def __init__(self, root: str) -> None:
        self.root = root
        self.resumed = 0
        """How often a process went on from what another one left here, this one included."""
        self._fs, self._path, _ = filesystem(root)
        self._went_on = False

    def save(self, name: str, step: int, arrays: Arrays, about: Mapping[str, Any]) -> None:
        """Write a snapshot and drop all but the last two.

        One that cannot be written is logged, and nothing else: the training does not hang on it.

        Args:
            name: of the training; may hold ``/``.
            step: steps made.
            arrays: its numbers by name.
            about: the rest, plain finite JSON.
        """
        content = pack({"step": step, "arrays": dict(arrays), "about": dict(about)})
        file = f"{name}/{step:012d}-{hashlib.sha256(content).hexdigest()}.safetensors"
        try:
            write(join(self.root, file), content)
            for old in self._listed(name)[KEPT:]:
                self._remove(old)
        except ResourceError as error:
            log.warning("snapshot %s cannot be written: %s", file, error)

    def latest(self, name: str) -> Snapshot | None:
        """The last snapshot that is whole, every byte of it checked; None where there is none.

        Raises:
            ResourceError: the storage cannot be read (StorageError where trying again can help).
        """
        for path in self._listed(name):
            with faults(self.root):
                try:
                    content = bytes(self._fs.cat_file(path))
                except FileNotFoundError:  # a run beside this one has dropped it
                    continue
            if hashlib.sha256(content).hexdigest() == path.rpartition("-")[2].removesuffix(".safetensors"):
                self._count()
                return Snapshot(**unpack(content))
            log.warning("snapshot %s is damaged, using the one before", path)
            self._remove(path)
        return None

    def clear(self) -> None:
        """Remove all of them."""
        self._remove(self._path)

    def _listed(self, name: str) -> list[str]:
        """Paths of the whole files, last step first."""
        folder = f"{self._path}/{name}"
        with faults(self.root):
            try:
                found = [str(path) for path in self._fs.ls(folder, detail=False)]
            except FileNotFoundError:
                return []
        return sorted((path for path in found if path.rpartition("/")[2][:1].isdigit()), reverse=True)

    def _remove(self, path: str) -> None:
        with faults(self.root), suppress(FileNotFoundError):
            self._fs.rm(path, recursive=True)

    def _count(self) -> None:
        if self._went_on:
            return
        self._went_on = True
        path = f"{self._path}/{COUNT}"
        with faults(self.root), suppress(FileNotFoundError, ValueError):
            self.resumed = int(self._fs.cat_file(path))
        self.resumed += 1
        write(join(self.root, COUNT), str(self.resumed).encode())
