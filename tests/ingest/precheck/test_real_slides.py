"""No real slide is refused, and each broken file is refused for what is wrong with it or left to the jail."""

import json
from collections.abc import Callable
from pathlib import Path

from ingest.errors import Reason
from ingest.precheck import Family

Outcome = Callable[[Path], Family | Reason]

REFUSED: dict[str, Reason] = {
    # single pictures: labels, parts of a VMS slide, pictures of regions
    **dict.fromkeys(
        (
            "ihc.png",
            "labels/barcode_cant_read.jpg",
            "labels/barcode_datamatrix.jpeg",
            "labels/barcode_datamatrix_cropped.jpg",
            "labels/barcode_wikipedia_pdf417.png",
            "labels/ndpi_macro.jpg",
            "generic/large_image/yb10kx5ktrans.png",
            "openslide-fixtures/boxes.png",
            "openslide-fixtures/boxes-no-icc.png",
            "openslide-fixtures/non-ascii-name.png",
            "bad-input/pillow-tiff/crash-7d4c83eb92150fb8f1653a697703ae06ae7c4998.j2k",
            "bad-input/pillow-tiff/crash-ccca68ff40171fdae983d924e127a721cab2bd50.j2k",
            "bad-input/pillow-tiff/invalid_header_length.jp2",
            "bad-input/pillow-tiff/not_enough_data.jp2",
            "bad-input/pillow-tiff/zero_height.j2k",
            *(
                f"vms-stub/CMU-1-40x - 2010-01-12 13.24.05{end}"
                for end in (".jpg", "(1,0).jpg", "(0,1).jpg", "(1,1).jpg", "_macro.jpg", "_map2.jpg", ".opt")
            ),
            # other DICOM objects
            "dicom/highdicom/seg_image_sm_control.dcm",
            "dicom/highdicom/sm_annotations.dcm",
            "dicom/panimg/non_wsi_dcm/1.dcm",
            "bad-input/pydicom/MR_truncated.dcm",
            "bad-input/pydicom/badVR.dcm",
            "bad-input/pydicom/rtplan_truncated.dcm",
        ),
        Reason.NOT_A_WHOLE_SLIDE,
    ),
    "bad-input/pydicom/no_meta.dcm": Reason.NOT_A_SLIDE,
    "bad-input/pydicom/meta_missing_tsyntax.dcm": Reason.DAMAGED_STRUCTURE,
    "bad-input/broken.svs": Reason.NOT_A_SLIDE,
    "bad-input/panimg/corrupt.png": Reason.NOT_A_SLIDE,
    "bad-input/openslide/unopenable.tiff": Reason.FORBIDDEN_COMPRESSION,
    "openslide-fixtures/unopenable.tiff": Reason.FORBIDDEN_COMPRESSION,
    "bad-input/pillow-tiff/crash-0da013a13571cc8eb457a39fee8db18f8a3c7127.tif": Reason.DAMAGED_STRUCTURE,
    "bad-input/pillow-tiff/crash-1152ec2d1a1a71395b6f2ce6721c38924d025bf3.tif": Reason.TRUNCATED,
    "bad-input/pillow-tiff/crash-2020-10-test.tif": Reason.TRUNCATED,
    "bad-input/pillow-tiff/crash-4f085cc12ece8cde18758d42608bed6a2a2cfb1c.tif": Reason.TRUNCATED,
    "bad-input/pillow-tiff/crash-63b1dffefc8c075ddc606c0a2f5fdc15ece78863.tif": Reason.TRUNCATED,
    "bad-input/pillow-tiff/crash-f46f5b2f43c370fe65706c11449f567ecc345e74.tif": Reason.TRUNCATED,
    "bad-input/pillow-tiff/multipage_multiple_frame_loop.tiff": Reason.ENDLESS_STRUCTURE,
    "bad-input/pillow-tiff/multipage_single_frame_loop.tiff": Reason.ENDLESS_STRUCTURE,
    "bad-input/pillow-tiff/old-style-jpeg-compression.tif": Reason.FORBIDDEN_COMPRESSION,
    "bad-input/pillow-tiff/tiff_wrong_bits_per_sample_2.tiff": Reason.DAMAGED_STRUCTURE,
    "bad-input/pillow-tiff/total-pages-zero.tif": Reason.FORBIDDEN_COMPRESSION,
    "generic/libvips/ojpeg-strip.tif": Reason.FORBIDDEN_COMPRESSION,
    "generic/libvips/ojpeg-tile.tif": Reason.FORBIDDEN_COMPRESSION,
    "generic/large_image/zero_gi.tif": Reason.DAMAGED_STRUCTURE,  # two pixels wide, none high
    "generic/large_image/sample_float32_8bit_range.zarr.zip": Reason.UNSUPPORTED_FORMAT,
    "zeiss-unsupported/S3_1Pos_2Mosaic_T1_Z1_CH1.czi": Reason.UNSUPPORTED_FORMAT,
}

FAMILIES = {".ndpi": Family.NDPI, ".dcm": Family.DICOM, ".dicom": Family.DICOM, ".vms": Family.VMS}


def test_the_outcome_of_every_file_is_the_expected_one(real_slides: Path, outcome: Outcome) -> None:
    files = [path for path in sorted(real_slides.rglob("*")) if path.is_file() and path.suffix not in {".md", ".json"}]
    found = {path.relative_to(real_slides).as_posix(): outcome(path) for path in files}
    expected = {name: REFUSED.get(name, FAMILIES.get(Path(name).suffix, Family.TIFF)) for name in found}
    assert found == expected
    assert set(found).issuperset(REFUSED)


def test_no_slide_that_other_readers_open_is_refused(real_slides: Path, outcome: Outcome) -> None:
    names = json.loads((real_slides / "expected.json").read_text())
    assert {name for name in names if isinstance(outcome(real_slides / name), Reason)} == set()
