"""A patient's cases, slides and scans, and every code and handle that any of them is known by anywhere."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Connection, Table, select

from archive.catalogue.schema import cases, codes, collection_slides, projects, scans, slides
from archive.catalogue.searching import AT_ONCE, in_parts
from archive.codes import InternalKey, Kind

_BELOW: dict[Kind, tuple[tuple[Table, ColumnElement[str]], ...]] = {
    Kind.PATIENT: ((cases, cases.c.patient_key), (slides, slides.c.case_key), (scans, scans.c.slide_key)),
    Kind.CASE: ((slides, slides.c.case_key), (scans, scans.c.slide_key)),
    Kind.SLIDE: ((scans, scans.c.slide_key),),
    Kind.SCAN: (),
}


def with_all_below(connection: Connection, kind: Kind, key: InternalKey) -> frozenset[InternalKey]:
    """Give the keys of a thing and of all that it holds."""
    found: set[str] = {key}
    last: set[str] = {key}
    for table, above in _BELOW[kind]:
        last = {
            below
            for some in in_parts(sorted(last), AT_ONCE)
            for below in connection.scalars(select(table.c.key).where(above.in_(some)))
        }
        found |= last
    return frozenset(map(InternalKey, found))


def names_of(connection: Connection, keys: Iterable[InternalKey]) -> frozenset[str]:
    """Give the codes of things in every project, and their handles in every collection."""
    found: set[str] = set()
    # Each project is named, so that the index serves: asked of all codes, every one of them would be read.
    numbers, kinds = list(connection.scalars(select(projects.c.number))), [kind.value for kind in Kind]
    for some in in_parts(sorted(keys), AT_ONCE):
        of_these = codes.c.project.in_(numbers), codes.c.kind.in_(kinds), codes.c.key.in_(some)
        found |= set(connection.scalars(select(codes.c.code).where(*of_these)))
        handles = select(collection_slides.c.handle).where(collection_slides.c.slide_key.in_(some))
        found |= set(connection.scalars(handles))
    return frozenset(found)
