"""The access trail tells once who opened a slide, and never of a tile; what it cannot be told is not shown."""

import json

import pytest

from archive.accounts import AccountStore
from archive.auditchain import verify
from archive.errors import AccountsUnavailable
from tests.archive.server.conftest import Opened
from tests.archive.server.members import Members
from tests.archive.server.taught import TaughtArchive
from tests.slides.colour_charts import scanner

OPENING = [
    "/slides/{}",
    "/api/slides/{}",
    "/slides/{}.dzi",
    "/slides/{}/tiles/0/0_0.jpg",
    "/slides/{}_files/7/0_0.jpeg",
    "/slides/{}/srgb.dzi",
    "/slides/{}/srgb/tiles/0/0_0.jpg",
    "/slides/{}/srgb_files/7/0_0.jpeg",
]
PROFILE = scanner()


@pytest.mark.parametrize("route", OPENING)
def test_an_opening_is_told_by_code_account_role_and_purpose(
    taught: TaughtArchive, members: Members, opened: Opened, route: str
) -> None:
    code = taught.add(profile=PROFILE)
    collection = taught.teach("One", code)
    client = opened(taught)
    assert client.get(route.format(collection.places[0].handle), members.cookie("learner")).status_code == 200
    (entry,) = map(json.loads, members.openings())
    del entry["at"]
    assert entry == {
        "act": "open slide",
        "actor": "learner",
        "role": "learner",
        "slide": str(code),
        "collection": collection.handle,
        "purpose": "teaching",
    }


def test_a_slide_is_opened_once_however_many_tiles_and_workers_show_it(
    taught: TaughtArchive, members: Members, opened: Opened
) -> None:
    first, second = taught.teach("Two", taught.add(profile=PROFILE), taught.add()).places
    workers = [opened(taught), opened(taught)]
    cookie = members.cookie("learner")
    for _ in range(3):
        for worker in workers:
            for route in OPENING:
                assert worker.get(route.format(first.handle), cookie).status_code == 200
    assert len(members.openings()) == 1
    assert workers[1].get(OPENING[3].format(second.handle), cookie).status_code == 200
    assert workers[0].get(OPENING[3].format(first.handle), members.cookie("educator")).status_code == 200
    assert len(members.openings()) == 3


def test_a_browser_that_has_the_tile_opens_the_slide_all_the_same(
    taught: TaughtArchive, members: Members, opened: Opened
) -> None:
    (place,) = taught.teach("One", taught.add()).places
    client, address = opened(taught), f"/slides/{place.handle}/tiles/0/0_0.jpg"
    tag = client.get(address, members.cookie("learner")).headers["etag"]
    assert client.get(address, {**members.cookie("educator"), "if-none-match": tag}).status_code == 304
    assert len(members.openings()) == 2


def test_lists_and_what_is_refused_open_nothing(taught: TaughtArchive, members: Members, opened: Opened) -> None:
    shown, refused = taught.add(profile=PROFILE), taught.add(profile=PROFILE)
    collection = taught.teach("Two", shown, refused)
    taught.refuse(refused)
    client, cookie = opened(taught), members.cookie("learner")
    handles = [place.handle for place in collection.places]
    thumbnails = (f"/slides/{handles[0]}/thumbnail.jpg", f"/slides/{handles[0]}/srgb/thumbnail.jpg")
    for address in ("/", f"/collections/{collection.handle}", *thumbnails):
        assert client.get(address, cookie).status_code == 200
    for route in OPENING:
        assert client.get(route.format(handles[1]), cookie).status_code == 404
        assert client.get(route.format(handles[0])).status_code in (303, 401)
    assert client.get(f"/slides/{handles[0]}/tiles/0/99_0.jpg", cookie).status_code == 404
    assert members.openings() == []


@pytest.mark.parametrize("route", OPENING)
def test_what_the_trail_cannot_be_told_is_not_shown(
    taught: TaughtArchive, members: Members, opened: Opened, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    (place,) = taught.teach("One", taught.add(profile=PROFILE)).places
    client, cookie = opened(taught), members.cookie("learner")

    def failing(*_: object, **__: object) -> bool:
        raise AccountsUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(AccountStore, "note_opening", failing)
        answer = client.get(route.format(place.handle), cookie)
    assert answer.status_code == 503
    assert "disk" not in answer.text
    assert client.get(route.format(place.handle), cookie).status_code == 200


def test_the_trail_holds_after_a_day_of_looking(taught: TaughtArchive, members: Members, opened: Opened) -> None:
    places = taught.teach("Many", *(taught.add() for _ in range(4))).places
    client = opened(taught)
    for name in ("learner", "educator"):
        cookie = members.cookie(name)
        for place in places:
            client.get(f"/slides/{place.handle}", cookie)
    assert len(members.openings()) == 8
    trail = members.store.sealed_trail()
    assert verify(trail.entries(), trail.first, trail.heads()) == ()
