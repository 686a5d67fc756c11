"""Channels that are kept apart come back value for value, and are shown each in its colour."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaozarrs
import zarr
from ome_zarr_models.v05.image import Image as OmeImage
from zarr.storage import LocalStore

from archive.errors import DamagedPyramid, InvalidValue, TileOutsideLevel
from archive.geometry import Size
from archive.lazy import as_dask
from archive.pyramid.between import viewer_levels
from archive.pyramid.channels import Channel, PixelType, area_average_plane, shown, window
from archive.pyramid.layout import Coding, LevelLayout, Origin, ScanLayout, read_layout, shard_keys
from archive.pyramid.level import Level
from archive.pyramid.metadata import write_metadata
from archive.pyramid.reader import Pyramid
from archive.pyramid.shard import ShardGrid
from archive.pyramid.verify import verify_level
from archive.pyramid.writer import LevelWriter, encode_lossless
from tests.archive.pyramid.conftest import tiles_of

BLUE, GREEN = Channel("DAPI", "0000FF", 100, 1100), Channel("channel 2", "00FF00", 0, 500)
TILE = Size(64, 64)


def values(width: int, height: int, seed: int, pixel_type: PixelType = PixelType.UINT16) -> Any:
    return np.random.default_rng(seed).integers(0, 2000, (height, width)).astype(pixel_type.dtype)


def stored(folder: Path, *levels: list[Any], channels: tuple[Channel, ...] = (BLUE, GREEN)) -> Path:
    """Store a scan of these channels, level by level; a tile of zeros is left out."""
    layouts = []
    for number, planes in enumerate(levels):
        size, pixel_type = Size(planes[0].shape[1], planes[0].shape[0]), PixelType(planes[0].dtype.name)
        layout = LevelLayout(
            size, TILE, Coding.LOSSLESS, Origin.DECODED, ShardGrid(2, 1), len(planes), pixel_type, apart=True
        )
        for plane, picture in enumerate(planes):
            with LevelWriter(LocalStore(folder), number, layout, plane) as writer:
                for column, row, cut in tiles_of(picture, TILE):
                    if cut.any():
                        writer.add(column, row, encode_lossless(cut))
        layouts.append(layout)
    write_metadata(str(folder), ScanLayout(tuple(layouts), None, 20.0, channels))
    return folder


@pytest.fixture
def planes() -> list[Any]:
    return [values(150, 100, 1), values(150, 100, 2)]


@pytest.fixture
def scan(tmp_path: Path, planes: list[Any]) -> Path:
    return stored(tmp_path / "scan", planes, [plane[::2, ::2] for plane in planes])


def test_what_is_written_is_read_again(scan: Path) -> None:
    layout = read_layout(scan)
    assert layout.channels == (BLUE, GREEN)
    assert [(level.channels, level.pixel_type, level.apart) for level in layout.levels] == [(2, "uint16", True)] * 2
    on_disk = {path.relative_to(scan).as_posix() for path in scan.rglob("*") if path.is_file()}
    keys = {key for number, level in enumerate(layout.levels) for key in shard_keys(number, level)}
    assert keys == {name for name in on_disk if not name.endswith("zarr.json")}


@pytest.mark.parametrize("region", [(0, 0, 150, 100), (64, 0, 64, 64), (63, 65, 70, 30), (149, 99, 1, 1)])
def test_a_channel_is_given_value_for_value(scan: Path, planes: list[Any], region: tuple[int, int, int, int]) -> None:
    x, y, width, height = region
    with Pyramid.open(scan) as pyramid:
        for channel in range(2):
            found = pyramid.level(0).read_channel(channel, x, y, width, height)
            assert found.dtype == np.uint16
            assert np.array_equal(found, planes[channel][y : y + height, x : x + width])


@pytest.mark.parametrize("region", [(0, 0, 151, 100), (-1, 0, 10, 10), (0, 0, 0, 5), (0, 99, 1, 2)])
def test_a_region_outside_the_level_is_an_error(scan: Path, region: tuple[int, int, int, int]) -> None:
    with Pyramid.open(scan) as pyramid, pytest.raises(TileOutsideLevel):
        pyramid.level(0).read_channel(0, *region)


@pytest.mark.parametrize("channel", [-1, 2])
def test_a_channel_that_is_not_there_is_an_error(scan: Path, channel: int) -> None:
    with Pyramid.open(scan) as pyramid, pytest.raises(TileOutsideLevel):
        pyramid.level(0).read_channel(channel, 0, 0, 1, 1)


def test_colours_of_bright_field_are_not_kept_apart(tmp_path: Path, stored_scan: Any) -> None:
    with Pyramid.open(stored_scan(np.zeros((70, 70, 3), np.uint8))) as pyramid, pytest.raises(TileOutsideLevel):
        pyramid.level(0).read_channel(0, 0, 0, 1, 1)


def test_channels_are_shown_in_their_colours_between_the_ends_of_their_windows(scan: Path, planes: list[Any]) -> None:
    blue = np.clip((planes[0].astype(float) - 100) / 1000, 0, 1) * 255
    green = np.clip(planes[1].astype(float) / 500, 0, 1) * 255
    with Pyramid.open(scan) as pyramid:
        seen = pyramid.level(0).read_region(0, 0, 150, 100)
    assert np.array_equal(seen[..., 0], np.zeros((100, 150)))
    assert np.abs(seen[..., 1] - green).max() <= 0.51
    assert np.abs(seen[..., 2] - blue).max() <= 0.51


def test_light_of_several_channels_adds_up_and_ends_at_white() -> None:
    plane, white = np.full((2, 2), 255, np.uint8), Channel("channel 1", "FFC000", 0, 255)
    out = np.empty((2, 2, 3), np.uint8)
    assert shown([plane] * 3, (white,) * 3, out)[0, 0].tolist() == [255, 255, 0]
    assert shown([plane // 4], (white,), out)[0, 0].tolist() == [63, 47, 0]


def test_a_tile_that_was_left_out_is_dark(tmp_path: Path) -> None:
    plane = values(150, 100, 1)
    plane[:, :64] = 0
    folder = stored(tmp_path / "scan", [plane], channels=(BLUE,))
    with Pyramid.open(folder) as pyramid:
        assert pyramid.level(0).encoded_tile(0, 0) is None
        assert pyramid.level(0).read_channel(0, 0, 0, 64, 64).max() == 0
        assert pyramid.level(0).read_region(0, 0, 64, 64).max() == 0
    assert np.array_equal(zarr.open_array(folder / "0", mode="r")[0], plane)


def test_levels_in_between_and_thumbnails_are_made_of_what_is_shown(tmp_path: Path) -> None:
    folder = stored(tmp_path / "scan", [np.full((256, 256), 500, np.uint16)] * 2)
    with Pyramid.open(folder) as pyramid:
        assert pyramid.thumbnail(32).shape == (32, 32, 3)
        assert pyramid.thumbnail(32)[5, 5].tolist() == [0, 255, 102]
        assert next(level.size for level in viewer_levels(pyramid)) == Size(256, 256)


def test_a_level_that_is_not_told_how_to_show_its_channels_shows_them_grey(scan: Path, planes: list[Any]) -> None:
    level = Level(scan, 0, read_layout(scan).levels[0])
    seen = level.decoded_tile(0, 0)
    assert seen.max() > 0
    assert np.array_equal(seen[..., 0], seen[..., 2])


def test_zarr_and_ome_read_it_without_us(scan: Path, planes: list[Any]) -> None:
    yaozarrs.validate_zarr_store(str(scan))
    image = OmeImage.from_zarr(zarr.open_group(scan, mode="r"))
    assert image.ome_attributes.omero is not None
    assert [channel["color"] for channel in zarr.open_group(scan).attrs["ome"]["omero"]["channels"]] == [
        "0000FF", "00FF00",
    ]  # fmt: skip
    array = zarr.open_array(scan / "0", mode="r")
    assert (array.shape, array.chunks, array.dtype) == ((2, 100, 150), (1, 64, 64), np.uint16)
    assert np.array_equal(array[:], np.stack(planes))


def test_a_channel_can_be_read_lazily(scan: Path, planes: list[Any]) -> None:
    with Pyramid.open(scan) as pyramid:
        lazy = as_dask(pyramid.level(0), chunk_px=64, channel=1)
        assert (lazy.shape, lazy.dtype, lazy.chunks) == ((100, 150), np.uint16, ((64, 36), (64, 64, 22)))
        assert np.array_equal(lazy.compute(scheduler="synchronous"), planes[1])
        with pytest.raises(TileOutsideLevel):
            as_dask(pyramid.level(0), channel=2).compute(scheduler="synchronous")


def test_every_tile_of_every_channel_is_verified(scan: Path) -> None:
    level = read_layout(scan).levels[0]
    assert verify_level(scan, 0, level).tiles == 2 * 3 * 2
    shard = scan / "0" / "c" / "1" / "1" / "1"
    damaged = bytearray(shard.read_bytes())
    damaged[10] ^= 1
    shard.write_bytes(damaged)
    with pytest.raises(DamagedPyramid):
        verify_level(scan, 0, level)
    with Pyramid.open(scan) as pyramid, pytest.raises(DamagedPyramid):
        pyramid.level(0).read_channel(1, 128, 64, 10, 10)


def test_a_tile_of_another_length_is_no_tile(scan: Path) -> None:
    level = read_layout(scan).levels[0]
    short = LevelLayout(level.size, TILE, level.coding, level.origin, level.grid, 2, PixelType.UINT8, apart=True)
    with pytest.raises(DamagedPyramid):
        verify_level(scan, 0, short)


@pytest.mark.parametrize(
    "said",
    [
        {"coding": Coding.JPEG},
        {"channels": 65},
        {"channels": 0},
        {"channels": 1, "pixel_type": PixelType.UINT8},
        {"apart": False, "channels": 3},
        {"apart": False, "channels": 2, "pixel_type": PixelType.UINT8},
    ],
    ids=str,
)
def test_a_level_that_cannot_be_is_refused(said: dict[str, Any]) -> None:
    sound = {"coding": Coding.LOSSLESS, "channels": 2, "pixel_type": PixelType.UINT16, "apart": True}
    LevelLayout.planned(Size(9, 9), TILE, origin=Origin.DECODED, **sound)  # type: ignore[arg-type]
    with pytest.raises(InvalidValue):
        LevelLayout.planned(Size(9, 9), TILE, origin=Origin.DECODED, **{**sound, **said})


@pytest.mark.parametrize("channels", [(), (BLUE,), (BLUE, GREEN, GREEN)], ids=["none", "too few", "too many"])
def test_a_scan_tells_of_each_channel_how_it_is_shown(channels: tuple[Channel, ...]) -> None:
    level = LevelLayout.planned(
        Size(9, 9), TILE, Coding.LOSSLESS, Origin.DECODED, 2, pixel_type=PixelType.UINT16, apart=True
    )
    with pytest.raises(InvalidValue):
        ScanLayout((level,), channels=channels)


@pytest.mark.parametrize(
    "said",
    [
        {"name": ""},
        {"name": "Müller"},
        {"name": "x" * 60},
        {"name": "a\nb"},
        {"colour": "00ff00"},
        {"colour": "FFF"},
        {"low": 5, "high": 5},
        {"low": -1},
        {"high": 65536},
    ],
    ids=str,
)
def test_a_channel_that_cannot_be_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        Channel(**{"name": "DAPI", "colour": "0000FF", "low": 0, "high": 9, **said})


def test_a_window_leaves_out_the_darkest_and_the_brightest_values() -> None:
    plane = np.arange(10_000, dtype=np.uint16).reshape(100, 100)
    low, high = window(plane)
    assert (low, high) == (99, 9980)


@pytest.mark.parametrize("value", [0, 65535])
def test_a_window_of_a_flat_channel_has_two_ends(value: int) -> None:
    low, high = window(np.full((9, 9), value, np.uint16))
    assert 0 <= low < high <= 65535


@pytest.mark.parametrize("shape", [(8, 8), (9, 11), (1, 7), (3, 2)])
@pytest.mark.parametrize("factor", [2, 4])
def test_blocks_are_averaged_and_those_at_the_edge_by_what_they_have(shape: tuple[int, int], factor: int) -> None:
    plane = np.random.default_rng(1).integers(0, 65536, shape).astype(np.uint16)
    found = area_average_plane(plane, factor)
    for row in range(found.shape[0]):
        for column in range(found.shape[1]):
            block = plane[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
            assert found[row, column] == int(np.floor(block.astype(float).mean() + 0.5))
