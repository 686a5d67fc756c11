"""Reading a stored scan: the right pixels, and damage never shown as white glass."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from zarr.storage import LocalStore

from archive.errors import DamagedPyramid, TileOutsideLevel
from archive.geometry import MicronsPerPixel, Size
from archive.lazy import as_dask
from archive.pyramid.layout import Coding, LevelLayout, Origin
from archive.pyramid.level import Level
from archive.pyramid.reader import Pyramid
from archive.pyramid.shard import ShardGrid
from archive.pyramid.writer import LevelWriter
from tests.archive.pyramid.conftest import StoredScan, jpeg, picture, tiles_of

SHARD = "0/c/0/0/0"


@pytest.fixture
def lossless(stored_scan: StoredScan) -> Path:
    return stored_scan(picture(300, 200), picture(75, 50), coding=Coding.LOSSLESS)


def test_a_lossless_scan_gives_back_every_pixel(lossless: Path) -> None:
    with Pyramid.open(lossless) as pyramid:
        assert np.array_equal(pyramid.level(0).read_region(0, 0, 300, 200), picture(300, 200))
        assert np.array_equal(pyramid.level(1).read_region(0, 0, 75, 50), picture(75, 50))
        assert pyramid.size == Size(300, 200)
        assert pyramid.mpp == MicronsPerPixel(0.5, 0.25)
        assert pyramid.objective_power == 20.0
        assert pyramid.level(1).downsample == 4


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(x=st.integers(-70, 299), y=st.integers(-70, 199), width=st.integers(1, 200), height=st.integers(1, 200))
def test_any_region_is_cut_from_the_picture_and_white_beyond_its_edge(
    lossless: Path, x: int, y: int, width: int, height: int
) -> None:
    canvas = np.full((700, 700, 3), 255, np.uint8)
    canvas[200:400, 200:500] = picture(300, 200)
    with Pyramid.open(lossless) as pyramid:
        if x + width <= 0 or y + height <= 0:
            with pytest.raises(TileOutsideLevel):
                pyramid.level(0).read_region(x, y, width, height)
        else:
            region = pyramid.level(0).read_region(x, y, width, height)
            assert np.array_equal(region, canvas[200 + y : 200 + y + height, 200 + x : 200 + x + width])


def test_a_jpeg_tile_is_a_whole_jpeg_file_and_decodes_as_pillow_decodes_it(stored_scan: StoredScan) -> None:
    import io

    from PIL import Image

    folder = stored_scan(picture(150, 100))
    with Pyramid.open(folder) as pyramid:
        level = pyramid.level(0)
        for column, row, cut in tiles_of(picture(150, 100), Size(64, 64)):
            stored = level.encoded_tile(column, row)
            assert stored is not None
            expected = np.asarray(Image.open(io.BytesIO(jpeg(cut))))
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(stored))), expected)
            assert np.array_equal(level.decoded_tile(column, row), expected)


def test_a_grey_scan_is_read_as_rgb(stored_scan: StoredScan) -> None:
    grey = picture(100, 80)[..., 0]
    with Pyramid.open(stored_scan(grey, coding=Coding.LOSSLESS)) as pyramid:
        assert np.array_equal(pyramid.level(0).read_region(0, 0, 100, 80), np.stack([grey] * 3, -1))
    with Pyramid.open(stored_scan(grey)) as pyramid:
        region = pyramid.level(0).read_region(0, 0, 100, 80)
        assert np.array_equal(region[..., 0], region[..., 2])


def test_an_absent_tile_is_white_glass(stored_scan: StoredScan) -> None:
    folder = stored_scan(picture(200, 200), absent=((1, 1),))
    with Pyramid.open(folder) as pyramid:
        assert pyramid.level(0).encoded_tile(1, 1) is None
        assert (pyramid.level(0).read_region(64, 64, 64, 64) == 255).all()
    group = zarr.open_group(str(folder), mode="r")
    assert (np.asarray(group["0"][:, 64:128, 64:128]) == 255).all()  # type: ignore[index]


@pytest.mark.parametrize("address", [(5, 0), (0, 4), (-1, 0), (0, -1)])
def test_a_tile_outside_the_level_is_refused(lossless: Path, address: tuple[int, int]) -> None:
    with Pyramid.open(lossless) as pyramid, pytest.raises(TileOutsideLevel, match="5 x 4 tiles"):
        pyramid.level(0).encoded_tile(*address)


@pytest.mark.parametrize("number", [2, -1])
def test_a_level_that_is_not_there_is_refused(lossless: Path, number: int) -> None:
    with Pyramid.open(lossless) as pyramid, pytest.raises(TileOutsideLevel, match="2 levels"):
        pyramid.level(number)


@pytest.mark.parametrize("harm", ["missing", "empty", "truncated", "zeroed page"])
@pytest.mark.parametrize("coding", list(Coding))
def test_a_harmed_shard_is_damage_and_never_white(stored_scan: StoredScan, coding: Coding, harm: str) -> None:
    shard = (folder := stored_scan(picture(192, 128), coding=coding)) / SHARD
    whole = shard.read_bytes()
    if harm == "missing":
        shard.unlink()
    elif harm == "zeroed page":
        shard.write_bytes(bytes(4096) + whole[4096:])
    else:
        shard.write_bytes(b"" if harm == "empty" else whole[: len(whole) // 2])
    with Pyramid.open(folder) as pyramid, pytest.raises(DamagedPyramid, match="damaged at"):
        pyramid.level(0).read_region(0, 0, 192, 128)


@pytest.mark.parametrize("coding", list(Coding))
def test_every_single_bit_flip_in_a_shard_is_noticed(stored_scan: StoredScan, coding: Coding) -> None:
    folder = stored_scan(picture(192, 128), coding=coding)
    shard, rng = folder / SHARD, np.random.default_rng(5)
    whole = shard.read_bytes()
    for bit in rng.integers(0, len(whole) * 8, 200).tolist():
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        shard.write_bytes(flipped)
        with Pyramid.open(folder) as pyramid, pytest.raises(DamagedPyramid):
            pyramid.level(0).read_region(0, 0, 192, 128)


@pytest.mark.parametrize("coding", list(Coding))
def test_bytes_that_were_stored_as_a_tile_and_are_none_are_damage(tmp_path: Path, coding: Coding) -> None:
    layout = LevelLayout(Size(64, 64), Size(64, 64), coding, Origin.COPIED, ShardGrid(1, 1))
    with LevelWriter(LocalStore(tmp_path), 0, layout) as writer:
        writer.add(0, 0, b"no tile, with a right crc32c")
    level = Level(tmp_path, 0, layout)
    assert level.encoded_tile(0, 0) == b"no tile, with a right crc32c"
    with pytest.raises(DamagedPyramid, match="level 0, tile 0, 0"):
        level.decoded_tile(0, 0)
    level.close()


def test_a_shard_cut_short_while_it_is_open_is_damage(stored_scan: StoredScan) -> None:
    folder = stored_scan(picture(192, 128))
    with Pyramid.open(folder) as pyramid:
        pyramid.level(0).encoded_tile(0, 0)
        with (folder / SHARD).open("r+b") as file:
            file.truncate(100)
        with pytest.raises(DamagedPyramid):
            pyramid.level(0).encoded_tile(2, 1)


@pytest.mark.parametrize("harm", [b"", b"{", b"[]", b'{"attributes": {"ome": {}}}'])
def test_harmed_metadata_is_damage(lossless: Path, harm: bytes) -> None:
    (lossless / "zarr.json").write_bytes(harm)
    with pytest.raises(DamagedPyramid, match="zarr.json"):
        Pyramid.open(lossless)


def test_a_scan_may_be_read_from_many_threads(lossless: Path) -> None:
    truth = picture(300, 200)
    with Pyramid.open(lossless) as pyramid, ThreadPoolExecutor(8) as pool:

        def same(seed: int) -> bool:
            x, y = np.random.default_rng(seed).integers(0, 100, 2).tolist()
            return np.array_equal(pyramid.level(0).read_region(x, y, 90, 90), truth[y : y + 90, x : x + 90])

        assert all(pool.map(same, range(200)))


def test_closing_twice_is_harmless_and_reading_opens_again(lossless: Path) -> None:
    pyramid = Pyramid.open(lossless)
    first = pyramid.level(0).decoded_tile(0, 0)
    pyramid.close()
    pyramid.close()
    assert np.array_equal(pyramid.level(0).decoded_tile(0, 0), first)
    pyramid.close()


def test_a_thumbnail_has_the_scans_proportions(stored_scan: StoredScan) -> None:
    with Pyramid.open(stored_scan(picture(400, 200), picture(100, 50))) as pyramid:
        assert pyramid.thumbnail(80).shape == (40, 80, 3)
        assert pyramid.thumbnail(1000).shape == (200, 400, 3)


def test_a_dask_array_computes_the_same_pixels(lossless: Path) -> None:
    with Pyramid.open(lossless) as pyramid:
        lazy = as_dask(pyramid.level(0), chunk_px=128)
        assert lazy.shape == (200, 300, 3)
        assert lazy.chunks == ((128, 72), (128, 128, 44), (3,))
        assert np.array_equal(lazy.compute(scheduler="threads"), picture(300, 200))
        assert np.array_equal(lazy[50:60, 100:140].compute(), picture(300, 200)[50:60, 100:140])


def test_a_dask_array_of_a_harmed_level_raises(lossless: Path) -> None:
    shutil.rmtree(lossless / "0" / "c")
    with Pyramid.open(lossless) as pyramid, pytest.raises(DamagedPyramid):
        as_dask(pyramid.level(0)).compute()
