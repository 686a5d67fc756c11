"""A slide's format shows in its first bytes; a file's name is only what somebody called it.

Some makers' formats need the name as well: a MIRAX slide's main file is a plain JPEG picture, with the slide in a
folder of the same name beside it, and an SDPC file begins with two letters only.

Sources: what is published of each format: OpenSlide's descriptions and the readers proposed to it (KFBio, Motic,
TEKSQRAY); Bio-Formats' readers (cellSens, OIR, LIF, ND2); Philips, *iSyntax* (the header's XML); Zeiss, *ZISRAW*.
"""

from enum import StrEnum
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.precheck.source import Source
from ingest.precheck.tiff_directories import is_ndpi, is_tiff

_UNREADABLE: Final = Reason.UNSUPPORTED_FORMAT
_PICTURE: Final = Reason.NOT_A_WHOLE_SLIDE
_UNPACK: Final = "unpack it and deliver the slides that are in it"
_CONVERT: Final = "ask the scanner's maker for its converter and deliver DICOM, SVS or TIFF"
_EXPORT: Final = "export the slide from the scanner's own software as DICOM or OME-TIFF"


class Family(StrEnum):
    """What a file is.

    Attributes
    ----------
    refusal : Reason or None
        Why no file of this family is taken, or None.
    advice : str
        What to do instead, where more can be told than the reason does.
    """

    refusal: Reason | None
    advice: str

    def __new__(cls, name: str, refusal: Reason | None = None, advice: str = "") -> "Family":
        """Make a member whose value is its name."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.refusal = refusal
        member.advice = advice
        return member

    TIFF = "TIFF"
    """Also Aperio SVS, Leica SCN, Ventana BIF, Philips TIFF, Trestle, OME-TIFF, BigTIFF."""
    NDPI = "Hamamatsu NDPI"
    DICOM = "DICOM"
    MIRAX = "3DHISTECH MIRAX"
    VMS = "Hamamatsu VMS or VMU"
    SAKURA = "Sakura svslide"

    CZI = "Zeiss CZI", _UNREADABLE, "export the slide from ZEN as DICOM or OME-TIFF"
    ISYNTAX = (
        "Philips iSyntax",
        _UNREADABLE,
        "export the slide from Philips's Image Management System as DICOM or Philips TIFF",
    )
    VSI = "Olympus VSI", _UNREADABLE, _EXPORT
    ETS = "Olympus ETS (part of a VSI slide)", _UNREADABLE, _EXPORT
    OIR = "Olympus OIR", _UNREADABLE, _EXPORT
    LIF = "Leica LIF", _UNREADABLE, _EXPORT
    ND2 = "Nikon ND2", _UNREADABLE, _EXPORT
    ZVI = "Zeiss ZVI, Motic MDS or another OLE file", _UNREADABLE, _EXPORT
    MDSX = "Motic MDSX", _UNREADABLE, _CONVERT
    KFB = "KFBio KFB", _UNREADABLE, _CONVERT
    TMAP = "Unic TMAP", _UNREADABLE, _CONVERT
    SDPC = "TEKSQRAY SDPC", _UNREADABLE, _CONVERT
    HDF5 = "HDF5 (such as Imaris)", _UNREADABLE, _EXPORT
    ZIP = "ZIP archive (such as PreciPoint VMIC)", _UNREADABLE, _UNPACK
    GZIP = "gzip archive", _UNREADABLE, _UNPACK
    XZ = "xz archive", _UNREADABLE, _UNPACK
    ZSTD = "Zstandard archive", _UNREADABLE, _UNPACK
    SEVEN_ZIP = "7z archive", _UNREADABLE, _UNPACK
    RAR = "RAR archive", _UNREADABLE, _UNPACK
    TAR = "tar archive", _UNREADABLE, _UNPACK

    JPEG = "JPEG", _PICTURE
    JPEG_2000 = "JPEG 2000", _PICTURE
    JPEG_XR = "JPEG XR", _PICTURE
    PNG = "PNG", _PICTURE
    BMP = "BMP", _PICTURE
    GIF = "GIF", _PICTURE

    UNKNOWN = "unknown", Reason.NOT_A_SLIDE

    def require_readable(self) -> None:
        """Refuse a family that no reader here is given.

        Raises
        ------
        SlideRefused
            By its name, with what to do.
        """
        if self.refusal is not None:
            raise SlideRefused(self.refusal, f"{self.value} cannot be read here; {self.advice}" if self.advice else "")


_MAGIC: Final[tuple[tuple[int, bytes, Family], ...]] = (
    (128, b"DICM", Family.DICOM),
    (0, b"ZISRAWFILE", Family.CZI),
    (0, b"SQLite format 3\0", Family.SAKURA),
    (0, b"<DataObject ObjectType=", Family.ISYNTAX),
    (0, b"SIS\0", Family.ETS),
    (0, b"OLYMPUSRAWFORMAT", Family.OIR),
    (0, b"\x70\0\0\0", Family.LIF),
    (0, b"\xda\xce\xbe\x0a", Family.ND2),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Family.ZVI),
    (0, b"BKIO", Family.MDSX),
    (4, b"KFB", Family.KFB),
    (0, b"TMAP", Family.TMAP),
    (0, b"\x89HDF\r\n\x1a\n", Family.HDF5),
    (0, b"PK\x03\x04", Family.ZIP),
    (0, b"PK\x05\x06", Family.ZIP),
    (0, b"\x1f\x8b", Family.GZIP),
    (0, b"\xfd7zXZ\0", Family.XZ),
    (0, b"\x28\xb5\x2f\xfd", Family.ZSTD),
    (0, b"7z\xbc\xaf\x27\x1c", Family.SEVEN_ZIP),
    (0, b"Rar!\x1a\x07", Family.RAR),
    (257, b"ustar", Family.TAR),
    (0, b"\xff\xd8\xff", Family.JPEG),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Family.JPEG_2000),
    (0, b"\xff\x4f\xff\x51", Family.JPEG_2000),
    (0, b"II\xbc\x01", Family.JPEG_XR),
    (0, b"\x89PNG\r\n\x1a\n", Family.PNG),
    (0, b"BM", Family.BMP),
    (0, b"GIF8", Family.GIF),
)

_SDPC_NAMES: Final = frozenset({".sdpc", ".dyqx"})

_VSI_AT_8: Final = b"\x18\0IS"
"""Olympus's first block of tags, right behind a TIFF's header: 24 bytes long, of version 21321. The TIFF itself holds
a small picture only; the slide lies in the ETS files of the folder beside it."""

_KEY_FILE_GROUPS: Final = (b"[Virtual Microscope Specimen]", b"[Uncompressed Virtual Microscope Specimen]")

_HEAD_BYTES: Final = 4096
"""Every mark above lies in the first 262 bytes; a key file may begin with a few comment lines."""


def family_of(source: Source) -> Family:
    """Tell what a file is by its first bytes; a file that is DICOM and TIFF at once counts as DICOM."""
    suffix = source.path.suffix.lower()
    if suffix == ".mrxs":
        return Family.MIRAX
    head = source.head(_HEAD_BYTES)
    for offset, magic, family in _MAGIC:
        if head.startswith(magic, offset):
            return family
    if is_tiff(source):
        return _kind_of_tiff(source, head, suffix)
    if suffix in _SDPC_NAMES and head.startswith(b"SQ"):
        return Family.SDPC
    lines = {line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")}
    return Family.VMS if lines.intersection(_KEY_FILE_GROUPS) else Family.UNKNOWN


def _kind_of_tiff(source: Source, head: bytes, suffix: str) -> Family:
    """Tell the TIFFs apart that are not read as such; one called VSI is none, whatever else is in it."""
    if suffix == ".vsi" or head.startswith(_VSI_AT_8, 8):
        return Family.VSI
    return Family.NDPI if is_ndpi(source) else Family.TIFF
