"""Pages work without the viewer and say how to get it; nothing that people type is ever read as HTML."""

from pathlib import Path

import pytest

from archive.server import pages
from tests.archive.server.conftest import Client, Opened
from tests.archive.server.taught import TaughtArchive


def test_the_first_page_lists_collections_and_links_their_slides(taught: TaughtArchive, opened: Opened) -> None:
    collection = taught.teach("Kidney, week 3", taught.add(), taught.add())
    client = opened(taught)
    first = client.get("/").text
    assert "Kidney, week 3" in first
    assert f'href="/collections/{collection.handle}"' in first
    second = client.get(f"/collections/{collection.handle}").text
    for place in collection.places:
        assert f'href="/slides/{place.handle}"' in second
        assert f'src="/slides/{place.handle}/thumbnail.jpg"' in second
    third = client.get(f"/slides/{collection.places[1].handle}").text
    assert f'data-slide="{collection.places[1].handle}"' in third
    assert "Slide 2" in third


def test_an_archive_without_collections_says_how_to_make_one(taught: TaughtArchive, opened: Opened) -> None:
    assert "coverslip teach" in opened(taught).get("/").text


def test_a_name_is_shown_as_it_is_and_never_read_as_html(taught: TaughtArchive, opened: Opened) -> None:
    collection = taught.teach('Liver "<b>&', taught.add())
    client = opened(taught)
    for address in ("/", f"/collections/{collection.handle}", f"/slides/{collection.places[0].handle}"):
        text = client.get(address).text
        assert "Liver &#34;&lt;b&gt;&amp;" in text
        assert "<b>" not in text


@pytest.mark.parametrize("built", [True, False])
def test_pages_say_when_the_viewer_is_not_built_and_how_to_build_it(
    taught: TaughtArchive, opened: Opened, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, built: bool
) -> None:
    static = tmp_path / "static"
    if built:
        static.mkdir()
        (static / "viewer.js").write_text("// built\n")
    monkeypatch.setattr(pages, "STATIC", static)
    (place,) = taught.teach("One", taught.add()).places
    client = opened(taught)
    for address in ("/", f"/slides/{place.handle}"):
        assert ("install Node.js" in client.get(address).text) is not built
    assert ("/static/viewer.js" in client.get(f"/slides/{place.handle}").text) is built
    assert client.get("/static/viewer.js").status_code == (200 if built else 404)
    assert client.get(f"/slides/{place.handle}/tiles/0/0_0.jpg").status_code == 200


def test_a_page_loads_nothing_from_anywhere_else(two_slides: tuple[Client, str, str]) -> None:
    client, handle, _ = two_slides
    for address in ("/", f"/slides/{handle}", "/static/pages.css"):
        text = client.get(address).text
        assert "http://" not in text
        assert "https://" not in text
        assert "src=//" not in text


@pytest.mark.parametrize("name", ["frame.html", "..%2fpages.py", "../pages.py", "built-from.txt", "pages.css/x"])
def test_only_the_pages_own_parts_can_be_fetched(two_slides: tuple[Client, str, str], name: str) -> None:
    assert two_slides[0].get(f"/static/{name}").status_code == 404


def test_a_part_that_the_browser_has_is_not_sent_again(two_slides: tuple[Client, str, str]) -> None:
    client = two_slides[0]
    tag = client.get("/static/pages.css").headers["etag"]
    again = client.get("/static/pages.css", headers={"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("address", ["/", "/slides/{}", "/healthz", "/static/pages.css"])
def test_pages_can_only_be_looked_at(two_slides: tuple[Client, str, str], address: str) -> None:
    client, handle, _ = two_slides
    assert client.head(address.format(handle)).status_code == 200
    refused = client.request("POST", address.format(handle))
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")


def test_a_refusal_is_a_page_with_one_sentence(two_slides: tuple[Client, str, str]) -> None:
    answer = two_slides[0].get("/nothing")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is nothing at this address." in answer.text
