"""A file has settled when it has been seen unchanged for long enough, by our own clock."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.pipeline.watching import Settling


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settling(clock: Clock) -> Settling:
    return Settling(30, clock)


def looks(settling: Settling, clock: Clock, folder: Path, path: Path, *at: float) -> Iterator[bool]:
    for moment in at:
        clock.now = 1000 + moment
        settling.look(folder)
        yield settling.is_settled(path)


def test_a_file_settles_after_the_settling_time(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "a.svs"
    path.write_bytes(b"whole")
    assert list(looks(settling, clock, tmp_path, path, 0, 5, 29.9, 30, 31)) == [False, False, False, True, True]


def test_one_look_is_not_enough_however_old_a_file_is(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "a.svs"
    path.write_bytes(b"whole")
    os.utime(path, (0, 0))
    assert list(looks(Settling(0, clock), clock, tmp_path, path, 0, 0)) == [False, True]
    assert list(looks(settling, clock, tmp_path, path, 0, 1)) == [False, False]


@pytest.mark.parametrize("change", ["size", "time back", "time ahead"])
def test_any_change_starts_again(settling: Settling, clock: Clock, tmp_path: Path, change: str) -> None:
    path = tmp_path / "a.svs"
    path.write_bytes(b"half")
    kept = path.stat().st_mtime_ns
    assert list(looks(settling, clock, tmp_path, path, 0, 29)) == [False, False]
    if change == "size":
        path.write_bytes(b"whole")
        os.utime(path, ns=(kept, kept))
    else:
        os.utime(path, ns=(0, 0 if change == "time back" else kept + 10**15))
    assert list(looks(settling, clock, tmp_path, path, 30, 59, 60)) == [False, False, True]


def test_a_file_that_went_away_and_came_back_is_a_new_one(settling: Settling, clock: Clock, tmp_path: Path) -> None:
    path, away = tmp_path / "a.svs", tmp_path / ".a.svs"
    path.touch()
    assert list(looks(settling, clock, tmp_path, path, 0, 30)) == [False, True]
    path.rename(away)
    assert list(looks(settling, clock, tmp_path, path, 35)) == [False]
    away.rename(path)
    assert list(looks(settling, clock, tmp_path, path, 40, 69, 70)) == [False, False, True]


def test_what_is_hidden_or_being_written_or_no_file_is_not_there(tmp_path: Path) -> None:
    deep = tmp_path / "monday" / "scanner 2"
    deep.mkdir(parents=True)
    for name in (".a.svs.Xy12", "a.svs.part", "a.svs.FILEPART", "~$list.csv", "b.svs", "monday/scanner 2/c.svs"):
        (tmp_path / name).touch()
    (tmp_path / ".Trash").mkdir()
    (tmp_path / ".Trash" / "d.svs").touch()
    (tmp_path / "link.svs").symlink_to(tmp_path / "b.svs")
    (tmp_path / "way out").symlink_to(tmp_path.parent)
    os.mkfifo(tmp_path / "pipe.svs")
    settling = Settling(0)
    settling.look(tmp_path)
    assert settling.files == (tmp_path / "b.svs", deep / "c.svs")


def test_a_list_elsewhere_is_looked_at_too(tmp_path: Path) -> None:
    folder, delivery = tmp_path / "incoming", tmp_path / "list.csv"
    folder.mkdir()
    delivery.touch()
    settling = Settling(0)
    settling.look(folder, also=[delivery, tmp_path / "not there"])
    assert settling.files == (delivery,)


def test_a_folder_that_is_not_there_is_an_error_and_all_starts_again(clock: Clock, tmp_path: Path) -> None:
    folder, settling = tmp_path / "share", Settling(0, clock)
    folder.mkdir()
    (folder / "a.svs").touch()
    settling.look(folder)
    away = folder.rename(tmp_path / "away")
    with pytest.raises(FileNotFoundError):
        settling.look(folder)
    assert settling.files == ()
    away.rename(folder)
    settling.look(folder)
    assert not settling.is_settled(folder / "a.svs")


def test_ten_thousand_files_are_looked_through_quickly(tmp_path: Path) -> None:
    for number in range(10_000):
        (tmp_path / f"{number}.svs").touch()
    settling = Settling(0)
    settling.look(tmp_path)
    begun = time.process_time()
    settling.look(tmp_path)
    assert time.process_time() - begun < 1.0
    assert sum(map(settling.is_settled, settling.files)) == 10_000
