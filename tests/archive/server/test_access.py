"""A decision is used again for half a second at most, and never when it could not be made."""

import pytest

from archive.consent import Facts
from archive.consent.terms import Authority, Recorded, TissueSource
from archive.errors import CatalogueUnavailable, HoldingsUnavailable, UnknownCode
from archive.holdings import Archive
from archive.server import access as access_module
from archive.server.access import Access
from archive.settings import ArchiveSettings
from archive.teaching import compose, remove
from tests.archive.server.conftest import Opened
from tests.archive.server.taught import TaughtArchive


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def access(taught: TaughtArchive, clock: Clock):
    reading = Archive.open(taught.root, read_only=True)
    made = Access(reading, ArchiveSettings(archive=taught.root, decision_cache_seconds=0.5), clock)
    yield made
    made.forget()
    reading.close()


def test_a_withdrawal_acts_after_half_a_second_at_the_latest(
    taught: TaughtArchive, access: Access, clock: Clock
) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    assert access.slide(place.handle).number == 1
    taught.refuse(code)
    clock.now += 0.51
    with pytest.raises(UnknownCode):
        access.slide(place.handle)
    taught.allow(code)
    clock.now += 0.51
    assert access.slide(place.handle).number == 1


def test_a_decision_is_not_made_twice_while_nothing_changes(
    taught: TaughtArchive, access: Access, clock: Clock
) -> None:
    (place,) = taught.teach("One", taught.add()).places
    shown = access.slide(place.handle)
    for _ in range(10):
        clock.now += 0.51
        assert access.slide(place.handle) is shown


def test_a_slide_taken_out_of_its_collection_is_gone(taught: TaughtArchive, access: Access, clock: Clock) -> None:
    code, other = taught.add(), taught.add()
    first, second = taught.teach("Two", code, other).places
    access.slide(first.handle)
    remove(taught.archive, "Two", [code])
    clock.now += 0.51
    with pytest.raises(UnknownCode):
        access.slide(first.handle)
    assert access.slide(second.handle).number == 2
    assert len(access.collection(access.slide(second.handle).collection_handle).slides) == 1


def test_post_mortem_tissue_is_shown_only_with_consent_to_teaching(taught: TaughtArchive, access: Access) -> None:
    hospital = Facts(
        source=TissueSource.POST_MORTEM, authority=Authority.HOSPITAL, recorded=Recorded.AS_PART_OF_EXAMINATION
    )
    code = taught.add(facts=hospital)
    assert compose(taught.archive, "Autopsies", [code]).collection is None
    assert access.collections() == ()


@pytest.mark.parametrize("failure", [CatalogueUnavailable, HoldingsUnavailable])
def test_nothing_is_shown_while_the_catalogue_fails(
    taught: TaughtArchive, opened: Opened, monkeypatch: pytest.MonkeyPatch, failure: type[Exception]
) -> None:
    collection = taught.teach("One", taught.add())
    handle = collection.places[0].handle
    client = opened(taught)
    routes = [
        f"/slides/{handle}/tiles/0/0_0.jpg",
        f"/slides/{handle}_files/10/0_0.jpeg",
        f"/slides/{handle}.dzi",
        f"/slides/{handle}/thumbnail.jpg",
        f"/slides/{handle}",
        f"/collections/{collection.handle}",
        "/",
        f"/api/slides/{handle}",
        f"/api/collections/{collection.handle}",
        "/api/collections",
        "/healthz",
    ]
    for route in routes:
        assert client.get(route).status_code == 200

    def failing(_: Archive) -> int:
        raise failure("the disk is gone")

    with monkeypatch.context() as patch:
        patch.setattr(Archive, "change_count", failing)
        for route in routes:
            answer = client.get(route)
            assert answer.status_code == 503
            assert "cannot be asked now" in answer.text
            assert "disk is gone" not in answer.text
    for route in routes:
        assert client.get(route).status_code == 200, "it does not come back"


def test_only_so_many_files_are_open_at_once(
    taught: TaughtArchive, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_module, "OPEN_SHARDS", 4)
    places = taught.teach("Many", *(taught.add() for _ in range(5))).places
    shown = [access.slide(place.handle) for place in places]
    assert access.slide(places[-1].handle) is shown[-1]
    assert access.slide(places[-2].handle) is shown[-2]
    assert access.slide(places[0].handle) is not shown[0], "the slide least recently looked at was kept open"


def test_handles_that_lead_nowhere_are_remembered_in_bounded_number(
    taught: TaughtArchive, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_module, "REFUSALS_REMEMBERED", 10)
    for number in range(30):
        with pytest.raises(UnknownCode):
            access.slide(f"{number:026}")
    (place,) = taught.teach("One", taught.add()).places
    assert access.slide(place.handle).number == 1
