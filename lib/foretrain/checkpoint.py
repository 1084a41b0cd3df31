"""What was computed before, and can it be trusted to be whole?

A content-addressed store in a local folder or behind any fsspec URL. An entry holds one stage's record and files::

    <root>/<stage>/<key>/manifest.json     SHA-256 of each file below; written last
                        /record.json       {"seconds": ..., "record": {...}}
                        /...               the stage's files

Behind a URL, where a folder cannot be renamed, each writer puts its files in a folder of its own inside the entry, and
the first manifest to arrive decides which one counts.
An entry that is torn or was altered is noticed by its checksums when it is read, and treated as absent. So no write
needs to be forced to the disk: what a power cut tore is computed again.
While a stage runs, what it wants to find again after being killed is in ``<root>/.running/<stage>/<key>``.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import math
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol, Self

from pydantic import BaseModel

from foretrain.record import Record
from foretrain.settings import Section
from foretrain.storage import faults, filesystem, join

log = logging.getLogger(__name__)

MANIFEST, RECORD, UNFINISHED, RUNNING = "manifest.json", "record.json", ".unfinished", ".running"

KEPT_DAYS = 30
"""For which what a killed run kept to go on from stays in a local store."""

# Stands for the root's URL in stored records, so that a store may be moved. JSON writers never escape a slash: no text
# of a user's can be mistaken for it.
ROOT = r"root:\/\/"


class Folder(Protocol):
    """Where a stage writes its files."""

    def path(self, name: str) -> Path:
        """Local path to write the file to now."""

    def url(self, name: str) -> str:
        """Where the file will be once the stage is committed; what the record must name."""

    def kept(self, name: str) -> str:
        """URL of a folder that outlives a killed run and is the same for the next; gone once the stage is committed."""


@dataclass(frozen=True)
class LocalFolder:
    """A `Folder` outside any store: what is written stays where it is. Made when first written to."""

    root: Path

    def path(self, name: str) -> Path:
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root / name

    def url(self, name: str) -> str:
        return str(self.root / name)

    def kept(self, name: str) -> str:
        return self.url(name)


@dataclass(frozen=True)
class Entry:
    """A stored stage: its record as JSON text, and the seconds that computing it took."""

    record: str
    seconds: float

    @classmethod
    def of(cls, text: str) -> Self:
        content = json.loads(text)
        return cls(json.dumps(content["record"]), float(content["seconds"]))


@dataclass(frozen=True)
class Draft:
    """A `Folder` being filled; `Store.commit` makes an entry of it."""

    stage: str
    key: str
    here: Path
    target: str
    running: str

    def path(self, name: str) -> Path:
        path = self.here / _inside(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def url(self, name: str) -> str:
        return join(self.target, name)

    def kept(self, name: str) -> str:
        return join(self.running, _inside(name))


class Store:
    """Entries at one root.

    Args:
        root: local folder or fsspec URL; made when first written to.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self._fs, self._path, self._local = filesystem(os.fspath(root))
        self.root: str = self._path if self._local else self._fs.unstrip_protocol(self._path)
        self._prefix = json.dumps(f"{self.root}/", ensure_ascii=False)[1:-1]

    def read(self, stage: str, key: str) -> Entry | None:
        """The entry of this key, every byte of it checked; None where there is none, or none that is whole."""
        folder = f"{self._path}/{stage}/{key}"
        with faults(self.root):
            try:
                manifest = self._fs.cat_file(f"{folder}/{MANIFEST}")
            except FileNotFoundError:
                return None
            try:
                return self._whole(folder, manifest)
            except (KeyError, TypeError, ValueError, FileNotFoundError) as error:
                log.warning("checkpoint %s/%s is damaged, computing it again: %s", stage, key, error)
                return None

    def _whole(self, folder: str, manifest: bytes) -> Entry:
        listed = json.loads(manifest)
        files, place = dict(listed["files"]), "/".join(filter(None, (folder, listed["writer"])))
        for name, digest in files.items():
            with self._fs.open(f"{place}/{name}", "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    raise ValueError(f"the content of {name} is not what was written")
        text: bytes = self._fs.cat_file(f"{place}/{RECORD}")
        if hashlib.sha256(text).hexdigest() != files[RECORD]:
            raise ValueError(f"the content of {RECORD} is not what was written")
        return Entry.of(text.decode().replace(ROOT, self._prefix))

    @contextmanager
    def draft(self, stage: str, key: str) -> Iterator[Draft]:
        """A folder to write a stage's files to; what was not committed at the end is removed."""
        writer = secrets.token_hex(8)
        with faults(self.root):
            if self._local:
                waiting = Path(self._path) / UNFINISHED
                waiting.mkdir(parents=True, exist_ok=True)
                _sweep(waiting)
                _forget(Path(self._path) / RUNNING)
                target = f"{self._path}/{stage}/{key}"
            else:
                waiting, target = Path(tempfile.gettempdir()), f"{self.root}/{stage}/{key}/{writer}"
            here = Path(tempfile.mkdtemp(prefix=f"foretrain-{stage}-", dir=waiting))
            lock = _lock(here)
        try:
            yield Draft(stage, key, here, target, f"{self.root}/{RUNNING}/{stage}/{key}")
        finally:
            shutil.rmtree(here, ignore_errors=True)
            if lock is not None:
                os.close(lock)

    def commit(self, draft: Draft, record: BaseModel, seconds: float) -> Entry:
        """Make an entry of a draft at once. Where another writer was first, theirs is returned and counts."""
        text = f'{{"seconds": {json.dumps(seconds)}, "record": {record.model_dump_json()}}}'
        with faults(self.root):
            (draft.here / RECORD).write_text(text.replace(self._prefix, ROOT), encoding="utf-8")
            files = sorted(path for path in draft.here.rglob("*") if path.is_file())
            sums = {path.relative_to(draft.here).as_posix(): _sum(path) for path in files}
            publish = self._publish_here if self._local else self._publish_there
            entry = publish(draft, sums) or Entry.of(text)
            with suppress(FileNotFoundError):  # most stages keep nothing, and another writer may be faster
                self._fs.rm(f"{self._path}/{RUNNING}/{draft.stage}/{draft.key}", recursive=True)
            return entry

    def _publish_here(self, draft: Draft, sums: Mapping[str, str]) -> Entry | None:
        (draft.here / MANIFEST).write_text(json.dumps({"writer": "", "files": sums}), encoding="utf-8")
        folder = Path(draft.target)
        folder.parent.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                draft.here.rename(folder)
                return None
            except OSError:
                if not folder.exists():
                    raise
            if theirs := self.read(draft.stage, draft.key):
                return theirs
            with suppress(FileNotFoundError):  # another writer may be faster at moving the damaged one away
                folder.rename(draft.here.with_name(f"damaged-{secrets.token_hex(8)}"))

    def _publish_there(self, draft: Draft, sums: Mapping[str, str]) -> Entry | None:
        folder, writer = f"{self._path}/{draft.stage}/{draft.key}", draft.target.rsplit("/", 1)[1]
        for name in sums:
            self._fs.put_file(str(draft.here / name), f"{folder}/{writer}/{name}")
        manifest = json.dumps({"writer": writer, "files": sums}).encode()
        try:
            self._fs.pipe_file(f"{folder}/{MANIFEST}", manifest, mode="create")
        except FileExistsError:
            if theirs := self.read(draft.stage, draft.key):
                self._fs.rm(f"{folder}/{writer}", recursive=True)
                return theirs
            self._fs.pipe_file(f"{folder}/{MANIFEST}", manifest)
        return None


def key(stage: str, inputs: Mapping[str, str | None], settings: Mapping[str, object], code: str) -> str:
    """The name of a stage's result: everything that the result depends on, hashed.

    Args:
        stage: the stage's name.
        inputs: fingerprints or keys of what it is given, by name.
        settings: what it reads of the settings.
        code: hash of the source it runs, see `code_hash`.

    Raises:
        TypeError: something else than plain settings or references was given, e.g. a table.
    """
    text = json.dumps(_plain([stage, dict(inputs), dict(settings), code]), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@cache
def code_hash(modules: tuple[str, ...]) -> str:
    """Hash over the source of these modules and packages, with every file they ship (templates, calibrations)."""
    total = hashlib.sha256()
    for module in modules:
        spec = find_spec(module)
        if spec is None or spec.origin is None:
            raise ValueError(f"no module named {module}")
        origin = Path(spec.origin)
        files = sorted(origin.parent.rglob("*")) if spec.submodule_search_locations else [origin]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                name = f"{module}/{file.relative_to(origin.parent).as_posix()}"
                total.update(f"{name}\0{_sum(file)}\0".encode())
    return total.hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Record):
        return value.model_dump(mode="json")
    if isinstance(value, Section):
        return value.model_dump(mode="json", exclude=set(value.without_result))
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | str) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {name: _plain(item) for name, item in value.items()}
    raise TypeError(f"a checkpoint's key takes plain settings and references, not {type(value).__name__}")


def _inside(name: str) -> str:
    if name in {MANIFEST, RECORD} or Path(name).is_absolute() or ".." in Path(name).parts:
        raise ValueError(f"a stage cannot write a file named {name!r}")
    return name


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(waiting: Path) -> None:
    """Remove what killed writers left behind: a live one holds a lock on its folder."""
    for left in waiting.iterdir():
        with suppress(FileNotFoundError):  # another writer has just committed it, or swept it
            if time.time() - left.stat().st_mtime > 60 and (lock := _lock(left)) is not None:
                shutil.rmtree(left, ignore_errors=True)
                os.close(lock)


def _forget(running: Path) -> None:
    """Remove what killed runs kept to go on from, and nobody went on from for `KEPT_DAYS`."""
    for left in running.glob("*/*"):
        files = [path for path in left.rglob("*") if path.is_file()]
        with suppress(FileNotFoundError):  # another run has just gone on, or committed
            if time.time() - max(path.stat().st_mtime for path in [left, *files]) > KEPT_DAYS * 86_400:
                shutil.rmtree(left, ignore_errors=True)


def _lock(folder: Path) -> int | None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        return None
    return handle
