"""Whatever a DICOM slide's frames are written as and wherever they lie, they are read as they were made."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from ingest.errors import Reason
from ingest.scanners.dicom.reader import DicomReader
from ingest.scanners.opening import open_scan
from tests.ingest.scanners.dicom.conftest import Make, assert_known, reason_of, shown_by_openslide
from tests.slides import jpegs
from tests.slides.dicom_frames import DCT, SYNTAXES
from tests.slides.tissue import tissue

READ_BY_OPENSLIDE = {"explicit", "jpeg", "jpeg2000", "jpeg2000 lossy"}


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_every_transfer_syntax_is_read(make: Make, syntax: str) -> None:
    made = make(syntax=syntax)
    assert_known(made)
    if syntax in READ_BY_OPENSLIDE:
        for shown, known in zip(shown_by_openslide(made.path), made.levels, strict=True):
            assert np.array_equal(shown, known.pixels)
    else:
        with pytest.raises(openslide.OpenSlideError, match="Unsupported transfer syntax"):
            openslide.OpenSlide(made.path)


@pytest.mark.parametrize("syntax", ["implicit", "explicit", "jpeg", "jpeg lossless", "jpeg-ls", "jpeg2000", "rle"])
def test_grey_slides_are_read(make: Make, syntax: str) -> None:
    assert_known(make(syntax=syntax, colours="grey", factors=(1,)))


ARRANGED: dict[str, dict[str, Any]] = {
    "each frame with its place": {"sparse": True},
    "each frame with its place, in sequences that tell their length": {"sparse": True, "defined": True},
    "some frames left out": {"sparse": True, "absent": frozenset({(0, 1, 1), (0, 2, 2), (1, 0, 0)})},
    "frames left out of decoded levels": {
        "sparse": True,
        "absent": frozenset({(0, 1, 1), (1, 0, 0)}),
        "syntax": "jpeg2000",
    },
    "in three files": {"parts": 3},
    "in three files, each frame with its place": {"parts": 3, "sparse": True, "absent": frozenset({(0, 1, 1)})},
    "in two files, uncompressed": {"parts": 2, "syntax": "explicit"},
    "a basic offset table and pieces": {"fragments": 3},
    "an extended offset table": {"table": "extended"},
    "no offset table": {"table": None},
    "tiles higher than wide": {"tile": (96, 160)},
    "one tile larger than the picture": {"tile": (1024, 1024), "factors": (1,)},
}


@pytest.mark.parametrize("options", ARRANGED.values(), ids=ARRANGED)
def test_frames_are_found_wherever_they_lie(make: Make, options: dict[str, Any]) -> None:
    made = make(**options)
    assert_known(made)
    for shown, known in zip(shown_by_openslide(made.path), made.levels, strict=True):
        assert np.array_equal(shown, known.pixels)


@pytest.mark.parametrize("table", ["extended", None])
def test_pieces_are_put_together_by_a_table_or_by_how_streams_begin(make: Make, table: str | None) -> None:
    assert_known(make(table=table, fragments=4))


def test_colours_in_planes_are_read(make: Make) -> None:
    assert_known(make(syntax="explicit", planes=True))


@pytest.mark.parametrize("parts", [1, 3])
def test_any_file_of_the_slide_names_the_slide(make: Make, parts: int) -> None:
    made = make(parts=parts)
    for path in sorted(made.path.parent.iterdir()):
        with DicomReader(path) as reader:
            assert [level.size.width for level in reader.scan().levels] == [500, 250, 125]


LIES = {
    "YCbCr 4:2:0 called RGB": {"colours": "ycbcr", "photometric": "RGB"},
    "YCbCr 4:4:4 called RGB": {"colours": "ycbcr", "sampling": "444", "photometric": "RGB"},
    "RGB called YCbCr": {"colours": "rgb", "photometric": "YBR_FULL_422"},
    "RGB with a marker called YCbCr": {"colours": "rgb", "transform": 0, "photometric": "YBR_FULL_422"},
    "RGB with components of names of their own called YCbCr": {
        "colours": "rgb",
        "component_ids": (82, 71, 66),
        "photometric": "YBR_FULL",
    },
}


@pytest.mark.parametrize("options", LIES.values(), ids=LIES)
def test_a_photometric_interpretation_that_lies_is_not_believed(make: Make, options: dict[str, Any]) -> None:
    made = make(factors=(1, 2), **options)
    assert_known(made)
    if options["photometric"] != "YBR_FULL":
        for shown, known in zip(shown_by_openslide(made.path), made.levels, strict=True):
            assert np.abs(shown.astype(int) - known.pixels).max() > 50


@pytest.mark.parametrize("syntax", ["explicit", "jpeg2000", "jpeg-ls", "rle"])
def test_decoded_pixels_that_are_not_rgb_as_the_file_says_are_refused(make: Make, syntax: str) -> None:
    """Their colours could not be shown right, and nothing says how they would have to be computed."""
    rgb = tissue(500, 400)
    ycbcr = np.asarray(Image.fromarray(rgb).convert("YCbCr"))
    assert reason_of(make(syntax=syntax, picture=ycbcr).path) is Reason.UNSUPPORTED_PIXELS


def test_where_nothing_tells_the_file_is_believed(make: Make) -> None:
    """Without glass, and without any mark in the stream, there is nothing but the file's word."""
    picture = np.random.default_rng(1).integers(90, 120, (300, 300, 3), np.uint8)
    made = make(colours="rgb", picture=picture, factors=(1,))
    assert_known(made)
    with DicomReader(made.path) as reader:
        (level,) = reader.scan().levels
        assert not level.tag_lies
        assert not level.tag_says_ycbcr


@pytest.mark.parametrize("syntax", sorted(DCT))
def test_jpeg_frames_are_given_as_they_lie_in_their_files(make: Make, syntax: str) -> None:
    made = make(syntax=syntax, parts=2, sparse=True)
    with DicomReader(made.path) as reader:
        for level, known in zip(reader.scan().levels, made.levels, strict=True):
            assert level.is_jpeg
            tiles = list(level.encoded_tiles())
            assert {(tile.column, tile.row) for tile in tiles} == known.tiles.keys()
            for tile in tiles:
                assert tile.file is not None
                whole = tile.file.read_bytes()
                assert whole[tile.offset : tile.offset + len(tile.stream)] == tile.stream
                assert jpegs.scan_data(tile.stream) == jpegs.scan_data(known.tiles[tile.column, tile.row])


@pytest.mark.parametrize("options", [{"fragments": 2}, {"syntax": "jpeg-ls"}, {"syntax": "explicit"}])
def test_what_is_not_jpeg_in_one_piece_is_not_given_for_copying(make: Make, options: dict[str, Any]) -> None:
    with DicomReader(make(factors=(1,), **options).path) as reader:
        assert not reader.scan().levels[0].is_jpeg


def test_pixel_size_objective_and_colour_profile_are_told(make: Make) -> None:
    with DicomReader(make(mpp=0.25).path) as reader:
        scan = reader.scan()
    shared = "dicom.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0]"
    assert scan.properties[f"{shared}.PixelSpacing[0]"] == "0.00025"
    assert scan.properties["dicom.OpticalPathSequence[0].ObjectiveLensPower"] == "20.0"
    assert scan.icc_profile is not None
    assert scan.icc_profile[36:40] == b"acsp"


def test_label_overview_and_thumbnail_are_given_as_pictures(make: Make) -> None:
    made = make()
    with DicomReader(made.path) as reader:
        for image in reader.scan().associated:
            (picture,) = reader.pictures(image.kind)
            assert np.array_equal(picture, made.associated[str(image.kind)])
            assert image.found_by.startswith("ImageType ")


def test_a_picture_of_another_kind_is_left_behind_as_unknown(make: Make) -> None:
    def localizer(name: str, dataset: Dataset) -> None:
        if name == "overview":
            dataset.ImageType = ["DERIVED", "PRIMARY", "LOCALIZER", "NONE"]

    with DicomReader(make(edit=localizer).path) as reader:
        assert sorted(str(image.kind) for image in reader.scan().associated) == ["label", "thumbnail", "unknown"]


def test_a_label_alone_is_no_slide(make: Make) -> None:
    made = make(factors=(1,))
    made.path.unlink()
    (some, *_) = made.path.parent.iterdir()
    assert reason_of(some) is Reason.NOT_A_WHOLE_SLIDE


def test_other_series_in_the_folder_are_other_slides(make: Make, tmp_path: Path) -> None:
    one, other = make(seed=1, width=600, factors=(1,)), make(seed=2, width=500, factors=(1,))
    for made, width in ((one, 600), (other, 500)):
        with DicomReader(made.path) as reader:
            assert [level.size.width for level in reader.scan().levels] == [width]


def test_a_file_that_is_dicom_and_tiff_at_once_is_read_as_dicom(make: Make) -> None:
    made = make(factors=(1,), associated=())
    content = made.path.read_bytes()
    tiff = struct.pack("<2sHI", b"II", 42, len(content)) + bytes(120)
    directory = struct.pack("<HHHI4sI", 1, 270, 2, 4, b"Jane", 0)
    made.path.write_bytes(tiff + content[128:] + directory)
    with open_scan(made.path) as reader:
        assert type(reader) is DicomReader
    assert_known(made)
