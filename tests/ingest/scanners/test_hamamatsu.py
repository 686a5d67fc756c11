"""An NDPI file is cut at its restart markers, and tells by numbers which of its pictures is what."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archive.geometry import Size
from archive.holdings.pixels import NotPlainJpeg
from ingest.deidentify import deidentify
from ingest.errors import Reason, SlideRefused
from ingest.scanners import Scan, SourceLevel, cropping
from ingest.scanners._ndpi import CutNdpiLevel, NdpiLevel
from ingest.scanners._ndpi_stream import starts_told
from ingest.scanners._tiff import open_tiff
from ingest.scanners.hamamatsu import HamamatsuReader
from ingest.scanners.opening import open_scan
from ingest.scanners.through_openslide import OpenSlideLevel
from tests.slides import jpegs
from tests.slides.made import mend
from tests.slides.ndpi import intervals_of, make_ndpi
from tests.slides.planted import Plant


def levels_of(path: Path, **options: Any) -> list[tuple[type[SourceLevel], Size, Size]]:
    with HamamatsuReader(make_ndpi(path, **options).path) as reader:
        return [(type(level), level.size, level.tile) for level in reader.scan().levels]


def scan_of(path: Path, **options: Any) -> Scan:
    with HamamatsuReader(make_ndpi(path, **options).path) as reader:
        return reader.scan()


@pytest.mark.parametrize("name", ["slide.ndpi", "slide.tif", "slide"])
def test_a_file_is_recognised_whatever_its_name(tmp_path: Path, name: str) -> None:
    with open_scan(make_ndpi(tmp_path / name, gap=5 << 30).path) as reader:
        assert isinstance(reader, HamamatsuReader)


@pytest.mark.parametrize(
    ("width", "height", "tile"),
    [(256, 2048, (256, 1024)), (512, 2048, (512, 512)), (640, 768, (640, 256)), (1024, 768, (1024, 256)),
     (2048, 768, (2048, 256)), (512, 128, (512, 128))],
)  # fmt: skip
def test_a_tile_is_as_wide_as_an_interval_and_256_to_1024_high(
    tmp_path: Path, width: int, height: int, tile: tuple[int, int]
) -> None:
    ((kind, size, found),) = levels_of(
        tmp_path / "a.ndpi", width=2 * width, height=height, factors=(1,), intervals=(width,)
    )
    assert (kind, size, found) == (NdpiLevel, Size(2 * width, height), Size(*tile))


def test_a_small_level_without_restart_markers_is_one_tile(tmp_path: Path) -> None:
    assert levels_of(tmp_path / "a.ndpi")[2] == (NdpiLevel, Size(256, 192), Size(256, 192))


@pytest.mark.parametrize(
    "options",
    [
        {"width": 4072, "height": 128, "intervals": (4072, None)},  # 509 MCU, which cannot be divided
        {"width": 4096, "height": 128, "intervals": (4096, None), "sampling": "422"},
        {"width": 512, "height": 376, "intervals": (256, 256)},  # half of it is no whole number of intervals
        {"width": 256, "height": 1040, "intervals": (None, 128)},
    ],
    ids=[
        "a width that cannot be divided",
        "colours that reach across the cuts",
        "a last interval cut off",
        "a large level without restart markers",
    ],
)
def test_what_makes_no_tiles_is_read_through_openslide(tmp_path: Path, options: dict[str, Any]) -> None:
    kinds = {kind for kind, _, _ in levels_of(tmp_path / "a.ndpi", factors=(1, 2), **options)}
    assert kinds == {NdpiLevel, OpenSlideLevel}


@pytest.mark.parametrize(("width", "tile"), [(2056, 8), (2304, 768), (3968, 992), (4096, 1024), (6144, 1024)])
@pytest.mark.usefixtures("cutting")
def test_intervals_too_wide_for_a_tile_are_cut_into_the_fewest_parts(tmp_path: Path, width: int, tile: int) -> None:
    ((kind, _, found),) = levels_of(tmp_path / "a.ndpi", width=width, height=256, factors=(1,), intervals=(width,))
    assert (kind, found) == ((CutNdpiLevel, Size(tile, 256)) if tile >= 256 else (OpenSlideLevel, Size(512, 512)))


@pytest.mark.usefixtures("cutting")
def test_a_cut_level_shows_the_pixels_that_were_not_cut(tmp_path: Path) -> None:
    made = make_ndpi(tmp_path / "a.ndpi", width=6144, height=384, factors=(1,), intervals=(3072,))
    with HamamatsuReader(made.path) as reader:
        (level,) = reader.scan().levels
        decoded = {(column, row): pixels for column, row, pixels in level.decoded_tiles()}
        for tile in level.encoded_tiles():
            assert np.array_equal(jpegs.decode(tile.stream, "ycbcr"), decoded[tile.column, tile.row])
        shown = mend(6144, 384, (level.tile.width, level.tile.height), decoded)
    assert len(decoded) == 6 * 2
    assert np.array_equal(shown, made.levels[0].pixels)


@pytest.mark.usefixtures("cutting")
def test_a_part_that_shows_something_else_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def exchanged(stream: bytes, *, width: int, height: int, parts: int) -> list[bytes]:
        return cropping.cut(stream, width=width, height=height, parts=parts)[::-1]

    monkeypatch.setattr("ingest.scanners._ndpi.cut", exchanged)
    path = make_ndpi(tmp_path / "a.ndpi", width=2304, height=128, factors=(1,), intervals=(2304,)).path
    with HamamatsuReader(path) as reader, pytest.raises(NotPlainJpeg, match="changed"):
        list(reader.scan().levels[0].encoded_tiles())


def test_where_nothing_can_be_cut_a_wide_level_is_read_through_openslide(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cropping, "_TURBO", None)
    found = levels_of(tmp_path / "a.ndpi", width=4096, height=128, factors=(1, 2), intervals=(4096, 512))
    assert [kind for kind, _, _ in found] == [OpenSlideLevel, NdpiLevel]


@pytest.mark.parametrize("listed", [True, False, "wrong", "beyond"])
def test_the_entropy_coded_bytes_are_the_sources_whatever_the_list_says(tmp_path: Path, listed: Any) -> None:
    made = make_ndpi(tmp_path / "a.ndpi", listed=listed)
    with HamamatsuReader(made.path) as reader:
        for level, known in zip(reader.scan().levels, made.levels, strict=True):
            pieces = intervals_of(known.tiles[0, 0])
            across = level.size.width // level.tile.width
            for tile in level.encoded_tiles():
                own = pieces[tile.column :: across][tile.row * level.runs : (tile.row + 1) * level.runs]
                found = intervals_of(tile.stream)
                assert found[: len(own)] == own
                assert set(found[len(own) :]) <= {own[-1]}


def test_the_list_has_upper_halves_for_streams_above_four_gigabytes(tmp_path: Path) -> None:
    path = make_ndpi(tmp_path / "a.ndpi", listed="beyond").path
    with open_tiff(path, ndpi=True) as file:
        page = file.pages.first
        low, told = page.tags.valueof(65426), starts_told(page, 100)
    assert told is not None
    assert told.tolist() == [100 + start + (1 << 32) for start in low.tolist()]


def test_markers_are_counted_anew_in_each_tile(tmp_path: Path) -> None:
    with HamamatsuReader(make_ndpi(tmp_path / "a.ndpi").path) as reader:
        level = reader.scan().levels[0]
        for tile in level.encoded_tiles():
            coded = jpegs.scan_data(tile.stream)
            markers = [coded[at + 1] for at in range(len(coded) - 1) if coded[at] == 0xFF and coded[at + 1]]
            assert markers == [0xD0 + number % 8 for number in range(level.runs - 1)]


def test_pictures_are_told_by_their_source_lens(tmp_path: Path) -> None:
    scan = scan_of(tmp_path / "a.ndpi", planes=2)
    assert [(str(image.kind), image.found_by) for image in scan.associated] == [
        *[("unknown", "another focal plane than 0")] * 3,
        ("macro", "SourceLens -1"),
        ("map", "SourceLens -2"),
    ]
    assert [level.size.width for level in scan.levels] == [1024, 512, 256]


def test_measures_and_model_are_kept_and_no_word(tmp_path: Path) -> None:
    plant = Plant()
    scan = scan_of(tmp_path / "a.ndpi", plant=plant)
    clean = deidentify(scan.maker, scan.properties)
    assert clean.mpp is not None
    assert (clean.mpp.x, clean.objective_power) == (pytest.approx(0.2274, rel=1e-4), 40)
    assert (clean.scanner_maker, clean.scanner_model) == ("Hamamatsu", "NanoZoomer C13210")
    assert plant.survivors(repr(clean).encode()) == []


def harmed(path: Path, harm: Any) -> Path:
    made = make_ndpi(path, factors=(1,), intervals=(512,))
    whole = bytearray(made.path.read_bytes())
    harm(whole)
    path.write_bytes(whole)
    return path


def lose_a_marker(whole: bytearray) -> None:
    at = whole.index(b"\xff\xd5")
    whole[at : at + 2] = b"\0\0"


def exchange_two_markers(whole: bytearray) -> None:
    first, second = whole.index(b"\xff\xd1"), whole.index(b"\xff\xd2")
    whole[first + 1], whole[second + 1] = 0xD2, 0xD1


def tell_another_size(whole: bytearray) -> None:
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 2] = (512).to_bytes(2, "big")


@pytest.mark.parametrize("harm", [lose_a_marker, exchange_two_markers])
def test_markers_that_are_not_in_order_make_no_tile(tmp_path: Path, harm: Any) -> None:
    with HamamatsuReader(harmed(tmp_path / "a.ndpi", harm)) as reader:
        (level,) = reader.scan().levels
        with pytest.raises(ValueError, match="marker"):
            list(level.encoded_tiles())
        with pytest.raises(SlideRefused) as refused:
            list(level.decoded_tiles())
    assert refused.value.reason is Reason.UNREADABLE_PIXELS


def test_a_frame_of_another_size_than_the_directory_says_is_damage(tmp_path: Path) -> None:
    path = harmed(tmp_path / "a.ndpi", tell_another_size)
    with HamamatsuReader(path) as reader, pytest.raises(SlideRefused) as refused:
        reader.scan()
    assert refused.value.reason is Reason.DAMAGED_STRUCTURE


def call_the_macro_a_level(whole: bytearray) -> None:
    """Give it the mark of an objective, at the place of the mark of a macro."""
    at = whole.index(struct.pack("<HHIf", 65421, 11, 1, -1.0))
    whole[at : at + 12] = struct.pack("<HHIf", 65421, 11, 1, 2.5)


def test_a_picture_of_another_shape_is_no_level_whatever_its_mark(tmp_path: Path) -> None:
    with HamamatsuReader(harmed(tmp_path / "a.ndpi", call_the_macro_a_level)) as reader:
        scan = reader.scan()
    assert [level.size for level in scan.levels] == [Size(1024, 768)]
    assert [str(image.kind) for image in scan.associated] == ["unknown", "map"]


def test_levels_that_are_not_smaller_each_time_are_damage(tmp_path: Path) -> None:
    with pytest.raises(SlideRefused) as refused:
        scan_of(tmp_path / "a.ndpi", factors=(1, 4, 2), intervals=(512, 256, 512))
    assert refused.value.reason is Reason.DAMAGED_STRUCTURE
