"""What scanners, converters and other projects wrote comes in pixel for pixel, or is refused for the right reason."""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openslide
import pydicom
import pytest
import tifffile
import yaozarrs
import zarr
from ome_zarr_models.v05.image import Image as OmeImage

from archive.holdings import Archive
from archive.holdings.pixels import Origin
from tests.journeys.delivered import PART, Delivered, deliver
from tests.journeys.elsewhere import on_white, shown_elsewhere
from tests.journeys.laboratory import Laboratory
from tests.slides import jpegs

COPIED, CUT, DECODED = "kept: copied", "kept: cut", "kept: decoded"
NO_SLIDE, OTHER_PIXELS, TURNED = "not-a-whole-slide", "unsupported-pixels", "turned-picture"
VMS = "vms-stub/CMU-1-40x - 2010-01-12 13.24.05"
FILE_OF_NO_SLIDE = {".md", ".json"}

EXPECTED = {
    "aperio/CMU-1-Small-Region.svs": COPIED,
    # DICOM: frames of JPEG are copied; of the files of one series one stands for the slide
    "dicom/gcp-wsi2dcm/jpeg.dicom": COPIED,
    **dict.fromkeys((f"dicom/gcp-wsi2dcm/{name}.dicom" for name in ("jpeg2000", "raw")), DECODED),
    **dict.fromkeys((f"dicom/highdicom/sm_image{end}.dcm" for end in ("", "_dots", "_numbers")), DECODED),
    **dict.fromkeys(
        (f"dicom/panimg/{name}/{name}.dcm" for name in ("full_no_bot", "full_with_bot", "sparse_no_bot")), COPIED
    ),
    "dicom/panimg/sparse_with_bot/sparse_with_bot.dcm": COPIED,
    "openslide-fixtures/boxes_0.dcm": COPIED,
    "openslide-fixtures/boxes_1.dcm": PART,
    "dicom/highdicom/sm_image_control.dcm": PART,
    "dicom/highdicom/sm_image_grayscale_reversed.dcm": PART,
    # JPEG-LS, which OpenSlide does not decode, and 16 bits
    **dict.fromkeys((f"dicom/highdicom/sm_image_{end}.dcm" for end in ("jpegls", "jpegls_nobot")), DECODED),
    "dicom/highdicom/sm_image_grayscale.dcm": OTHER_PIXELS,
    # a label alone, and other objects than slides
    "dicom/ez-wsi/test.dcm": NO_SLIDE,
    "dicom/ez-wsi/test_wsi.dcm": PART,
    "dicom/highdicom/seg_image_sm_control.dcm": NO_SLIDE,
    "dicom/highdicom/sm_annotations.dcm": NO_SLIDE,
    "dicom/panimg/non_wsi_dcm/1.dcm": NO_SLIDE,
    "generic/kidney-48-5.tif": DECODED,
    "generic/large_image/grey10kx5k.tif": DECODED,
    "generic/large_image/yb10kx5k.zstd.tiff": DECODED,
    "generic/small_HE_levels.tiff": DECODED,
    # 0 is no orientation that TIFF knows; readers show it upright, like 1
    **dict.fromkeys((f"generic/large_image/test_orient{turn}.tif" for turn in (0, 1)), COPIED),
    **dict.fromkeys((f"generic/large_image/test_orient{turn}.tif" for turn in range(2, 9)), TURNED),
    "generic/large_image/sample_float32_8bit_range.zarr.zip": "unsupported-format",
    "generic/large_image/zero_gi.tif": "damaged-structure",  # two pixels wide, none high
    # brightness with transparency, signed channels in a stack, YCbCr that is not JPEG
    "generic/large_image/small_la.tiff": OTHER_PIXELS,
    "generic/libvips/multi-channel-z-series.ome.tif": OTHER_PIXELS,
    "generic/libvips/subsampled.tif": OTHER_PIXELS,
    "generic/libvips/ojpeg-strip.tif": "forbidden-compression",
    "generic/libvips/ojpeg-tile.tif": "forbidden-compression",
    "hamamatsu/test3-DAPI-2-(387).ndpi": CUT,  # restart intervals of 3,968 px; its smaller levels are copied
    **dict.fromkeys((f"ome-tiff/qupath-os/OS-{end}.ome.tif" for end in ("1-detail", "2-ndpi", "2-vsi")), COPIED),
    "openslide-fixtures/boxes.tiff": DECODED,
    "openslide-fixtures/unopenable.tiff": "forbidden-compression",
    "openslide-fixtures/unreadable.svs": "unreadable-pixels",
    # pictures, and a slide whose pictures are dummies that break off
    **dict.fromkeys(
        (
            *("ihc.png", "generic/large_image/yb10kx5ktrans.png", "labels/barcode_cant_read.jpg"),
            *("labels/barcode_datamatrix.jpeg", "labels/barcode_datamatrix_cropped.jpg", "labels/ndpi_macro.jpg"),
            *("labels/barcode_wikipedia_pdf417.png", "openslide-fixtures/boxes-no-icc.png"),
            *("openslide-fixtures/boxes.png", "openslide-fixtures/non-ascii-name.png"),
        ),
        NO_SLIDE,
    ),
    f"{VMS}.vms": "unreadable-pixels",
    **dict.fromkeys(
        (f"{VMS}{end}" for end in (".jpg", "(0,1).jpg", "(1,0).jpg", "(1,1).jpg", "_macro.jpg", "_map2.jpg", ".opt")),
        PART,
    ),
    # focal planes of 16 bits
    "zeiss-unsupported/S3_1Pos_2Mosaic_T1_Z1_CH1.czi": "unsupported-format",
}
"""What becomes of each file, by what is in it."""

SCALED_BY_OPENSLIDE = {"hamamatsu/test3-DAPI-2-(387).ndpi": 3}
"""How many of the smallest levels OpenSlide makes itself while it decodes a larger one; the file has none of them."""

SAME_BYTES = {"openslide-fixtures/small.svs", "openslide-fixtures/non-ascii-name.svs"}
"""Two files of the same bytes, of two cases: the one that a worker is done with first is kept."""

PLAUSIBLE_UM = 0.05, 20.0
"""Sizes of a pixel that a slide can have; programs write 353 or 1000 where they know none."""

REGION = re.compile(r"L(\d+) level-xy=\((\d+),(\d+)\) size=(\d+)")


@pytest.fixture(scope="module")
def delivered(real_slides: Path, tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    files = [path for path in sorted(real_slides.rglob("*")) if path.is_file() and path.suffix not in FILE_OF_NO_SLIDE]
    names = [path.relative_to(real_slides).as_posix() for path in files]
    wanted = [name for name in names if not name.startswith("bad-input/")]
    return deliver(Laboratory(tmp_path_factory.mktemp("laboratory")), real_slides, wanted, ends=3)


@pytest.fixture(scope="module")
def archive(delivered: Delivered) -> Iterator[Archive]:
    with Archive.open(delivered.laboratory.archive, read_only=True) as opened:
        yield opened


@pytest.fixture(scope="module")
def truth(real_slides: Path, delivered: Delivered) -> dict[str, Any]:
    """Give what was measured with OpenSlide and tifffile by others, for some of the files."""
    found: dict[str, Any] = json.loads((real_slides / "expected.json").read_text())
    (kept,) = SAME_BYTES & delivered.codes.keys()
    return {kept if name in SAME_BYTES else name: expected for name, expected in found.items()}


def test_every_file_is_kept_or_refused_for_what_is_in_it(delivered: Delivered, archive: Archive) -> None:
    found = dict(delivered.reasons)
    for name in delivered.codes:
        with delivered.open(archive, name) as pyramid:
            found[name] = f"kept: {pyramid.level(0).origin}"
    of_the_same = sorted(found.pop(name) for name in SAME_BYTES)
    assert of_the_same == ["held-as-another", COPIED]
    assert found == {name: outcome for name, outcome in EXPECTED.items() if outcome != PART}


def test_every_pixel_is_what_other_programs_show(delivered: Delivered, archive: Archive, real_slides: Path) -> None:
    for name in delivered.codes:
        with delivered.open(archive, name) as pyramid:
            kept = {(level.size.width, level.size.height): level for level in pyramid.levels}
            for size, y, band in shown_elsewhere(real_slides / name):
                if size not in kept and name in SCALED_BY_OPENSLIDE:
                    continue
                mine = kept[size].read_region(0, y, band.shape[1], band.shape[0])
                assert np.array_equal(mine, band), f"{name}, level of {size}, from row {y}"


def test_levels_and_measures_are_the_expected_ones(
    delivered: Delivered, archive: Archive, truth: dict[str, Any]
) -> None:
    low, high = PLAUSIBLE_UM
    for name, expected in truth.items():
        told = expected["openslide"]
        with delivered.open(archive, name) as pyramid:
            sizes = [
                [level.size.width, level.size.height] for level in pyramid.levels if level.origin is not Origin.ADDED
            ]
            assert sizes == told["level_dimensions"][: len(told["level_dimensions"]) - SCALED_BY_OPENSLIDE.get(name, 0)]
            downsamples = [level.downsample for level in pyramid.levels][: len(sizes)]
            assert downsamples == pytest.approx(told["level_downsamples"][: len(sizes)], rel=1e-9), name
            mpp = [float(size) for size in told["mpp"]]
            if all(low <= size <= high for size in mpp):
                assert pyramid.mpp is not None
                assert [pyramid.mpp.x, pyramid.mpp.y] == pytest.approx(mpp, rel=1e-5), name
            else:
                assert pyramid.mpp is None, name
            assert pyramid.objective_power == (float(told["objective"]) if told["objective"] else None), name


def test_regions_have_the_expected_digests(
    delivered: Delivered, archive: Archive, truth: dict[str, Any], real_slides: Path
) -> None:
    """The digests are of RGBA. Where a region is opaque, ours must have that digest; elsewhere it is laid on white.

    Regions between the pixels of a level are left out: OpenSlide shifts those, and shows no stored pixel.
    """
    opaque = 0
    for name, expected in truth.items():
        with delivered.open(archive, name) as pyramid, openslide.OpenSlide(real_slides / name) as slide:
            for region, digest in expected["openslide"]["region_rgba_sha256"].items():
                level, x, y, side = map(int, REGION.fullmatch(region).groups())  # type: ignore[union-attr]
                factor = slide.level_downsamples[level]
                if level >= slide.level_count - SCALED_BY_OPENSLIDE.get(name, 0):
                    continue
                if not (x * factor).is_integer() or not (y * factor).is_integer():
                    continue
                mine = pyramid.level(level).read_region(x, y, side, side)
                with_alpha = np.dstack([mine, np.full((side, side), 255, np.uint8)])
                if hashlib.sha256(with_alpha.tobytes()).hexdigest() == digest:
                    opaque += 1
                    continue
                theirs = slide.read_region((int(x * factor), int(y * factor)), level, (side, side))
                assert hashlib.sha256(theirs.tobytes()).hexdigest() == digest, f"{name}, {region}"
                assert np.asarray(theirs)[..., 3].min() < 255, f"{name}, {region}"
                assert np.array_equal(mine, on_white(theirs)), f"{name}, {region}"
    assert opaque > 50


def test_copied_tiles_hold_the_expected_segments_of_the_source(
    delivered: Delivered, archive: Archive, truth: dict[str, Any], real_slides: Path
) -> None:
    compared = 0
    tiffs = {name for name in truth if "tiff" in truth[name]}
    for name in tiffs & ({name for name, outcome in EXPECTED.items() if outcome == COPIED} | SAME_BYTES):
        with delivered.open(archive, name) as pyramid, tifffile.TiffFile(real_slides / name) as file:
            level, page = pyramid.level(0), file.pages.first
            digests = truth[name]["tiff"][0]["raw_segment_sha256"]
            assert len(digests) == level.columns * level.rows
            for index, digest in enumerate(digests):
                file.filehandle.seek(page.dataoffsets[index])
                segment = file.filehandle.read(page.databytecounts[index])
                assert hashlib.sha256(segment).hexdigest() == digest
                mine = level.encoded_tile(index % level.columns, index // level.columns)
                assert mine is not None
                assert jpegs.scan_data(mine) == jpegs.scan_data(segment)
                compared += 1
    assert compared > 100


def test_copied_frames_hold_the_entropy_coded_bytes_of_their_dicom_files(
    delivered: Delivered, archive: Archive, real_slides: Path
) -> None:
    copied = [name for name, outcome in EXPECTED.items() if outcome == COPIED and name.endswith(("dcm", "dicom"))]
    assert len(copied) == 6
    for name in copied:
        dataset = pydicom.dcmread(real_slides / name)
        frames = list(pydicom.encaps.generate_frames(dataset.PixelData, number_of_frames=dataset.NumberOfFrames))
        with delivered.open(archive, name) as pyramid:
            level = pyramid.level(0)
            assert len(frames) == level.columns * level.rows
            for index, frame in enumerate(frames):
                mine = level.encoded_tile(index % level.columns, index // level.columns)
                assert mine is not None
                assert jpegs.scan_data(mine) == jpegs.scan_data(frame)


def test_every_stored_pyramid_is_valid_and_opens_without_coverslip(delivered: Delivered) -> None:
    groups = list((delivered.laboratory.archive / "scans").glob("*/*/*.ome.zarr"))
    assert len(groups) == len(set(delivered.codes.values()))
    for folder in groups:
        yaozarrs.validate_zarr_store(str(folder))
        group = zarr.open_group(folder, mode="r")
        image = OmeImage.from_zarr(group)
        smallest = zarr.open_array(folder / image.datasets[0][-1].path, mode="r")
        assert np.asarray(smallest[:]).shape == smallest.shape


def test_nothing_that_was_said_names_a_file(delivered: Delivered) -> None:
    names = {Path(name).name for name in (*delivered.codes, *delivered.reasons)}
    assert {name for name in names if name in delivered.said.everything} == set()
