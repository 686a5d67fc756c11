"""A project is a name and codes of its own: what two projects hold of the same patient cannot be joined by them."""

from archive.catalogue import LABORATORY, codes
from archive.codes import InternalKey
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.wordscreen import screen

LONGEST = 64
"""Characters of a project's name."""


def add_project(archive: Archive, name: str) -> str:
    """Open a project; one that is open already stays as it is. Give its name as it is kept.

    Raises
    ------
    FreeTextRefused
        If the name looks as if it held an identifier.
    InvalidValue
        If the name is too long, or the laboratory's own.
    """
    name = screen(name, "the name of a project")
    if len(name) > LONGEST or name == LABORATORY:
        raise InvalidValue(f"the name of a project has {LONGEST} characters at most and is not {LABORATORY!r}")
    with archive.catalogue.writing() as writing:
        if name not in codes.all_projects(writing.connection):
            codes.add_project(writing.connection, name)
            writing.tell("open project", project=name)
    return name


def all_projects(archive: Archive) -> tuple[str, ...]:
    """Give the names of the projects that are open, in their order."""
    with archive.catalogue.reading() as connection:
        return tuple(name for name in codes.all_projects(connection) if name != LABORATORY)


def projects_with(archive: Archive, slide: InternalKey) -> tuple[str, ...]:
    """Give the projects that were ever given a slide, so that they can be told of a withdrawal or a correction."""
    with archive.catalogue.reading() as connection:
        return tuple(name for name in codes.projects_of(connection, slide) if name != LABORATORY)
