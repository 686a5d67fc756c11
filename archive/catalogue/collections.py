"""Teaching collections: a name, and scans of slides in the teacher's order under handles that tell nothing.

A handle belongs to one collection. The same slide has another one in every other collection, and only these tables
know that the two are one slide.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select

from archive.catalogue.schema import collection_slides, collections
from archive.codes import InternalKey, new_handle


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A collection's handle and name."""

    handle: str
    name: str


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One slide's place in a collection: its handle there, the slide and scan it stands for, and its position."""

    handle: str
    collection: str
    slide: InternalKey
    scan: InternalKey
    position: int


def add_collection(connection: Connection, name: str) -> CollectionRow:
    """Give the collection of that name, which is made if there is none."""
    known = connection.execute(select(collections).where(collections.c.name == name)).one_or_none()
    if known is not None:
        return CollectionRow(known.handle, known.name)
    made = CollectionRow(new_handle(), name)
    connection.execute(insert(collections).values(handle=made.handle, name=name))
    return made


def add_place(connection: Connection, collection: str, slide: InternalKey, scan: InternalKey) -> PlaceRow:
    """Put a scan of a slide at the end of a collection; one that is in it already keeps its place and handle."""
    for place in places(connection, collection):
        if place.scan == scan:
            return place
    last = connection.scalar(
        select(func.max(collection_slides.c.position)).where(collection_slides.c.collection == collection)
    )
    place = PlaceRow(new_handle(), collection, slide, scan, (last or 0) + 1)
    connection.execute(
        insert(collection_slides).values(
            handle=place.handle, collection=collection, slide_key=slide, scan_key=scan, position=place.position
        )
    )
    return place


def remove_place(connection: Connection, handle: str) -> None:
    """Take a scan out of its collection; its handle is never used again."""
    connection.execute(delete(collection_slides).where(collection_slides.c.handle == handle))


def all_collections(connection: Connection) -> tuple[CollectionRow, ...]:
    """Give all collections in the order of their names."""
    rows = connection.execute(select(collections).order_by(collections.c.name))
    return tuple(CollectionRow(row.handle, row.name) for row in rows)


def find_collection(connection: Connection, handle: str) -> CollectionRow | None:
    """Give the collection of that handle, or None."""
    row = connection.execute(select(collections).where(collections.c.handle == handle)).one_or_none()
    return None if row is None else CollectionRow(row.handle, row.name)


def places(connection: Connection, collection: str) -> tuple[PlaceRow, ...]:
    """Give the places of a collection in their order."""
    query = select(collection_slides).where(collection_slides.c.collection == collection)
    rows = connection.execute(query.order_by(collection_slides.c.position))
    return tuple(PlaceRow(row.handle, row.collection, row.slide_key, row.scan_key, row.position) for row in rows)


def find_place(connection: Connection, handle: str) -> PlaceRow | None:
    """Give the place of that handle, or None."""
    row = connection.execute(select(collection_slides).where(collection_slides.c.handle == handle)).one_or_none()
    return None if row is None else PlaceRow(row.handle, row.collection, row.slide_key, row.scan_key, row.position)


def places_of(connection: Connection, slide: InternalKey) -> tuple[tuple[CollectionRow, PlaceRow], ...]:
    """Give every collection that a slide is in, in the order of their names, with its place there."""
    query = (
        select(collection_slides, collections.c.name)
        .join(collections, collections.c.handle == collection_slides.c.collection)
        .where(collection_slides.c.slide_key == slide)
        .order_by(collections.c.name)
    )
    return tuple(
        (
            CollectionRow(row.collection, row.name),
            PlaceRow(row.handle, row.collection, row.slide_key, row.scan_key, row.position),
        )
        for row in connection.execute(query)
    )
