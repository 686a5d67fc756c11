"""Every answer keeps itself private, tells nothing about the source, and looks the same for unknown and forbidden."""

import re
import time

import httpx
import pytest

from archive.server.headers import matches
from tests.archive.server.conftest import Client, Opened
from tests.archive.server.taught import TaughtArchive

EVERYWHERE = {
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "server": "",
}
NOWHERE = {"last-modified", "set-cookie", "access-control-allow-origin", "x-powered-by", "accept-ranges"}
SLIDE_ROUTES = [
    "/slides/{}",
    "/slides/{}.dzi",
    "/slides/{}/thumbnail.jpg",
    "/slides/{}/tiles/0/0_0.jpg",
    "/slides/{}/tiles/1/0_0.jpg",
    "/slides/{}_files/10/0_0.jpeg",
    "/slides/{}_files/7/0_0.jpeg",
    "/api/slides/{}",
]
OTHER_ROUTES = ["/", "/healthz", "/api/collections", "/api/openapi.json", "/static/pages.css", "/static/mark.svg"]
REFUSED_ROUTES = ["/nothing", "/api/nothing", "/static/nothing", "/slides/x/tiles/0/0_x.jpg", "/docs"]


def check_headers(answer: httpx.Response) -> None:
    for name, value in EVERYWHERE.items():
        assert answer.headers.get_list(name) == [value], name
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not NOWHERE & set(answer.headers)
    assert len(answer.headers.get_list("cache-control")) == 1


@pytest.mark.parametrize("route", SLIDE_ROUTES)
def test_what_is_shown_is_private(two_slides: tuple[Client, str, str], route: str) -> None:
    client, shown, _ = two_slides
    answer = client.get(route.format(shown))
    assert answer.status_code == 200
    check_headers(answer)
    assert answer.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize("route", OTHER_ROUTES)
def test_pages_and_their_parts_have_the_same_headers(two_slides: tuple[Client, str, str], route: str) -> None:
    answer = two_slides[0].get(route)
    assert answer.status_code == 200
    check_headers(answer)
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"


@pytest.mark.parametrize("route", REFUSED_ROUTES)
def test_refusals_have_the_same_headers(two_slides: tuple[Client, str, str], route: str) -> None:
    answer = two_slides[0].get(route)
    assert answer.status_code in (400, 404)
    check_headers(answer)


@pytest.mark.parametrize("route", SLIDE_ROUTES)
def test_a_refused_slide_looks_exactly_like_one_that_never_was(two_slides: tuple[Client, str, str], route: str) -> None:
    client, _, refused = two_slides
    forbidden, unknown = client.get(route.format(refused)), client.get(route.format("0" * len(refused)))
    assert forbidden.status_code == unknown.status_code == 404
    assert forbidden.headers == unknown.headers
    assert forbidden.content == unknown.content
    assert client.get(route.format(refused)).content == unknown.content, "the second time it looks different"


@pytest.mark.parametrize("route", ["/slides/{}/tiles/0/0_0.jpg", "/slides/{}", "/api/slides/{}"])
def test_the_time_taken_does_not_tell_a_refused_slide_either(
    two_slides: tuple[Client, str, str], route: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, shown, refused = two_slides
    monkeypatch.setattr("archive.server.front.NOTHING_HERE_SECONDS", 0.5)
    for handle in (refused, "1" * 26):
        began = time.monotonic()
        assert client.get(route.format(handle)).status_code == 404
        assert time.monotonic() - began >= 0.5
    began = time.monotonic()
    assert client.get(route.format(shown)).status_code == 200
    assert time.monotonic() - began < 0.5


def test_a_collection_without_a_slide_to_show_looks_like_none(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add()
    collection = taught.teach("Gone", code)
    taught.refuse(code)
    client = opened(taught)
    for route in ("/collections/{}", "/api/collections/{}"):
        forbidden, unknown = client.get(route.format(collection.handle)), client.get(route.format("0" * 26))
        assert forbidden.status_code == unknown.status_code == 404
        assert (forbidden.headers, forbidden.content) == (unknown.headers, unknown.content)
    assert client.get("/api/collections").json() == []


@pytest.mark.parametrize("route", [route for route in SLIDE_ROUTES if "_" in route or "." in route])
def test_what_the_browser_has_is_not_sent_again(two_slides: tuple[Client, str, str], route: str) -> None:
    client, shown, _ = two_slides
    tag = client.get(route.format(shown)).headers["etag"]
    for asked in (tag, f"W/{tag}", f'"other", {tag}'):
        again = client.get(route.format(shown), headers={"if-none-match": asked})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        check_headers(again)
    assert client.get(route.format(shown), headers={"if-none-match": '"other"'}).status_code == 200


def test_what_the_browser_has_is_not_confirmed_once_consent_is_gone(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add()
    (place,) = taught.teach("One", code).places
    client, address = opened(taught), f"/slides/{place.handle}/tiles/0/0_0.jpg"
    tag = client.get(address).headers["etag"]
    taught.refuse(code)
    assert client.get(address, headers={"if-none-match": tag}).status_code == 404


def test_a_tag_is_random_per_collection_and_the_same_on_every_worker(taught: TaughtArchive, opened: Opened) -> None:
    code = taught.add()
    first, second = taught.teach("First", code), taught.teach("Second", code)
    one_worker, another = opened(taught), opened(taught)

    def tag(client: Client, handle: str) -> str:
        return client.get(f"/slides/{handle}/tiles/0/0_0.jpg").headers["etag"]

    here = tag(one_worker, first.places[0].handle)
    assert tag(another, first.places[0].handle) == here
    assert tag(one_worker, second.places[0].handle) != here
    assert re.fullmatch(r'"[0-9a-f]{20}/tiles/0/0_0\.jpg"', here)


def test_a_tag_is_compared_whole() -> None:
    assert matches('"a", W/"b"', '"b"')
    assert not matches('"ab"', '"a"')
    assert not matches("*", '"a"')
    assert not matches(None, '"a"')


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200),
        ("127.9.9.9", 200),
        ("localhost:1", 200),
        ("LOCALHOST", 200),
        ("[::1]:8765", 200),
        ("slides.example", 421),
        ("127.0.0.1.slides.example", 421),
        ("localhost.slides.example:8765", 421),
        ("192.168.0.7", 421),
        ("0.0.0.0", 421),
        ("", 421),
        ("127.0.0.1:8765, slides.example", 421),
    ],
)
@pytest.mark.parametrize("route", ["/slides/{}/tiles/0/0_0.jpg", "/slides/{}", "/api/slides/{}"])
def test_only_this_machine_is_asked_by_its_own_name(
    two_slides: tuple[Client, str, str], host: str, status: int, route: str
) -> None:
    client, shown, _ = two_slides
    for _ in range(2):
        assert client.get(route.format(shown), headers={"host": host}).status_code == status
