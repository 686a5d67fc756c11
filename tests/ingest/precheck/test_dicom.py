"""A DICOM file is taken when it says that it is a whole slide in a transfer syntax that is safe to decode."""

import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason
from ingest.precheck import Family, Instance, instance, is_whole, parts
from tests.ingest.precheck.spoilt import save

Outcome = Callable[[Path], Family | Reason]

WHOLE_SLIDE = b"1.2.840.10008.5.1.4.1.1.77.1.6"
JPEG = b"1.2.840.10008.1.2.4.50"


def element(number: int, value: bytes, kind: bytes = b"UI", group: int = 2) -> bytes:
    value += b"\0" * (len(value) % 2)
    if kind == b"OB":
        return struct.pack("<HH2sHI", group, number, kind, 0, len(value)) + value
    return struct.pack("<HH2sH", group, number, kind, len(value)) + value


def meta(object_class: bytes | None = WHOLE_SLIDE, syntax: bytes | None = JPEG, more: bytes = b"") -> bytes:
    body = element(1, b"\0\1", b"OB")
    body += element(2, object_class) if object_class is not None else b""
    body += element(0x10, syntax) if syntax is not None else b""
    return body + more


@pytest.fixture
def dicom(tmp_path: Path) -> Callable[..., Path]:
    def write(content: bytes, preamble: bytes = bytes(128)) -> Path:
        path = tmp_path / "slide.dcm"
        path.write_bytes(preamble + b"DICM" + content)
        return path

    return write


DATA = element(0x16, WHOLE_SLIDE, group=8) + bytes(500)


@pytest.mark.parametrize("syntax", [b"1.2.840.10008.1.2.1", JPEG, b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.4.80"])
def test_a_whole_slide_image_is_taken(dicom: Callable[..., Path], outcome: Outcome, syntax: bytes) -> None:
    assert outcome(dicom(meta(syntax=syntax) + DATA)) is Family.DICOM


@pytest.mark.parametrize(
    "object_class",
    [b"1.2.840.10008.1.3.10", b"1.2.840.10008.5.1.4.1.1.4", b"1.2.840.10008.5.1.4.1.1.66.4", b"\xff\xfe", b""],
    ids=["DICOMDIR", "magnetic resonance", "segmentation", "no text", "empty"],
)
def test_other_objects_are_no_slides(dicom: Callable[..., Path], outcome: Outcome, object_class: bytes) -> None:
    assert outcome(dicom(meta(object_class) + DATA)) is Reason.NOT_A_WHOLE_SLIDE


@pytest.mark.parametrize(
    "syntax",
    [b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.2", b"1.2.840.10008.1.2.4.100", b"1.2.3", b""],
    ids=["deflated", "big-endian", "MPEG2", "private", "empty"],
)
def test_other_transfer_syntaxes_are_refused(dicom: Callable[..., Path], outcome: Outcome, syntax: bytes) -> None:
    assert outcome(dicom(meta(syntax=syntax) + DATA)) is Reason.FORBIDDEN_COMPRESSION


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(b"", Reason.TRUNCATED, id="nothing"),
        pytest.param(meta()[:-10], Reason.TRUNCATED, id="cut off"),
        pytest.param(meta(object_class=None) + DATA, Reason.DAMAGED_STRUCTURE, id="no class"),
        pytest.param(meta(syntax=None) + DATA, Reason.DAMAGED_STRUCTURE, id="no transfer syntax"),
        pytest.param(meta(more=element(0x10, JPEG)) + DATA, Reason.DAMAGED_STRUCTURE, id="two transfer syntaxes"),
        pytest.param(meta() + element(3, b"1") * 100 + DATA, Reason.DAMAGED_STRUCTURE, id="a hundred elements"),
        pytest.param(
            meta() + struct.pack("<HH2sHI", 2, 0x102, b"OB", 0, 0xFFFFFFFF) + bytes(1 << 17),
            Reason.DAMAGED_STRUCTURE,
            id="an element of four gigabytes",
        ),
    ],
)
def test_meta_information_that_contradicts_itself_is_refused(
    dicom: Callable[..., Path], outcome: Outcome, content: bytes, reason: Reason
) -> None:
    if reason is Reason.DAMAGED_STRUCTURE and b"1" * 2 in content[-4:]:
        content += DATA
    assert outcome(dicom(content)) is reason


def test_a_file_that_is_dicom_and_tiff_at_once_is_checked_as_both(
    tmp_path: Path, dicom: Callable[..., Path], outcome: Outcome
) -> None:
    tiff = save(tmp_path / "slide.tif").read_bytes()
    (directory,) = struct.unpack_from("<I", tiff, 4)
    content = meta() + DATA
    place = 132 + len(content)
    sound = tiff[:4] + struct.pack("<I", place) + bytes(120)
    single = struct.pack("<H", 1) + tiff[directory + 2 : directory + 14] + bytes(4)
    assert outcome(dicom(content, bytes(128))) is Family.DICOM
    assert outcome(dicom(content + single, sound)) is Reason.DAMAGED_STRUCTURE  # an image without width


class TestSeries:
    """The levels of a slide are files of one series in one folder."""

    @pytest.fixture
    def put(self, tmp_path: Path) -> Callable[..., Path]:
        def put(name: str, series: bytes, *, before: bytes = b"", **options: bytes) -> Path:
            path = tmp_path / name
            data = element(0x16, WHOLE_SLIDE, group=8) + before + element(0xE, series, group=0x20) + bytes(200)
            path.write_bytes(bytes(128) + b"DICM" + meta(**options) + data)
            return path

        return put

    def test_files_of_the_same_series_are_parts_of_a_slide(self, put: Callable[..., Path], tmp_path: Path) -> None:
        first, second = put("b", b"1.2.3"), put("a", b"1.2.3")
        put("other patient", b"1.2.4")
        put("magnetic resonance", b"1.2.3", object_class=b"1.2.840.10008.5.1.4.1.1.4")
        (tmp_path / "link").symlink_to(second)
        (tmp_path / "folder").mkdir()
        (tmp_path / "notes.txt").write_text("1.2.3")
        assert parts(first) == (first, second)
        assert parts(second) == (second, first)

    def test_a_slide_of_which_a_file_must_not_be_decoded_is_not_taken_without_it(
        self, put: Callable[..., Path], outcome: Outcome
    ) -> None:
        slide = put("a", b"1.2.3")
        put("b", b"1.2.4", syntax=b"1.2.840.10008.1.2.4.100")
        assert outcome(slide) is Family.DICOM
        put("c", b"1.2.3", syntax=b"1.2.840.10008.1.2.4.100")
        assert outcome(slide) is Reason.FORBIDDEN_COMPRESSION

    def test_a_series_that_only_stands_in_a_sequence_is_not_the_file_s_own(self, put: Callable[..., Path]) -> None:
        inner = element(0xE, b"9.9.9", group=0x20)
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
        open_item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + inner + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
        sequence = struct.pack("<HH2sHI", 8, 0x1115, b"SQ", 0, len(item)) + item
        open_sequence = struct.pack("<HH2sHI", 8, 0x1140, b"SQ", 0, 0xFFFFFFFF) + open_item + item
        open_sequence += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        slide = put("a", b"1.2.3", before=sequence + open_sequence)
        put("b", b"9.9.9")
        same = put("c", b"1.2.3")
        assert parts(slide) == (slide, same)

    def test_without_types_the_series_is_found_as_well(self, tmp_path: Path) -> None:
        implicit = b"1.2.840.10008.1.2"
        data = b"".join(
            struct.pack("<HHI", group, number, len(value)) + value
            for group, number, value in ((8, 0x16, WHOLE_SLIDE), (0x20, 0xE, b"1.2.34"))
        )
        slides = [tmp_path / name for name in "ab"]
        for slide in slides:
            slide.write_bytes(bytes(128) + b"DICM" + meta(syntax=implicit) + data + bytes(100))
        assert parts(slides[0]) == tuple(slides)

    def test_a_slide_whose_series_is_nowhere_is_itself(
        self, dicom: Callable[..., Path], put: Callable[..., Path]
    ) -> None:
        put("a", b"1.2.3")
        for data in (
            bytes(8),
            element(0x16, WHOLE_SLIDE, group=8) * 20_000,
            struct.pack("<HH2sHI", 8, 8, b"SQ", 0, 99) * 9,
        ):
            slide = dicom(meta() + data)
            assert parts(slide) == (slide,)


class TestWholeness:
    """Files of a series say how many there are, of the series and of a picture that is in several files."""

    @pytest.fixture
    def put(self, tmp_path: Path) -> Callable[..., Path]:
        def put(name: str, *more: bytes, syntax: bytes = JPEG) -> Path:
            data = element(0x16, WHOLE_SLIDE, group=8) + element(0xE, b"1.2.3", group=0x20)
            (tmp_path / name).write_bytes(
                bytes(128) + b"DICM" + meta(syntax=syntax) + data + b"".join(more) + bytes(99)
            )
            return tmp_path / name

        return put

    @staticmethod
    def part(number: int, of: int, concatenation: bytes = b"1.7.7") -> bytes:
        told = ((0x9162, number), (0x9163, of))
        counts = b"".join(element(tag, struct.pack("<H", value), b"US", 0x20) for tag, value in told)
        return element(0x9161, concatenation, group=0x20) + counts

    def test_what_a_file_says_of_the_others_is_read(self, put: Callable[..., Path]) -> None:
        path = put("a", element(0x1209, b"7 ", b"IS", 0x20), self.part(2, 3))
        assert instance(path) == Instance("1.2.3", 7, "1.7.7", 2, 3)
        assert instance(put("b")) == Instance("1.2.3")

    @pytest.mark.parametrize("number", [b"", b"some", b"-3", b"1.5"])
    def test_a_number_that_is_none_says_nothing(self, put: Callable[..., Path], number: bytes) -> None:
        assert instance(put("a", element(0x1209, number, b"IS", 0x20))) == Instance("1.2.3")

    def test_a_file_that_is_no_sound_slide_says_nothing(self, put: Callable[..., Path], tmp_path: Path) -> None:
        assert instance(put("a", syntax=b"1.2.840.10008.1.2.1.99")) is None
        assert instance(tmp_path / "not there") is None
        (tmp_path / "text").write_text("no DICOM at all")
        assert instance(tmp_path / "text") is None

    def test_a_series_is_whole_when_all_that_it_speaks_of_are_there(self) -> None:
        alone, of_two = Instance("1"), Instance("1", instances=2)
        parts = [Instance("1", concatenation="7", part=number, parts=3) for number in (1, 2, 3)]
        other = Instance("1", concatenation="8", part=1, parts=2)
        assert is_whole([alone])
        assert not is_whole([of_two])
        assert is_whole([of_two, alone])
        assert not is_whole(parts[:2])
        assert not is_whole([parts[0], parts[0], parts[2]])
        assert is_whole([alone, *parts])
        assert not is_whole([*parts, other])
