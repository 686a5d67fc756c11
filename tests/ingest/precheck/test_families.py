"""What a file is shows in its bytes; what is no ordinary file is not opened."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.pipeline.batch import find_files
from ingest.precheck import Family, parts, precheck, sniff
from tests.ingest.precheck.spoilt import save

Outcome = Callable[[Path], Family | Reason]


UNREADABLE = {
    Family.CZI: b"ZISRAWFILE",
    Family.ISYNTAX: b'<DataObject ObjectType="DPUfsImport">',
    Family.VSI: b"II*\0\x30\0\0\0\x18\0IS",
    Family.ETS: b"SIS\0",
    Family.OIR: b"OLYMPUSRAWFORMAT",
    Family.LIF: b"\x70\0\0\0",
    Family.ND2: b"\xda\xce\xbe\x0a",
    Family.ZVI: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    Family.MDSX: b"BKIO",
    Family.KFB: b"\0\0\0\0KFB\0",
    Family.TMAP: b"TMAP07",
    Family.HDF5: b"\x89HDF\r\n\x1a\n",
    Family.ZIP: b"PK\x03\x04",
    Family.GZIP: b"\x1f\x8b\x08",
    Family.XZ: b"\xfd7zXZ\0",
    Family.ZSTD: b"\x28\xb5\x2f\xfd",
    Family.SEVEN_ZIP: b"7z\xbc\xaf\x27\x1c",
    Family.RAR: b"Rar!\x1a\x07\x01\0",
    Family.TAR: bytes(257) + b"ustar\x0000",
}


@pytest.mark.parametrize("family", UNREADABLE)
def test_formats_that_no_reader_here_knows_are_refused_by_name(tmp_path: Path, family: Family) -> None:
    path = tmp_path / "Doe^Jane 00123456.svs"
    path.write_bytes(UNREADABLE[family] + bytes(1000))
    assert sniff(path) is family
    for look in (precheck, parts):
        with pytest.raises(SlideRefused) as refused:
            look(path)
        assert refused.value.reason is Reason.UNSUPPORTED_FORMAT
        assert refused.value.sentence.startswith(f"{family.value} cannot be read here; ")
        assert "Doe" not in str(refused.value)


def test_every_unreadable_format_is_tried_and_says_what_to_do() -> None:
    unreadable = {family for family in Family if family.refusal is Reason.UNSUPPORTED_FORMAT}
    assert unreadable == UNREADABLE.keys() | {Family.SDPC}
    assert all(family.advice for family in unreadable)


@pytest.mark.parametrize("name", ["slide.sdpc", "slide.dyqx"])
def test_two_letters_make_a_slide_of_teksqray_only_under_its_name(tmp_path: Path, outcome: Outcome, name: str) -> None:
    for path in (tmp_path / name, tmp_path / "letter.txt"):
        path.write_bytes(b"SQ 12 was scanned again" + bytes(1000))
    assert (sniff(tmp_path / name), sniff(tmp_path / "letter.txt")) == (Family.SDPC, Family.UNKNOWN)
    assert outcome(tmp_path / name) is Reason.UNSUPPORTED_FORMAT


def test_a_small_picture_is_not_taken_for_the_slide_that_lies_beside_it(tmp_path: Path, outcome: Outcome) -> None:
    """The TIFF of an Olympus VSI slide is sound, and shows the label."""
    path = save(tmp_path / "slide.vsi")
    assert sniff(path) is Family.VSI
    assert outcome(path) is Reason.UNSUPPORTED_FORMAT
    beside = tmp_path / "_slide_" / "stack1"
    beside.mkdir(parents=True)
    (beside / "frame_t.ets").write_bytes(b"SIS\0" + bytes(1000))
    assert find_files([tmp_path]) == [path]


@pytest.mark.parametrize(
    ("head", "family"),
    [
        (b"\xff\xd8\xff\xe0", Family.JPEG),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Family.JPEG_2000),
        (b"\xff\x4f\xff\x51", Family.JPEG_2000),
        (b"II\xbc\x01", Family.JPEG_XR),
        (b"\x89PNG\r\n\x1a\n", Family.PNG),
        (b"BM", Family.BMP),
        (b"GIF89a", Family.GIF),
    ],
)
def test_single_pictures_are_no_slides(tmp_path: Path, outcome: Outcome, head: bytes, family: Family) -> None:
    path = tmp_path / "label.tif"
    path.write_bytes(head + bytes(1000))
    assert sniff(path) is family
    assert outcome(path) is Reason.NOT_A_WHOLE_SLIDE


@pytest.mark.parametrize("content", [b"x", b"Case report\n" * 1000, b"II", bytes(200)])
def test_anything_else_is_no_slide(tmp_path: Path, outcome: Outcome, content: bytes) -> None:
    path = tmp_path / "slide.ndpi"
    path.write_bytes(content)
    assert outcome(path) is Reason.NOT_A_SLIDE


def test_a_name_does_not_make_a_slide_and_does_not_hide_one(tmp_path: Path) -> None:
    slide = save(tmp_path / "notes.txt")
    assert sniff(slide) is Family.TIFF


def test_an_sqlite_database_may_be_a_sakura_slide(tmp_path: Path, outcome: Outcome) -> None:
    path = tmp_path / "slide.svslide"
    path.write_bytes(b"SQLite format 3\0" + bytes(1000))
    assert outcome(path) is Family.SAKURA


class TestOrdinaryFilesOnly:
    def test_an_empty_file_is_refused(self, tmp_path: Path, outcome: Outcome) -> None:
        path = tmp_path / "slide.svs"
        path.touch()
        assert outcome(path) is Reason.EMPTY_FILE

    def test_a_link_is_refused_even_to_a_sound_slide(self, tmp_path: Path, outcome: Outcome) -> None:
        link = tmp_path / "slide.svs"
        link.symlink_to(save(tmp_path / "real.svs"))
        assert outcome(link) is Reason.OUTSIDE_REFERENCE

    def test_a_folder_is_refused(self, tmp_path: Path, outcome: Outcome) -> None:
        assert outcome(tmp_path) is Reason.NOT_A_SLIDE

    @pytest.mark.timeout(10)
    def test_a_pipe_is_refused_without_waiting(self, tmp_path: Path, outcome: Outcome) -> None:
        pipe = tmp_path / "slide.svs"
        os.mkfifo(pipe)
        assert outcome(pipe) is Reason.NOT_A_SLIDE

    @pytest.mark.timeout(10)
    def test_an_endless_device_is_refused(self, outcome: Outcome) -> None:
        assert outcome(Path("/dev/zero")) is Reason.NOT_A_SLIDE

    def test_a_socket_is_refused(self, tmp_path: Path, outcome: Outcome) -> None:
        path = tmp_path / "s"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            assert outcome(path) is Reason.NOT_A_SLIDE

    @pytest.mark.parametrize("name", ["missing.svs", "file/slide.svs", "zero\0byte.svs", "n" * 300])
    def test_what_cannot_be_opened_is_refused_without_its_name(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(SlideRefused) as refused:
            precheck(tmp_path / name)
        assert refused.value.reason is Reason.UNREADABLE_FILE
        assert refused.value.__cause__ is None
        assert refused.value.__suppress_context__
        assert tmp_path.name not in str(refused.value)
