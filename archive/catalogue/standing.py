"""Whoever shows slides asks again and again how the catalogue stands, past everything that is remembered of it.

An open connection answers from memory, also after its file was removed, damaged or put back from a backup, and what is
withdrawn in the file that took its place would never be heard of. So a new connection is made each time, and the file
must be the one that was opened.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, NullPool, select

from archive.catalogue import audit, ruling
from archive.catalogue.engine import sqlite_engine
from archive.catalogue.schema import archive
from archive.codes import InternalKey
from archive.errors import CatalogueUnavailable


@dataclass(frozen=True, slots=True)
class Standing:
    """Which archive's catalogue it is, how many acts it has, which rules are in force, and when its last was sealed."""

    identity: InternalKey
    acts: int
    rules: str | None
    newest_act: datetime | None


class Lookout:
    """Asks an SQLite file, or a PostgreSQL server, how the catalogue stands."""

    def __init__(self, place: Path | str, engine: Engine) -> None:
        self._file = place if isinstance(place, Path) else None
        self._engine = engine if self._file is None else sqlite_engine(self._file, read_only=True, pool=NullPool)
        self._was = self._which()

    def ask(self) -> Standing:
        """Ask how it stands now.

        Raises
        ------
        CatalogueUnavailable
            If the file is another one than was opened, or what it says cannot be.
        """
        if self._which() != self._was:
            raise CatalogueUnavailable("the catalogue's file was removed or replaced; end this program and start it")
        with self._engine.connect() as connection, connection.begin():
            row = connection.execute(select(archive.c.id, archive.c.changes)).one_or_none()
            identity, acts = (row.id, row.changes) if row is not None else ("", 0)
            return Standing(InternalKey(identity), acts, ruling.in_force(connection), _sealed(connection))

    def close(self) -> None:
        """Close the connections that were made; closing twice is harmless."""
        if self._file is not None:
            self._engine.dispose()

    def _which(self) -> tuple[int, int] | None:
        """Tell a file from every other that may lie in its place; None for a server."""
        if self._file is None:
            return None
        try:
            found = self._file.stat()
        except OSError:
            raise CatalogueUnavailable("the catalogue's file is missing; check its disk and restore it") from None
        return found.st_dev, found.st_ino


def _sealed(connection: Connection) -> datetime | None:
    text = audit.newest_text(connection)
    try:
        return None if text is None else datetime.fromisoformat(json.loads(text)["at"])
    except (ValueError, TypeError, KeyError):
        raise CatalogueUnavailable(
            "the newest entry of the audit trail cannot be read; restore the catalogue from a backup"
        ) from None
