"""A database file that nobody writes to does not change. If it did, a disk or somebody else changed it.

SQLite keeps no checksum of its pages, so a bit that changes in a number or a letter is a value like any other. What was
last seen of a file is therefore *sealed*: a digest of the file, one of each table's rows, and two counts of its acts
that lie in its first page (SQLite file format, 1.3: the change counter at byte 24, the user version at byte 60). Who
writes raises both. As long as neither has grown, every byte must be the same.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from archive.errors import InvalidValue

HEADER_BYTES = 100
DEFINITIONS = "(definitions)"
"""Stands among the tables for their definitions."""

UNREADABLE = (sqlite3.Error, ValueError, TypeError, OSError)
"""What reading a damaged file raises."""

WAIT_SECONDS = 10
"""For a program that is writing or copying; afterwards the file is looked at another time."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How often a file was written to, counted twice: by whoever writes, and by SQLite itself."""

    acts: int
    changes: int

    @classmethod
    def of(cls, header: bytes) -> "Counts":
        """Read the two counts from the first bytes of a file."""
        return cls(int.from_bytes(header[60:64], "big"), int.from_bytes(header[24:28], "big"))

    def grew_to(self, other: "Counts") -> bool:
        """Whether the other counts are of a later time; a change of one alone is damage."""
        return other.acts > self.acts and other.changes > self.changes


@dataclass(frozen=True, slots=True)
class Seal:
    """What a database file was when it was last found well."""

    counts: Counts
    sha256: str
    tables: Mapping[str, str]

    def to_json(self) -> dict[str, object]:
        """Give plain JSON."""
        return {
            "acts": self.counts.acts,
            "changes": self.counts.changes,
            "sha256": self.sha256,
            "tables": dict(sorted(self.tables.items())),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, object]) -> "Seal":
        """Read what ``to_json`` gave."""
        match value:
            case {"acts": int(acts), "changes": int(changes), "sha256": str(sha256), "tables": dict(tables)}:
                return cls(Counts(acts, changes), sha256, {str(name): str(digest) for name, digest in tables.items()})
        raise InvalidValue("this is no seal of a database file")


class NotAtRest(Exception):
    """Somebody is writing to the file, or has not yet put what was written into it."""


def settle(path: Path) -> None:
    """Have SQLite put what it has in its write-ahead log into the file.

    Raises
    ------
    NotAtRest
        If another program is in the way.
    sqlite3.Error
        If the file cannot be opened as a database.
    """
    if _log_bytes(path):
        with closing(_connected(path, "rw")) as connection:
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise NotAtRest


def counts_of(path: Path) -> Counts:
    """Read how often a file was written to; it must be at rest."""
    with path.open("rb") as file:
        return Counts.of(file.read(HEADER_BYTES))


def sha256_of(path: Path) -> str:
    """Digest a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(path: Path) -> Seal:
    """Look at a whole database file while nobody can change it.

    Raises
    ------
    NotAtRest
        If somebody is writing.
    sqlite3.Error
        If it cannot be read as a database.
    """
    with held_still(path) as connection:
        tables = {name: _content(connection, name) for name in _tables(connection)}
        return Seal(counts_of(path), sha256_of(path), {DEFINITIONS: _definitions(connection), **tables})


def structure(path: Path) -> list[str]:
    """Have SQLite check a whole file, indexes against tables too; nothing if all is well.

    Raises
    ------
    NotAtRest, sqlite3.Error
        As `seal`.
    """
    with held_still(path) as connection:
        told = [row[0].decode(errors="replace") for row in connection.execute("PRAGMA integrity_check(20)")]
    return [" ".join(line.split())[:120] for line in told if line != "ok"]


@contextmanager
def held_still(path: Path) -> Iterator[sqlite3.Connection]:
    """Keep everybody from changing a database file; who writes meanwhile does so into the write-ahead log.

    A reader that began while the log was empty reads the file alone, and SQLite copies nothing into the file until it
    has ended.
    """
    settle(path)
    with closing(_connected(path, "ro")) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if _log_bytes(path):
            raise NotAtRest
        yield connection


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    url = f"file:{quote(str(path.absolute()))}?mode={mode}"
    connection = sqlite3.connect(url, uri=True, timeout=WAIT_SECONDS, isolation_level=None)
    connection.execute("PRAGMA trusted_schema=OFF")
    connection.text_factory = bytes  # a damaged text need not be UTF-8
    return connection


def _log_bytes(path: Path) -> int:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
    return [name.decode() for (name,) in connection.execute(query)]


def _definitions(connection: sqlite3.Connection) -> str:
    query = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name"
    return hashlib.sha256(repr(connection.execute(query).fetchall()).encode()).hexdigest()


def _content(connection: sqlite3.Connection, table: str) -> str:
    """Digest a table's rows in the order of their primary key."""
    name = '"' + table.replace('"', '""') + '"'
    keys = sorted((row[5], row[1].decode()) for row in connection.execute(f"PRAGMA table_info({name})") if row[5])
    order = ", ".join('"' + key.replace('"', '""') + '"' for _, key in keys) or "rowid"
    digest = hashlib.sha256()
    for row in connection.execute(f"SELECT * FROM {name} ORDER BY {order}"):  # noqa: S608 - names quoted above
        digest.update(repr(row).encode())
    return digest.hexdigest()
