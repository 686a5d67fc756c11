"""A stored scan is valid OME-Zarr 0.5 and opens with Zarr alone."""

from pathlib import Path

import numpy as np
import pytest
import yaozarrs
import zarr
from ome_zarr_models.v05.image import Image as OmeImage

from archive.errors import InvalidValue
from archive.geometry import MicronsPerPixel, Size
from archive.pyramid.layout import Coding, LevelLayout, Origin, ScanLayout, read_layout
from archive.pyramid.metadata import write_metadata
from archive.pyramid.reader import Pyramid
from tests.archive.pyramid.conftest import StoredScan, picture


@pytest.mark.parametrize("coding", list(Coding))
@pytest.mark.parametrize("mpp", [None, MicronsPerPixel(0.499, 0.499)])
def test_both_validators_accept_a_stored_scan(
    stored_scan: StoredScan, coding: Coding, mpp: MicronsPerPixel | None
) -> None:
    folder = stored_scan(picture(300, 200), picture(75, 50), coding=coding, mpp=mpp)
    yaozarrs.validate_zarr_store(str(folder))
    OmeImage.from_zarr(zarr.open_group(str(folder), mode="r"))


@pytest.mark.parametrize("coding", list(Coding))
def test_zarr_alone_reads_the_same_pixels(stored_scan: StoredScan, coding: Coding) -> None:
    folder = stored_scan(picture(300, 200), coding=coding)
    array = zarr.open_group(str(folder), mode="r")["0"]
    with Pyramid.open(folder) as pyramid:
        region = pyramid.level(0).read_region(0, 0, 300, 200)
    assert np.array_equal(np.asarray(array[...]).transpose(1, 2, 0), region)  # type: ignore[index]


def test_zarr_alone_notices_a_flipped_bit(stored_scan: StoredScan) -> None:
    folder = stored_scan(picture(192, 128))
    shard = folder / "0/c/0/0/0"
    flipped = bytearray(shard.read_bytes())
    flipped[1000] ^= 4
    shard.write_bytes(flipped)
    with pytest.raises(ValueError, match="checksum"):
        zarr.open_group(str(folder), mode="r")["0"][...]  # type: ignore[index]


def test_zarr_can_write_the_jpeg_codec_too(tmp_path: Path) -> None:
    layout = LevelLayout.planned(Size(64, 64), Size(64, 64), Coding.JPEG, Origin.ADDED)
    write_metadata(str(tmp_path), ScanLayout((layout,)))
    flat = np.full((3, 64, 64), 120, np.uint8)
    zarr.open_group(str(tmp_path))["0"][...] = flat  # type: ignore[index]
    with Pyramid.open(tmp_path) as pyramid:
        assert abs(pyramid.level(0).read_region(0, 0, 64, 64).astype(int) - 120).max() <= 2


def test_the_layout_is_read_as_it_was_written(tmp_path: Path) -> None:
    big = LevelLayout.planned(Size(100_000, 80_000), Size(256, 240), Coding.JPEG, Origin.COPIED, 1, 9000)
    small = LevelLayout.planned(Size(24_999, 20_000), Size(512, 512), Coding.LOSSLESS, Origin.ADDED)
    scan = ScanLayout((big, small), MicronsPerPixel(0.25, 0.251), 40.0)
    write_metadata(str(tmp_path), scan)
    assert read_layout(tmp_path) == scan


def test_shards_hold_whole_rows_of_tiles_of_about_32_megabytes() -> None:
    layout = LevelLayout.planned(Size(40_000, 30_000), Size(256, 256), Coding.JPEG, Origin.COPIED, 3, 12_000)
    assert layout.grid.columns == layout.columns == 157
    assert 16 << 20 <= 157 * layout.grid.rows * 12_000 <= 64 << 20
    wide = LevelLayout.planned(Size(400_000, 30_000), Size(512, 512), Coding.LOSSLESS, Origin.DECODED, 3, 400_000)
    assert wide.grid.rows == 1
    assert wide.grid.columns * 400_000 <= 64 << 20


def test_the_second_level_lies_half_a_large_pixel_further(stored_scan: StoredScan) -> None:
    """OME-Zarr places the centre of a pixel: the first pixel of a level 4 times smaller covers 0 to 3."""
    folder = stored_scan(picture(400, 200), picture(100, 50))
    attributes = zarr.open_group(str(folder), mode="r").attrs.asdict()
    second = attributes["ome"]["multiscales"][0]["datasets"][1]["coordinateTransformations"]  # type: ignore[index,call-overload]
    assert second[0]["scale"] == [1.0, 1.0, 2.0]
    assert second[1]["translation"] == [0.0, 0.375, 0.75]


@pytest.mark.parametrize(("channels", "tile"), [(2, Size(64, 64)), (3, Size(9000, 64))])
def test_an_impossible_level_is_refused_at_birth(channels: int, tile: Size) -> None:
    with pytest.raises(InvalidValue):
        LevelLayout.planned(Size(100, 100), tile, Coding.JPEG, Origin.COPIED, channels)
