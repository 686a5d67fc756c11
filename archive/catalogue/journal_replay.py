"""A catalogue is made again from its journal: the rows as the newest snapshot and every act after it left them.

Where the journal is whole, so is the catalogue, table by table. Where acts are missing, the rows that they changed are
not known to be what they were, so every row is in doubt that no act after the last fault has told anew.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, bindparam, delete, event, insert, select, text
from sqlalchemy.exc import SQLAlchemyError

from archive.catalogue import codes, ruling, searching
from archive.catalogue.catalogue import LABORATORY
from archive.catalogue.engine import WRITES, postgresql_engine, sqlite_engine
from archive.catalogue.journal import Line, segments
from archive.catalogue.journal_reading import Fault, FaultCode, read
from archive.catalogue.journal_rows import Key, key_of
from archive.catalogue.revision import bring_up_to_date
from archive.catalogue.schema import REVISION, archive, cases, metadata, patients, scans, slides
from archive.catalogue.schema import codes as code_table
from archive.codes import InternalKey, Kind
from archive.errors import CatalogueUnavailable

BATCH = 20_000
"""Rows that are held in memory before they are written."""


@dataclass(frozen=True)
class Replayed:
    """What came of a replay: acts counted, faults of the journal, and rows that the acts after the last fault told."""

    number: int
    faults: tuple[Fault, ...]
    told_since: frozenset[tuple[str, Key]]

    def with_fault(self, fault: Fault) -> "Replayed":
        """Give the same with a fault after the last act, which puts every row in doubt."""
        return Replayed(self.number, (*self.faults, fault), frozenset())

    def is_certain(self, *rows: tuple[str, InternalKey]) -> bool:
        """Tell whether rows, each named by its table and its key, are known to be what they were."""
        return not self.faults or all((table, (key,)) in self.told_since for table, key in rows)


def identity_of(journal: Path) -> InternalKey | None:
    """Tell whose journal it is; None if there is none, or its headers are damaged."""
    for segment in reversed(segments(journal)):
        header = segment.header()
        if header is not None:
            return InternalKey(header.content["archive"])
    return None


def replay(journal: Path, identity: InternalKey, file: Path) -> Replayed:
    """Make an SQLite catalogue from a journal, in a file that is not there yet.

    Raises
    ------
    CatalogueUnavailable
        If the journal is another archive's, or was written by another version of the program.
    """
    _require_ours(journal, identity)
    engine = sqlite_engine(file, read_only=False)
    # Rows come in the order of the acts, so what a row refers to may come later; all is checked at the end.
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF").close())
    try:
        with _written(engine) as connection:
            bring_up_to_date(connection)
        making = _Making(engine)
        for line in read(journal, making.tell):
            making.take(line)
        making.write()
        with _written(engine) as connection:
            connection.execute(insert(archive).values(id=identity, changes=making.number))
            making.drop_what_hangs(connection)
            if making.faults:
                _code_all(connection)
            if (
                ruling.in_force(connection) is None
            ):  # that is lost as well, and whatever is in doubt is opened for nothing
                ruling.put_in_force(connection)
            searching.describe_all(connection)
    finally:
        engine.dispose()
    return Replayed(making.number, tuple(making.faults), frozenset(making.told))


def require_unused(file: Path) -> None:
    """Refuse to take an SQLite catalogue away from whoever has it open, and empty its log into it.

    Raises
    ------
    CatalogueUnavailable
        If another program has it open.
    """
    with closing(sqlite3.connect(file, timeout=1)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=DELETE")  # only who is alone with a file may end its log
        except sqlite3.OperationalError:
            raise CatalogueUnavailable(
                "another program has this archive's catalogue open; end every program that uses the archive"
            ) from None
        except sqlite3.DatabaseError:
            return  # so damaged that nobody can use it


def hand_over(file: Path, url: str, *, again: bool = False) -> None:
    """Put every row of an SQLite catalogue into an empty PostgreSQL database, all or none.

    With ``again``, a database that has this very catalogue already is left as it is.

    Raises
    ------
    CatalogueUnavailable
        If there is a catalogue in the database already.
    """
    source, target = sqlite_engine(file, read_only=True), postgresql_engine(url, read_only=False)
    try:
        with source.begin() as rows, _written(target) as connection:
            bring_up_to_date(connection)
            there = connection.execute(select(archive)).one_or_none()
            if again and there == rows.execute(select(archive)).one():
                return
            if there is not None:
                raise CatalogueUnavailable("there is a catalogue in this database already; name an empty database")
            for table in metadata.sorted_tables:
                for some in rows.execute(select(table).execution_options(yield_per=BATCH)).mappings().partitions():
                    connection.execute(insert(table), [dict(row) for row in some])
    except SQLAlchemyError as error:
        raise CatalogueUnavailable(
            f"the database cannot take the catalogue now ({type(error).__name__}) and nothing was changed; "
            "check its server"
        ) from None
    finally:
        source.dispose()
        target.dispose()


def _code_all(connection: Connection) -> None:
    """Give whatever lost its code in the laboratory a new one: without one nobody could find it."""
    project = codes.add_project(connection, LABORATORY)
    for kind, table in ((Kind.PATIENT, patients), (Kind.CASE, cases), (Kind.SLIDE, slides), (Kind.SCAN, scans)):
        coded = select(code_table.c.key).where(code_table.c.project == project, code_table.c.kind == kind.value)
        for key in list(connection.scalars(select(table.c.key).where(table.c.key.not_in(coded)))):
            codes.add_code(connection, project, kind, InternalKey(key))


class _Making:
    """A catalogue on its way: acts are gathered, so that a row that changes often is written once."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.number = 0
        self.faults: list[Fault] = []
        self.told: set[tuple[str, Key]] = set()
        self._rows: dict[Table, dict[Key, dict[str, Any] | None]] = defaultdict(dict)
        self._count = 0

    def tell(self, fault: Fault) -> None:
        self.faults.append(fault)
        self.told.clear()

    def take(self, line: Line) -> None:
        self.number = line.number
        for name, keys in line.content.get("drop", {}).items():
            self._note(metadata.tables[name], ((tuple(key), None) for key in keys))
        for name, rows in line.content["put"].items():
            table = metadata.tables[name]
            self._note(table, ((key_of(table, row), row) for row in rows))
        if self._count > BATCH:
            self.write()

    def _note(self, table: Table, rows: Iterable[tuple[Key, dict[str, Any] | None]]) -> None:
        for key, row in rows:
            self._rows[table][key] = row
            self._count += 1
            if self.faults:
                self.told.add((table.name, key))

    def write(self) -> None:
        """Write what was gathered: everything touched goes first, so that no row is in the way of another."""
        with _written(self.engine) as connection:
            for table, rows in self._rows.items():
                columns = list(table.primary_key)
                chosen = and_(*(column == bindparam(f"of_{column.name}") for column in columns))
                keys = [{f"of_{column.name}": part for column, part in zip(columns, key, strict=True)} for key in rows]
                connection.execute(delete(table).where(chosen), keys)
            for table, rows in self._rows.items():
                there = [row for row in rows.values() if row is not None]
                if there:
                    # Only where acts are missing can a row be in another's place; then the newer one is right.
                    connection.execute(insert(table).prefix_with("OR REPLACE"), there)
        self._rows.clear()
        self._count = 0

    def drop_what_hangs(self, connection: Connection) -> None:
        """Drop rows that refer to a row that is not there, which missing acts may leave."""
        while hanging := {(row[0], row[1]) for row in connection.execute(text("PRAGMA foreign_key_check"))}:
            for table, rowid in hanging:
                connection.execute(delete(metadata.tables[table]).where(text("rowid = :rowid")), {"rowid": rowid})
            if not self.faults:
                self.tell(Fault("journal", FaultCode.MISSING, "rows that refer to others", "the others are missing"))


def _require_ours(journal: Path, identity: InternalKey) -> None:
    for segment in segments(journal):
        header = segment.header()
        if header is None:
            continue
        if header.content["archive"] != identity:
            raise CatalogueUnavailable("the journal in this folder is another archive's; check what was put there")
        if header.content["revision"] > REVISION:
            raise CatalogueUnavailable("the journal is from a newer version of Coverslip; upgrade the program")
    newest = max((segment for segment in segments(journal) if segment.is_snapshot), default=None)
    header = newest.header() if newest else None
    if header is not None and header.content["revision"] != REVISION:
        raise CatalogueUnavailable("the journal is from an older version of Coverslip; rebuild with that version")


def _written(engine: Engine) -> Any:
    """Begin a transaction that writes."""
    return engine.execution_options(**{WRITES: True}).begin()
