"""Re-reading what was stored: the verifier says yes to what is right and no to every planted fault."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from zarr.storage import LocalStore, MemoryStore

from archive.errors import DamagedPyramid, InvalidValue
from archive.geometry import Size
from archive.pyramid.jpeg import HeaderReader
from archive.pyramid.layout import Coding, LevelLayout, Origin, read_layout, shard_key
from archive.pyramid.shard import ShardGrid
from archive.pyramid.verify import LevelCheck, SourceFile, sample_tiles, verify_level
from archive.pyramid.writer import LevelWriter
from tests.archive.pyramid.conftest import StoredScan, as_stored, jpeg, picture, tiles_of

TILE = Size(64, 64)


def one_level(folder: Path, change: Callable[[bytes], bytes] = lambda tile: tile) -> LevelLayout:
    """Store a 3 x 2 level whose second tile is changed on its way."""
    layout = LevelLayout(Size(192, 128), TILE, Coding.JPEG, Origin.COPIED, ShardGrid(3, 1))
    with LevelWriter(LocalStore(folder), 0, layout) as writer:
        for column, row, cut in tiles_of(picture(192, 128), TILE):
            tile = as_stored(jpeg(cut))
            writer.add(column, row, change(tile) if (column, row) == (1, 0) else tile)
    return layout


def source_of(folder: Path, layout: LevelLayout) -> tuple[Path, np.ndarray]:
    """Write a source file that holds the entropy-coded data of the level's tiles, and say where."""
    body, places = b"head", np.zeros((layout.rows, layout.columns, 1, 2), np.int64)
    for column, row, cut in tiles_of(picture(192, 128), TILE):
        tile = as_stored(jpeg(cut))
        data = tile[HeaderReader().read(tile).length : -2]
        places[row, column] = len(body), len(data)
        body += data + b"\xff\xd9"
    (folder / "source").write_bytes(body)
    return folder / "source", places


def test_a_right_level_is_compared_tile_by_tile_with_its_source(tmp_path: Path) -> None:
    layout = one_level(tmp_path / "scan")
    path, places = source_of(tmp_path, layout)
    with SourceFile(path) as source:
        assert verify_level(tmp_path / "scan", 0, layout, source, places) == LevelCheck(6, 0, 6)
    assert verify_level(tmp_path / "scan", 0, layout) == LevelCheck(6, 0, 0)


def test_a_source_of_several_files_is_compared_as_if_they_lay_end_to_end(tmp_path: Path) -> None:
    layout = one_level(tmp_path / "scan")
    path, places = source_of(tmp_path, layout)
    body, bounds = path.read_bytes(), [0, int(places[0, 2, 0, 0]), int(places[1, 1, 0, 0])]
    files = [tmp_path / f"part {number}" for number in range(3)]
    for file, begin, end in zip(files, bounds, (*bounds[1:], len(body)), strict=True):
        file.write_bytes(body[begin:end])
    with SourceFile(*files) as source:
        assert verify_level(tmp_path / "scan", 0, layout, source, places) == LevelCheck(6, 0, 6)
        assert [source.read(*place) for place in ((len(body), 1), (-1, 1), (2**62, 1))] == [b"", b"", b""]
    with SourceFile(*reversed(files)) as source, pytest.raises(DamagedPyramid, match="the source's own"):
        verify_level(tmp_path / "scan", 0, layout, source, places)


@pytest.mark.parametrize("coding", list(Coding))
def test_both_codings_are_read_whole(stored_scan: StoredScan, coding: Coding) -> None:
    folder = stored_scan(picture(300, 200), coding=coding, absent=((2, 1),))
    assert verify_level(folder, 0, read_layout(folder).levels[0]) == LevelCheck(19, 1, 0)


OTHER = {
    "another picture": lambda tile: as_stored(jpeg(picture(64, 64, seed=9))),
    "a comment in its header": lambda tile: tile[:2] + b"\xff\xfe\x00\x06name" + tile[2:],
    "bytes after its end": lambda tile: tile + b"DOE^JANE\xff\xd9",
    "another size": lambda tile: as_stored(jpeg(picture(32, 64))),
    "a marker in its scan": lambda tile: tile[:-2] + b"\xff\xfe\x00\x06name\xff\xd9",
    "no JPEG": lambda tile: b"name" * 100,
    "JFIF": lambda tile: jpeg(picture(64, 64)),
    "grey": lambda tile: jpeg(picture(64, 64)[..., 0]),
}


@pytest.mark.parametrize("fault", OTHER)
def test_a_tile_that_is_not_the_sources_own_is_noticed(tmp_path: Path, fault: str) -> None:
    layout = one_level(tmp_path / "scan", OTHER[fault])
    path, places = source_of(tmp_path, layout)
    with SourceFile(path) as source, pytest.raises(DamagedPyramid, match="level 0, tile 1, 0"):
        verify_level(tmp_path / "scan", 0, layout, source, places)


def test_a_tile_that_is_missing_is_noticed(stored_scan: StoredScan, tmp_path: Path) -> None:
    folder = stored_scan(picture(192, 128), absent=((1, 0),))
    layout = read_layout(folder).levels[0]
    path, places = source_of(tmp_path, layout)
    with SourceFile(path) as source, pytest.raises(DamagedPyramid, match="expected a tile, found none"):
        verify_level(folder, 0, layout, source, places)


@pytest.mark.parametrize("harm", ["missing", "empty", "flipped", "longer"])
def test_a_harmed_shard_is_noticed(tmp_path: Path, harm: str) -> None:
    layout = one_level(tmp_path)
    shard = tmp_path / shard_key(0, 0, 1)
    whole = bytearray(shard.read_bytes())
    if harm == "missing":
        shard.unlink()
    else:
        whole[200] ^= 1
        shard.write_bytes({"empty": b"", "flipped": bytes(whole), "longer": bytes(whole) + b"DOE"}[harm])
    with pytest.raises(DamagedPyramid):
        verify_level(tmp_path, 0, layout)


def test_tiles_are_written_from_top_to_bottom_and_inside_their_level(tmp_path: Path) -> None:
    layout = LevelLayout(Size(192, 128), TILE, Coding.JPEG, Origin.COPIED, ShardGrid(3, 1))
    for wrong in [(0, 2), (3, 0), (-1, 0)]:
        with LevelWriter(MemoryStore(), 0, layout) as writer, pytest.raises(InvalidValue):
            writer.add(*wrong, b"tile")
    with LevelWriter(MemoryStore(), 0, layout) as writer:
        writer.add(0, 1, b"tile")
        with pytest.raises(InvalidValue):
            writer.add(0, 0, b"tile")


def test_a_level_may_be_written_to_any_zarr_store() -> None:
    store: dict[str, object] = {}
    layout = LevelLayout(Size(192, 128), TILE, Coding.JPEG, Origin.COPIED, ShardGrid(2, 1))
    with LevelWriter(MemoryStore(store), 3, layout) as writer:
        writer.add(0, 0, b"tile")
    assert sorted(store) == ["3/c/0/0/0", "3/c/0/0/1", "3/c/0/1/0", "3/c/0/1/1"]


def test_a_closer_look_takes_corners_and_others_without_repeating() -> None:
    layout = LevelLayout(Size(6400, 6400), TILE, Coding.JPEG, Origin.COPIED, ShardGrid(10, 10))
    chosen = sample_tiles(layout, 64)
    assert len(chosen) == len(set(chosen)) == 64
    assert {(0, 0), (99, 0), (0, 99), (99, 99)} <= set(chosen)
    assert len(sample_tiles(LevelLayout(Size(65, 1), TILE, Coding.JPEG, Origin.COPIED, ShardGrid(1, 1)), 64)) == 2


def in_two_runs(folder: Path) -> tuple[LevelLayout, Path, np.ndarray]:
    """Store tiles of two restart intervals, whose source holds them apart and under other markers."""
    layout = LevelLayout(Size(192, 128), TILE, Coding.JPEG, Origin.COPIED, ShardGrid(3, 1))
    body, places = b"head", np.zeros((layout.rows, layout.columns, 2, 2), np.int64)
    with LevelWriter(LocalStore(folder / "scan"), 0, layout) as writer:
        for column, row, cut in tiles_of(picture(192, 128), TILE):
            tile = as_stored(jpeg(cut, restart_marker_blocks=8))
            writer.add(column, row, tile)
            for number, run in enumerate(tile[HeaderReader().read(tile).length : -2].split(b"\xff\xd0")):
                places[row, column, number] = len(body), len(run)
                body += run + b"\xff\xd5"
    (folder / "source").write_bytes(body)
    return layout, folder / "source", places


def test_a_tile_of_several_runs_is_compared_run_by_run(tmp_path: Path) -> None:
    layout, path, places = in_two_runs(tmp_path)
    with SourceFile(path) as source:
        assert verify_level(tmp_path / "scan", 0, layout, source, places) == LevelCheck(6, 0, 6)


def swapped(places: np.ndarray) -> None:
    places[0, 1] = places[0, 1, ::-1].copy()


def shifted(places: np.ndarray) -> None:
    places[0, 1, 1, 0] += 1


def below_nothing(places: np.ndarray) -> None:
    places[0, 1, :, 1] = -(2**40), places[0, 1, :, 1].sum() + 2**40


@pytest.mark.parametrize("harm", [swapped, shifted, below_nothing])
def test_runs_that_are_not_the_sources_are_noticed(tmp_path: Path, harm: Callable[[np.ndarray], None]) -> None:
    layout, path, places = in_two_runs(tmp_path)
    harm(places)
    with SourceFile(path) as source, pytest.raises(DamagedPyramid, match="level 0, tile 1, 0"):
        verify_level(tmp_path / "scan", 0, layout, source, places)
