"""Broken Hamamatsu slides: NDPI, and VMS of several JPEG pictures.

What is broken in a TIFF's own structure is imitated in NDPI files, as OpenSlide does it.
"""

import struct
from collections.abc import Callable

from tests.slides import jpegs
from tests.slides.imitated.spoiling import (
    Imitation,
    Slide,
    Sound,
    Spoil,
    Tiff,
    cut,
    nothing,
    tag,
    tiff,
    without,
    word,
)
from tests.slides.ndpi import make_ndpi
from tests.slides.tissue import tissue
from tests.slides.vms import make_vms

_NDPI = {"width": 1024, "height": 768, "factors": (1, 2), "intervals": (512, None)}
NDPI = Sound(make_ndpi, "slide.ndpi", _NDPI)
MACRO = 2
"""The directory behind the two levels."""

VMS = Sound(make_vms, "slide.vms")
"""A text of nearly 4 GB is imitated by one of 2 MB: both are larger than any that is read."""

PICTURE = "slide_picture(1,0).jpg"


def _lens(*numbers: int) -> Spoil:
    """Say of directories that they are pictures of the whole glass."""

    def change(file: Tiff) -> None:
        for number in numbers:
            struct.pack_into("<f", file.data, file.place(number, 65421), -1.0)

    return tiff(change)


def _no_first_plane(file: Tiff) -> None:
    for number in (0, 1):
        file.put(number, 65424, 1000)


def _marker_length(number: int) -> Callable[[Tiff], None]:
    """Have the first segment of a picture end before it begins."""

    def change(file: Tiff) -> None:
        begins = file.first_stream(number)
        file.data[begins + 4 : begins + 6] = b"\0\1"

    return change


def _two_strips(file: Tiff) -> None:
    for code in (273, 279):
        entry = file.entry(1, code)
        value = file.get(1, code)
        struct.pack_into("<II", file.data, entry.count_at, 2, len(file.data))
        file.data += struct.pack("<II", value, value)


def _end_within(number: int, at: int) -> Spoil:
    """End the file so many bytes behind where a directory begins."""

    def spoil(slide: Slide) -> None:
        begins = Tiff(bytearray(slide[""])).chain[number][0]
        slide[""] = slide[""][: begins + at]

    return spoil


def _head(raw: bytes) -> Spoil:
    def spoil(slide: Slide) -> None:
        slide[""] = raw + slide[""][len(raw) :]

    return spoil


def _jpeg(change: Callable[[bytes], bytes], file: str = PICTURE) -> Spoil:
    def spoil(slide: Slide) -> None:
        slide[file] = change(slide[file])

    return spoil


def _another(
    width: int = 512, height: int = 384, restart: int = 16, colours: jpegs.Colours = "ycbcr", file: str = PICTURE
) -> Spoil:
    """Put a picture of another kind in the place of one."""
    whole = tissue(width, height)
    drawn = whole[..., 0].copy() if colours == "grey" else whole
    coded = jpegs.encode(drawn, colours=colours, sampling="444", quality=85, restart_every=restart)
    return _jpeg(lambda _: coded, file)


def _within_scan(change: Callable[[bytearray, int], object]) -> Spoil:
    """Change the coded bytes of the second picture; given with the place where they begin."""

    def spoil(slide: Slide) -> None:
        with slide.open(PICTURE) as data:
            change(data, len(data) - 2 - len(jpegs.scan_data(bytes(data))))

    return spoil


def _garble(data: bytearray, begins: int) -> None:
    """Leave a stretch out behind a restart marker, so that an interval ends too early."""
    marker = data.index(b"\xff\xd0", begins)
    del data[marker + 4 : data.index(b"\xff\xd1", begins)]


def _end_early(data: bytearray, begins: int) -> None:
    """Write the end of the picture in the place of its third restart marker."""
    marker = data.index(b"\xff\xd2", begins)
    data[marker : marker + 2] = jpegs.EOI
    del data[marker + 2 :]


def _space_unevenly(data: bytearray, begins: int) -> None:
    """Leave the second restart marker out."""
    marker = data.index(b"\xff\xd1", begins)
    del data[marker : marker + 2]


def _positions(slide: Slide) -> None:
    """Write a list of places where no restart marker is."""
    slide["slide.opt"] = b"".join(struct.pack("<q32x", 83_491 + 7 * row) for row in range(4 * 48))


NDPI_CASES: dict[str, Imitation] = {
    "bad-image-dimension": Imitation(
        NDPI, tag(1, 256, 640), read="a picture of another shape is no level, and is left behind"
    ),
    "bad-jpeg": Imitation(NDPI, tiff(_marker_length(1))),
    "bad-macro-jpeg": Imitation(NDPI, tiff(_marker_length(MACRO)), read="the macro is left behind, sound or not"),
    "bad-strip-offsets-count": Imitation(NDPI, tiff(_two_strips)),
    "no-focal-plane.2": Imitation(
        NDPI, tiff(lambda file: file.call(1, 65424, 65425)), read="a level that tells no plane is of the only one"
    ),
    "no-format-flag": Imitation(
        NDPI,
        tiff(lambda file: file.call(0, 65420, 65419)),
        read="nothing says that it is Hamamatsu's: its first picture is read, others are left behind",
    ),
    "no-pyramid-levels": Imitation(NDPI, _lens(0, 1)),
    "no-sourcelens.2": Imitation(
        NDPI, tiff(lambda file: file.call(1, 65421, 65430)), read="a picture without a mark of a level is left behind"
    ),
    "no-zero-focal-planes": Imitation(NDPI, tiff(_no_first_plane)),
    "tiff-bad-bigtiff-header": Imitation(NDPI, _head(b"II\x2b\0\x08\0\x01\0")),
    "tiff-bad-field-type": Imitation(NDPI, tiff(lambda file: file.retype(0, 256, 221))),
    "tiff-bad-header": Imitation(NDPI, cut(3)),
    "tiff-bad-magic": Imitation(NDPI, _head(b"IK")),
    "tiff-bad-version": Imitation(NDPI, _head(b"II\x2c\0")),
    "tiff-no-directory-count": Imitation(NDPI, _end_within(0, 1)),
    "tiff-no-magic": Imitation(NDPI, cut(1)),
    "tiff-no-next-directory-offset": Imitation(NDPI, _end_within(3, 2 + 20 * 12)),
    "tiff-no-value-offset": Imitation(NDPI, _end_within(0, 10)),
    "truncated-top-level": Imitation(NDPI, tiff(lambda file: file.put(1, 273, len(file.data) - 100))),
    "unordered-levels": Imitation(
        Sound(make_ndpi, "slide.ndpi", {**_NDPI, "factors": (2, 1), "intervals": (None, 512)}), nothing
    ),
}

VMS_CASES: dict[str, Imitation] = {
    "jpeg-bad-bitstream": Imitation(VMS, _within_scan(_garble)),
    "jpeg-bad-eoi": Imitation(VMS, _jpeg(lambda data: data[:-2] + b"\0\0")),
    "jpeg-bad-marker": Imitation(VMS, word(b"\xff\xc0", b"\xfe\xc0", PICTURE)),
    "jpeg-bad-marker-length": Imitation(VMS, _jpeg(lambda data: data[:4] + b"\0\1" + data[6:])),
    "jpeg-grayscale": Imitation(VMS, _another(colours="grey")),
    "jpeg-missing": Imitation(VMS, without(PICTURE)),
    "jpeg-no-marker-length": Imitation(VMS, cut(4, PICTURE)),
    "jpeg-no-sof": Imitation(VMS, word(b"\xff\xc0", b"\xff\xe1", PICTURE)),
    "jpeg-premature-eoi": Imitation(VMS, _within_scan(_end_early)),
    "jpeg-restart-inconsistent-images": Imitation(VMS, _another(restart=8)),
    "jpeg-restart-inconsistent-within-row": Imitation(VMS, _another(restart=24)),
    "jpeg-restart-large": Imitation(VMS, _another(restart=512)),
    "jpeg-restart-none": Imitation(VMS, word(b"\xff\xdd\x00\x04", b"\xff\xfe\x00\x04", PICTURE)),
    "jpeg-truncated-data": Imitation(VMS, cut(3000, PICTURE)),
    "jpeg-truncated-header": Imitation(VMS, cut(26, PICTURE)),
    "macro-bad": Imitation(VMS, word(b"\xff\xd8", b"\xff\xd9", "slide_macro.jpg")),
    "map-missing": Imitation(VMS, without("slide_map2.jpg")),
    "optimisation-bad-entry": Imitation(VMS, _positions),
    "tiles-across-inconsistent": Imitation(VMS, _another(width=128, file="slide_picture(0,1).jpg")),
    "tiles-down-inconsistent": Imitation(VMS, _another(height=192)),
    "vms-bad-group": Imitation(VMS, word("[Virtual Microscope", "[Virtuous Microscope")),
    "vms-bad-image-coordinate": Imitation(VMS, word("ImageFile(1,0)", "ImageFile(1z,0)")),
    "vms-bad-image-coordinates": Imitation(VMS, word("ImageFile(1,0)", "ImageFile(1,0,0,0,0)")),
    "vms-bad-rows": Imitation(VMS, word("NoJpegRows=2", "NoJpegRows=0")),
    "vms-blank-mapfile": Imitation(VMS, word("MapFile=slide_map2.jpg", "MapFile=")),
    "vms-duplicate-jpeg": Imitation(VMS, word("ImageFile(1,1)", "ImageFile(0,1,1)=slide_map2.jpg\r\nImageFile(1,1)")),
    "vms-invalid-row": Imitation(VMS, word("ImageFile(1,0)", "ImageFile(2,0)")),
    "vms-large-256KB": Imitation(VMS, word("[Virtual", "# " + "x" * (256 << 10) + "\r\n[Virtual")),
    "vms-large-nearly-4GB": Imitation(VMS, word("[Virtual", "# " + "x" * (2 << 20) + "\r\n[Virtual")),
    "vms-missing-jpeg": Imitation(VMS, word("ImageFile(1,1)", "ImagesFile(1,1)")),
    "vms-no-cols": Imitation(VMS, word("NoJpegColumns", "NoJpegsColumns")),
    "vms-no-mapfile": Imitation(VMS, word("MapFile", "MapsFile")),
    "vms-rows-cols-overflow": Imitation(VMS, word("NoJpegRows=2", "NoJpegRows=1073741824")),
}

CASES = {
    **{f"hamamatsu-ndpi-{name}": one for name, one in NDPI_CASES.items()},
    **{f"hamamatsu-vms-{name}": one for name, one in VMS_CASES.items()},
}
