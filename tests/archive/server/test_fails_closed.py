"""With the database, the consent that it keeps, the rules, the folder or the clock failing, not one tile is served."""

import math
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archive.catalogue import audit
from archive.codes import new_key
from archive.consent.records import Giver
from archive.errors import ArchiveError, CatalogueUnavailable, ClockUnreliable
from archive.holdings import Archive, withdrawing
from archive.holdings.withdrawal import Withdrawal
from archive.server.access import Access
from archive.server.app import create_app
from archive.server.cache import TileCache
from archive.server.pictures import Pictures
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings
from tests.archive.server.conftest import Opened
from tests.archive.server.taught import TaughtArchive

CACHED_SECONDS = 0.2
TILES = (
    *("/slides/{handle}/tiles/0/0_0.jpg", "/slides/{handle}/tiles/1/0_0.jpg", "/slides/{handle}/thumbnail.jpg"),
    *("/slides/{handle}_files/10/0_0.jpeg", "/slides/{handle}_files/6/0_0.jpeg"),
)

Failure = Callable[[Path], None]


def change(root: Path, *statements: str) -> None:
    """Change the catalogue past the program, as a damaged disk or a hand would."""
    with closing(sqlite3.connect(root / "catalogue.sqlite")) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def files(root: Path) -> list[Path]:
    """Give the catalogue and its log; the file beside them is shared memory, which lies on no disk."""
    return [file for file in root.glob("catalogue.sqlite*") if not file.name.endswith("-shm")]


def remove(root: Path) -> None:
    for file in files(root):
        file.unlink()


def replace(root: Path) -> None:
    """Put a copy of the same catalogue in the place of the one that is open, as a restoration does."""
    aside = root.parent / "copy.sqlite"
    with closing(sqlite3.connect(root / "catalogue.sqlite")) as source, closing(sqlite3.connect(aside)) as target:
        source.backup(target)
    remove(root)
    aside.rename(root / "catalogue.sqlite")


def overwrite(root: Path) -> None:
    for file in files(root):
        file.write_bytes(b"\x00" * file.stat().st_size)


def cut_off(root: Path) -> None:
    for file in files(root):
        with file.open("r+b") as opened:
            opened.truncate(100)


def unmount(root: Path) -> None:
    root.rename(root.with_name("elsewhere"))


def run_ahead(root: Path) -> None:
    """Seal an act tomorrow: the clock of whoever did it, or that of this machine, is wrong."""
    real = audit.datetime

    class Tomorrow(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return real.now(UTC) + timedelta(days=1)

    audit.datetime = Tomorrow
    try:
        with Archive.open(root) as archive, archive.catalogue.writing() as writing:
            writing.tell("look")
    finally:
        audit.datetime = real


FAILURES: dict[str, Failure] = {
    "the catalogue was removed": remove,
    "the catalogue was replaced by a copy": replace,
    "the catalogue was overwritten": overwrite,
    "the catalogue was cut off": cut_off,
    "the archive's disk is gone": unmount,
    "the archive's mark is damaged": lambda root: (root / "archive.json").write_text("{"),
    "the mark is another archive's": lambda root: (root / "archive.json").write_text(f'{{"archive": "{new_key()}"}}'),
    "the facts of consent cannot be read": lambda root: change(root, "UPDATE cases SET facts = 'nothing'"),
    "there are no facts": lambda root: change(root, "UPDATE cases SET facts = '{}'"),
    "there are no cases": lambda root: change(root, "DELETE FROM cases"),
    "the table of cases is gone": lambda root: change(root, "ALTER TABLE cases RENAME TO gone"),
    "no rules are in force": lambda root: change(root, "DELETE FROM rules"),
    "other rules are in force": lambda root: change(root, "INSERT INTO rules VALUES (99, 'other')"),
    "the table of rules is gone": lambda root: change(root, "DROP TABLE rules"),
    "the catalogue is no archive's": lambda root: change(root, "DELETE FROM archive"),
    "the newest act cannot be read": lambda root: change(root, "UPDATE audit SET text = 'nothing'"),
    "the clock is behind the newest act": run_ahead,
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_not_one_tile_is_served(taught: TaughtArchive, opened: Opened, failure: Failure) -> None:
    handle = taught.teach("One", taught.add()).places[0].handle
    client = opened(taught, decision_cache_seconds=CACHED_SECONDS)
    before = [client.get(address.format(handle=handle)) for address in TILES]
    assert {answer.status_code for answer in before} == {200}
    taught.archive.close()

    failure(taught.root)
    time.sleep(CACHED_SECONDS * 1.1)
    for address in TILES * 3:
        answer = client.get(address.format(handle=handle))
        assert answer.status_code in (404, 500, 503), (address, answer.status_code)
        assert b"\xff\xd8" not in answer.content
        assert "Traceback" not in answer.text
    assert client.get("/").status_code in (200, 404, 500, 503)
    assert handle not in client.get("/api/collections").text


class Clock:
    """A clock that does what a broken one does."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.fails = False

    def __call__(self) -> float:
        if self.fails:
            raise OSError("no clock")
        return self.now


@pytest.mark.parametrize("reading", [999.0, -1.0, math.nan])
def test_a_clock_that_runs_backwards_or_tells_nothing_shows_nothing(taught: TaughtArchive, reading: float) -> None:
    handle, clock = taught.teach("One", taught.add()).places[0].handle, Clock()
    with Archive.open(taught.root, read_only=True) as archive:
        access = Access(archive, ArchiveSettings(archive=taught.root), clock)
        access.slide(handle)
        clock.now = reading
        for _ in range(3):
            with pytest.raises(ClockUnreliable):
                access.slide(handle)
        clock.now, clock.fails = 1001.0, True
        with pytest.raises(OSError, match="no clock"):
            access.slide(handle)
        access.forget()


def test_a_clock_that_stands_still_makes_no_decision_last(taught: TaughtArchive) -> None:
    slide, clock = taught.add(), Clock()
    handle = taught.teach("One", slide).places[0].handle
    with Archive.open(taught.root, read_only=True) as archive:
        access = Access(archive, ArchiveSettings(archive=taught.root, decision_cache_seconds=1), clock)
        access.slide(handle)
        clock.now += 0.1
        access.slide(handle)
        taught.refuse(slide)
        with pytest.raises(LookupError):
            access.slide(handle)
        access.forget()


def test_a_server_does_not_start_without_the_catalogue_that_belongs_to_the_folder(taught: TaughtArchive) -> None:
    taught.archive.close()
    shutil.copytree(taught.root, taught.root.with_name("copy"))
    for name, failure in FAILURES.items():
        if failure in (remove, overwrite, cut_off, unmount) or "mark" in name:
            root = taught.root.with_name(name)
            shutil.copytree(taught.root.with_name("copy"), root)
            failure(root)
            with pytest.raises(ArchiveError):
                create_app(ArchiveSettings(archive=root))


@pytest.mark.parametrize("in_place", [True, False], ids=["written over", "restored and opened anew"])
def test_a_catalogue_from_before_a_withdrawal_shows_nothing(taught: TaughtArchive, in_place: bool) -> None:
    slide = taught.add()
    (place,) = taught.teach("Two", slide).places
    old = taught.root.parent / "old.sqlite"
    with closing(sqlite3.connect(taught.root / "catalogue.sqlite")) as source, closing(sqlite3.connect(old)) as copy:
        source.backup(copy)
    settings = ArchiveSettings(archive=taught.root, decision_cache_seconds=0)
    with Archive.open(taught.root, read_only=True) as archive:
        access = Access(archive, settings)
        access.slide(place.handle)
        taught.refuse(slide)
        taught.add()
        with pytest.raises(LookupError):
            access.slide(place.handle)
        taught.archive.close()
        if in_place:
            with (
                closing(sqlite3.connect(old)) as copy,
                closing(sqlite3.connect(taught.root / "catalogue.sqlite")) as now,
            ):
                copy.backup(now)
            with pytest.raises(CatalogueUnavailable):
                access.slide(place.handle)
        access.forget()
    if not in_place:
        remove(taught.root)
        old.rename(taught.root / "catalogue.sqlite")
        with Archive.open(taught.root, read_only=True) as archive, pytest.raises(CatalogueUnavailable):
            Access(archive, settings).slide(place.handle)


def test_pictures_that_were_made_are_forgotten_when_anything_is_withdrawn(taught: TaughtArchive) -> None:
    slide, other = taught.add(), taught.add()
    collection = taught.teach("Two", slide, other)
    cache = TileCache(2**20)
    with Archive.open(taught.root, read_only=True) as archive:
        access = Access(archive, ArchiveSettings(archive=taught.root, decision_cache_seconds=0))
        route = TileRoute(access, Pictures(cache))
        for place in collection.places:
            assert route.answer("GET", f"/slides/{place.handle}/thumbnail.jpg", None)
        assert len(cache) == 2
        taught.teach("Another", other)
        access.assure()
        assert len(cache) == 2  # a change that withdraws nothing costs no picture
        case = taught.archive.slide(slide).record.case
        withdrawing.withdraw(
            taught.archive, Withdrawal(case=case, giver=Giver.SELF, by="a.curator", reason="a letter", key=new_key())
        )
        access.assure()
        assert len(cache) == 0
        access.forget()
