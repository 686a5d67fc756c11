"""A catalogue whose file is whole may still say what cannot be: a slide without a code, a code that stands for nothing.

Every row is read once and turned into its record, as any use of it would do. What is told names tables, and codes where
there are some; never a key.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, create_engine, func, inspect, literal, select, text

from archive.catalogue import consents, schema, searching
from archive.catalogue.catalogue import LABORATORY
from archive.catalogue.rows import case_from, scan_from, slide_from
from archive.codes import ALPHABET, Code, InternalKey, Kind
from archive.errors import ArchiveError

AT_ONCE = 1_000
"""Rows in memory at a time."""

RECORDS: tuple[tuple[Table, Callable[[Any], object]], ...] = (
    (schema.cases, case_from),
    (schema.slides, slide_from),
    (schema.scans, scan_from),
)

KINDS = (
    (Kind.PATIENT, schema.patients),
    (Kind.CASE, schema.cases),
    (Kind.SLIDE, schema.slides),
    (Kind.SCAN, schema.scans),
)
"""What has a code in the laboratory, and the table of it."""

IMPOSSIBLE = (ArchiveError, ValueError, TypeError, KeyError, AttributeError, LookupError)
"""What reading a damaged row raises."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """Something that the catalogue says and that cannot be: of which kind, in which table, and what."""

    kind: str
    table: str
    expected: str
    found: str


def structure(connection: Connection) -> Iterator[RowFault]:
    """Have SQLite check its whole file, indexes against tables too; PostgreSQL checks its pages as it reads them."""
    if connection.dialect.name != "sqlite":
        return
    for (told,) in connection.execute(text("PRAGMA integrity_check(20)")):
        if told != "ok":
            yield RowFault("structure", "the whole file", "a sound structure", " ".join(str(told).split())[:120])
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        yield RowFault("link", str(row[0]), f"a row of {row[2]}", "none")


def links(connection: Connection) -> Iterator[RowFault]:
    """Tell every row that refers to one that is not there, in any database."""
    for table in schema.metadata.sorted_tables:
        for foreign in table.foreign_keys:
            column, target = foreign.parent, foreign.column
            missing = select(func.count()).where(column.is_not(None), ~_there(target, column))
            if count := connection.scalar(missing.select_from(table)) or 0:
                yield RowFault("link", table.name, f"rows of {target.table.name}", f"none, for {count}")


def records(connection: Connection) -> Iterator[RowFault]:
    """Read every case, slide and scan, and tell those that cannot be."""
    for table, record in RECORDS:
        for number, row in _numbered(connection, table):
            with _impossible() as found:
                record(row._mapping)
            if found:
                yield RowFault("impossible", table.name, "a possible row", f"row {number} of the file holds another")


def code_faults(connection: Connection) -> Iterator[RowFault]:
    """Tell everything that has no code in the laboratory, and every code that is none or stands for nothing."""
    codes = schema.codes
    project = connection.scalar(select(schema.projects.c.number).where(schema.projects.c.name == LABORATORY))
    if project is None:
        yield RowFault("code missing", "projects", "the laboratory's own project", "none")
    for kind, table in KINDS:
        of_it = and_(codes.c.project == project, codes.c.kind == kind.value, codes.c.key == table.c.key)
        missing = select(func.count()).select_from(table).where(~select(literal(1)).where(of_it).exists())
        if count := connection.scalar(missing) or 0:
            yield RowFault("code missing", table.name, f"a code for each {kind.name.lower()}", f"none for {count}")
    tables = dict(KINDS)
    for kind, table in tables.items():
        astray = (
            select(func.count()).select_from(codes).where(codes.c.kind == kind.value, ~_there(table.c.key, codes.c.key))
        )
        if count := connection.scalar(astray) or 0:
            yield RowFault("code wrong", "codes", f"a {kind.name.lower()} for each of its codes", f"none for {count}")
    for number, row in _numbered(connection, codes):
        with _impossible() as found:
            code = Code.parse(row.code)
            if str(code) != row.code or code.kind.value != row.kind:
                raise ValueError
        if found:
            yield RowFault("code wrong", "codes", "a code with its check character", f"row {number} holds another")


def collection_faults(connection: Connection) -> Iterator[RowFault]:
    """Tell collections and places in them that cannot be: a handle that is none, a scan of another slide."""
    places, scans = schema.collection_slides, schema.scans
    for table in (schema.collections, places):
        for number, row in _numbered(connection, table):
            if not _is_handle(row.handle):
                yield RowFault("collection", table.name, "a handle", f"row {number} holds another")
    other = places.join(scans, scans.c.key == places.c.scan_key)
    wrong = select(func.count()).select_from(other).where(scans.c.slide_key != places.c.slide_key)
    if count := connection.scalar(wrong) or 0:
        yield RowFault("collection", places.name, "scans of the slides that are shown", f"another's, for {count}")
    if count := connection.scalar(select(func.count()).select_from(places).where(places.c.position < 1)) or 0:
        yield RowFault("collection", places.name, "positions from 1", f"others, for {count}")


def derived_faults(connection: Connection) -> Iterator[RowFault]:
    """Tell if what cohorts are counted from is not what the catalogue says of its scans."""
    if count := searching.stale(connection):
        yield RowFault(
            "derived", schema.searched.name, "what is recorded of each kept scan", f"other lines, {count} of them"
        )


def consent_faults(connection: Connection) -> Iterator[RowFault]:
    """Tell every case whose facts are not those that follow from what was told and from its consent records."""
    if count := sum(1 for _ in consents.underived(connection)):
        yield RowFault("impossible", "cases", "facts that follow from the consent records", f"others, for {count}")


def told_by_journal() -> frozenset[str]:
    """Name the tables that the journal tells; the others are made of them."""
    return frozenset(
        name for name, table in schema.metadata.tables.items() if not schema.DERIVED.items() <= table.info.items()
    )


def definition_faults(connection: Connection) -> Iterator[RowFault]:
    """Tell every table that is not there, and in SQLite those that are defined otherwise than a new catalogue's."""
    there = set(inspect(connection).get_table_names())
    for name in sorted(set(schema.metadata.tables) - there):
        yield RowFault("structure", name, "a table", "none")
    if connection.dialect.name == "sqlite":
        new = create_engine("sqlite://")
        with new.begin() as made:
            schema.metadata.create_all(made)
            expected, found = definitions(made), definitions(connection)
        new.dispose()
        for name in sorted(set(expected) & set(found)):
            if expected[name] != found[name]:
                yield RowFault("structure", name, "the columns and keys of a new catalogue", "others")


def definitions(connection: Connection) -> dict[str, tuple[str, ...]]:
    """Give what the database itself says of each table: columns, keys, constraints and indexes."""
    asked = inspect(connection)
    return {
        name: tuple(
            sorted(
                _words(one)
                for one in (
                    *asked.get_columns(name),
                    asked.get_pk_constraint(name),
                    *asked.get_foreign_keys(name),
                    *asked.get_unique_constraints(name),
                    *asked.get_check_constraints(name),
                    *asked.get_indexes(name),
                )
            )
        )
        for name in set(asked.get_table_names()) & set(schema.metadata.tables)
    }


def _words(told: Mapping[str, Any]) -> str:
    """Write what is told of a column or key in words: an index's own condition is an object, unlike any other one."""
    return repr(sorted((key, _words(one) if isinstance(one, Mapping) else str(one)) for key, one in told.items()))


def scan_bytes(connection: Connection) -> Iterator[tuple[InternalKey, int]]:
    """Give the key of each scan, and in how many bytes it is stored."""
    query = select(schema.scans.c.key, schema.scans.c.stored_bytes).order_by(schema.scans.c.key)
    for key, stored_bytes in connection.execute(query.execution_options(yield_per=AT_ONCE)):
        yield InternalKey(key), stored_bytes if isinstance(stored_bytes, int) else 0


def _there(target: Any, column: Any) -> ColumnElement[bool]:
    other = target.table.alias()
    return select(literal(1)).where(other.c[target.name] == column).exists()


def _numbered(connection: Connection, table: Table) -> Iterator[tuple[int, Any]]:
    query = select(table).order_by(*table.primary_key).execution_options(yield_per=AT_ONCE)
    yield from enumerate(connection.execute(query), 1)


def _is_handle(value: object) -> bool:
    return isinstance(value, str) and len(value) == 26 and set(value) <= set(ALPHABET.lower())


@contextmanager
def _impossible() -> Iterator[list[Exception]]:
    """Catch what reading an impossible row raises."""
    found: list[Exception] = []
    try:
        yield found
    except IMPOSSIBLE as error:
        found.append(error)
