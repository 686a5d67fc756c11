"""Broken DICOM slides: files that contradict each other, parts that are missing, and attributes that are not there."""

from collections.abc import Callable
from typing import Any

from pydicom.dataset import Dataset

from tests.slides.dicom import Address, make_dicom
from tests.slides.imitated.spoiling import Imitation, Slide, Sound, Spoil, nothing
from tests.slides.tiff import Type, Writer, picture

_SMALL = {"width": 300, "height": 260, "tile": (128, 128), "factors": (1, 2), "associated": ("label",)}
_UID = "1.2.826.0.1.3680043.8.498.7"
_OF_SYNTAXES = b"1.2.840.10008.1.2.4.50"

Edit = Callable[[str, Dataset], None]


def _made(edit: Edit | None = None, **options: Any) -> Sound:
    return Sound(make_dicom, "slide", {**_SMALL, "edit": edit, **options})


DICOM = _made()


def _said(of: str, **values: Any) -> Edit:
    """Have the files of a level, or the label, say something else; nothing where it is None."""

    def edit(name: str, dataset: Dataset) -> None:
        for keyword, value in values.items() if name.startswith(of) else ():
            if value is not None:
                setattr(dataset, keyword, value)
            elif keyword in dataset:
                delattr(dataset, keyword)

    return edit


def _is(of: str, **values: Any) -> Imitation:
    """Imitate a slide of whose files one says something else."""
    return Imitation(_made(_said(of, **values)), nothing)


def _parts(of: str, **values: Any) -> Imitation:
    """Imitate a slide of a concatenation of two, of which one says something else."""
    return Imitation(_made(_said(of, **values), parts=2), nothing)


def _uid(keyword: str) -> Spoil:
    """Let the label, which is another series then, lead nowhere: take a keyword's number out of the main file."""
    group, element = {"SeriesInstanceUID": (0x20, 0x0E), "SOPInstanceUID": (0x08, 0x18)}[keyword]
    mark = group.to_bytes(2, "little") + element.to_bytes(2, "little")

    def spoil(slide: Slide) -> None:
        with slide.open() as data:
            at = data.index(mark, 332)
            data[at : at + 2] = (group + 1).to_bytes(2, "little")

    return spoil


def _other_syntax(slide: Slide) -> None:
    slide[""] = slide[""].replace(_OF_SYNTAXES, b"1.2.3.4.5.6.7.8.9.10.1")


def _without_last_file(slide: Slide) -> None:
    """Take the second part of level 0 away."""
    others = [name for name in slide.files if name != slide.main]
    del slide.files[next(name for name in others if b"\x20\x00\x62\x91" in slide[name] and _is_level_0(slide[name]))]


def _is_level_0(data: bytes) -> bool:
    return b"ORIGINAL\\PRIMARY\\VOLUME" in data


def _only_label(slide: Slide) -> None:
    label = next(name for name in slide.files if b"\\LABEL\\" in slide[name])
    slide.files = {label: slide[label]}
    slide.main = label


def _end_in_the_header(slide: Slide) -> None:
    slide[""] = slide[""][:700]


def _end_in_a_frame(slide: Slide) -> None:
    slide[""] = slide[""][:-2000]


def _two_labels(slide: Slide) -> None:
    label = next(name for name in slide.files if b"\\LABEL\\" in slide[name])
    own = slide[label]
    at = own.index(b"\x08\x00\x18\x00UI", 332) + 8
    length = int.from_bytes(own[at - 2 : at], "little")
    number = own[at : at + length].rstrip(b"\0")
    slide["slide/other.dcm"] = own.replace(number, number[:-1] + (b"1" if number[-1:] != b"1" else b"2"))


def _spoil_a_stream(address: Address, stream: bytes) -> bytes:
    return b"\xf3" + stream[1:] if address == (0, 0, 0) else stream


def _dicomdir(slide: Slide) -> None:
    """Say that the main file is a list of files (Media Storage Directory Storage)."""
    whole_slide, directory = b"1.2.840.10008.5.1.4.1.1.77.1.6", b"1.2.840.10008.1.3.10"
    slide[""] = slide[""].replace(whole_slide, directory.ljust(len(whole_slide), b"\0"))


def _as_tiff_too(slide: Slide) -> None:
    """Write a TIFF into the room before DICOM's mark, whose one picture is compressed with Aperio's JPEG 2000."""
    directory = picture(16, 16, [bytes(99)], tile=(16, 16), compression=33003)
    directory.tags[258] = (Type.SHORT, [8])
    directory.tags[277] = (Type.SHORT, [1])
    writer = Writer()
    writer.append(directory)
    tiff = bytes(writer.data)
    own = slide[""]
    at = int.from_bytes(tiff[4:8], "little")
    moved = bytearray(tiff)
    moved[4:8] = (len(own) + at).to_bytes(4, "little")
    slide[""] = bytes(moved[:8]) + own[8:] + tiff


_LEFT_BEHIND = "a label that calls itself a part is a label, and is left behind"

ICT: dict[str, Any] = {"syntax": "jpeg2000", "photometric": "YBR_ICT", "factors": (1,)}

CASES: dict[str, Imitation] = {
    "associated-concatenation": Imitation(
        _made(_said("label", InConcatenationNumber=1, ConcatenationUID=_UID)), nothing, read=_LEFT_BEHIND
    ),
    "associated-conflicting": Imitation(_made(), _two_labels, read="two labels are both left behind"),
    "associated-no-totalpixelmatrixrows": _is("label", TotalPixelMatrixRows=None),
    "concatenation-bad-inconcatenationnumber": _parts("level 0, part 2", InConcatenationNumber=0),
    "concatenation-bad-inconcatenationnumber-2": _parts("level 0, part 2", InConcatenationNumber=65_535),
    "concatenation-bad-inconcatenationtotalnumber": _parts("level 0", InConcatenationTotalNumber=3),
    "concatenation-duplicate-inconcatenationnumber": _parts("level 0, part 2", InConcatenationNumber=1),
    "concatenation-inconsistent-concatenationuid": _parts("level 0, part 2", ConcatenationUID=_UID),
    "concatenation-inconsistent-tile-size": _parts("level 0, part 2", Columns=256),
    "concatenation-missing-file": Imitation(_made(parts=2), _without_last_file),
    "concatenation-no-concatenationuid": _parts("level 0, part 2", ConcatenationUID=None),
    "concatenation-single-file": Imitation(
        _made(_said("level 0", InConcatenationTotalNumber=None), parts=2), _without_last_file
    ),
    "dual-bigtiff-file-extension.2": Imitation(
        _made(), _as_tiff_too, read="what is DICOM and TIFF at once is read as DICOM, which says all that is needed"
    ),
    "level-bad-bitsallocated": _is("level 0", BitsAllocated=16),
    "level-bad-frame": Imitation(_made(), _end_in_a_frame),
    "level-bad-imagetype": _is("level 0", ImageType=["ORIGINAL", "PRIMARY"]),
    "level-bad-jp2k-ict-transfersyntaxuid": Imitation(_made(**ICT), nothing),
    "level-bad-jpeg": Imitation(_made(change=_spoil_a_stream), nothing),
    "level-bad-photometricinterpretation": _is("level 0", PhotometricInterpretation="YBR_ICT"),
    "level-bad-samplesperpixel": _is("level 0", SamplesPerPixel=4),
    "level-bad-transfersyntaxuid": Imitation(_made(), _other_syntax),
    "level-conflicting": Imitation(_made(factors=(1, 1)), nothing),
    "level-duplicate-no-sopinstanceuid": Imitation(_made(factors=(1, 1)), _uid("SOPInstanceUID")),
    "level-no-imagetype": _is("level 0", ImageType=None),
    "level-no-totalpixelmatrixrows": _is("level 0", TotalPixelMatrixRows=None),
    "levels-missing": Imitation(_made(), _only_label),
    "primary-bad-metadata": Imitation(_made(), _end_in_the_header),
    "primary-bad-samplesperpixel": _is("level 1", SamplesPerPixel=4),
    "primary-dicomdir": Imitation(_made(), _dicomdir),
    "primary-no-seriesinstanceuid": Imitation(_made(), _uid("SeriesInstanceUID")),
}
CASES = {f"dicom-{name}": one for name, one in CASES.items()}
