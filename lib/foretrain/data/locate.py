"""Which files make up a source: one file, a glob, a folder, a hive-partitioned folder, here or at a URL?"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from foretrain.data.faults import guard, patiently
from foretrain.errors import DataError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz")


@dataclass(frozen=True, eq=False)
class File:
    """One file of a source."""

    fs: AbstractFileSystem = field(repr=False)
    path: str
    """Where the file system finds it."""
    name: str
    """For people: as the user wrote it, without credentials."""
    info: dict[str, Any] = field(repr=False)
    partition: tuple[tuple[str, str | None], ...] = ()
    """Columns that the folder names of a hive-partitioned source carry."""

    @property
    def size(self) -> int:
        return int(self.info.get("size") or 0)

    @property
    def local(self) -> bool:
        return "file" in protocols(self.fs)

    @property
    def suffix(self) -> str:
        """Extension without the compression's: ".csv" of "a.csv.gz"."""
        path = PurePosixPath(self.path.split("?")[0])
        return (PurePosixPath(path.stem) if path.suffix.lower() in COMPRESSIONS else path).suffix.lower()


@dataclass(frozen=True)
class Source:
    """Where a dataset is: its files, in the order in which their rows are read."""

    uri: str
    """As the user wrote it, without credentials."""
    name: str
    """Stem of the file's or folder's name."""
    address: str
    """What finds it again from any folder."""
    files: tuple[File, ...]


def locate(source: str | os.PathLike[str]) -> Source:
    """Find the files of a source; those of a folder or glob in the order of their paths.

    Hidden files (a name that starts with "." or "_") are left out, as Spark and Arrow do.

    Raises:
        DataError: nothing is there, it may not be read, or the URL's file system is unknown.
        StorageError: storage did not answer, also after retries.
    """
    given = os.fspath(source)
    uri = public(given)
    fs, path = file_system(given)

    def find() -> list[File]:
        with guard(uri):
            return _find(fs, path, uri)

    files = patiently(find)
    address = path if "file" in protocols(fs) else given
    return Source(uri=uri, name=_stem(path), address=address, files=tuple(files))


def file_system(url: str) -> tuple[AbstractFileSystem, str]:
    """The fsspec file system of a URL, and the path in it."""
    import fsspec.core

    try:
        fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except ImportError as fault:
        raise DataError(f"this kind of URL needs a package that is not installed: {fault}", file=public(url)) from fault
    except ValueError as fault:
        raise DataError(f"unknown kind of URL: {fault}", file=public(url)) from fault
    return fs, path


def protocols(fs: AbstractFileSystem) -> tuple[str, ...]:
    return (fs.protocol,) if isinstance(fs.protocol, str) else tuple(fs.protocol)


def public(url: str) -> str:
    """A URL without what may be secret: user, password, and the query that signs it."""
    if "://" not in url:
        return url
    scheme, rest = url.split("://", 1)
    host, slash, path = rest.partition("/")
    path = re.split(r"\?", path, maxsplit=1)[0] if scheme.startswith("http") else path
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _find(fs: AbstractFileSystem, path: str, uri: str) -> list[File]:
    if "http" in protocols(fs):
        return [File(fs, path, uri, dict(fs.info(path)))]
    try:
        info = dict(fs.info(path))
    except FileNotFoundError:
        if any(sign in path for sign in "*?["):
            return _matches(fs, path, uri)
        raise
    if info["type"] != "directory":
        return [File(fs, path, uri, info)]
    found = fs.find(path, detail=True, withdirs=False)
    if not found and "file" in protocols(fs):
        next(Path(path).iterdir(), None)  # tells "empty" from "may not be read", which find does not
    return _files(fs, path, uri, found)


def _matches(fs: AbstractFileSystem, pattern: str, uri: str) -> list[File]:
    found = {path: info for path, info in fs.glob(pattern, detail=True).items() if info["type"] != "directory"}
    root = re.split(r"[*?\[]", pattern, maxsplit=1)[0].rpartition("/")[0]
    prefix = re.split(r"[*?\[]", uri, maxsplit=1)[0].rpartition("/")[0] or "."
    if not found:
        raise DataError("no file matches this pattern", file=uri)
    return _files(fs, root, prefix, found)


def _files(fs: AbstractFileSystem, root: str, uri: str, found: dict[str, dict[str, Any]]) -> list[File]:
    files = []
    for path in sorted(found):
        inside = path[len(root) :].strip("/")
        if not any(part.startswith((".", "_")) for part in inside.split("/")):
            files.append(File(fs, path, f"{uri.rstrip('/')}/{inside}", dict(found[path]), _partition(inside)))
    if not files:
        raise DataError("the folder holds no data files", file=uri)
    return files


def _partition(path: str) -> tuple[tuple[str, str | None], ...]:
    """Columns in a path's folder names: (("year", "2020"),) of "year=2020/part-0.csv"."""
    pairs = [part.split("=", 1) for part in path.split("/")[:-1] if "=" in part]
    return tuple((unquote(key), None if value == HIVE_NULL else unquote(value)) for key, value in pairs if key)


def _stem(path: str) -> str:
    name = PurePosixPath(path.split("?", maxsplit=1)[0].rstrip("/")).name or "data"
    while PurePosixPath(name).suffix.lower() in COMPRESSIONS:
        name = PurePosixPath(name).stem
    return PurePosixPath(name).stem or name
