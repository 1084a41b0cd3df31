"""How does a reader get at a file's bytes: local or remote, compressed or not, within a limit?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from foretrain.data.faults import guard, patiently
from foretrain.data.locate import File, protocols
from foretrain.errors import DataError

if TYPE_CHECKING:
    from foretrain.settings import DataSettings

MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz"}
_FREE = 16 * 2**20
"""Bytes that any file may unpack to, whatever its factor: small and regular files shrink a lot."""
_CHUNK = 2**20


class Access:
    """One file, opened in the way its format needs. Use within `access`, which removes what was fetched."""

    def __init__(self, file: File, limits: DataSettings, scratch: Path) -> None:
        self.file, self.name, self.limits, self._scratch = file, file.name, limits, scratch
        self._fetched: Path | None = None
        self._head: bytes | None = None

    @property
    def ranged(self) -> bool:
        """Whether parts can be read where the file lies, without fetching it whole."""
        return "http" not in protocols(self.file.fs)

    def raw_head(self) -> bytes:
        """The first bytes as stored, up to 4 KiB."""

        def read() -> bytes:
            with guard(self.name), self._raw() as stream:
                return stream.read(4096)

        if self._head is None:
            self._head = patiently(read)
        return self._head

    @property
    def compression(self) -> str | None:
        """gzip, zstd, bz2, xz or None; found by content, since a name can lie."""
        return next((name for magic, name in MAGIC.items() if self.raw_head().startswith(magic)), None)

    def head(self, size: int = 2**18) -> bytes:
        """The first bytes, unpacked."""
        with self.stream() as stream:
            return stream.read(size)

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """The whole file from its start, unpacked."""
        compression = self.compression
        with guard(self.name), self._local().open("rb") as stored:
            if compression is None:
                yield stored
                return
            with _unpack(stored, compression) as unpacked:
                yield cast("BinaryIO", Limited(unpacked, stored, self.name, self.limits))

    def path(self) -> Path:
        """A local path that holds the unpacked file."""
        if self.compression is None:
            return self._local()
        whole = self._scratch / "unpacked"
        if not whole.exists():
            with self.stream() as packed, whole.open("wb") as out:
                shutil.copyfileobj(packed, out, _CHUNK)
        return whole

    def seekable(self) -> Path | IO[bytes]:
        """A local path, or a remote file read by ranges; the caller closes the latter."""
        if self.file.local or self.compression is not None or not self.ranged:
            return self.path()

        def connect() -> IO[bytes]:
            with guard(self.name):
                return cast("IO[bytes]", self.file.fs.open(self.file.path, "rb"))

        return patiently(connect)

    @contextmanager
    def _raw(self) -> Iterator[IO[bytes]]:
        if self.file.local or not self.ranged:
            with self._local().open("rb") as stream:
                yield stream
        else:
            with self.file.fs.open(self.file.path, "rb", block_size=2**16) as stream:
                yield stream

    def _local(self) -> Path:
        if self.file.local:
            return Path(self.file.path)
        if self._fetched is None:
            target = self._scratch / "fetched"

            def fetch() -> None:
                with guard(self.name):
                    self.file.fs.get_file(self.file.path, str(target))

            patiently(fetch)
            self._fetched = target
        return self._fetched


@contextmanager
def access(file: File, limits: DataSettings) -> Iterator[Access]:
    """Open one file; what had to be fetched or unpacked on the way is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="foretrain-") as scratch:
        yield Access(file, limits, Path(scratch))


class Limited:
    """A stream that refuses to unpack without end.

    Raises:
        DataError: more bytes than `max_bytes`, or more than `max_expansion` times the stored ones, came out.
    """

    closed = False

    def __init__(self, stream: IO[bytes], stored: IO[bytes], name: str, limits: DataSettings) -> None:
        self._stream, self._stored, self._name, self._limits, self._out = stream, stored, name, limits, 0

    def read(self, size: int = -1) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK), b""))
        with guard(self._name, "a compressed file"):
            block = self._stream.read(size)
        self._out += len(block)
        check_expansion(self._out, self._stored.tell(), self._name, self._limits)
        return block

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True


def check_expansion(unpacked: int, stored: int, name: str, limits: DataSettings) -> None:
    """Refuse what unpacks to too much, in bytes or as a factor of the stored size."""
    if unpacked > limits.max_bytes:
        raise DataError(
            f"unpacks to more than {limits.max_bytes:,} bytes, the limit",
            file=name,
            hint="Raise data.max_bytes if you trust this file",
        )
    if unpacked > _FREE and unpacked > limits.max_expansion * max(stored, 1):
        raise DataError(
            f"unpacks to more than {limits.max_expansion:,.0f} times its size, as a zip bomb does",
            file=name,
            hint="Raise data.max_expansion if you trust this file",
        )


def _unpack(stored: IO[bytes], compression: str) -> Any:
    if compression == "xz":
        import lzma

        return lzma.LZMAFile(stored)
    import pyarrow as pa

    return pa.CompressedInputStream(pa.PythonFile(stored, mode="r"), compression)
