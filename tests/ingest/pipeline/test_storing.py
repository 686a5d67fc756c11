"""Every kind of stream that scanners write comes out in the right colours, copied where it can be."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from archive.geometry import MicronsPerPixel, Size
from archive.holdings.pixels import Channel, Origin, ScanLayout, SourceFile, verify_level
from archive.holdings.writing import write_metadata
from archive.pyramid.reader import Pyramid
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import Description, Stored, level_to_json
from ingest.pipeline.comparing import compare
from ingest.pipeline.describing import describe
from ingest.pipeline.planning import plan_levels
from ingest.pipeline.proving import read_places
from ingest.pipeline.storing import store
from tests.slides import jpegs, tissue
from tests.slides.generic import APERIO_JPEG2000, make_libvips_tiff, make_tiff, make_unstorable_tiff
from tests.slides.made import MadeSlide
from tests.slides.ndpi import make_ndpi
from tests.slides.ome import make_fluorescence_ome_tiff, make_ome_tiff
from tests.slides.philips import make_philips
from tests.slides.planted import Plant
from tests.slides.qptiff import make_qptiff
from tests.slides.scn import Tissue, make_scn
from tests.slides.svs import label_picture, make_svs

Kept = tuple[Stored, Path]

ALL_TILES = 1 << 20


@pytest.fixture
def keep(tmp_path: Path) -> Callable[[Path], Kept]:
    """Describe, store, verify and compare a slide, as the pipeline does in the jail; give what lies staged."""

    def kept(path: Path) -> Kept:
        staged, places = tmp_path / "staged", tmp_path / "places"
        staged.mkdir()
        places.mkdir()
        stored = Stored.from_json(store(lambda _: None, str(path), str(staged), str(places)))
        with SourceFile(path) as source:
            for number, level in enumerate(stored.levels):
                found = read_places(places / f"{number}.places", level) if level.origin is Origin.COPIED else None
                verify_level(staged, number, level, source if found is not None else None, found)
        channels = tuple(
            Channel(f"channel {number}", "00FF00", low, high) for number, (low, high) in enumerate(stored.windows)
        )
        write_metadata(str(staged), ScanLayout(stored.levels, MicronsPerPixel(0.5, 0.5), channels=channels))
        compare(
            lambda _: None,
            str(path),
            str(staged),
            [level_to_json(level) for level in stored.levels],
            [ALL_TILES] * len(stored.levels),
        )
        return stored, staged

    return kept


def assert_every_pixel(kept: Kept, made: MadeSlide, origin: Origin) -> None:
    """Check that the levels that the scanner made are stored, pixel for pixel."""
    stored, folder = kept
    with Pyramid.open(folder) as pyramid:
        by_size = {(level.size.width, level.size.height): level for level in pyramid.levels}
        for level in made.levels:
            mine = by_size[level.size]
            expected = level.pixels if level.pixels.ndim == 3 else np.stack([level.pixels] * 3, -1)
            assert mine.origin is origin
            assert np.array_equal(mine.read_region(0, 0, *level.size), expected)
    assert max(stored.levels[-1].size.width, stored.levels[-1].size.height) <= 1024


SVS: dict[str, dict[str, Any]] = {
    "everyday": {},
    "4:2:2": {"sampling": "422", "tag_subsampling": (2, 1)},
    "4:4:4": {"sampling": "444", "tag_subsampling": (1, 1)},
    "RGB as Aperio writes it": {"colours": "rgb", "component_ids": (0, 1, 2)},
    "RGB that an Adobe marker tells": {"colours": "rgb", "transform": 0},
    "YCbCr that an Adobe marker tells": {"transform": 1},
    "grey": {"colours": "grey"},
    "tiles of 240 px": {"tile": (240, 240)},
    "tiles of 512 px": {"tile": (512, 512)},
    "tiles wider than high": {"tile": (256, 128)},
    "downsamples that are no whole numbers": {"width": 1103, "height": 811, "factors": (1, 2, 4)},
    "one level": {"factors": (1,)},
    "restart markers": {"restart_every": 4},
    "whole JPEG files as tiles": {"abbreviated": False},
    "BigTIFF": {"big": True},
    "no label and no macro": {"label": None, "macro": False},
    "label and macro without description": {"described": False},
    "white glass left out": {"sparse": frozenset({(0, 0, 0), (0, 3, 2)}), "factors": (1,)},
}


@pytest.mark.parametrize("kind", SVS)
def test_an_aperio_slide_is_copied_pixel_for_pixel(tmp_path: Path, keep: Callable[[Path], Kept], kind: str) -> None:
    made = make_svs(tmp_path / "a.svs", **SVS[kind])
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


@pytest.mark.parametrize(
    "lie",
    [
        {"colours": "rgb", "component_ids": (0, 1, 2), "tag_photometric": 6},
        {"colours": "rgb", "transform": 0, "tag_photometric": 6},
        {"transform": 1, "tag_photometric": 2},
        {"tag_photometric": 2},
    ],
    ids=["RGB called YCbCr", "RGB with a marker called YCbCr", "YCbCr with a marker called RGB", "YCbCr called RGB"],
)
def test_where_tag_and_stream_disagree_the_stream_decides(
    tmp_path: Path, keep: Callable[[Path], Kept], lie: dict[str, Any]
) -> None:
    made = make_svs(tmp_path / "a.svs", **lie)
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


def make_two_pictures(path: Path, large: tissue.Picture, small: tissue.Picture) -> Path:
    """Write two pictures in tiles, of which the second is the level below the first, if proportions are believed."""
    with tifffile.TiffWriter(path) as file:
        for number, picture in enumerate((large, small)):
            file.write(picture, photometric="rgb", tile=(256, 256), subfiletype=number)
    return path


LABELS = {
    "printed": label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E"),
    "with a barcode": label_picture("S25-10432 A3", barcode="S25-10432;A3;1"),
    "with a line only": label_picture("DOE, JANE"),
}


@pytest.mark.parametrize("label", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("factor", [2, 4])
def test_a_label_that_has_the_proportions_of_the_slide_is_no_level(
    tmp_path: Path, keep: Callable[[Path], Kept], label: tissue.Picture, factor: int
) -> None:
    height, width = label.shape[:2]
    path = make_two_pictures(tmp_path / "a.tif", tissue.tissue(factor * width, factor * height), label)
    with pytest.raises(SlideRefused) as refused:
        keep(path)
    assert refused.value.reason is Reason.ANOTHER_PICTURE


def test_a_label_below_empty_glass_is_no_level(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    label = LABELS["printed"]
    glass = np.full((4 * label.shape[0], 4 * label.shape[1], 3), 243, np.uint8)
    with pytest.raises(SlideRefused) as refused:
        keep(make_two_pictures(tmp_path / "a.tif", glass, label))
    assert refused.value.reason is Reason.ANOTHER_PICTURE


def test_levels_of_empty_glass_whose_noise_is_not_the_same_are_levels(
    tmp_path: Path, keep: Callable[[Path], Kept]
) -> None:
    noise = np.random.default_rng(7)
    large, small = (
        np.clip(noise.normal(240, 5, (high, wide, 3)), 0, 255).astype(np.uint8)
        for wide, high in ((1600, 1200), (400, 300))
    )
    stored, _ = keep(make_two_pictures(tmp_path / "a.tif", large, small))
    assert [level.origin for level in stored.levels][:2] == [Origin.DECODED, Origin.DECODED]


def test_a_level_of_other_brightness_is_a_level(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    whole = tissue.tissue(1200, 900)
    darker = (0.7 * tissue.reduced(whole, 300, 225)).astype(np.uint8)
    stored, _ = keep(make_two_pictures(tmp_path / "a.tif", whole, darker))
    assert [level.origin for level in stored.levels] == [Origin.DECODED, Origin.DECODED]


BEYOND = {"colours": (np.uint8, 3), "grey": (np.uint8, 1), "a channel of fluorescence": (np.uint16, 1)}


@pytest.mark.parametrize(("depth", "colours"), BEYOND.values(), ids=BEYOND)
def test_what_a_decoded_tile_shows_beyond_the_edge_of_its_level_is_not_kept(
    tmp_path: Path, keep: Callable[[Path], Kept], depth: type, colours: int
) -> None:
    tile = tissue.tissue(256, 256).astype(depth)[..., : colours if colours == 3 else 1].squeeze()
    tile[200:, 220:] = 77
    kind = {"photometric": "rgb" if colours == 3 else "minisblack", "tile": (256, 256)}
    shape = (190, 210, *tile.shape[2:])
    tifffile.imwrite(tmp_path / "a.tif", iter([tile]), shape=shape, dtype=tile.dtype, **kind)
    _, folder = keep(tmp_path / "a.tif")
    with Pyramid.open(folder) as pyramid:
        level = pyramid.levels[0]
        held = level.channel_tile(0, 0, 0) if level.layout.apart else level.decoded_tile(0, 0)
    known = tile if held.ndim == tile.ndim else np.stack([tile] * 3, -1)
    padding = [(0, 256 - 190), (0, 256 - 210), (0, 0)][: held.ndim]
    assert np.array_equal(held, np.pad(known[:190, :210], padding, mode="edge"))


def behind_the_pixels(stream: bytes, words: bytes, marker: bytes = jpegs.EOI) -> bytes:
    """Put words between the last bit that is decoded and a marker, where decoders pass over them."""
    at = stream.rindex(marker)
    return stream[:at] + words + stream[at:]


WORDS: dict[str, bytes] = {
    "plain": b"DOE, JANE H0012345",
    "with an end of their own": b"DOE, JANE H0012345\0",
    "in UTF-16": "DOE, JANE".encode("utf-16-le"),
    "in UTF-16, the upper half first": "DOE, JANE".encode("utf-16-be"),
    "before a restart marker that no header tells of": b"DOE, JANE H0012345\xff\xd0",
}


@pytest.mark.parametrize("words", WORDS.values(), ids=WORDS)
def test_a_level_with_words_behind_its_coded_pixels_is_decoded(
    tmp_path: Path, keep: Callable[[Path], Kept], words: bytes
) -> None:
    def change(at: tuple[int, int, int], part: tissue.Picture, stream: bytes) -> bytes:
        del part
        return behind_the_pixels(stream, words) if at == (0, 2, 1) else stream

    made = make_svs(tmp_path / "a.svs", factors=(1, 4), change=change)
    stored, folder = keep(made.path)
    assert [level.origin for level in stored.levels] == [Origin.DECODED, Origin.COPIED]
    assert not [path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]
    with Pyramid.open(folder) as pyramid:
        for mine, known in zip(pyramid.levels, made.levels, strict=True):
            assert np.array_equal(mine.read_region(0, 0, *known.size), known.pixels)


@pytest.mark.parametrize("marker", [jpegs.EOI, b"\xff\xd1"], ids=["before the end", "before a restart marker"])
def test_a_level_of_an_ndpi_with_words_behind_its_coded_pixels_is_decoded(
    tmp_path: Path, keep: Callable[[Path], Kept], monkeypatch: pytest.MonkeyPatch, marker: bytes
) -> None:
    words, encode = b"DOE, JANE H0012345", jpegs.encode

    def with_words(picture: tissue.Picture, **options: Any) -> bytes:
        stream = encode(picture, **options)
        return behind_the_pixels(stream, words, marker) if options.get("restart_every") else stream

    monkeypatch.setattr(jpegs, "encode", with_words)
    made = make_ndpi(tmp_path / "slide")
    stored, folder = keep(made.path)
    assert [level.origin for level in stored.levels] == [Origin.DECODED, Origin.DECODED, Origin.COPIED]
    assert not [path for path in folder.rglob("*") if path.is_file() and words in path.read_bytes()]


NDPI: dict[str, dict[str, Any]] = {
    "everyday": {},
    "above 4 GB": {"gap": 5 << 30},
    "4:2:2": {"sampling": "422"},
    "no list of restart markers": {"listed": False},
    "narrow intervals": {"intervals": (256, 128, 64)},
    "too wide for its frame to tell": {"width": 66_048, "height": 24, "factors": (1,), "intervals": (512,)},
}


@pytest.mark.parametrize("kind", NDPI)
def test_an_ndpi_slide_is_copied_pixel_for_pixel(tmp_path: Path, keep: Callable[[Path], Kept], kind: str) -> None:
    made = make_ndpi(tmp_path / "slide", **NDPI[kind])
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


@pytest.mark.usefixtures("cutting")
def test_intervals_too_wide_for_a_tile_are_cut_without_loss(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_ndpi(tmp_path / "slide", width=3968, height=512, factors=(1,), intervals=(3968,))
    kept = keep(made.path)
    assert_every_pixel(kept, made, Origin.CUT)
    stored = sum(shard.stat().st_size for shard in (kept[1] / "0" / "c").rglob("*") if shard.is_file())
    assert stored < 1.3 * len(made.levels[0].tiles[0, 0])


@pytest.mark.usefixtures("cutting")
def test_segments_of_an_ndpi_stream_are_counted_once(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_ndpi(tmp_path / "slide", width=3968, height=512, intervals=(3968, 992, None))
    stored, _ = keep(made.path)
    assert [level.origin for level in stored.levels] == [Origin.CUT, Origin.COPIED, Origin.COPIED]
    assert stored.segments_left_behind == 2 * 3


PHILIPS: dict[str, dict[str, Any]] = {
    "everyday": {},
    "BigTIFF": {"big": True},
    "glass that was not scanned": {"sparse": frozenset({(0, 1, 1), (0, 8, 6), (1, 1, 1), (2, 0, 1)})},
}


@pytest.mark.parametrize("kind", PHILIPS)
def test_a_philips_slide_is_copied_pixel_for_pixel(tmp_path: Path, keep: Callable[[Path], Kept], kind: str) -> None:
    made = make_philips(tmp_path / "slide", **PHILIPS[kind])
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


SCN: dict[str, dict[str, Any]] = {
    "everyday": {},
    "without a macro": {"macro": None},
    "at no whole number of pixels": {"regions": (Tissue(left=4_000_321, top=20_000_123, factors=(1, 2)),)},
}


def test_tiles_of_a_qptiff_are_copied_and_its_strips_decoded(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_qptiff(tmp_path / "slide", plant=Plant())
    stored, folder = keep(made.path)
    assert [level.origin for level in stored.levels] == [Origin.COPIED, Origin.DECODED, Origin.DECODED]
    with Pyramid.open(folder) as pyramid:
        for mine, known in zip(pyramid.levels, made.levels, strict=True):
            assert np.array_equal(mine.read_region(0, 0, *known.size), known.pixels)
    assert made.plant.survivors_under(folder) == []


@pytest.mark.parametrize("compression", ["lzw", "zstd", "jpeg2000", "webp"])
def test_an_ome_tiff_is_decoded_where_its_tiles_are_not_jpeg(
    tmp_path: Path, keep: Callable[[Path], Kept], compression: str
) -> None:
    made = make_ome_tiff(tmp_path / "slide.ome.tif", compression=compression)
    kept = keep(made.path)
    assert_every_pixel(kept, made, Origin.DECODED)
    assert made.plant.survivors_under(kept[1]) == []


@pytest.mark.parametrize("kind", SCN)
def test_a_region_of_an_scn_slide_is_copied_pixel_for_pixel(
    tmp_path: Path, keep: Callable[[Path], Kept], kind: str
) -> None:
    made = make_scn(tmp_path / "slide", **SCN[kind])
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


def progressive(address: tuple[int, int, int], pixels: np.ndarray, stream: bytes) -> bytes:
    del stream
    return jpegs.encode(pixels, progressive=True) if address == (0, 1, 1) else jpegs.encode(pixels)


def test_a_level_with_one_tile_that_is_not_plain_is_decoded_and_stored_without_loss(
    tmp_path: Path, keep: Callable[[Path], Kept]
) -> None:
    made = make_svs(tmp_path / "a.svs", factors=(1,), change=progressive, abbreviated=False)
    assert_every_pixel(keep(made.path), made, Origin.DECODED)


def with_a_table_that_is_no_code(address: tuple[int, int, int], pixels: np.ndarray, stream: bytes) -> bytes:
    """Give one tile three codes of one bit; there are two."""
    del stream
    whole = bytearray(jpegs.encode(pixels))
    if address == (0, 1, 1):
        counts = whole.index(b"\xff\xc4") + 5
        longest = max(k for k in range(16) if whole[counts + k] >= 1)
        whole[counts], whole[counts + longest] = whole[counts] + 3, whole[counts + longest] - 1
        second = next(k for k in range(1, 16) if whole[counts + k] >= 2)
        whole[counts + second] -= 2
    return bytes(whole)


def test_a_tile_that_cannot_be_decoded_is_not_copied(tmp_path: Path) -> None:
    made = make_svs(tmp_path / "a.svs", factors=(1,), change=with_a_table_that_is_no_code, abbreviated=False)
    with pytest.raises(ValueError, match="tile"):
        store(lambda _: None, str(made.path), str(tmp_path), str(tmp_path))


CODINGS = ("none", "lzw", "deflate", "zstd", "webp")


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("tile", [(256, 256), None], ids=["tiles", "strips"])
def test_a_plain_tiff_is_decoded_and_stored_without_loss(
    tmp_path: Path, keep: Callable[[Path], Kept], coding: Any, tile: tuple[int, int] | None
) -> None:
    made = make_tiff(tmp_path / "a.tif", coding, tile=tile)
    assert_every_pixel(keep(made.path), made, Origin.DECODED)


def test_an_aperio_slide_in_jpeg_2000_is_decoded_and_stored_without_loss(
    tmp_path: Path, keep: Callable[[Path], Kept]
) -> None:
    made = make_tiff(tmp_path / "a.svs", "jpeg2000", description=APERIO_JPEG2000, factors=(1,))
    assert_every_pixel(keep(made.path), made, Origin.DECODED)


@pytest.mark.parametrize("coding", ["jpeg", "jpeg-rgb"])
@pytest.mark.parametrize("order", ["<", ">"])
def test_jpeg_tiles_of_a_plain_tiff_are_copied(
    tmp_path: Path, keep: Callable[[Path], Kept], coding: Any, order: Any
) -> None:
    made = make_tiff(tmp_path / "a.tif", coding, order=order, big=True)
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


def test_a_pyramid_written_by_libvips_is_copied(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_libvips_tiff(tmp_path / "a.tif")
    assert_every_pixel(keep(made.path), made, Origin.COPIED)


def test_libvips_calls_its_ycbcr_streams_rgb_and_they_come_out_right(
    tmp_path: Path, keep: Callable[[Path], Kept]
) -> None:
    """Asked for RGB JPEG, libvips writes the tag alone, and then reads its own colours wrongly."""
    made = make_libvips_tiff(tmp_path / "a.tif", rgb=True)
    drawn = tissue.tissue(1100, 810)
    _, folder = keep(made.path)
    with Pyramid.open(folder) as pyramid:
        assert np.abs(pyramid.level(0).read_region(0, 0, 1100, 810).astype(int) - drawn).mean() < 5
    assert np.abs(made.levels[0].pixels.astype(int) - drawn).mean() > 30


def test_levels_in_subifds_are_found(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_tiff(tmp_path / "a.tif", "deflate", levels_below=True)
    assert_every_pixel(keep(made.path), made, Origin.DECODED)


def test_an_ome_tiff_pyramid_is_kept(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_ome_tiff(tmp_path / "a.ome.tif")
    assert_every_pixel(keep(made.path), made, Origin.COPIED)
    assert describe(lambda _: None, str(made.path))["maker"] == "ome"


@pytest.mark.parametrize("kind", ["16-bit RGB", "five channels", "float"])
def test_pixels_that_cannot_be_stored_are_refused_by_kind(tmp_path: Path, kind: Any) -> None:
    with pytest.raises(SlideRefused) as refused:
        describe(lambda _: None, str(make_unstorable_tiff(tmp_path / "a.tif", kind)))
    assert refused.value.reason is Reason.UNSUPPORTED_PIXELS


@pytest.mark.parametrize("pixel_type", [np.uint8, np.uint16])
@pytest.mark.parametrize("strips", [False, True], ids=["tiles", "strips"])
def test_fluorescence_is_kept_value_for_value(
    tmp_path: Path, keep: Callable[[Path], Kept], pixel_type: Any, strips: bool
) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", pixel_type=pixel_type, strips=strips)
    stored, folder = keep(made.path)
    assert [level.origin for level in stored.levels] == [Origin.DECODED] * 3
    with Pyramid.open(folder) as pyramid:
        for mine, known in zip(pyramid.levels, made.levels, strict=True):
            for channel in range(4):
                assert np.array_equal(mine.read_channel(channel, 0, 0, *known.size), known.pixels[..., channel])
    assert made.plant.survivors_under(folder) == []


def test_levels_of_fluorescence_are_added_channel_by_channel(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", width=1203, height=1101, factors=(1,))
    stored, folder = keep(made.path)
    assert [(level.size.width, level.origin) for level in stored.levels] == [(1203, "decoded"), (602, "added")]
    whole = np.pad(made.levels[0].pixels.astype(float), ((0, 1), (0, 1), (0, 0)), mode="edge")
    expected = np.floor(whole.reshape(551, 2, 602, 2, 4).mean((1, 3)) + 0.5)
    with Pyramid.open(folder) as pyramid:
        for channel in range(4):
            assert np.array_equal(pyramid.level(1).read_channel(channel, 0, 0, 602, 551), expected[..., channel])


def test_a_value_of_fluorescence_that_differs_is_found(tmp_path: Path, keep: Callable[[Path], Kept]) -> None:
    made = make_fluorescence_ome_tiff(tmp_path / "a.ome.tif", factors=(1,), compression=None)
    stored, folder = keep(made.path)
    raw = bytearray(made.path.read_bytes())
    with tifffile.TiffFile(made.path) as file:
        raw[file.pages[3].dataoffsets[5]] ^= 1  # type: ignore[union-attr]
    made.path.write_bytes(raw)
    levels = [level_to_json(level) for level in stored.levels]
    with pytest.raises(SlideRefused) as refused:
        compare(lambda _: None, str(made.path), str(folder), levels, [ALL_TILES])
    assert refused.value.reason is Reason.PIXELS_DIFFER


def test_a_tile_missing_from_a_smaller_level_is_made_from_the_larger_one(
    tmp_path: Path, keep: Callable[[Path], Kept]
) -> None:
    """OpenSlide draws it so, too; white glass in the middle of tissue would mislead whoever zooms out."""
    whole = make_svs(tmp_path / "whole.svs", factors=(1, 4), width=2200, height=1600)
    holed = make_svs(tmp_path / "holed.svs", factors=(1, 4), width=2200, height=1600, sparse=frozenset({(1, 1, 0)}))
    _, folder = keep(holed.path)
    with Pyramid.open(folder) as pyramid:
        made = pyramid.level(1).read_region(256, 0, 256, 256).astype(int)
    true = whole.levels[1].pixels[0:256, 256:512]
    assert np.abs(made - true).mean() < 6
    assert made.min() < 200


def test_label_and_macro_are_found_by_structure_whatever_their_descriptions_say(tmp_path: Path) -> None:
    for number, described in enumerate((True, False)):
        made = make_svs(tmp_path / f"{number}.svs", described=described)
        found = Description.from_json(describe(lambda _: None, str(made.path)))
        kinds = [str(image.kind) for image in found.associated]
        assert sorted(kinds) == ["label", "macro", "thumbnail"]
        assert [(size.width, size.height) for size in found.levels] == [level.size for level in made.levels]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(900, 700)], [(900, 700)]),
        ([(1500, 700)], [(1500, 700), (750, 350)]),
        ([(40_000, 30_000)], [(40_000, 30_000), (10_000, 7_500), (2_500, 1_875), (625, 469)]),
        ([(40_000, 30_000), (2_500, 1_875)], [(40_000, 30_000), (10_000, 7_500), (2_500, 1_875), (625, 469)]),
        ([(4_000, 3_000), (1_000, 750), (250, 187)], [(4_000, 3_000), (1_000, 750), (250, 187)]),
    ],
)
def test_gaps_are_filled_and_levels_added_until_the_smallest_is_small(
    tmp_path: Path, sizes: list[tuple[int, int]], expected: list[tuple[int, int]]
) -> None:
    from ingest.scanners.base import SourceLevel

    class Bare(SourceLevel):
        def __init__(self, size: tuple[int, int]) -> None:
            self.size, self.tile, self.channels = Size(*size), Size(256, 256), 3

        def decoded_tiles(self) -> Any:
            return iter(())

    planned, found = plan_levels(tuple(Bare(size) for size in sizes)), []
    for level in planned:
        size = level.source.size if level.source else found[-1].reduced(level.factor)
        found.append(size)
    assert [(size.width, size.height) for size in found] == expected


def test_the_comparison_bites(tmp_path: Path) -> None:
    """Pixels of another slide, stored in this one's place, are noticed."""
    right = make_svs(tmp_path / "right.svs", factors=(1,))
    wrong = make_svs(tmp_path / "wrong.svs", factors=(1,), picture=tissue.tissue(1100, 810, seed=8))
    (tmp_path / "staged").mkdir()
    (tmp_path / "places").mkdir()
    answer = store(lambda _: None, str(wrong.path), str(tmp_path / "staged"), str(tmp_path / "places"))
    with pytest.raises(SlideRefused) as refused:
        compare(
            lambda _: None, str(right.path), str(tmp_path / "staged"), answer["levels"], [64] * len(answer["levels"])
        )
    assert refused.value.reason is Reason.PIXELS_DIFFER
