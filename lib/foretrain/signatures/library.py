"""Where are signatures kept, so that many writers at once lose none?

What is known of each lies in an SQL database; the vectors lie in files beside it, one a call of `add`, which are
written under their final name at once, never changed, and listed in the database with their checksums. So two writers
never touch the same file, and what the database lists is complete.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from foretrain import storage
from foretrain.database import Database, places
from foretrain.errors import DataError, ResourceError
from foretrain.signatures import vectors
from foretrain.signatures.collection import Collection, check_version
from foretrain.signatures.embedding import VERSION, WIDTH
from foretrain.signatures.record import Signature

if TYPE_CHECKING:
    from foretrain.settings import Settings, SignatureSettings

_TRIES = 10
"""Of an addition, each lost to another writer of the same signature."""

_FEW = 500
"""Ids that are asked for by name; of more, all are read."""

_metadata = MetaData()
_files = Table(
    "files",
    _metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
)
_signatures = Table(
    "signatures",
    _metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("file", String(64), ForeignKey("files.name"), nullable=False, index=True),
    Column("row", Integer, nullable=False),
    Column("mechanism", String(64)),
    Column("strength", Float),
    Column("generations", Float, nullable=False),
    Column("damage", Float, nullable=False),
    Column("collapsed", Boolean),
    Column("origin", String(16), nullable=False),
    Column("dataset", String, nullable=False),
    Column("name", String, nullable=False),
    Column("cluster", Integer),
    Column("verdict", String(16)),
    Column("settings", JSON, nullable=False),
)


class Library:
    """Signatures of one user, or of many who share a database and a folder.

    Args:
        database: an SQLAlchemy URL, SQLite or PostgreSQL.
        folder: folder or URL of the files of vectors.

    Raises:
        SettingsError: the URL is none, or its driver is not installed.
        ResourceError: the database cannot be opened.
    """

    def __init__(self, database: str | Database, folder: str) -> None:
        self.folder = folder
        self._database = Database(database) if isinstance(database, str) else database
        self._database.make(_metadata)

    @staticmethod
    def of(settings: SignatureSettings) -> Library:
        """The library that the settings name."""
        return Library(Database.of(settings), places(settings)[1])

    @staticmethod
    def exists(settings: SignatureSettings) -> bool:
        """Whether there is one; its database may hold other things."""
        return Database.exists(settings) and Database.of(settings).has(_signatures.name)

    def add(self, found: Collection, *, newer: bool = False) -> int:
        """Keep signatures, all of them or none. Returns how many were new.

        Args:
            found: what to keep.
            newer: whether they take the place of those with the same ids, which else stay as they are.

        Raises:
            StorageError: the database or the folder does not answer, or another writer holds it for too long.
        """
        for left in range(_TRIES, 0, -1):
            known = self._known({signature.id for signature in found.signatures})
            rows = {s.id: k for k, s in enumerate(found.signatures) if newer or s.id not in known}
            if not rows:
                break
            try:
                self._write(found.pick(list(rows.values())))
                return len(rows.keys() - known)
            except IntegrityError:  # another writer was faster with one of them
                if left == 1:
                    raise
        return 0

    def _known(self, ids: set[str]) -> set[str]:
        wanted = select(_signatures.c.id)
        if len(ids) <= _FEW:
            wanted = wanted.where(_signatures.c.id.in_(ids))
        with self._database.faults(), self._database.connect() as connection:
            return {row.id for row in connection.execute(wanted)} & ids

    def _write(self, found: Collection) -> None:
        with self._file(found) as (connection, name):
            ids = [signature.id for signature in found.signatures]
            for some in (ids[k : k + _FEW] for k in range(0, len(ids), _FEW)):
                connection.execute(delete(_signatures).where(_signatures.c.id.in_(some)))
            columns = [
                signature.model_dump(mode="json") | {"file": name, "row": row}
                for row, signature in enumerate(found.signatures)
            ]
            connection.execute(insert(_signatures), columns)

    @contextmanager
    def _file(self, found: Collection) -> Iterator[tuple[Connection, str]]:
        """A new file of vectors and a transaction that lists it; files that hold nothing at its end are removed."""
        name = f"{secrets.token_hex(16)}.safetensors"
        url = storage.join(self.folder, name)
        digest = vectors.write(url, found.vectors)
        try:
            with self._database.faults(), self._database.begin() as connection:
                connection.execute(insert(_files).values(name=name, version=VERSION, digest=digest, rows=len(found)))
                yield connection, name
                gone = self._sweep(connection)
        except BaseException:
            _remove(url)
            raise
        for old in gone:
            _remove(storage.join(self.folder, old))

    def read(self, besides: frozenset[str] = frozenset()) -> Collection:
        """All signatures but these, in the order in which they were added.

        Raises:
            DataError: a file of vectors is torn or altered, or the library is of another embedding version.
            ResourceError: a file is missing, or the database does not answer.
        """
        try:
            return self._read(besides)
        except ResourceError:  # another process may just have put the files together
            return self._read(besides)

    def _read(self, besides: frozenset[str] = frozenset()) -> Collection:
        with self._database.faults(), self._database.connect() as connection:
            rows = connection.execute(select(_signatures).order_by(_signatures.c.number)).all()
            rows = [row for row in rows if row.id not in besides]
            used = {row.file for row in rows}
            files = [file for file in connection.execute(select(_files)).all() if file.name in used]
        for file in files:
            check_version(file.version, self._database.place)
        held = {
            file.name: vectors.read(storage.join(self.folder, file.name), file.digest, file.rows, WIDTH)
            for file in files
        }
        if not rows:
            return Collection.empty()
        return Collection(tuple(_signature(row) for row in rows), np.stack([held[row.file][row.row] for row in rows]))

    def signatures(self) -> dict[str, tuple[Signature, int]]:
        """What is known of each signature of any embedding version, and that version, by id."""
        wanted = select(_signatures, _files.c.version).join(_files).order_by(_signatures.c.number)
        with self._database.faults(), self._database.connect() as connection:
            return {row.id: (_signature(row), row.version) for row in connection.execute(wanted)}

    def state(self) -> str:
        """Changes when the library does."""
        wanted = select(func.count(), func.max(_signatures.c.number)).select_from(_signatures)
        with self._database.faults(), self._database.connect() as connection:
            return "-".join(str(value) for value in connection.execute(wanted).one())

    def unreadable(self) -> dict[str, str]:
        """Ids of the signatures that cannot be compared, and why: of another version, or in a damaged file."""
        out: dict[str, str] = {}
        with self._database.faults(), self._database.connect() as connection:
            for file in connection.execute(select(_files)).all():
                try:
                    check_version(file.version, self._database.place)
                    vectors.read(storage.join(self.folder, file.name), file.digest, file.rows, WIDTH)
                except (DataError, ResourceError) as error:
                    wanted = select(_signatures.c.id).where(_signatures.c.file == file.name)
                    out |= {row.id: error.message for row in connection.execute(wanted)}
        return out

    def replace(self, found: Collection) -> None:
        """Put the vectors of these signatures, which are there, into one file in place of their own."""
        with self._file(found) as (connection, name):
            for row, signature in enumerate(found.signatures):
                change = update(_signatures).where(_signatures.c.id == signature.id)
                connection.execute(change.values(file=name, row=row))

    def forget(self, ids: set[str]) -> None:
        """Remove signatures, and the files that then hold none."""
        with self._database.faults(), self._database.begin() as connection:
            for id_ in ids:
                connection.execute(delete(_signatures).where(_signatures.c.id == id_))
            gone = self._sweep(connection)
        for old in gone:
            _remove(storage.join(self.folder, old))

    @staticmethod
    def _sweep(connection: Connection) -> list[str]:
        unused = _files.c.name.not_in(select(_signatures.c.file))
        gone = [row.name for row in connection.execute(select(_files.c.name).where(unused))]
        connection.execute(delete(_files).where(_files.c.name.in_(gone)))
        return gone


def state(settings: Settings) -> str:
    """Changes when the user's library does; empty where there is none."""
    return Library.of(settings.signatures).state() if Library.exists(settings.signatures) else ""


def _signature(row: Row[Any]) -> Signature:
    return Signature(**{name: getattr(row, name) for name in Signature.model_fields})


def _remove(url: str) -> None:
    fs, path, _ = storage.filesystem(url)
    with suppress(FileNotFoundError):
        fs.rm(path)
