"""Who has a scan as it was before something on it was made black, and what the laboratory calls that scan."""

from sqlalchemy import Connection

from archive.catalogue import LABORATORY, codes, tombstones
from archive.codes import Code, InternalKey, Kind
from archive.errors import UnknownCode
from archive.holdings.known_backups import known_backups
from archive.holdings.place import Place
from archive.records import ScanRecord


def holders_of(connection: Connection, place: Place, record: ScanRecord) -> tuple[str, ...]:
    """Tell who has the scan as it is: projects that were given its slide, and backups."""
    given = [name for name in codes.projects_of(connection, record.slide) if name != LABORATORY]
    projects = [f"project {name}" for name in given if tombstones.cohorts_given(connection, name)]
    return (*projects, *sorted(known_backups(place)))


def laboratory_code(connection: Connection, key: InternalKey) -> Code:
    """Give the laboratory's code of a scan.

    Raises
    ------
    UnknownCode
        If there is none.
    """
    code = codes.code_of(connection, codes.project_number(connection, LABORATORY), Kind.SCAN, key)
    if code is None:
        raise UnknownCode(codes.NOT_HERE)
    return code
