"""SQLite keeps what it promises only when it is asked to.

So it is asked: write-ahead log with synchronous FULL, because NORMAL loses commits at power loss; secure_delete,
because deleted rows stay readable without; temporary data in memory only. PostgreSQL can hold the vault's rows instead.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from ingest.errors import VaultUnavailable
from ingest.keyvault.tables import SCHEMA_VERSION, about

WAIT_SECONDS = 60
"""How long one process waits for another that writes; re-wrapping 100,000 keys takes a few seconds."""

_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    f"busy_timeout={WAIT_SECONDS * 1000}",
)


def sqlite_url(path: Path) -> str:
    """Name a database file that must exist: SQLite would otherwise make an empty one where a vault is missing."""
    return f"sqlite:///file:{quote(str(path.absolute()))}?mode=rw&uri=true"


def make_sqlite(path: Path) -> None:
    """Make an empty database file that only its owner can read; its log and index files inherit that."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def connect(url: str) -> Engine:
    """Open a database, with SQLite's full guarantees where it is SQLite."""
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that writes; all of it is kept, or nothing.

    SQLite's file counts them in its first page, so that a check can tell a file that was not written to.
    """
    with _told_plainly(), engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "sqlite":
            count = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
            connection.exec_driver_sql(f"PRAGMA user_version={(count + 1) % 2**31}")
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run one transaction that reads one state of the database."""
    with _told_plainly(), engine.begin() as connection:
        yield connection


def copy_sqlite(engine: Engine, file: Path) -> None:
    """Copy a database at one instant to a new file that only its owner can read, while others read and write."""
    make_sqlite(file)
    with _told_plainly(), closing(sqlite3.connect(file)) as target:
        source = engine.raw_connection()
        try:
            source.driver_connection.backup(target)  # type: ignore[union-attr]
        finally:
            source.close()


def empty_log(engine: Engine) -> None:
    """Move what is committed into the database file and cut its log to nothing, where it is SQLite."""
    if engine.dialect.name == "sqlite":
        with _told_plainly(), engine.execution_options(begins=False).connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()


def check_version(connection: Connection) -> None:
    """Refuse a vault that a newer Coverslip made.

    Raises
    ------
    VaultUnavailable
        If its tables are of another version.
    """
    if connection.execute(select(about.c.schema_version)).scalar() != SCHEMA_VERSION:
        raise VaultUnavailable("the key vault was made by another version of Coverslip; open it with that version")


def _set_pragmas(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own BEGIN would come too late
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE: who reads first and writes later would fail, not wait, when another process writes in between.
    options = connection.get_execution_options()
    if options.get("begins", True):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


@contextmanager
def _told_plainly() -> Iterator[None]:
    # The driver's own text may hold the values of a statement, so none of it is passed on.
    try:
        yield
    except DBAPIError:
        raise VaultUnavailable(
            "the key vault's database cannot be read or written now; check that its disk is there and not full, "
            "and that no other program holds it"
        ) from None
