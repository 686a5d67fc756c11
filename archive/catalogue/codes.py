"""In each project a patient, case, slide or scan has one code, made when it is first needed and never changed."""

from collections.abc import Iterable

from sqlalchemy import Connection, func, insert, select

from archive.catalogue.schema import codes, projects
from archive.catalogue.searching import AT_ONCE, in_parts
from archive.codes import Code, InternalKey, Kind
from archive.errors import UnknownCode

NOT_HERE = "there is nothing of that code or handle that may be opened here; check the spelling"
"""Said of what does not exist and of what may not be seen alike, so that nobody can probe for codes."""


def add_project(connection: Connection, name: str) -> int:
    """Give the number of a project, which is made if there is none of that name."""
    number = connection.scalar(select(projects.c.number).where(projects.c.name == name))
    if number is None:
        number = (connection.scalar(select(func.max(projects.c.number))) or 0) + 1
        connection.execute(insert(projects).values(number=number, name=name))
    return number


def project_number(connection: Connection, name: str) -> int:
    """Give the number of a project.

    Raises
    ------
    UnknownCode
        If there is no project of that name.
    """
    number = connection.scalar(select(projects.c.number).where(projects.c.name == name))
    if number is None:
        raise UnknownCode("there is no such project in this archive; check the spelling")
    return int(number)


def code_of(connection: Connection, project: int, kind: Kind, key: InternalKey) -> Code | None:
    """Give the code of a thing in a project, or None if it has none yet."""
    known = connection.scalar(
        select(codes.c.code).where(codes.c.project == project, codes.c.kind == kind.value, codes.c.key == key)
    )
    return None if known is None else Code.parse(known)


def add_code(connection: Connection, project: int, kind: Kind, key: InternalKey) -> Code:
    """Give the code of a thing in a project, which is made on first use; only inside a writing transaction."""
    known = code_of(connection, project, kind, key)
    if known is not None:
        return known
    code = Code.random(kind)
    while connection.scalar(select(codes.c.key).where(codes.c.code == str(code))) is not None:
        code = Code.random(kind)
    connection.execute(insert(codes).values(project=project, kind=kind.value, key=key, code=str(code)))
    return code


def codes_of(connection: Connection, project: int, kind: Kind, keys: Iterable[str]) -> dict[str, str]:
    """Give the codes of many things of one kind by their keys, without those that have none yet."""
    found: dict[str, str] = {}
    for some in in_parts(sorted(set(keys)), AT_ONCE):
        query = select(codes.c.key, codes.c.code).where(codes.c.project == project, codes.c.kind == kind.value)
        found |= {row.key: row.code for row in connection.execute(query.where(codes.c.key.in_(some)))}
    return found


def add_codes(connection: Connection, project: int, kind: Kind, keys: Iterable[str]) -> dict[str, str]:
    """Give the codes of many things by their keys; the missing ones are made and put in, in an order of their own."""
    wanted = set(keys)
    found = codes_of(connection, project, kind, wanted)
    missing = sorted(wanted - found.keys())
    made = dict(zip(missing, _free_codes(connection, kind, len(missing)), strict=True))
    rows = [{"project": project, "kind": kind.value, "key": key, "code": code} for key, code in made.items()]
    if rows:
        connection.execute(insert(codes), sorted(rows, key=lambda row: row["code"]))
    return found | made


def _free_codes(connection: Connection, kind: Kind, count: int) -> list[str]:
    free: set[str] = set()
    while len(free) < count:
        drawn = sorted({str(Code.random(kind)) for _ in range(count - len(free))})
        for some in in_parts(drawn, AT_ONCE):
            free |= set(some) - set(connection.scalars(select(codes.c.code).where(codes.c.code.in_(some))))
    return list(free)


def all_projects(connection: Connection) -> tuple[str, ...]:
    """Give the names of all projects, in their order."""
    return tuple(connection.scalars(select(projects.c.name).order_by(projects.c.name)))


def key_of(connection: Connection, project: int, code: Code) -> InternalKey:
    """Find what a code of a project stands for.

    Raises
    ------
    UnknownCode
        If the project has no such code.
    """
    key = connection.scalar(select(codes.c.key).where(codes.c.code == str(code), codes.c.project == project))
    if key is None:
        raise UnknownCode(NOT_HERE)
    return InternalKey(key)


def projects_of(connection: Connection, key: InternalKey) -> tuple[str, ...]:
    """Give the names of the projects in which a thing has a code, in their order."""
    # Asked of each project, whose index has the key; asked of all codes, every one of them would be read.
    of_kind = codes.c.kind.in_([kind.value for kind in Kind])
    coded = select(codes.c.code).where(codes.c.project == projects.c.number, of_kind, codes.c.key == key).exists()
    return tuple(connection.scalars(select(projects.c.name).where(coded).order_by(projects.c.name)))
