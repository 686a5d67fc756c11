"""A new catalogue and an upgraded one have the same tables, and an upgrade that is cut short leaves the old one."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, event, insert, inspect, select, text

from archive.catalogue import Catalogue, collections, slides
from archive.catalogue.engine import WRITES, postgresql_engine, sqlite_engine
from archive.catalogue.revision import require_revision, upgrade
from archive.catalogue.schema import REVISION, metadata
from archive.codes import new_key
from archive.errors import CatalogueUnavailable
from archive.records import CaseRecord, ScanRecord, ScanStatus, SlideRecord

Chain = tuple[CaseRecord, SlideRecord, ScanRecord]


@pytest.fixture
def engine(place: Path | str) -> Iterator[Engine]:
    made = (
        sqlite_engine(place, read_only=False) if isinstance(place, Path) else postgresql_engine(place, read_only=False)
    )
    yield made
    made.dispose()


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


@contextmanager
def written(engine: Engine) -> Iterator[Connection]:
    """Give a connection whose transaction is committed at the end."""
    with engine.connect().execution_options(**{WRITES: True}) as connection, connection.begin():
        yield connection


def migrate(engine: Engine) -> None:
    with written(engine) as connection:
        upgrade(connection)


def constraints(engine: Engine) -> dict[str, Any]:
    """Everything that an inspection tells of the tables, in an order of its own."""
    told = {}
    inspector = inspect(engine)
    for table in sorted(set(inspector.get_table_names()) - {"alembic_version"}):
        told[table] = {
            "columns": [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            "primary": inspector.get_pk_constraint(table),
            "foreign": sorted(map(repr, inspector.get_foreign_keys(table))),
            "unique": sorted(map(repr, inspector.get_unique_constraints(table))),
            "checks": sorted(map(repr, inspector.get_check_constraints(table))),
            "indexes": sorted(
                repr(index | {"dialect_options": _texts(index)}) for index in inspector.get_indexes(table)
            ),
        }
    return told


def _texts(index: Any) -> list[str]:
    """Tell what an index has of its own, such as the rows it is for, by words and not by object."""
    return sorted(f"{name}: {value}" for name, value in index.get("dialect_options", {}).items())


class CutShortError(Exception):
    """Something fails between two statements."""


def test_the_migrations_make_the_tables_that_the_program_expects(engine: Engine) -> None:
    migrate(engine)
    assert differences(engine) == []
    with engine.connect() as connection:
        require_revision(connection)


def test_a_new_catalogue_is_what_the_migrations_would_make(place: Path | str, engine: Engine) -> None:
    Catalogue.open(place).close()
    assert differences(engine) == []
    made = constraints(engine)
    with written(engine) as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
    migrate(engine)
    assert constraints(engine) == made
    assert made.keys() == metadata.tables.keys()


def test_the_revision_that_the_program_expects_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", "archive:catalogue/migrations")
    script = ScriptDirectory.from_config(config)
    assert script.get_heads() == [REVISION]
    numbers = [int(revision.revision) for revision in script.walk_revisions()]
    assert numbers == list(range(len(numbers), 0, -1))


def test_a_migration_that_is_cut_short_at_any_statement_leaves_nothing(engine: Engine) -> None:
    statements = 0
    stop_at = 0

    @event.listens_for(engine, "before_cursor_execute")
    def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        nonlocal statements
        if statement.lstrip().upper().startswith(("CREATE", "INSERT", "UPDATE", "COMMENT")):
            statements += 1
            if statements == stop_at:
                raise CutShortError

    while True:
        statements, stop_at = 0, stop_at + 1
        try:
            migrate(engine)
        except CutShortError:
            assert inspect(engine).get_table_names() == []
        else:
            break
    assert stop_at > 15
    assert differences(engine) == []


def test_a_catalogue_of_every_older_revision_keeps_its_rows_and_learns_what_is_new(
    place: Path | str, engine: Engine, make_chain: Callable[..., Chain]
) -> None:
    case, slide, scan = make_chain()
    second = dataclasses.replace(scan, key=new_key())
    with closing(Catalogue.open(place)) as catalogue, catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
        slides.add_slide(writing.connection, slide)
        slides.add_scan(writing.connection, scan)
        slides.add_scan(writing.connection, second)
        collection = collections.add_collection(writing.connection, "Skin").handle
        collections.add_place(writing.connection, collection, slide.key, scan.key)
        writing.tell("commit")
    held = rows(engine)
    with written(engine) as connection:
        metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        upgrade(connection, "0001")
        older = MetaData()
        older.reflect(connection)
        assert "redactions" not in older.tables
        for table in metadata.sorted_tables:
            if held[table.name]:
                connection.execute(insert(older.tables[table.name]), held[table.name])
    with closing(Catalogue.open(place)) as catalogue:
        assert rows(engine) == held
        assert differences(engine) == []
        with catalogue.writing() as writing:
            slides.set_status(writing.connection, scan.key, ScanStatus.REDACTING)
            collections.add_place(writing.connection, collection, slide.key, second.key)
            writing.tell("commit")
        with catalogue.reading() as connection:
            assert {one.status for one in slides.scans_of(connection, slide.key)} == {"kept", "redacting"}
            assert len(collections.places(connection, collection)) == 2


def rows(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Read every row of every table."""
    with engine.connect() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in metadata.sorted_tables
        }


@pytest.mark.parametrize("read_only", [False, True])
def test_a_catalogue_of_a_newer_program_is_refused(place: Path | str, engine: Engine, read_only: bool) -> None:
    Catalogue.open(place).close()
    set_revision(engine, "9999")
    with pytest.raises(CatalogueUnavailable, match="newer version"):
        Catalogue.open(place, read_only=read_only)


def test_a_catalogue_of_a_revision_that_never_was_is_refused(place: Path | str, engine: Engine) -> None:
    Catalogue.open(place).close()
    set_revision(engine, "0000")
    with pytest.raises(CatalogueUnavailable, match="unknown revision"):
        Catalogue.open(place)
    with pytest.raises(CatalogueUnavailable, match="older version"):
        Catalogue.open(place, read_only=True)


def set_revision(engine: Engine, revision: str) -> None:
    with written(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": revision})
