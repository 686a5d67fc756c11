"""What a rectangle covers is black at every level, and every other tile is the very one that was stored."""

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw
from zarr.storage import LocalStore

from archive.errors import DamagedPyramid, InvalidValue
from archive.geometry import Rectangle, Size
from archive.pyramid.channels import PixelType, unnamed
from archive.pyramid.jpeg_pixels import encode_jpeg
from archive.pyramid.layout import Coding, LevelLayout, Origin, ScanLayout, shard_keys
from archive.pyramid.level import Level
from archive.pyramid.metadata import write_metadata
from archive.pyramid.reader import Pyramid
from archive.pyramid.redaction import MARGIN_PX, black_out, blacken, still_shown, touched
from archive.pyramid.shard import ShardGrid
from archive.pyramid.verify import verify_level
from archive.pyramid.writer import LevelWriter, encode_lossless
from tests.archive.pyramid.conftest import StoredScan, as_stored, jpeg, picture, tiles_of

NAME = Rectangle(70, 118, 100, 20)
"""Where the writing stands: it crosses tiles of 64 px both ways."""

Levels = tuple[npt.NDArray[np.uint8], ...]


def written_on(grey: bool = False) -> Levels:
    """Three levels of tissue with a name on it, each reduced from the largest by a filter that reaches beyond."""
    whole = Image.fromarray(picture(400, 300))
    ImageDraw.Draw(whole).text((NAME.x + 2, NAME.y + 2), "MUSTERMANN, ERIKA", fill=(0, 0, 60))
    if grey:
        whole = whole.convert("L")
    sizes = ((400, 300), (200, 150), (50, 37))
    return tuple(np.asarray(whole.resize(size, Image.Resampling.LANCZOS)) for size in sizes)


def encoded(level: Level) -> dict[tuple[int, int, int], bytes | None]:
    return {
        (column, row, plane): level.encoded_tile(column, row, plane)
        for column in range(level.columns)
        for row in range(level.rows)
        for plane in range(level.layout.planes)
    }


def stored_with_sampling(folder: Path, pictures: Levels, sampling: str) -> Path:
    layouts = []
    for number, pixels in enumerate(pictures):
        layout = LevelLayout(
            Size(pixels.shape[1], pixels.shape[0]), Size(64, 64), Coding.JPEG, Origin.COPIED, ShardGrid(3, 2)
        )
        with LevelWriter(LocalStore(folder), number, layout) as writer:
            for column, row, cut in tiles_of(pixels, layout.tile):
                stream = (
                    jpeg(cut, subsampling=sampling)
                    if sampling != "4:1:1"
                    else encode_jpeg(cut, quality=90, subsampling="411")
                )
                writer.add(column, row, as_stored(stream))
        layouts.append(layout)
    write_metadata(str(folder), ScanLayout(tuple(layouts)))
    return folder


def fluorescence(folder: Path) -> Path:
    """Two channels of 16 bits, one shard of which holds no tile at all."""
    layouts = []
    values = np.random.default_rng(3).integers(1, 60_000, (300, 400), dtype=np.uint16)
    for number, step in enumerate((1, 2)):
        plane = np.ascontiguousarray(values[::step, ::step])
        layout = LevelLayout(
            Size(plane.shape[1], plane.shape[0]),
            Size(64, 64),
            Coding.LOSSLESS,
            Origin.DECODED,
            ShardGrid(3, 2),
            2,
            PixelType.UINT16,
            apart=True,
        )
        for channel in range(2):
            with LevelWriter(LocalStore(folder), number, layout, channel) as writer:
                for column, row, cut in tiles_of(plane, layout.tile):  # type: ignore[arg-type]
                    if not (channel and column == 1):
                        writer.add(column, row, encode_lossless(cut))
        layouts.append(layout)
    write_metadata(str(folder), ScanLayout(tuple(layouts), channels=unnamed(2, PixelType.UINT16)))
    return folder


@pytest.fixture(params=["4:4:4", "4:2:2", "4:2:0", "lossless", "grey", "16 bits apart"])
def scan(request: pytest.FixtureRequest, tmp_path: Path, stored_scan: StoredScan) -> Path:
    folder = tmp_path / "pyramid"
    match request.param:
        case "lossless":
            return stored_scan(*written_on(), coding=Coding.LOSSLESS)
        case "grey":
            return stored_scan(*written_on(grey=True))
        case "16 bits apart":
            return fluorescence(folder)
        case sampling:
            return stored_with_sampling(folder, written_on(), sampling)


def test_only_touched_tiles_change_and_nothing_of_the_rectangle_is_left_at_any_level(
    scan: Path, tmp_path: Path
) -> None:
    before = shutil.copytree(scan, tmp_path / "before")
    files = black_out(scan, [NAME])
    with Pyramid.open(before) as old, Pyramid.open(scan) as new:
        planned = touched(new.layout, [NAME])
        for was, now, tiles in zip(old.levels, new.levels, planned, strict=True):
            was_stored, now_stored = encoded(was), encoded(now)
            differing = {place[:2] for place in was_stored if was_stored[place] != now_stored[place]}
            assert differing == set(tiles), "other tiles than those that it touches changed"
            margin = MARGIN_PX if now.index else 0
            x, y = int(NAME.x / now.downsample) - margin, int(NAME.y / now.downsample) - margin
            width, height = (int(side / now.downsample) + 2 * margin for side in (NAME.width, NAME.height))
            x, y, width, height = max(x, 0), max(y, 0), width, min(height, now.size.height - max(y, 0))
            assert not now.read_region(x, y, width, height).any()
            if now.layout.apart:
                assert not any(now.read_channel(plane, x, y, width, height).any() for plane in range(2))
            verify_level(scan, now.index, now.layout)
    changed = {
        key for n, one in enumerate(new.layout.levels) for key in shard_keys(n, one) if differs(key, before, scan)
    }
    assert files == changed
    assert not still_shown(scan, [NAME])
    assert still_shown(before, [NAME])


@pytest.mark.parametrize("place", [Rectangle(98, 232, 32, 40), Rectangle(64, 47, 1, 1), Rectangle(0, 120, 63, 9)])
@pytest.mark.parametrize("sampling", ["4:4:4", "4:2:2", "4:2:0", "4:1:1"])
def test_what_is_left_is_the_same_whatever_stood_there(tmp_path: Path, place: Rectangle, sampling: str) -> None:
    folders = []
    for name, colour in (("one", (255, 0, 0)), ("other", (0, 0, 255))):
        whole = picture(400, 300)
        whole[place.y : place.bottom, place.x : place.right] = colour
        image = Image.fromarray(whole)
        levels = tuple(np.asarray(image.resize(size, Image.Resampling.LANCZOS)) for size in ((400, 300), (100, 75)))
        folders.append(stored_with_sampling(tmp_path / name, levels, sampling))
        black_out(folders[-1], [place])
    with Pyramid.open(folders[0]) as one, Pyramid.open(folders[1]) as other:
        for level, same in zip(one.levels, other.levels, strict=True):
            for row in range(level.rows):
                for column in range(level.columns):
                    assert np.array_equal(level.decoded_tile(column, row), same.decoded_tile(column, row))


def differs(key: str, one: Path, other: Path) -> bool:
    return (one / key).read_bytes() != (other / key).read_bytes()


def test_what_is_left_of_a_touched_tile_looks_as_it_did(scan: Path, tmp_path: Path) -> None:
    before = shutil.copytree(scan, tmp_path / "before")
    black_out(scan, [NAME])
    with Pyramid.open(before) as old, Pyramid.open(scan) as new:
        was, now = (one.level(0).read_region(0, 0, 400, 300).astype(int) for one in (old, new))
    beyond = np.ones((300, 400), bool)
    beyond[NAME.y - 24 : NAME.bottom + 24, NAME.x - 24 : NAME.right + 24] = False
    exact = new.layout.levels[0].coding is Coding.LOSSLESS
    assert np.abs(was - now)[beyond].mean() <= (0 if exact else 1)


def test_a_tile_of_white_glass_becomes_black_where_it_is_touched(stored_scan: StoredScan) -> None:
    folder = stored_scan(*written_on(), absent=((1, 1), (4, 4)))
    blackened = blacken(folder, [Rectangle(64, 64, 32, 32)])
    with Pyramid.open(folder) as pyramid:
        tile = pyramid.level(0).decoded_tile(1, 1)
        assert not tile[:32, :32].any()
        assert tile[40:, 40:].min() > 250
        assert pyramid.level(0).encoded_tile(4, 4) is None
    assert blackened.tiles[0] == 1


def test_nothing_hides_in_the_padding_behind_the_edge(stored_scan: StoredScan) -> None:
    folder = stored_scan(*written_on())
    black_out(folder, [Rectangle(390, 290, 10, 10)])
    with Pyramid.open(folder) as pyramid:
        tile = pyramid.level(0).decoded_tile(6, 4)
        assert tile.shape == (64, 64, 3)
        assert not tile[34:, 6:].any()


def test_a_rectangle_may_reach_beyond_the_picture_and_one_that_lies_beyond_it_touches_nothing(
    stored_scan: StoredScan,
) -> None:
    folder = stored_scan(*written_on())
    assert not black_out(folder, [Rectangle(400, 0, 50, 50), Rectangle(0, 5_000, 9, 9)])
    black_out(folder, [Rectangle(350, 250, 10_000, 10_000)])
    with Pyramid.open(folder) as pyramid:
        assert not pyramid.level(0).read_region(350, 250, 50, 50).any()


def test_what_is_black_already_is_not_encoded_again(scan: Path) -> None:
    black_out(scan, [NAME])
    assert blacken(scan, [NAME]).files == frozenset()
    assert blacken(scan, [NAME]).tiles == (0,) * len(Pyramid.open(scan).levels)


def test_several_rectangles_give_the_same_in_any_order(stored_scan: StoredScan) -> None:
    places = [NAME, Rectangle(0, 0, 10, 10), Rectangle(150, 80, 60, 200)]
    one, other = stored_scan(*written_on()), stored_scan(*written_on())
    assert black_out(one, places) == black_out(other, places[::-1])
    assert not any(differs(key, one, other) for key in keys(one))


def keys(folder: Path) -> list[str]:
    with Pyramid.open(folder) as pyramid:
        return [key for number, one in enumerate(pyramid.layout.levels) for key in shard_keys(number, one)]


def test_a_hard_link_to_what_was_stored_keeps_it(stored_scan: StoredScan, tmp_path: Path) -> None:
    folder = stored_scan(*written_on())
    linked = shutil.copytree(folder, tmp_path / "linked", copy_function=os.link)
    before = (folder / "0/c/0/0/0").read_bytes()
    assert "0/c/0/0/0" in black_out(linked, [NAME])
    assert (folder / "0/c/0/0/0").read_bytes() == before
    assert not list(linked.rglob("*.partial"))


def test_a_damaged_tile_is_an_error_and_is_not_made_whole(stored_scan: StoredScan) -> None:
    folder = stored_scan(*written_on())
    path = folder / "0/c/0/0/0"
    body = bytearray(path.read_bytes())
    body[40] ^= 1
    path.write_bytes(body)
    with pytest.raises(DamagedPyramid):
        black_out(folder, [NAME])
    assert path.read_bytes() == bytes(body)


@pytest.mark.parametrize("text", ["1,2,3", "1,2,3,4,5", "a,0,1,1", "0,0,0,4", "-1,0,4,4", "0.5,0,1,1", ""])
def test_a_rectangle_is_four_whole_numbers_from_the_top_left_corner(text: str) -> None:
    with pytest.raises(InvalidValue, match="rectangle"):
        Rectangle.parse(text)


def test_a_rectangle_reads_what_it_says() -> None:
    assert Rectangle.parse(str(NAME)) == NAME
    assert Rectangle.parse(" 1, 2,3 ,4") == Rectangle(1, 2, 3, 4)
