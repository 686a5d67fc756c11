"""What a file is shows in its bytes; what is no ordinary file is not opened."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason, SlideRefused
from ingest.precheck import Family, precheck, sniff
from tests.ingest.precheck.spoilt import save

Outcome = Callable[[Path], Family | Reason]


@pytest.mark.parametrize(
    ("head", "family"),
    [
        (b'<DataObject ObjectType="DPUfsImport">', Family.ISYNTAX),
        (b"SIS\0", Family.ETS),
        (b"\x70\0\0\0", Family.LIF),
        (b"\xda\xce\xbe\x0a", Family.ND2),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Family.ZVI),
        (b"\x89HDF\r\n\x1a\n", Family.HDF5),
        (b"PK\x03\x04", Family.ZIP),
        (b"\x1f\x8b\x08", Family.GZIP),
    ],
)
def test_formats_that_no_reader_here_knows_are_refused_by_name(
    tmp_path: Path, outcome: Outcome, head: bytes, family: Family
) -> None:
    path = tmp_path / "slide.svs"
    path.write_bytes(head + bytes(1000))
    assert sniff(path) is family
    assert outcome(path) is Reason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    ("head", "family"),
    [
        (b"\xff\xd8\xff\xe0", Family.JPEG),
        (b"\0\0\0\x0cjP  \r\n\x87\n", Family.JPEG_2000),
        (b"\xff\x4f\xff\x51", Family.JPEG_2000),
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
