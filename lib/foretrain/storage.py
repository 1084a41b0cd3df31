"""How is a file put where others read it, so that nobody ever sees half of it, on a disk or behind a URL?"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foretrain.data.faults import translate
from foretrain.errors import ResourceError


def filesystem(url: str) -> tuple[Any, str, bool]:
    """The fsspec file system of a URL or path, the path inside it, and whether that is a local disk.

    Raises:
        ResourceError: no library is installed for this kind of URL.
    """
    import fsspec
    from fsspec.implementations.local import LocalFileSystem

    try:
        fs, path = fsspec.core.url_to_fs(url, use_listings_cache=False)
    except (ImportError, ValueError) as error:
        raise ResourceError(str(error), file=url) from error
    return fs, path.rstrip("/"), isinstance(fs, LocalFileSystem)


@contextmanager
def faults(url: str) -> Iterator[None]:
    """Turn whatever a storage library raises into one line: `StorageError` where trying again can help."""
    try:
        yield
    except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError) as error:
        raise ResourceError(f"cannot be written or read: {error.strerror or error}", file=url) from error
    except Exception as error:
        known = translate(error, url)
        if known is None or known is error:
            raise
        raise known from error


def write(url: str, content: bytes) -> None:
    """Write a whole file under its final name at once, making the folders above it."""
    fs, path, local = filesystem(url)
    with faults(url):
        if not local:
            fs.pipe_file(path, content)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)


@contextmanager
def unfinished(url: str) -> Iterator[Path]:
    """A local path to write a large file to, which then stands under its final name; not if the block raises.

    A block that leaves no file there leaves none under the final name.
    """
    fs, path, local = filesystem(url)
    with faults(url):
        if local:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            written = Path(path).with_name(f".{Path(path).name}.{secrets.token_hex(4)}")
        else:
            written = Path(tempfile.gettempdir()) / f"foretrain-{secrets.token_hex(8)}"
    try:
        yield written
        with faults(url):
            if written.exists():
                written.replace(path) if local else fs.put_file(str(written), path)
    finally:
        written.unlink(missing_ok=True)


def read(url: str) -> bytes:
    """A whole file's content."""
    fs, path, _ = filesystem(url)
    with faults(url):
        return bytes(fs.cat_file(path))


def join(url: str, name: str) -> str:
    """A file's URL or path below a folder's."""
    return f"{url.rstrip('/')}/{name}" if "://" in url else str(Path(url) / name)


def absolute(url: str) -> str:
    """The URL, or the whole path, by which another process finds the same."""
    return url if "://" in url else str(Path(url).absolute())
