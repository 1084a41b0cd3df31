"""Where are the user's signatures and the history of fixes: SQLite in a folder, or a PostgreSQL that many share?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, MetaData, create_engine, inspect
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from foretrain import storage
from foretrain.errors import SettingsError, StorageError

if TYPE_CHECKING:
    from foretrain.settings import SignatureSettings

WAIT = 60.0
"""Seconds a writer waits for its turn."""


class Database:
    """An SQL database.

    Args:
        url: for SQLAlchemy, SQLite or PostgreSQL.

    Raises:
        SettingsError: the URL is none, or its driver is not installed.
    """

    def __init__(self, url: str) -> None:
        parsed = _url(url)
        sqlite = parsed.get_backend_name() == "sqlite"
        self.place = parsed.render_as_string()
        """For people, without a password."""
        try:
            # a run asks once or twice: no connection is kept open between
            self.engine: Engine = create_engine(
                parsed, connect_args={"timeout": WAIT} if sqlite else {}, poolclass=NullPool
            )
        except (NoSuchModuleError, ImportError) as error:
            raise SettingsError(
                f"the driver of {parsed.drivername} is not installed",
                file=self.place,
                hint="pip install 'foretrain[postgres]'",
            ) from error

    @staticmethod
    def of(settings: SignatureSettings) -> Database:
        """The one that the settings name; its folder is made.

        Raises:
            ResourceError: it cannot be.
        """
        url, folder = places(settings)
        if settings.database is None:
            with storage.faults(folder):
                Path(folder).mkdir(parents=True, exist_ok=True)
        return Database(url)

    @staticmethod
    def exists(settings: SignatureSettings) -> bool:
        """Whether there is one: on a server, or a file of SQLite."""
        url, _ = places(settings)
        path = _url(url).database
        return not url.startswith("sqlite") or (path is not None and Path(path).exists())

    def make(self, tables: MetaData) -> None:
        """Make the tables that are missing."""
        with self.faults():
            try:
                tables.create_all(self.engine)
            except DBAPIError:  # another process may be faster at making them
                if not all(inspect(self.engine).has_table(name) for name in tables.tables):
                    raise

    def has(self, table: str) -> bool:
        """Whether there is a table of that name."""
        with self.faults():
            return inspect(self.engine).has_table(table)

    def connect(self) -> Connection:
        return self.engine.connect()

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn faults of the database into one clear line; what another writer has made already passes through."""
        try:
            yield
        except IntegrityError:
            raise
        except DBAPIError as error:
            line = str(error.orig).splitlines()[0] if str(error.orig) else type(error.orig).__name__
            raise StorageError(f"the database does not answer: {line}", file=self.place) from error


def places(settings: SignatureSettings) -> tuple[str, str]:
    """URL of the database, and the folder of the files beside it.

    Raises:
        SettingsError: the folder is a URL, and no database is named.
    """
    folder = settings.folder if "://" in settings.folder else str(Path(settings.folder).expanduser().absolute())
    if settings.database is not None:
        return settings.database, folder
    if "://" in folder:
        raise SettingsError(f"{folder} holds no database", hint="Set signatures.database to the URL of one")
    return f"sqlite:///{Path(folder, 'signatures.db')}", folder


def _url(database: str) -> URL:
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise SettingsError(
            "signatures.database is no URL of a database", hint="For example sqlite:////home/me/signatures.db"
        ) from error
    if url.get_backend_name() not in ("sqlite", "postgresql", "postgres"):
        raise SettingsError(f"signatures.database: expected sqlite:// or postgresql://, found {url.drivername}://")
    return url.set(drivername="postgresql+psycopg") if url.drivername in ("postgresql", "postgres") else url
