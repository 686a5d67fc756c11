"""A catalogue is older than the program, newer, or of the same revision; it is brought up to date or refused.

A new catalogue gets its tables directly. An older one is upgraded by the migrations in ``migrations/versions``, all in
one transaction, so that a crash leaves the old catalogue or the new one. Alembic takes a second to import, hence only
when there is something to upgrade.
"""

from importlib import resources

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, inspect, select, text

from archive.catalogue.engine import count_act
from archive.catalogue.schema import REVISION, metadata
from archive.errors import CatalogueUnavailable

_versions = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))

_LOCK = 0x436F7665  # "Cove": any number will do, as long as every writer takes the same


def require_revision(connection: Connection) -> None:
    """Refuse a catalogue that this program cannot read.

    Raises
    ------
    CatalogueUnavailable
        If there is no catalogue, or it is of another revision.
    """
    found = _revision(connection)
    if found is None:
        raise CatalogueUnavailable("there is no catalogue here yet; create the archive first")
    _refuse_newer(found)
    if found != REVISION:
        raise CatalogueUnavailable("the catalogue is from an older version; upgrade it with: coverslip check")


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables, or upgrade them to this program's revision, inside the caller's transaction.

    Raises
    ------
    CatalogueUnavailable
        If the catalogue is from a newer version of the program, or of a revision that never was.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})
    found = _revision(connection)
    if found is None:
        metadata.create_all(connection)
        _versions.create(connection)
        connection.execute(insert(_versions).values(version_num=REVISION))
    elif found != REVISION:
        _refuse_newer(found)
        upgrade(connection)
        count_act(connection)


def upgrade(connection: Connection, revision: str = REVISION) -> None:
    """Run the migrations that are missing up to a revision, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    with resources.as_file(resources.files("archive.catalogue").joinpath("migrations")) as folder:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        try:
            command.upgrade(config, revision)
        except CommandError:
            raise CatalogueUnavailable("the catalogue is of an unknown revision; restore it from a backup") from None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_versions.name):
        return None
    return connection.scalar(select(_versions.c.version_num))


def _refuse_newer(found: str) -> None:
    if found > REVISION:
        raise CatalogueUnavailable("the catalogue is from a newer version of Coverslip; upgrade the program")
