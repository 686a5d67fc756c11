"""A stored folder is exactly what its manifest says, or every difference is named."""

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import fixity
from archive.errors import InvalidValue
from archive.fixity import FaultCode, Manifest, StoredFile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scan"
    (place / "0" / "c").mkdir(parents=True)
    (place / "zarr.json").write_bytes(b"{}")
    (place / "0" / "c" / "0").write_bytes(os.urandom(5_000))
    (place / "0" / "empty").write_bytes(b"")
    return place


def codes(faults: tuple[fixity.Fault, ...]) -> list[tuple[str, str]]:
    return [(fault.place, fault.code) for fault in faults]


def test_an_untouched_folder_has_no_fault(folder: Path) -> None:
    manifest = fixity.measure(folder)
    fixity.write(folder / fixity.MANIFEST, manifest.to_bytes())
    assert fixity.verify(folder, manifest) == ()
    assert [file.path for file in manifest.files] == ["0/c/0", "0/empty", "zarr.json"]
    assert manifest.stored_bytes == 5_002


def test_every_digest_is_that_of_the_stored_bytes(folder: Path) -> None:
    for file in fixity.measure(folder).files:
        assert file.sha256 == hashlib.sha256((folder / file.path).read_bytes()).hexdigest()


def test_a_manifest_survives_being_written_and_read(folder: Path) -> None:
    manifest = fixity.measure(folder)
    again = Manifest.from_bytes(manifest.to_bytes())
    assert again == manifest
    assert again.sha256 == hashlib.sha256(manifest.to_bytes()).hexdigest()


def test_a_digest_that_is_known_already_is_not_computed_again(folder: Path) -> None:
    known = "a" * 64
    manifest = fixity.measure(folder, {"0/c/0": known})
    assert {file.path: file.sha256 for file in manifest.files}["0/c/0"] == known


def test_all_kinds_of_fault_are_listed_at_once(folder: Path) -> None:
    for name in ("gone", "longer", "link", "flipped"):
        (folder / name).write_bytes(b"some bytes")
    manifest = fixity.measure(folder)
    (folder / "gone").unlink()
    (folder / "longer").write_bytes(b"some more bytes")
    (folder / "link").unlink()
    (folder / "link").symlink_to("zarr.json")
    (folder / "flipped").write_bytes(b"some byteS")
    (folder / "extra").write_bytes(b"")
    assert codes(fixity.verify(folder, manifest)) == [
        ("extra", FaultCode.UNEXPECTED),
        ("flipped", FaultCode.WRONG_DIGEST),
        ("gone", FaultCode.MISSING),
        ("link", FaultCode.NOT_A_FILE),
        ("longer", FaultCode.WRONG_SIZE),
    ]


def test_a_folder_that_is_gone_misses_every_file(folder: Path) -> None:
    manifest = fixity.measure(folder)
    assert {fault.code for fault in fixity.verify(folder / "elsewhere", manifest)} == {FaultCode.MISSING}


@settings(max_examples=60, deadline=None)
@given(bit=st.integers(min_value=0, max_value=5_000 * 8 - 1))
def test_every_flipped_bit_is_found(tmp_path_factory: pytest.TempPathFactory, bit: int) -> None:
    place = tmp_path_factory.mktemp("flip")
    content = bytearray(5_000)
    (place / "shard").write_bytes(content)
    manifest = fixity.measure(place)
    content[bit // 8] ^= 1 << bit % 8
    (place / "shard").write_bytes(content)
    assert codes(fixity.verify(place, manifest)) == [("shard", FaultCode.WRONG_DIGEST)]


def test_a_link_is_never_vouched_for(folder: Path) -> None:
    (folder / "0" / "out").symlink_to("/etc/hostname")
    with pytest.raises(InvalidValue, match="no links"):
        fixity.measure(folder)


def test_a_linked_folder_is_never_vouched_for(folder: Path) -> None:
    (folder / "out").symlink_to("/etc")
    with pytest.raises(InvalidValue, match="no links"):
        fixity.measure(folder)


@pytest.mark.parametrize("path", ["/etc/passwd", "../other", "a/../../b", "", ".", "a//b", "a/./b", "a\0b"])
def test_a_manifest_cannot_point_outside_its_folder(path: str) -> None:
    with pytest.raises(InvalidValue):
        StoredFile(path, 0, "0" * 64)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"files":[{"path":1,"sha256":"","size_bytes":0}],"format":1}',
        b'{"files": [], "format": 1}',
        b'{"files":[],"format":2}',
        b"[" * 100_000,
    ],
    ids=["empty", "list", "no files", "no text", "wrong types", "spaces", "other format", "deep"],
)
def test_a_text_that_is_no_manifest_is_refused(text: bytes) -> None:
    with pytest.raises(InvalidValue):
        Manifest.from_bytes(text)


@pytest.mark.parametrize(("size", "digest"), [(-1, "0" * 64), (0, ""), (0, "G" * 64)])
def test_a_manifest_gives_sizes_and_digests(size: int, digest: str) -> None:
    with pytest.raises(InvalidValue):
        StoredFile("a", size, digest)


def test_a_file_that_cannot_be_read_is_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(path: Path) -> str:
        raise OSError(5, "Input/output error")

    manifest = fixity.measure(folder)
    monkeypatch.setattr(fixity, "_sha256", failing)
    faults = fixity.verify(folder, manifest)
    assert {fault.code for fault in faults} == {FaultCode.UNREADABLE}
    assert len(faults) == 3


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        fixity.measure(tmp_path / "nothing")


def test_a_manifest_lists_each_file_once() -> None:
    file = StoredFile("a", 0, "0" * 64)
    with pytest.raises(InvalidValue, match="once"):
        Manifest((file, file))


def test_a_folder_is_flushed_files_first_and_outermost_folder_last(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[str] = []

    def fsync(descriptor: int) -> None:
        flushed.append(os.readlink(f"/proc/self/fd/{descriptor}"))

    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs Linux's /proc to see which file a descriptor means")
    monkeypatch.setattr(fixity, "_fsync", fsync)
    fixity.flush(folder)
    names = [Path(place).relative_to(folder.resolve()).as_posix() for place in flushed]
    assert sorted(names) == [".", "0", "0/c", "0/c/0", "0/empty", "zarr.json"]
    assert names.index("0/c/0") < names.index("0/c") < names.index("0") < names.index(".")
    assert names.index("zarr.json") < names.index(".")


def test_a_failed_flush_is_an_error_and_not_tried_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def fsync(descriptor: int) -> None:
        calls.append(descriptor)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(fixity, "_fsync", fsync)
    with pytest.raises(OSError, match="Input/output"):
        fixity.flush(folder)
    assert len(calls) == 1
