"""A teaching collection is shown live to a named class, who learn from it nothing but the picture.

To its viewers it is anonymised: its handle and those of its slides are random, belong to this collection alone and
lead nowhere else. To the archive it stays coded, so each slide is decided when it is put in and again whenever it is
looked up: what consent no longer allows is gone at once, and looks exactly like what never was.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from archive.catalogue import collections
from archive.catalogue.codes import NOT_HERE
from archive.catalogue.collections import CollectionRow, PlaceRow
from archive.codes import Code, InternalKey, Kind
from archive.consent import Decision, Purpose, Recipient
from archive.errors import UnknownCode
from archive.holdings import Archive
from archive.holdings.deciding import told
from archive.records import ScanStatus
from archive.wordscreen import screen


@dataclass(frozen=True, slots=True)
class TeachingPlace:
    """One slide's place in a collection; a slide has several where several of its scans are in it.

    ``handle`` is random and may be shown; ``number`` counts from 1 in the teacher's order and may have gaps; ``scan``
    is the scan that is shown and stays inside the archive.
    """

    handle: str
    number: int
    scan: InternalKey


@dataclass(frozen=True, slots=True)
class TeachingCollection:
    """A collection with those of its slides that may be shown now."""

    handle: str
    name: str
    places: tuple[TeachingPlace, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A slide or scan that was not put into a collection, and the decision that says why."""

    slide: Code
    decision: Decision


@dataclass(frozen=True, slots=True)
class Composition:
    """What came of composing: the collection, which is None if it has no slide to show, and the refusals."""

    collection: TeachingCollection | None
    refusals: tuple[Refusal, ...]


def compose(archive: Archive, name: str, slides: Sequence[Code | str]) -> Composition:
    """Put slides into the collection of that name, which is made if there is none.

    A slide's code stands for the one with most pixels among its scans, a scan's code for that very scan: there may be
    several regions of a glass. What is in the collection already keeps its place. A collection none of whose slides may
    be taught is not made.

    Raises
    ------
    FreeTextRefused
        If the name looks as if it held an identifier.
    UnknownCode, InvalidValue
        If there is no such slide or scan, or no scan of it may be opened at all; then nothing is changed.
    """
    name = screen(name, "the name of a collection")
    codes = [Code.parse(slide) if isinstance(slide, str) else slide for slide in slides]
    choices = {code: _choose(archive, code) for code in codes}
    chosen = {code: (key, scan) for code, (key, scan, decision) in choices.items() if decision.allowed}
    refusals = tuple(Refusal(code, decision) for code, (_, _, decision) in choices.items() if not decision.allowed)
    with archive.catalogue.writing() as writing:
        row = collections.add_collection(writing.connection, name) if chosen else None
        if row is not None:
            known = {place.slide for place in collections.places(writing.connection, row.handle)}
            for code, (slide, scan) in chosen.items():
                if code.kind is Kind.SCAN or slide not in known:
                    collections.add_place(writing.connection, row.handle, slide, scan)
        writing.tell(
            "compose",
            collection=row.handle if row else None,
            decisions={str(code): told(decision) for code, (_, _, decision) in choices.items()},
        )
    return Composition(_named(archive, name), refusals)


def remove(archive: Archive, name: str, slides: Sequence[Code | str]) -> None:
    """Take slides, with all their scans, or single scans out of a collection; their handles there lead nowhere then.

    Raises
    ------
    UnknownCode, InvalidValue
        If there is no such collection, or one of the slides is not in it; then nothing is changed.
    """
    codes = [Code.parse(slide) if isinstance(slide, str) else slide for slide in slides]
    keys = [archive.key_of(code, code.kind if code.kind is Kind.SCAN else Kind.SLIDE) for code in codes]
    with archive.catalogue.writing() as writing:
        row = _row(writing.connection, name)
        if row is None:
            raise UnknownCode(NOT_HERE)
        places = collections.places(writing.connection, row.handle)
        if not set(keys) <= {key for place in places for key in (place.slide, place.scan)}:
            raise UnknownCode(NOT_HERE)
        for place in places:
            if place.slide in keys or place.scan in keys:
                collections.remove_place(writing.connection, place.handle)
        writing.tell("remove", collection=row.handle, slides=[str(code) for code in codes])


def shown_collections(archive: Archive) -> tuple[TeachingCollection, ...]:
    """Give every collection that has a slide to show now, in the order of the names."""
    with archive.catalogue.reading() as connection:
        rows = collections.all_collections(connection)
    shown = (_shown(archive, row) for row in rows)
    return tuple(collection for collection in shown if collection.places)


def find_collection(archive: Archive, handle: str) -> TeachingCollection:
    """Give the collection of that handle, with those of its slides that may be shown now.

    Raises
    ------
    UnknownCode
        If there is none, or none of its slides may be shown.
    """
    with archive.catalogue.reading() as connection:
        row = collections.find_collection(connection, handle)
    shown = None if row is None else _shown(archive, row)
    if shown is None or not shown.places:
        raise UnknownCode(NOT_HERE)
    return shown


def find_slide(archive: Archive, handle: str) -> tuple[CollectionRow, TeachingPlace]:
    """Give the slide of that handle with its collection's handle and name, if it may be shown now.

    Raises
    ------
    UnknownCode
        If there is none, or it may not be shown.
    """
    with archive.catalogue.reading() as connection:
        place = collections.find_place(connection, handle)
        row = None if place is None else collections.find_collection(connection, place.collection)
    if place is not None and row is not None:
        for shown in _allowed(archive, (place,)):
            return row, shown
    raise UnknownCode(NOT_HERE)


def _choose(archive: Archive, code: Code) -> tuple[InternalKey, InternalKey, Decision]:
    """Choose what is to be shown: slide, scan, and the decision on it.

    Of a slide it is the scan with most pixels that may be taught; if none may, the decision on the first says why.
    """
    one = archive.scan(archive.key_of(code, Kind.SCAN)) if code.kind is Kind.SCAN else None
    slide = one.record.slide if one else archive.slide(code).record.key
    scans = (one.record,) if one else archive.scans_of(slide)
    kept = [scan.key for scan in scans if scan.status is ScanStatus.KEPT]
    choices = [(slide, scan, archive.decide(slide, Purpose.TEACHING, Recipient.CLASS, scan=scan)) for scan in kept]
    if not choices:
        raise UnknownCode(NOT_HERE)
    return next((choice for choice in choices if choice[2].allowed), choices[0])


def _row(connection: Connection, name: str) -> CollectionRow | None:
    return next((row for row in collections.all_collections(connection) if row.name == name), None)


def _named(archive: Archive, name: str) -> TeachingCollection | None:
    with archive.catalogue.reading() as connection:
        row = _row(connection, name)
    shown = None if row is None else _shown(archive, row)
    return shown if shown and shown.places else None


def _shown(archive: Archive, row: CollectionRow) -> TeachingCollection:
    with archive.catalogue.reading() as connection:
        places = collections.places(connection, row.handle)
    return TeachingCollection(row.handle, row.name, tuple(_allowed(archive, places)))


def _allowed(archive: Archive, places: Iterable[PlaceRow]) -> Iterator[TeachingPlace]:
    for place in places:
        try:
            decision = archive.decide(place.slide, Purpose.TEACHING, Recipient.CLASS, scan=place.scan)
        except UnknownCode:
            continue
        if decision.allowed:
            yield TeachingPlace(place.handle, place.position, place.scan)
