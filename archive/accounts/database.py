"""The account database is a file of its own, which a commit reaches before anybody is told that it did.

It is apart from the catalogue, because signing in must not look like a change of the catalogue, and because password
hashes belong neither in the catalogue's journal nor where cohorts read. Only its owner can read the file.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from archive import auditchain, fixity
from archive.accounts.schema import SCHEMA_VERSION, metadata, store
from archive.catalogue.engine import WRITES, require_durable, sqlite_engine
from archive.codes import new_key
from archive.errors import AccountsUnavailable

FILE = "accounts.sqlite"

MARK = "has-accounts"
"""A file beside it that says so: once there are accounts, nobody is ever let in without one."""

LOST = (
    "this archive has accounts and their file is lost, so nobody is let in; check its disk, or put accounts.sqlite "
    "back from a backup"
)

DAMAGED = "the accounts are damaged or were made by another version of Coverslip; restore them from a backup"


class Database:
    """An account database that is open. Safe to use from several threads; a forked process opens its own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._was = self._which()
        self._engine = sqlite_engine(file, read_only=False)
        self._errors: tuple[type[Exception], ...] = (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error)
        self._watch: Any = None
        self._watching = threading.Lock()

    @classmethod
    def make(cls, file: Path) -> None:
        """Make an empty account database: whole, or none at all.

        Raises
        ------
        AccountsUnavailable
            If there is one, or the folder cannot be written to.
        """
        if is_marked(file.parent) and not file.exists():
            raise AccountsUnavailable(LOST)
        new = file.with_name(f"{file.name}.new")
        try:
            new.unlink(missing_ok=True)
            os.close(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(cls(new)) as database, database.writing() as connection:
                _fill(connection)
            os.link(new, file)
            new.unlink()
            mark(file.parent)
        except FileExistsError:
            new.unlink(missing_ok=True)
            raise AccountsUnavailable("there are accounts here already; nothing was changed") from None
        except OSError:
            raise AccountsUnavailable(
                "no accounts can be kept here; check that the archive's folder is there and can be written to"
            ) from None

    def require_usable(self) -> None:
        """Refuse a file that is no account database, is of another version, or may forget what it committed.

        Raises
        ------
        AccountsUnavailable, CatalogueUnavailable
            If it is so.
        """
        with self.reading() as connection:
            require_durable(connection)
            found = connection.scalar(select(store.c.schema_version)) if inspect(connection).has_table("store") else 0
        if found != SCHEMA_VERSION:
            raise AccountsUnavailable(DAMAGED)

    def close(self) -> None:
        """Close every connection; closing twice is harmless."""
        with self._watching:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read one state of the database.

        Raises
        ------
        AccountsUnavailable
            If it cannot be read now.
        """
        with self._sentences(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Take a turn at writing, among all processes; all of it is kept, or nothing.

        Raises
        ------
        AccountsUnavailable
            If it cannot be written now.
        """
        with self._sentences(), self._engine.connect() as connection:
            connection = connection.execution_options(**{WRITES: True})
            with connection.begin():
                yield connection

    def copy_to(self, file: Path) -> None:
        """Write a copy to a new file, as the database is at one instant, while others read and write.

        Raises
        ------
        AccountsUnavailable
            If it cannot be read, or the copy cannot be written.
        """
        with self._sentences(), closing(sqlite3.connect(file)) as target:
            source = self._engine.raw_connection()
            try:
                source.driver_connection.backup(target)  # type: ignore[union-attr]
            finally:
                source.close()

    def change_count(self) -> int:
        """Give a number that differs after every change by any process; only equality means anything.

        Raises
        ------
        AccountsUnavailable
            If it cannot be told now.
        """
        with self._sentences(), self._watching:
            if self._watch is None:
                # SQLite tells each connection of changes by others, so this one never writes.
                self._watch = self._engine.raw_connection()
            return int(self._watch.cursor().execute("PRAGMA data_version").fetchone()[0])

    def _which(self) -> tuple[int, int]:
        """Tell the file from every other that may lie in its place."""
        try:
            found = self._file.stat()
        except OSError:
            raise AccountsUnavailable("the accounts' file is missing; check its disk and restore it") from None
        return found.st_dev, found.st_ino

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        if self._which() != self._was:
            # An open connection would go on answering from a file in which nobody is disabled any more.
            raise AccountsUnavailable("the accounts' file was replaced; end this program and start it again")
        try:
            yield
        except self._errors as error:
            cause = getattr(error, "orig", None) or error
            kind = getattr(cause, "sqlite_errorname", None) or type(cause).__name__
            # The driver's own words may hold what was being written.
            raise AccountsUnavailable(
                f"the accounts cannot be read or written now ({kind}), so nobody is let in; check the archive's disk"
            ) from None


def is_marked(folder: Path) -> bool:
    """Tell whether an archive is known to have accounts, whether or not their file is there."""
    return (folder / MARK).exists()


def mark(folder: Path) -> None:
    """Write down, for good, that an archive has accounts; doing it twice is harmless."""
    os.close(os.open(folder / MARK, os.O_WRONLY | os.O_CREAT, 0o600))
    fixity.flush_one(folder / MARK)
    fixity.flush_one(folder)


def _fill(connection: Connection) -> None:
    metadata.create_all(connection)
    identity = new_key()
    start = auditchain.start(chain_name(identity))
    connection.execute(
        insert(store).values(
            only=1,
            schema_version=SCHEMA_VERSION,
            id=identity,
            head_number=start.number,
            head_digest=start.digest,
            strangers=0,
            strangers_told=0.0,
        )
    )


def chain_name(identity: str) -> str:
    """Give the name that opens the access trail of a store."""
    return f"access trail {identity}"
