"""A server is reached on this machine, or with accounts under one name behind a proxy; under no other name at all."""

import pytest

from archive.errors import InvalidValue
from archive.server.app import create_app
from archive.server.run import address_of, serve
from archive.server.site import Site
from archive.settings import ArchiveSettings
from tests.archive.server.conftest import Opened
from tests.archive.server.members import Members
from tests.archive.server.taught import TaughtArchive

PROXIED = {"behind_tls_proxy": True, "hostname": "slides.example"}
HOST_COOKIE = "__Host-coverslip"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"host": "0.0.0.0"}, "this machine only"),
        ({"behind_tls_proxy": True, "hostname": "slides.example"}, "accounts are needed first"),
        ({"hostname": "slides.example"}, "declare it with --behind-tls-proxy"),
        ({"root_path": "/slides"}, "declare it with --behind-tls-proxy"),
    ],
)
def test_without_accounts_nobody_else_is_let_near(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        Site.of(ArchiveSettings(**settings), accounts=False)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"host": "0.0.0.0"}, "this machine only"),
        ({"host": "0.0.0.0", "hostname": "slides.example"}, "this machine only"),
        ({"hostname": "slides.example"}, "declare it with --behind-tls-proxy"),
        ({"behind_tls_proxy": True}, "say with --hostname"),
        ({"behind_tls_proxy": True, "hostname": "https://slides.example"}, "as browsers show it"),
        ({"behind_tls_proxy": True, "hostname": "slides.example/"}, "as browsers show it"),
        ({"behind_tls_proxy": True, "hostname": "a b"}, "as browsers show it"),
        (PROXIED | {"root_path": "slides"}, "begins with /"),
        (PROXIED | {"root_path": "/slides/"}, "begins with /"),
        (PROXIED | {"root_path": "/a/../b"}, "begins with /"),
    ],
)
def test_with_accounts_a_proxy_is_declared_whole_or_not_at_all(settings: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidValue, match=reason):
        Site.of(ArchiveSettings(**settings), accounts=True)


def test_with_accounts_a_declared_proxy_may_be_anywhere(taught: TaughtArchive, members: Members) -> None:
    settings = ArchiveSettings(archive=taught.root, host="0.0.0.0", **PROXIED, root_path="/slides")
    create_app(settings).close()
    assert address_of(settings) == "https://slides.example/slides/"


def test_a_worker_that_starts_later_does_not_serve_without_the_accounts(taught: TaughtArchive) -> None:
    with pytest.raises(Exception, match="no accounts yet"):
        create_app(ArchiveSettings(archive=taught.root), accounts=True)


def test_without_accounts_the_server_itself_refuses_a_proxy(taught: TaughtArchive) -> None:
    with pytest.raises(InvalidValue, match="coverslip setup"):
        serve(ArchiveSettings(archive=taught.root, **PROXIED))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("slides.example", 200),
        ("SLIDES.example", 200),
        ("slides.example:443", 421),
        ("slides.example.evil", 421),
        ("evil.example", 421),
        ("127.0.0.1:8765", 421),
        ("localhost", 421),
        ("", 421),
    ],
)
def test_behind_a_proxy_only_its_name_leads_in(
    taught: TaughtArchive, members: Members, opened: Opened, host: str, status: int
) -> None:
    (place,) = taught.teach("One", taught.add()).places
    client, cookie = opened(taught, **PROXIED), members.cookie("learner", HOST_COOKIE)
    for address in (f"/slides/{place.handle}/tiles/0/0_0.jpg", "/", "/sign-in", "/api/collections"):
        assert client.get(address, {**cookie, "host": host}).status_code == status


def test_what_a_request_says_about_its_proxy_is_not_believed(
    taught: TaughtArchive, members: Members, opened: Opened
) -> None:
    client = opened(taught)
    foreign = {"x-forwarded-host": "slides.example", "x-forwarded-proto": "https", "forwarded": "host=slides.example"}
    answer = client.get("/", foreign)
    assert answer.headers["location"] == "/sign-in?next=%2F"
    assert client.get("/", {**foreign, "host": "slides.example"}).status_code == 421


def test_every_address_begins_with_the_prefix(taught: TaughtArchive, members: Members, opened: Opened) -> None:
    members.store.add("eva", "a long pass phrase, 4 tests only")
    collection = taught.teach("One", taught.add())
    handle = collection.places[0].handle
    client = opened(taught, **PROXIED, root_path="/slides")
    cookie = members.cookie("learner", HOST_COOKIE)
    assert client.get("/slides/", cookie).status_code == 200
    assert client.get("/slides", cookie).status_code == 200
    assert client.get(f"/slides/slides/{handle}/tiles/0/0_0.jpg", cookie).status_code == 200
    assert client.get(f"/slides/api/slides/{handle}", cookie).status_code == 200
    assert client.get(f"/slides/{handle}", cookie).status_code == 404
    for beside in ("/", "/healthz", "/slidesx/", f"/collections/{collection.handle}", "/sign-in"):
        assert client.get(beside, cookie).status_code == 404
    pages = [f"/slides/slides/{handle}", "/slides/", f"/slides/collections/{collection.handle}", "/slides/sign-in"]
    for page in pages:
        text = client.get(page, cookie).text
        links = [part.partition('"')[0] for mark in ('href="', 'src="', 'action="') for part in text.split(mark)[1:]]
        assert links
        assert all(link.startswith("/slides/") for link in links), page
    assert 'data-root="/slides"' in client.get(pages[0], cookie).text
    away = client.get(f"/slides/slides/{handle}")
    assert away.headers["location"] == f"/slides/sign-in?next=%2Fslides%2F{handle}"
    form = {"name": "eva", "password": "a long pass phrase, 4 tests only"}
    answer = client.post("/slides/sign-in", form)
    assert answer.headers["location"] == "/slides/role"
    assert answer.headers["set-cookie"].startswith(f"{HOST_COOKIE}=")
    assert answer.headers["set-cookie"].endswith("; Secure")


def test_a_cookie_of_the_open_kind_does_not_let_in_behind_a_proxy(
    taught: TaughtArchive, members: Members, opened: Opened
) -> None:
    client = opened(taught, **PROXIED)
    assert client.get("/", members.cookie("learner")).status_code == 303
    assert client.get("/", members.cookie("learner", HOST_COOKIE)).status_code == 200
