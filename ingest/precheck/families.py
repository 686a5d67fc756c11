"""A slide's format shows in its first bytes; a file's name is only what somebody called it.

One maker's format needs the name as well: a MIRAX slide's main file is a plain JPEG picture, and the slide lies in a
folder of the same name beside it.
"""

from enum import StrEnum
from typing import Final

from ingest.errors import Reason
from ingest.precheck.source import Source
from ingest.precheck.tiff_directories import is_ndpi, is_tiff


class Family(StrEnum):
    """What a file is. ``refusal`` is the reason why no file of this family is taken, or None."""

    refusal: Reason | None

    def __new__(cls, name: str, refusal: Reason | None = None) -> "Family":
        """Make a member whose value is its name."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.refusal = refusal
        return member

    TIFF = "TIFF"
    """Also Aperio SVS, Leica SCN, Ventana BIF, Philips TIFF, Trestle, OME-TIFF, BigTIFF."""
    NDPI = "Hamamatsu NDPI"
    DICOM = "DICOM"
    CZI = "Zeiss CZI"
    MIRAX = "3DHISTECH MIRAX"
    VMS = "Hamamatsu VMS or VMU"
    SAKURA = "Sakura svslide"

    ISYNTAX = "Philips iSyntax", Reason.UNSUPPORTED_FORMAT
    ETS = "Olympus ETS", Reason.UNSUPPORTED_FORMAT
    LIF = "Leica LIF", Reason.UNSUPPORTED_FORMAT
    ND2 = "Nikon ND2", Reason.UNSUPPORTED_FORMAT
    ZVI = "Zeiss ZVI or another OLE container", Reason.UNSUPPORTED_FORMAT
    HDF5 = "HDF5 (Imaris and others)", Reason.UNSUPPORTED_FORMAT
    ZIP = "ZIP", Reason.UNSUPPORTED_FORMAT
    GZIP = "gzip", Reason.UNSUPPORTED_FORMAT

    JPEG = "JPEG", Reason.NOT_A_WHOLE_SLIDE
    JPEG_2000 = "JPEG 2000", Reason.NOT_A_WHOLE_SLIDE
    PNG = "PNG", Reason.NOT_A_WHOLE_SLIDE
    BMP = "BMP", Reason.NOT_A_WHOLE_SLIDE
    GIF = "GIF", Reason.NOT_A_WHOLE_SLIDE

    UNKNOWN = "unknown", Reason.NOT_A_SLIDE


_MAGIC: Final[tuple[tuple[int, bytes, Family], ...]] = (
    (128, b"DICM", Family.DICOM),
    (0, b"ZISRAWFILE", Family.CZI),
    (0, b"SQLite format 3\0", Family.SAKURA),
    (0, b"<DataObject ObjectType=", Family.ISYNTAX),
    (0, b"SIS\0", Family.ETS),
    (0, b"\x70\0\0\0", Family.LIF),
    (0, b"\xda\xce\xbe\x0a", Family.ND2),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Family.ZVI),
    (0, b"\x89HDF\r\n\x1a\n", Family.HDF5),
    (0, b"PK\x03\x04", Family.ZIP),
    (0, b"PK\x05\x06", Family.ZIP),
    (0, b"\x1f\x8b", Family.GZIP),
    (0, b"\xff\xd8\xff", Family.JPEG),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Family.JPEG_2000),
    (0, b"\xff\x4f\xff\x51", Family.JPEG_2000),
    (0, b"\x89PNG\r\n\x1a\n", Family.PNG),
    (0, b"BM", Family.BMP),
    (0, b"GIF8", Family.GIF),
)

_KEY_FILE_GROUPS: Final = (b"[Virtual Microscope Specimen]", b"[Uncompressed Virtual Microscope Specimen]")

_HEAD_BYTES: Final = 4096
"""Every mark above lies in the first 152 bytes; a key file may begin with a few comment lines."""


def family_of(source: Source) -> Family:
    """Tell what a file is by its first bytes; a file that is DICOM and TIFF at once counts as DICOM."""
    if source.path.suffix.lower() == ".mrxs":
        return Family.MIRAX
    head = source.head(_HEAD_BYTES)
    for offset, magic, family in _MAGIC:
        if head.startswith(magic, offset):
            return family
    if is_tiff(source):
        return Family.NDPI if is_ndpi(source) else Family.TIFF
    lines = {line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")}
    return Family.VMS if lines.intersection(_KEY_FILE_GROUPS) else Family.UNKNOWN
