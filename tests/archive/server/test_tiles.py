"""A stored tile is sent as it is stored; every other one is made from what is stored, and none is invented."""

import io

import numpy as np
import pytest
from PIL import Image

from archive.geometry import Size
from archive.holdings import Archive
from archive.holdings.pixels import Coding
from archive.pyramid.reader import Pyramid
from tests.archive.server.conftest import Client, Opened
from tests.archive.server.taught import TaughtArchive, padded_tile, shrunk
from tests.slides.tissue import tissue

PICTURE = tissue(700, 500)


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def pyramid_of(archive: Archive, scan: str) -> Pyramid:
    return archive.open_pyramid(scan)  # type: ignore[arg-type]


def tile(client: Client, handle: str, level: int, column: int, row: int) -> bytes:
    answer = client.get(f"/slides/{handle}/tiles/{level}/{column}_{row}.jpg")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    return answer.content


def test_a_stored_tile_is_sent_byte_for_byte(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE, shrunk(PICTURE, 4)])).places
    client = opened(taught)
    with pyramid_of(taught.archive, place.scan) as pyramid:
        for column, row in ((0, 0), (3, 2), (5, 3)):
            assert tile(client, place.handle, 0, column, row) == pyramid.level(0).encoded_tile(column, row)
        assert tile(client, place.handle, 2, 1, 0) == pyramid.level(1).encoded_tile(1, 0)


def test_white_glass_is_a_white_picture_of_the_tile_size(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE], absent=[(2, 1)])).places
    white = decoded(tile(opened(taught), place.handle, 0, 2, 1))
    assert white.shape == (128, 128, 3)
    assert (white == 255).all()


def test_a_level_in_between_is_made_from_the_next_larger_one(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE, shrunk(PICTURE, 4)])).places
    made = decoded(tile(opened(taught), place.handle, 1, 1, 1))
    assert made.shape == (128, 128, 3)
    expected = shrunk(PICTURE, 2)[128:250, 128:256].astype(int)
    assert np.abs(made[:122] - expected).mean() < 6


@pytest.mark.parametrize("tile_size", [Size(128, 128), Size(96, 160)])
def test_a_losslessly_stored_level_is_sent_as_jpeg(taught: TaughtArchive, opened: Opened, tile_size: Size) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE], tile=tile_size, coding=Coding.LOSSLESS)).places
    made = decoded(tile(opened(taught), place.handle, 0, 2, 1))
    assert np.abs(made - padded_tile(PICTURE, tile_size, 2, 1)).mean() < 6


@pytest.mark.parametrize(
    "address",
    ["tiles/0/6_0.jpg", "tiles/0/0_4.jpg", "tiles/3/0_0.jpg", "tiles/9999999/0_0.jpg", "tiles/1/9999999_0.jpg"],
)
def test_a_tile_that_the_slide_does_not_have_is_not_found(two_slides: tuple[Client, str, str], address: str) -> None:
    client, handle, _ = two_slides
    answer = client.get(f"/slides/{handle}/{address}")
    assert (answer.status_code, answer.text) == (404, "There is nothing at this address.\n")


@pytest.mark.parametrize(
    "address",
    [
        "/tiles/0/-1_0.jpg",
        "/tiles/0/00_0.jpg",
        "/tiles/0/0_0.png",
        "/tiles/0/0_0.jpg/",
        "/tiles/0/0.jpg",
        "/tiles/a/0_0.jpg",
        "/tiles/0/12345678_0.jpg",
        "/tiles/0/٣_0.jpg",
        "/tiles/0/0_0.jpg%0a",
        "/tiles/%2e%2e/0_0.jpg",
        "/tiles/",
        "/tiles",
        "_files/0/0_0.jpg",
        "_files/0/-1_0.jpeg",
        "_files/x",
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_a_malformed_address_is_refused_whether_the_slide_exists_or_not(
    two_slides: tuple[Client, str, str], address: str, known: bool
) -> None:
    client, shown, _ = two_slides
    answer = client.get(f"/slides/{shown if known else '0' * 26}{address}")
    assert answer.status_code == 400
    assert "malformed" in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_tile_can_only_be_looked_at(two_slides: tuple[Client, str, str], method: str) -> None:
    client, handle, _ = two_slides
    answer = client.request(method, f"/slides/{handle}/tiles/0/0_0.jpg")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_asking_for_the_head_gives_the_same_headers_and_no_picture(two_slides: tuple[Client, str, str]) -> None:
    client, handle, _ = two_slides
    address = f"/slides/{handle}/tiles/0/0_0.jpg"
    whole, head = client.get(address), client.head(address)
    assert head.content == b""
    assert head.headers == whole.headers


def test_a_thumbnail_is_made_from_the_levels(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE, shrunk(PICTURE, 4)])).places
    thumbnail = decoded(opened(taught).get(f"/slides/{place.handle}/thumbnail.jpg").content)
    assert max(thumbnail.shape) <= 320
    assert np.abs(thumbnail.mean((0, 1)) - PICTURE.mean((0, 1))).max() < 4
