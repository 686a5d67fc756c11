"""What the jail left is proven as if a stranger had made it: pixels, places, and that there is nothing else."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archive import fixity
from archive.geometry import Size
from archive.holdings.pixels import Coding, LevelLayout, Origin, ScanLayout
from archive.holdings.writing import write_metadata
from ingest.auditor import IdentifierClass, KnownIdentifier, Needles
from ingest.errors import JailUnavailable, Reason, SlideRefused
from ingest.pipeline.answers import Stored
from ingest.pipeline.proving import Search, Staged, prove, read_places, verify_pixels
from ingest.pipeline.source import Source
from ingest.pipeline.storing import store
from tests.slides.svs import make_svs

LEVEL = LevelLayout.planned(Size(600, 500), Size(256, 256), Coding.JPEG, Origin.COPIED)
PLACES = np.arange(LEVEL.rows * LEVEL.columns * 2, dtype=np.int64).reshape(LEVEL.rows, LEVEL.columns, 1, 2)

Harm = Callable[[Path], object]


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source.receive(make_svs(tmp_path / "slide.svs", width=600, height=500, factors=(1, 4)).path)


@pytest.fixture
def staged(source: Source, tmp_path: Path) -> Staged:
    """Store a slide of two levels as the jail does."""
    folder, notes = tmp_path / "staged", tmp_path / "notes"
    folder.mkdir()
    notes.mkdir()
    stored = Stored.from_json(store(lambda _: None, str(source.path), str(folder), str(notes)))
    write_metadata(str(folder), ScanLayout(stored.levels))
    return Staged(folder, stored.levels, notes)


def reason_of(staged: Staged, source: Source) -> Reason:
    with pytest.raises(SlideRefused) as refused:
        prove(staged, source, every_tile=True)
    return refused.value.reason


def test_a_sound_scan_is_proven(staged: Staged, source: Source) -> None:
    proof = prove(staged, source, every_tile=True)
    assert (proof.tiles, proof.same_bytes, proof.same_pixels, proof.by_openslide) == (7, 7, 7, 7)
    manifest = fixity.measure(staged.folder)
    assert proof.digests == {file.path: file.sha256 for file in manifest.files}


def test_a_sample_is_of_the_size_asked_for(staged: Staged, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.pipeline.proving.COMPARED_TILES", 4)
    proof = prove(staged, source, every_tile=False)
    assert (proof.tiles, proof.same_bytes, proof.same_pixels) == (7, 7, 4 + 1)


def test_the_decoders_are_kept_out_of_the_vault(staged: Staged, source: Source) -> None:
    with pytest.raises(JailUnavailable, match="key vault"):
        prove(staged, source, every_tile=False, keep_out=[staged.folder / "0"])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[900] ^= 1
    path.write_bytes(content)


def hide_between_tiles_and_index(path: Path) -> None:
    content, index = path.read_bytes(), LEVEL.grid.index_bytes
    path.write_bytes(content[:-index] + b"Jane Doe, H-0012345" + content[-index:])


@pytest.mark.parametrize("harm", [flip, Path.unlink, hide_between_tiles_and_index, lambda path: path.write_bytes(b"")])
def test_a_shard_that_is_not_what_the_source_holds_is_refused(staged: Staged, source: Source, harm: Harm) -> None:
    harm(staged.folder / "0/c/0/0/0")
    assert reason_of(staged, source) is Reason.PIXELS_DIFFER


def test_tiles_that_were_exchanged_are_noticed(staged: Staged, source: Source) -> None:
    path = staged.places / "0.places"
    places = np.fromfile(path, np.int64).reshape(-1, 2)
    places[[0, 1]] = places[[1, 0]]
    places.tofile(path)
    assert reason_of(staged, source) is Reason.PIXELS_DIFFER


@pytest.mark.parametrize("place", [(-1, 10), (2**62, 10), (0, 2**62), (2**62, 2**62), (-(2**63), -(2**63))])
def test_a_place_that_no_file_has_is_refused(staged: Staged, source: Source, place: tuple[int, int]) -> None:
    path = staged.places / "0.places"
    places = np.fromfile(path, np.int64).reshape(-1, 2)
    places[2] = place
    places.tofile(path)
    assert reason_of(staged, source) is Reason.PIXELS_DIFFER


@pytest.mark.parametrize(
    "name", ["letter.txt", "0/c/0/0/1", "0/c/0/1", "2/zarr.json", "manifest.json", "0/.hidden", "Jane Doe/0"]
)
def test_a_file_that_nobody_asked_for_is_refused(staged: Staged, source: Source, name: str) -> None:
    (staged.folder / name).parent.mkdir(parents=True, exist_ok=True)
    (staged.folder / name).write_bytes(b"")
    assert reason_of(staged, source) is Reason.READER_CRASHED


@pytest.mark.parametrize("name", ["Jane Doe", "0/c/1", "2"])
def test_a_folder_that_nobody_asked_for_is_refused(staged: Staged, source: Source, name: str) -> None:
    (staged.folder / name).mkdir()
    assert reason_of(staged, source) is Reason.READER_CRASHED


def test_a_link_is_refused(staged: Staged, source: Source, tmp_path: Path) -> None:
    shard = staged.folder / "0/c/0/0/0"
    shard.rename(tmp_path / "elsewhere")
    shard.symlink_to(tmp_path / "elsewhere")
    assert reason_of(staged, source) is Reason.READER_CRASHED


def test_a_source_that_is_cut_short_meanwhile_ends_in_a_reason(staged: Staged, source: Source) -> None:
    os.truncate(source.path, 2000)
    with pytest.raises(SlideRefused) as refused:
        verify_pixels(staged, source)
    assert refused.value.reason is Reason.PIXELS_DIFFER


def test_a_source_that_is_taken_away_meanwhile_ends_in_a_reason(staged: Staged, source: Source) -> None:
    source.path.unlink()
    with pytest.raises(SlideRefused) as refused:
        verify_pixels(staged, source)
    assert refused.value.reason is Reason.UNREADABLE_FILE


def test_a_source_that_was_touched_meanwhile_is_refused(staged: Staged, source: Source) -> None:
    os.utime(source.path, ns=(1, 1))
    assert reason_of(staged, source) is Reason.CHANGED_WHILE_READ


class TestPlaces:
    """The file of places: numbers, as many as there are tiles, and nothing else."""

    def test_it_is_read(self, tmp_path: Path) -> None:
        PLACES.tofile(tmp_path / "0.places")
        assert np.array_equal(read_places(tmp_path / "0.places", LEVEL), PLACES)

    @pytest.mark.parametrize(
        "write",
        [
            lambda path: None,
            lambda path: path.mkdir(),
            lambda path: path.write_bytes(b""),
            lambda path: path.write_bytes(PLACES.tobytes()[:-1]),
            lambda path: path.write_bytes(PLACES.tobytes() + b"\0"),
            lambda path: PLACES.astype(np.int32).tofile(path),
            lambda path: np.save(path.open("wb"), PLACES),
            lambda path: np.save(path.open("wb"), np.array([print], object), allow_pickle=True),
            lambda path: np.savez(path.open("wb"), PLACES),
            lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 40),
        ],
        ids=["missing", "folder", "empty", "short", "long", "narrow", "npy", "pickle", "npz", "a terabyte of nothing"],
    )
    @pytest.mark.filterwarnings("ignore::ResourceWarning")
    def test_anything_else_is_refused(self, tmp_path: Path, write: Harm) -> None:
        path = tmp_path / "0.places"
        write(path)
        with pytest.raises(SlideRefused) as refused:
            read_places(path, LEVEL)
        assert refused.value.reason is Reason.READER_CRASHED

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        PLACES.tofile(tmp_path / "elsewhere")
        (tmp_path / "0.places").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(SlideRefused):
            read_places(tmp_path / "0.places", LEVEL)


class TestSearch:
    """The last look before the commit."""

    NEEDLES = Needles.of([KnownIdentifier(IdentifierClass.PATIENT_NUMBER, "1263")])

    def test_what_holds_an_identifier_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "zarr.json").write_text('{"note": "1263"}')
        with pytest.raises(SlideRefused) as refused:
            Search(self.NEEDLES)(tmp_path)
        assert refused.value.reason is Reason.IDENTIFIER_FOUND

    def test_the_size_of_a_file_is_no_identifier(self, tmp_path: Path) -> None:
        (tmp_path / "shard").write_bytes(bytes(1263))
        (tmp_path / "manifest.json").write_text('{"size_bytes":1263}')
        search = Search(self.NEEDLES)
        search(tmp_path)
        assert search.bytes_searched == 1263 + 19

    def test_a_number_that_is_no_size_is_one(self, tmp_path: Path) -> None:
        (tmp_path / "manifest.json").write_text('{"size_bytes":1263}')
        with pytest.raises(SlideRefused):
            Search(self.NEEDLES)(tmp_path)

    def test_what_could_not_be_searched_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "shard").symlink_to("/etc/hostname")
        with pytest.raises(SlideRefused):
            Search(self.NEEDLES)(tmp_path)
