"""Deep Zoom's numbering and ours tell the same pixels."""

import io
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from archive.errors import TileOutsideLevel
from archive.geometry import Size
from archive.holdings.pixels import Coding
from archive.server.deepzoom import DeepZoom
from tests.archive.server.conftest import Client, Opened
from tests.archive.server.taught import PADDING, TaughtArchive, shrunk
from tests.slides.tissue import Picture, reduced, tissue

PICTURE = tissue(1500, 1130)


def decoded(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(int)


def assembled(client: Client, handle: str, image: DeepZoom, level: int) -> np.ndarray:
    """Put a level together as a Deep Zoom viewer does."""
    size = image.level_size(level)
    out = np.zeros((size.height, size.width, 3), int)
    columns, rows = size.tiles(Size(image.tile, image.tile))
    for row in range(rows):
        for column in range(columns):
            answer = client.get(f"/slides/{handle}_files/{level}/{column}_{row}.jpeg")
            assert answer.status_code == 200
            tile = decoded(answer.content)
            y, x = row * image.tile, column * image.tile
            assert tile.shape[:2] == (min(image.tile, size.height - y), min(image.tile, size.width - x))
            out[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return out


@pytest.mark.parametrize(
    ("width", "height", "highest"), [(1, 1, 0), (2, 1, 1), (256, 256, 8), (257, 3, 9), (40_000, 30_000, 16)]
)
def test_the_highest_level_is_full_resolution(width: int, height: int, highest: int) -> None:
    image = DeepZoom(Size(width, height), 256)
    assert image.highest == highest
    assert image.level_size(highest) == Size(width, height)
    assert image.level_size(0) == Size(1, 1)


@given(width=st.integers(1, 300_000), height=st.integers(1, 300_000), data=st.data())
def test_the_tiles_of_a_level_cover_it_exactly(width: int, height: int, data: st.DataObject) -> None:
    image = DeepZoom(Size(width, height), 256)
    level = data.draw(st.integers(0, image.highest))
    size = image.level_size(level)
    columns, rows = size.tiles(Size(256, 256))
    last = image.locate(level, columns - 1, rows - 1).region
    assert (last.x + last.width, last.y + last.height) == (size.width, size.height)
    for outside in ((columns, 0), (0, rows)):
        with pytest.raises(TileOutsideLevel):
            image.locate(level, *outside)


@given(width=st.integers(1, 300_000), height=st.integers(1, 300_000))
def test_each_level_is_half_of_the_next_rounded_up(width: int, height: int) -> None:
    image = DeepZoom(Size(width, height), 256)
    for level in range(image.highest):
        assert image.level_size(level) == image.level_size(level + 1).reduced(2)


def test_the_descriptor_tells_size_tile_and_format(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE])).places
    told = ElementTree.fromstring(opened(taught).get(f"/slides/{place.handle}.dzi").content)
    assert told.attrib == {"TileSize": "128", "Overlap": "0", "Format": "jpeg"}
    assert told[0].attrib == {"Width": "1500", "Height": "1130"}


@pytest.mark.parametrize(
    ("pictures", "tile", "coding"),
    [
        ((PICTURE, shrunk(PICTURE, 4)), Size(128, 128), Coding.JPEG),
        ((PICTURE, shrunk(PICTURE, 4)), Size(128, 128), Coding.LOSSLESS),
        ((PICTURE, reduced(PICTURE, 749, 564), reduced(PICTURE, 187, 141)), Size(128, 128), Coding.JPEG),
        ((PICTURE, reduced(PICTURE, 500, 377)), Size(96, 160), Coding.JPEG),
    ],
    ids=["an Aperio ladder", "lossless", "a downsample of 2.0027", "tiles that are not square"],
)
def test_every_level_shows_the_slide_and_no_padding(
    taught: TaughtArchive, opened: Opened, pictures: tuple[Picture, ...], tile: Size, coding: Coding
) -> None:
    (place,) = taught.teach("One", taught.add(pictures, tile=tile, coding=coding)).places
    client, image = opened(taught), DeepZoom(Size(1500, 1130), 128 if tile.width == tile.height else 256)
    for level in range(image.highest, 5, -1):
        size = image.level_size(level)
        shown = assembled(client, place.handle, image, level)
        expected = reduced(PICTURE, size.width, size.height).astype(int)
        assert np.abs(shown - expected).mean() < 8
        assert np.abs(shown[-2:] - expected[-2:]).mean() < 25, "the lower edge shows something else"
        assert np.abs(shown[:, -2:] - expected[:, -2:]).mean() < 25, "the right edge shows something else"
        assert np.abs(shown - np.array(PADDING)).sum(-1).min() > 60


def test_a_stored_tile_is_sent_as_stored_where_the_geometry_agrees(taught: TaughtArchive, opened: Opened) -> None:
    (place,) = taught.teach("One", taught.add([PICTURE, shrunk(PICTURE, 4)])).places
    client = opened(taught)
    for level, native, column, row in ((11, 0, 4, 3), (9, 2, 1, 1)):
        ours = client.get(f"/slides/{place.handle}/tiles/{native}/{column}_{row}.jpg").content
        assert client.get(f"/slides/{place.handle}_files/{level}/{column}_{row}.jpeg").content == ours


@pytest.mark.parametrize("address", ["11/0_0", "10/6_0", "10/0_4", "0/1_0"])
def test_a_tile_that_the_image_does_not_have_is_not_found(two_slides: tuple[Client, str, str], address: str) -> None:
    client, handle, _ = two_slides
    assert client.get(f"/slides/{handle}_files/{address}.jpeg").status_code == 404
