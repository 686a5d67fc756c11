"""Broken slides that are TIFF files: of Aperio, Argos, Huron, Philips and Trestle, and of no maker.

Facts about Argos and Huron: OpenSlide's descriptions of these formats.
"""

import struct
from typing import Any

import imagecodecs
import numpy as np

from tests.slides.generic import APERIO_JPEG2000, make_tiff
from tests.slides.imitated.spoiling import Imitation, Slide, Sound, Spoil, Tiff, cut, nothing, stream, tag, tiff, word
from tests.slides.philips import make_philips
from tests.slides.svs import make_svs
from tests.slides.tissue import tissue
from tests.slides.trestle import make_trestle

_SMALL = {"width": 300, "height": 260, "tile": (128, 128), "factors": (1, 2)}
SVS = Sound(make_svs, "slide.svs", {**_SMALL, "tile": (64, 64)})
JPEG2000 = Sound(
    make_tiff, "slide.svs", {**_SMALL, "coding": "jpeg2000", "description": APERIO_JPEG2000, "factors": (1,)}
)
TIFF = Sound(make_tiff, "slide.tif", {**_SMALL, "coding": "jpeg"})
STRIPS = Sound(make_tiff, "slide.tif", {**_SMALL, "coding": "none", "tile": None, "factors": (1,)})
HURON = Sound(make_tiff, "slide.tif", {**_SMALL, "coding": "jpeg", "tags": {271: "Huron", 270: "Resolution=0.5 um"}})
TRESTLE = Sound(make_trestle, "slide.tif", {"width": 500, "height": 400, "overlaps": (32, 16)})

_BELOW = {"width": 768, "height": 640, "factors": (1, 2)}
"""Larger than the macro, as all slides are."""


def _philips(**options: Any) -> Sound:
    return Sound(make_philips, "slide.tiff", {**_BELOW, **options})


PHILIPS = _philips()
_TYPE = 'ObjectType="DPUfsImport"'
_SPACING = '"0.000454600" "0.000453800"'


def _argos(least: str = "<MinZ>0</MinZ>", most: str = "<MaxZ>0</MaxZ>") -> Sound:
    """Make an Argos slide of one focal plane, that says something of its planes; thumbnail and macro stand last."""
    xml = f"<Argos.Scan.Metadata>{least}{most}<ObjectiveMagnification>20</ObjectiveMagnification></Argos.Scan.Metadata>"
    return Sound(make_tiff, "slide.avs", {**_SMALL, "coding": "jpeg", "tags": {65000: xml}, "pictures": 2})


ARGOS = _argos()


def _truncated(number: int = 0) -> Spoil:
    """Have the first tile of a level lie where the file has ended."""
    return tiff(lambda file: file.put(number, 324, len(file.data) + 1000))


def _length(number: int, value: int) -> Spoil:
    return tag(number, 325, value)


def _swap_first_tags(file: Tiff) -> None:
    at = file.entry(0, 256).at
    file.data[at : at + 24] = file.data[at + 12 : at + 24] + file.data[at : at + 12]


def _jpeg2000_tile(side: int, colours: int) -> Spoil:
    """Put another picture in the place of the first tile."""
    part = np.ascontiguousarray(tissue(side, side)[..., :colours].squeeze())
    coded = bytes(imagecodecs.jpeg2k_encode(part, level=90, codecformat="j2k", mct=False))

    def change(file: Tiff) -> None:
        file.put(0, 324, len(file.data))
        file.put(0, 325, len(coded))
        file.data += coded

    return tiff(change)


def _without_end(slide: Slide) -> None:
    """Write another marker where the first tile's data end."""
    with slide.open() as data:
        file = Tiff(data)
        end = file.first_stream(0) + file.get(0, 325)
        assert data[end - 2 : end] == b"\xff\xd9"
        data[end - 2 : end] = b"\xff\x00"


def _two_deep(file: Tiff) -> None:
    """Say that the picture is two planes deep, where the sampling of colours stood."""
    file.call(0, 530, 32997)
    entry = file.entry(0, 32997)
    struct.pack_into("<HII", file.data, entry.at + 2, 4, 1, 2)


def _point_at_itself(file: Tiff) -> None:
    struct.pack_into("<I", file.data, file.chain[-1][1], file.chain[0][0])


_MACRO = 3
"""The directory of a Philips slide's macro, behind two levels and the label."""

CASES: dict[str, Imitation] = {
    "aperio-bad-compression": Imitation(SVS, tag(0, 259, 200)),
    "aperio-bad-imagedepth": Imitation(SVS, tiff(_two_deep)),
    "aperio-bad-imagedescription-pointer": Imitation(SVS, tiff(lambda file: file.point(0, 270, len(file.data) + 99))),
    "aperio-jp2k-bad-eoc": Imitation(JPEG2000, _without_end, read="all pixels are there; OpenSlide, too, only warns"),
    "aperio-jp2k-bad-image": Imitation(JPEG2000, stream(0, 0, b"\xff\x4e")),
    "aperio-jp2k-bad-numcomps": Imitation(JPEG2000, _jpeg2000_tile(128, 1)),
    "aperio-jp2k-bad-width": Imitation(JPEG2000, _jpeg2000_tile(120, 3)),
    "aperio-jp2k-tile-missing": Imitation(JPEG2000, _truncated()),
    "aperio-truncated-imagedescription": Imitation(
        SVS, word(b"ScanScope v1\0", b"ScanScope v1 "), read="a text ends where its length says, with a zero or without"
    ),
    "aperio-truncated-top-level": Imitation(SVS, _truncated()),
    "argos-xml-bad-minz": Imitation(_argos(least="<MinZ>q</MinZ>"), nothing),
    "argos-xml-no-maxz": Imitation(_argos(most=""), nothing),
    "argos-xml-no-stacks": Imitation(_argos(most="<MaxZ>-4</MaxZ>"), nothing),
    "argos-xml-too-many-stacks": Imitation(_argos(most="<MaxZ>40</MaxZ>"), nothing),
    "empty-file": Imitation(SVS, cut(0)),
    "generic-tiff-bad-bitspersample": Imitation(TIFF, tag(0, 258, 12)),
    "generic-tiff-bad-compression": Imitation(TIFF, tag(0, 259, 200)),
    "generic-tiff-bad-jpeg": Imitation(TIFF, stream(0, 0, b"\xfe\xd8")),
    "generic-tiff-bad-tag-order": Imitation(
        TIFF, tiff(_swap_first_tags), read="tags are found in any order; OpenSlide, too, only warns"
    ),
    "generic-tiff-directory-loop": Imitation(TIFF, tiff(_point_at_itself)),
    "generic-tiff-no-directories": Imitation(TIFF, tiff(lambda file: struct.pack_into("<I", file.data, 4, 0))),
    "generic-tiff-truncated-tile": Imitation(TIFF, _length(0, 1_000_000)),
    "generic-tiff-truncated-top-level": Imitation(TIFF, _truncated(1)),
    "huron-bad-compression": Imitation(HURON, tag(0, 259, 10_000)),
    "huron-no-imagedescription": Imitation(HURON, tiff(lambda file: file.call(0, 270, 269))),
    "nonexistent-file": Imitation(SVS, lambda slide: slide.files.pop(slide.main)),
    "philips-tiff-associated-bad-compression": Imitation(PHILIPS, tag(_MACRO, 259, 42)),
    "philips-tiff-bad-compression": Imitation(PHILIPS, tag(0, 259, 42)),
    "philips-tiff-bad-level-order": Imitation(_philips(factors=(1, 4, 2)), nothing),
    "philips-tiff-bad-subfile-type": Imitation(
        Sound(make_philips, "slide.tiff", {**_BELOW, "reduced": False}), nothing
    ),
    "philips-tiff-no-imagedescription": Imitation(
        PHILIPS,
        tiff(lambda file: file.call(0, 270, 269)),
        read="nothing says that it is Philips's: its first picture is read, and those of another shape are left behind",
    ),
    "philips-tiff-xml-bad-pixel-spacing": Imitation(_philips(spacing={1: '"0.0004" "wide"'}), nothing),
    "philips-tiff-xml-bad-root-element": Imitation(PHILIPS, word(f"<DataObject {_TYPE}", f"<DataObjecd {_TYPE}")),
    "philips-tiff-xml-malformed": Imitation(PHILIPS, word("</Array>", "</Arraz>")),
    "philips-tiff-xml-missing-pixel-spacing": Imitation(PHILIPS, word(_SPACING, " " * len(_SPACING))),
    "philips-tiff-xml-no-main-image": Imitation(PHILIPS, word(">WSI<", ">WSJ<")),
    "philips-tiff-xml-no-objecttype": Imitation(PHILIPS, word(_TYPE, _TYPE.replace("Type", "Typo"))),
    "trestle-bad-compression": Imitation(TRESTLE, tag(0, 259, 32908)),
    "trestle-truncated-top-level": Imitation(TRESTLE, _truncated()),
    "untiled-tiff": Imitation(STRIPS, nothing, read="pictures in strips are read here"),
}
