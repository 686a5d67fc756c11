"""A laboratory's night: a check on the command line, damage, a mark, and two ways to put it right."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archive.holdings import PIXELS, Archive
from archive.holdings.place import Place
from archive.records import ScanRecord, ScanStatus
from tests.journeys.delivered import Delivered, deliver
from tests.journeys.laboratory import ROOT, Laboratory
from tests.slides.generic import make_tiff
from tests.slides.svs import make_svs

COPIED, LOSSLESS = "copied.svs", "lossless.tif"


@pytest.fixture
def delivered(tmp_path: Path) -> Delivered:
    """Take in a slide whose tiles are copied and one whose pixels are decoded, both with two levels."""
    delivery = tmp_path / "delivery"
    delivery.mkdir()
    make_svs(delivery / COPIED, width=900, height=700, tile=(128, 128), factors=(1, 4))
    make_tiff(delivery / LOSSLESS, "deflate", width=600, height=500, tile=(128, 128), factors=(1, 4))
    return deliver(Laboratory(tmp_path), delivery, [COPIED, LOSSLESS], ends=0)


def scan_of(delivered: Delivered, name: str) -> ScanRecord:
    with Archive.open(delivered.laboratory.archive, read_only=True) as archive:
        (held,) = archive.slide(delivered.codes[name]).scans
    return held.record


def shard(delivered: Delivered, name: str, level: int = 0) -> Path:
    place = Place(delivered.laboratory.archive)
    return place.of_scan(scan_of(delivered, name).key) / PIXELS / f"{level}/c/0/0/0"


def faults(laboratory: Laboratory, *more: object, ends: int) -> list[dict[str, object]]:
    return [json.loads(line) for line in laboratory.run("check", "--json", *more, ends=ends).out.splitlines()]


def test_a_laboratory_without_a_fault(delivered: Delivered) -> None:
    laboratory = delivered.laboratory
    assert "2 scans" in laboratory.run("check").out
    assert "no fault" in laboratory.run_archive("check").out
    assert faults(laboratory, ends=0) == []
    status = json.loads(laboratory.run("check", "--status", "--json").out)
    assert (status["scans"], status["read_within_30_days"], status["overdue"]) == (2, 2, [])


@pytest.mark.parametrize("name", [COPIED, LOSSLESS])
def test_damage_is_told_marked_and_repaired_from_the_source_file(delivered: Delivered, name: str) -> None:
    laboratory = delivered.laboratory
    original = shard(delivered, name).read_bytes()
    shard(delivered, name).write_bytes(original[:700] + b"damage" + original[706:])
    shard(delivered, name, level=1).unlink()
    found = faults(laboratory, ends=4)
    assert {"tile-damaged", "file-missing"} == {fault["code"] for fault in found}
    (tile,) = [fault for fault in found if fault["code"] == "tile-damaged"]
    assert (tile["level"], tile["column"], tile["row"]) == (0, 0, 0)
    assert scan_of(delivered, name).status is ScanStatus.DAMAGED
    shown = laboratory.run("show", delivered.codes[name]).out
    assert "damaged" in shown
    assert "coverslip check" in shown

    other = COPIED if name == LOSSLESS else LOSSLESS
    source = laboratory.home / "delivery"
    said = laboratory.run("check", "--repair", "--source", source / name)
    assert "whole again" in said.out
    assert name not in said.everything
    assert shard(delivered, name).read_bytes() == original
    assert scan_of(delivered, name).status is ScanStatus.KEPT
    assert faults(laboratory, ends=0) == []
    assert "0 files put back, whole again" in laboratory.run("check", "--repair", "--source", source / other).out


def test_a_file_that_no_scan_was_made_of_repairs_nothing(delivered: Delivered) -> None:
    make_svs(delivered.laboratory.home / "other.svs", width=300, height=300)
    said = delivered.laboratory.run("check", "--repair", "--source", delivered.laboratory.home / "other.svs", ends=1)
    assert "no scan of this very file" in said.err


def test_damage_is_repaired_from_a_second_copy_and_what_is_damaged_there_too_is_said(delivered: Delivered) -> None:
    laboratory = delivered.laboratory
    copy = laboratory.home / "copy"
    shutil.copytree(laboratory.archive / "scans", copy / "scans")
    for name in (COPIED, LOSSLESS):
        shard(delivered, name).write_bytes(b"")
    place = shard(delivered, LOSSLESS).relative_to(laboratory.archive)
    (copy / place).unlink()
    assert {fault["code"] for fault in faults(laboratory, ends=4)} == {"file-empty"}
    said = laboratory.run("check", "--repair", "--from", copy, ends=4)
    assert "1 of 2 repaired" in said.out
    assert [fault["code"] for fault in faults(laboratory, ends=4)] == ["file-empty"]


@pytest.mark.parametrize(
    "words",
    [
        ("--subset", "2/30"),
        ("--subset", "1/0"),
        ("--max-duration", "soon"),
        ("--max-duration", "0s"),
        ("--repair",),
        ("--from", "copy"),
        ("--source", "slide.svs"),
        ("--repair", "--from", "nowhere"),
    ],
)
def test_a_wrong_call_is_one_sentence(delivered: Delivered, words: tuple[str, ...]) -> None:
    said = delivered.laboratory.run("check", *words, ends=1)
    assert said.err.startswith("coverslip: ")
    assert len(said.err.splitlines()) == 1


def test_no_archive_is_no_whole_archive(tmp_path: Path) -> None:
    said = Laboratory(tmp_path).run_archive("check", ends=1)
    assert "there is no archive in this folder" in said.err


def test_a_check_that_is_killed_goes_on_where_it_was(delivered: Delivered) -> None:
    """Kill checks at ever later moments; whatever was noted is not read again, and the round ends once."""
    laboratory = delivered.laboratory
    laboratory.run_archive("check")
    log = laboratory.archive / "checks.log"
    command = [sys.executable, "-m", "archive", "check", "--archive", str(laboratory.archive)]
    for tenths in (3, 6, 9, 12):
        running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        time.sleep(tenths / 10)
        running.send_signal(signal.SIGKILL)
        running.wait()
    laboratory.run_archive("check")
    lines = [json.loads(line.split(b" ", 1)[1]) for line in log.read_bytes().splitlines()]
    begun = [line[1] for line in lines if line[0] == "round"]
    assert begun == sorted(set(begun))
    for number in begun:
        read = [line[1] for line in lines if line[0] == "scan" and line[3] == number]
        assert len(read) == len(set(read)) == 2
