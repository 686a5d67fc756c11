"""Whoever reads the catalogue reads one state of it; what is asked of its database besides is asked here.

Errors of the database leave here as `CatalogueUnavailable`, without the database's own words, which may hold keys.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from archive.catalogue.engine import WRITES
from archive.catalogue.schema import archive
from archive.catalogue.standing import Lookout, Standing
from archive.codes import InternalKey
from archive.errors import CatalogueUnavailable


class Database:
    """One archive's catalogue as a database that is open. Safe to use from several threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._watch: Any = None
        self._watching = threading.Lock()
        self._lookout: Lookout | None = None
        driver = engine.dialect.loaded_dbapi.Error
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError, driver, UnicodeDecodeError)

    def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        if self._lookout is not None:
            self._lookout.close()
        self._engine.dispose()

    @property
    def identity(self) -> InternalKey:
        """The random key that this catalogue and the archive's folder share."""
        with self.reading() as connection:
            return InternalKey(connection.execute(select(archive.c.id)).scalar_one())

    @property
    def acts(self) -> int:
        """The number of the newest committed act."""
        with self.reading() as connection:
            return int(connection.execute(select(archive.c.changes)).scalar_one())

    @property
    def unused(self) -> bool:
        """Whether nothing was ever put in."""
        with self.reading() as connection:
            return connection.scalar(select(archive.c.changes)) == 0

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection to read with.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be read now.
        """
        with self._sentences(), self._begun(writes=False) as connection:
            yield connection

    def copy_to(self, file: Path) -> bool:
        """Write a copy of an SQLite catalogue to a new file, as it is at one instant; False where it is PostgreSQL.

        It is SQLite's own copy, made while others read and write: a file that is copied otherwise may be of two
        instants.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be read, or the copy cannot be written.
        """
        if self._engine.dialect.name != "sqlite":
            return False
        with self._sentences(), closing(sqlite3.connect(file)) as target:
            source = self._engine.raw_connection()
            try:
                source.driver_connection.backup(target)  # type: ignore[union-attr]
            finally:
                source.close()
        return True

    def change_count(self) -> int:
        """Give a number that differs after every change by any process; only equality means anything.

        In SQLite a change from outside this program counts too, and asking takes microseconds.
        """
        with self._sentences():
            if self._engine.dialect.name != "sqlite":
                with self._begun(writes=False) as connection:
                    return int(connection.execute(select(archive.c.changes)).scalar_one())
            with self._watching:
                if self._watch is None:
                    # SQLite tells each connection of changes by others, so this one never writes.
                    self._watch = self._engine.raw_connection()
                return int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])

    def standing(self) -> Standing:
        """Ask which catalogue this is and how it stands, past everything that is remembered of it.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be read, or its file is another one than was opened.
        """
        with self._sentences():
            if self._lookout is None:
                raise CatalogueUnavailable("the catalogue is not open; open it first")
            return self._lookout.ask()

    def faults(self) -> tuple[str, ...]:
        """Let SQLite check the structure of its file: nothing if all is well. It reads the whole file, so on request.

        PostgreSQL checks its pages as it reads them, if its data checksums are on.
        """
        if self._engine.dialect.name != "sqlite":
            return ()
        with self.reading() as connection:
            return tuple(row[0] for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok")

    @contextmanager
    def _begun(self, *, writes: bool) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: writes})
            with connection.begin():
                yield connection

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            yield
        except self._errors as error:
            cause = getattr(error, "orig", None) or error
            kind = getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None) or type(cause).__name__
            raise CatalogueUnavailable(
                f"the catalogue cannot be used now ({kind}) and nothing was changed; check its disk or its server"
            ) from None
