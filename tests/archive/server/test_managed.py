"""Colours are managed at addresses of their own, only where the scanner said what they are, and no profile leaves."""

import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from archive.codes import Code
from archive.geometry import Size
from archive.holdings import Archive
from archive.holdings.pixels import Coding
from archive.holdings.place import COLOUR_PROFILE
from archive.pyramid import colours
from archive.pyramid.colours import ToSrgb
from archive.server.access import Access
from archive.server.cache import TileCache
from archive.server.pictures import Pictures
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings
from tests.archive.server.conftest import Client, Opened, client_of
from tests.archive.server.taught import TaughtArchive, padded_tile, shrunk
from tests.ingest.deidentify.colour_difference import ciede2000
from tests.slides.colour_charts import grey_scanner, lab_of_srgb, scanner
from tests.slides.tissue import tissue

PICTURE = tissue(700, 500)
PROFILE = scanner()
IN_SRGB = ToSrgb(PROFILE)
"""What Little CMS makes of the scanner's numbers; held against a formula in the tests of the pyramid."""

PICTURES = ("/tiles/0/1_1.jpg", "/tiles/1/0_0.jpg", "/tiles/2/0_0.jpg", "_files/10/1_1.jpeg", "_files/10/5_3.jpeg")
PICTURES = (*PICTURES, "_files/8/0_0.jpeg", "/thumbnail.jpg", ".dzi")


@dataclass(frozen=True)
class Scene:
    """A server over three slides: of a known scanner, of one that said nothing, and one stored without loss."""

    client: Client
    taught: TaughtArchive
    known: str
    silent: str
    lossless: str


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    taught = TaughtArchive(tmp_path_factory.mktemp("managed") / "archive")
    pyramid = [PICTURE, shrunk(PICTURE, 4)]
    slides = (
        taught.add(pyramid, absent=[(2, 1)], profile=PROFILE),
        taught.add(pyramid),
        taught.add([PICTURE], coding=Coding.LOSSLESS, tile=Size(96, 160), profile=PROFILE),
    )
    client = client_of(taught)
    yield Scene(client, taught, *(place.handle for place in taught.teach("Three", *slides).places))
    client.close()
    taught.archive.close()


def pixels_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def difference(shown: np.ndarray, wanted: np.ndarray) -> float:
    """How different the colours of two pictures are on average, whatever JPEG does to single pixels."""
    one, other = (np.asarray(Image.fromarray(picture).reduce(8)) for picture in (shown, wanted))
    return float(ciede2000(lab_of_srgb(one), lab_of_srgb(other)).mean())


def segments(stream: bytes) -> Iterator[int]:
    """Give the markers of a JPEG file before its scan."""
    at = 2
    while stream[at + 1] != 0xDA:
        yield stream[at + 1]
        at += 2 + int.from_bytes(stream[at + 2 : at + 4])


def test_every_managed_picture_has_the_colours_that_the_profile_says(scene: Scene) -> None:
    for end in PICTURES[:-1]:
        scanned = scene.client.get(f"/slides/{scene.known}{end}").content
        managed = scene.client.get(f"/slides/{scene.known}/srgb{end}")
        assert managed.status_code == 200, end
        shown, wanted = pixels_of(managed.content), IN_SRGB(pixels_of(scanned))
        assert shown.shape == wanted.shape
        assert difference(shown, wanted) < 1, end
        assert difference(shown, pixels_of(scanned)) > 3, f"{end} looks as it was scanned"


def test_a_managed_tile_is_made_from_the_stored_one_and_not_from_a_copy_of_it(scene: Scene) -> None:
    tile = scene.client.get(f"/slides/{scene.lossless}/srgb/tiles/0/2_1.jpg").content
    assert difference(pixels_of(tile), IN_SRGB(padded_tile(PICTURE, Size(96, 160), 2, 1))) < 1


def test_absent_glass_has_the_colour_of_other_clean_glass(scene: Scene) -> None:
    glass = pixels_of(scene.client.get(f"/slides/{scene.known}/srgb/tiles/0/2_1.jpg").content)
    assert glass.shape == (128, 128, 3)
    assert (glass == 255).all()


def test_a_managed_picture_has_neither_profile_nor_metadata_in_it(scene: Scene) -> None:
    for end in PICTURES[:-1]:
        stream = scene.client.get(f"/slides/{scene.known}/srgb{end}").content
        found = set(segments(stream))
        assert 0xE0 in found, "a JFIF segment says that it is YCbCr"
        assert not found & {*range(0xE1, 0xF0), 0xFE}, end
        assert "icc_profile" not in Image.open(io.BytesIO(stream)).info


def test_no_cache_can_take_a_managed_picture_for_a_stored_one(scene: Scene) -> None:
    tags = []
    for end, between in itertools.product(PICTURES, ("", "/srgb")):
        address = f"/slides/{scene.known}{between}{end}"
        tags.append(scene.client.get(address).headers["etag"])
        assert scene.client.get(address, headers={"if-none-match": tags[-1]}).status_code == 304
    assert len(set(tags)) == len(tags)
    scanned, managed = (f"/slides/{scene.known}{between}{PICTURES[0]}" for between in ("", "/srgb"))
    of_scanned = scene.client.get(scanned).headers["etag"]
    assert scene.client.get(managed, headers={"if-none-match": of_scanned}).status_code == 200


def test_asking_for_one_never_changes_the_other(scene: Scene) -> None:
    first = [scene.client.get(f"/slides/{scene.known}{between}{PICTURES[0]}").content for between in ("", "/srgb")]
    again = [scene.client.get(f"/slides/{scene.known}{between}{PICTURES[0]}").content for between in ("/srgb", "")]
    assert first == again[::-1]


def test_a_slide_of_a_silent_scanner_is_shown_as_scanned_only(scene: Scene) -> None:
    assert scene.client.get(f"/api/slides/{scene.silent}").json()["colour_profile"] == "none"
    for end in (*PICTURES[:-2], ".dzi"):
        assert scene.client.get(f"/slides/{scene.silent}{end}").status_code == 200
        refused = scene.client.get(f"/slides/{scene.silent}/srgb{end}")
        assert (refused.status_code, refused.text) == (404, "There is nothing at this address.\n")
    thumbnails = [scene.client.get(f"/slides/{scene.silent}{end}/thumbnail.jpg").content for end in ("", "/srgb")]
    assert thumbnails[0] == thumbnails[1]


@pytest.mark.parametrize("end", ["tiles/0/6_0.jpg", "tiles/9/0_0.jpg", "tiles/0/0_4.jpg"])
def test_a_tile_that_the_slide_does_not_have_is_not_found_in_any_colours(scene: Scene, end: str) -> None:
    assert scene.client.get(f"/slides/{scene.known}/srgb/{end}").status_code == 404


@pytest.mark.parametrize("end", ["/srgb/tiles/0/0_0.png", "/srgb/tiles/-1/0_0.jpg", "/srgb/tiles", "/srgb_files/x"])
def test_a_malformed_address_is_refused_whether_the_slide_exists_or_not(scene: Scene, end: str) -> None:
    for handle in (scene.known, "0" * 26):
        assert scene.client.get(f"/slides/{handle}{end}").status_code == 400


def test_no_answer_holds_the_profile(scene: Scene) -> None:
    pages = [f"{kind}/slides/{scene.known}" for kind in ("", "/api")]
    pages += [f"/slides/{scene.known}{between}{end}" for between in ("", "/srgb") for end in PICTURES]
    pages += [f"/slides/{scene.known}/{COLOUR_PROFILE}", f"/slides/{scene.known}/srgb", f"/static/{COLOUR_PROFILE}"]
    for address in (*pages, "/", "/api/openapi.json"):
        answer = scene.client.get(address)
        assert b"acsp" not in answer.content, address
        assert PROFILE[-400:-200] not in answer.content


def spoil(taught: TaughtArchive, slide: Code) -> None:
    path = taught.folder(slide) / COLOUR_PROFILE
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)


def test_a_slide_whose_profile_is_damaged_is_shown_as_scanned_and_says_so(
    taught: TaughtArchive, opened: Opened
) -> None:
    colours._transform.cache_clear()
    code = taught.add(profile=PROFILE)
    (place,) = taught.teach("One", code).places
    spoil(taught, code)
    client = opened(taught)
    assert client.get(f"/api/slides/{place.handle}").json()["colour_profile"] == "unusable"
    for end in PICTURES:
        assert client.get(f"/slides/{place.handle}{end}").status_code == 200
        status = client.get(f"/slides/{place.handle}/srgb{end}").status_code
        assert status == (200 if end == "/thumbnail.jpg" else 404)
    thumbnails = [client.get(f"/slides/{place.handle}{end}/thumbnail.jpg").content for end in ("", "/srgb")]
    assert thumbnails[0] == thumbnails[1]


@pytest.mark.parametrize("content", [b"no profile", grey_scanner()], ids=["text", "for grey pixels"])
def test_a_slide_whose_profile_is_not_understood_is_shown_as_scanned_and_says_so(
    taught: TaughtArchive, opened: Opened, content: bytes
) -> None:
    (place,) = taught.teach("One", taught.add(profile=content)).places
    client = opened(taught)
    assert client.get(f"/api/slides/{place.handle}").json()["colour_profile"] == "unusable"
    assert client.get(f"/slides/{place.handle}/srgb/tiles/0/0_0.jpg").status_code == 404
    assert client.get(f"/slides/{place.handle}/tiles/0/0_0.jpg").status_code == 200


@pytest.mark.parametrize(("chosen", "thumbnail"), [("scanned", "/thumbnail.jpg"), ("srgb", "/srgb/thumbnail.jpg")])
def test_pages_begin_with_the_colours_that_were_set(
    taught: TaughtArchive, opened: Opened, chosen: str, thumbnail: str
) -> None:
    collection = taught.teach("One", taught.add(profile=PROFILE))
    handle = collection.places[0].handle
    client = opened(taught, colours=chosen)
    assert f'data-colours="{chosen}"' in client.get(f"/slides/{handle}").text
    for address in ("/", f"/collections/{collection.handle}", f"/slides/{handle}"):
        assert f'src="/slides/{handle}{thumbnail}"' in client.get(address).text


def test_managed_pictures_are_kept_and_forgotten_with_the_others(taught: TaughtArchive) -> None:
    (place,) = taught.teach("One", taught.add(profile=PROFILE)).places
    cache = TileCache(2**20)
    with Archive.open(taught.root, read_only=True) as archive:
        access = Access(archive, ArchiveSettings(archive=taught.root, decision_cache_seconds=0))
        pictures = Pictures(cache)
        route = TileRoute(access, pictures)
        for _ in range(2):
            assert route.answer("GET", f"/slides/{place.handle}/srgb/tiles/0/0_0.jpg", None)
        assert len(cache) == 1
        pictures.forget()
        assert len(cache) == 0
        access.forget()
