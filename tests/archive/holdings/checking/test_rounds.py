"""A check that was stopped goes on where it was, whoever stopped it, and no scan is read twice before all were once."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import HoldingsUnavailable
from archive.holdings.checking.rounds import OVERDUE_DAYS, Rounds
from archive.holdings.checking.running import Plan
from tests.archive.holdings.checking.conftest import TODAY, RunCheck
from tests.archive.server.taught import TaughtArchive

KEYS = sorted(new_key() for _ in range(90))


def read_some(path: Path, share: int, most: int, today: date = TODAY) -> list[InternalKey]:
    """Read at most so many scans of a round in a run of its own, and end the round if that was all."""
    rounds = Rounds(path)
    current, left = rounds.begin(f"1/{share}", KEYS, share, today)
    for key in left[:most]:
        rounds.note(key, current, today)
    if len(left) <= most:
        rounds.end(current)
    return left[:most]


def test_a_round_that_is_stopped_again_and_again_reads_every_scan_once(tmp_path: Path) -> None:
    read: list[InternalKey] = []
    while len(read) < len(KEYS):
        read += read_some(tmp_path / "checks.log", 1, 7)
    assert sorted(read) == KEYS
    assert read_some(tmp_path / "checks.log", 1, 999) != []  # the next round begins from the start


def test_thirty_thirtieths_read_everything_once_also_when_each_is_stopped_halfway(tmp_path: Path) -> None:
    read: list[InternalKey] = []
    for day in range(30):
        today = TODAY + timedelta(day)
        first = read_some(tmp_path / "checks.log", 30, 2, today)
        rest = read_some(tmp_path / "checks.log", 30, 99, today)
        assert (len(first), len(rest)) == (2, 1)
        read += first + rest
    assert sorted(read) == KEYS
    assert read_some(tmp_path / "checks.log", 30, 99) == read[:3], "what was read longest ago comes first again"


def test_another_part_begins_another_round(tmp_path: Path) -> None:
    first = read_some(tmp_path / "checks.log", 1, 10)
    second = read_some(tmp_path / "checks.log", 3, 99)
    assert len(second) == 30
    assert not set(first) & set(second)


def test_a_new_scan_is_read_before_those_that_were_read_already(tmp_path: Path) -> None:
    read_some(tmp_path / "checks.log", 1, 999)
    rounds, new = Rounds(tmp_path / "checks.log"), new_key()
    assert rounds.begin("1/91", [*KEYS, new], 91, TODAY)[1] == [new]


def test_scans_are_overdue_after_a_quarter_whether_or_not_they_were_ever_read(tmp_path: Path) -> None:
    path = tmp_path / "checks.log"
    read = read_some(path, 1, 10)
    assert Rounds(path).overdue(KEYS, TODAY + timedelta(OVERDUE_DAYS)) == []
    late = Rounds(path).overdue(KEYS, TODAY + timedelta(OVERDUE_DAYS + 1))
    assert sorted(late) == KEYS
    assert late[-10:] == read
    assert Rounds(path).never(KEYS) == 80
    assert Rounds(path).read_since(KEYS, TODAY, 30) == 10


def test_every_scan_is_read_within_ninety_days_by_a_thirtieth_a_day(tmp_path: Path) -> None:
    for day in range(120):
        today = TODAY + timedelta(day)
        read_some(tmp_path / "checks.log", 30, 99, today)
        assert Rounds(tmp_path / "checks.log").overdue(KEYS, today) == []


def test_a_damaged_line_makes_its_scan_due_again(tmp_path: Path) -> None:
    path = tmp_path / "checks.log"
    read_some(path, 1, 50)
    text = path.read_bytes()
    path.write_bytes(text.replace(KEYS[20].encode() + b'","2026-11-22",1', KEYS[20].encode() + b'","2026-11-23",1'))
    rounds = Rounds(path)
    assert rounds.damaged_lines == 1
    assert KEYS[20] in rounds.begin("1/1", KEYS, 1, TODAY)[1]


def test_the_record_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "checks.log"
    for _ in range(40):
        read_some(path, 1, 999)
    assert len(path.read_bytes().splitlines()) < 2_000
    assert read_some(path, 90, 999) == [KEYS[0]]


def test_one_check_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "checks.log"
    with Rounds(path).alone(), pytest.raises(HoldingsUnavailable, match="another check"), Rounds(path).alone():
        pass


def test_a_check_with_no_time_ends_at_once_and_the_next_one_goes_on(taught: TaughtArchive, run_check: RunCheck) -> None:
    for _ in range(3):
        taught.add()
    faults, checked = run_check(Plan(seconds=0.0))
    assert (faults, checked.scans, checked.left) == ([], 0, 3)
    faults, checked = run_check()
    assert (faults, checked.scans, checked.left) == ([], 3, 0)
