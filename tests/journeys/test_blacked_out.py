"""A label lies on the tissue of a slide that is held: it is made black, and comes back from nowhere."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from archive.geometry import Rectangle
from archive.holdings import PIXELS, Archive
from archive.holdings.place import Place
from archive.holdings.redacting import redact
from archive.pyramid.reader import Pyramid
from archive.pyramid.redaction import still_shown, touched
from tests.journeys.delivered import Delivered, deliver
from tests.journeys.laboratory import Laboratory
from tests.slides.seen import slide_of, with_label
from tests.slides.written import Written

SLIDE = "slide.svs"
WHY = ("--reason", "a label lies on the glass")
ALIKE = 0.6
"""Correlation from which a picture counts as found; tissue and black have less in common with a label."""


@pytest.fixture(scope="module")
def label() -> Written:
    return with_label()


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, label: Written) -> Path:
    """Write the scanner's file."""
    return slide_of(tmp_path_factory.mktemp("delivery") / SLIDE, label.picture)


@pytest.fixture(scope="module")
def delivered(tmp_path_factory: pytest.TempPathFactory, source: Path) -> Delivered:
    return deliver(Laboratory(tmp_path_factory.mktemp("laboratory")), source.parent, [SLIDE], ends=0)


def scan_of(delivered: Delivered) -> tuple[str, Path]:
    """Give the code of the scan, and its folder."""
    with Archive.open(delivered.laboratory.archive, read_only=True) as archive:
        (held,) = archive.slide(delivered.codes[SLIDE]).scans
        return str(held.code), archive.place.of_scan(held.record.key)


def likeness(folder: Path, label: Written) -> float:
    """Look for the label at every stored level, wherever it may be, and say how much alike the best place is."""
    x, y, width, height = label.place
    wanted = label.picture[y : y + height, x : x + width]
    best = 0.0
    with Pyramid.open(folder / PIXELS) as pyramid:
        for level in pyramid.levels:
            size = (round(width / level.downsample), round(height / level.downsample))
            small = cv2.resize(np.ascontiguousarray(wanted), size, interpolation=cv2.INTER_AREA)
            whole = level.read_region(0, 0, level.size.width, level.size.height)
            found = np.nan_to_num(cv2.matchTemplate(whole, small, cv2.TM_CCOEFF_NORMED), posinf=0, neginf=0)
            best = max(best, float(found.max()))
    return best


def rectangle(label: Written) -> str:
    return ",".join(map(str, label.place))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "name a SCAN"),
        (("CODE", "--resume"), "name a SCAN"),
        (("CODE",), "say what is to be black"),
        (("CODE", "--rectangle", "0,0,10"), "X,Y,WIDTH,HEIGHT"),
        (("CODE", "--rectangle", "9000,0,10,10"), "beyond the scan"),
        (("CODE", "--rectangle", "0,0,10,10"), "say why"),
        (("--dealt-with", "backup 00000000", "--reason", "shredded"), "no such holder"),
    ],
)
def test_a_wrong_call_is_told_and_changes_nothing(delivered: Delivered, words: tuple[str, ...], said: str) -> None:
    code, folder = scan_of(delivered)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    told = delivered.laboratory.run("redact", *(code if word == "CODE" else word for word in words), ends=1)
    assert said in told.err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_a_label_that_was_kept_is_made_black_and_comes_back_from_nowhere(
    delivered: Delivered, source: Path, label: Written, tmp_path: Path
) -> None:
    laboratory, (code, folder) = delivered.laboratory, scan_of(delivered)
    assert likeness(folder, label) > ALIKE
    backup = tmp_path / "disk" / "backup"
    laboratory.run("backup", backup)
    old = shutil.copytree(backup, tmp_path / "old")

    planned = laboratory.run("redact", code, "--rectangle", rectangle(label), "--dry-run")
    assert "Nothing was changed" in planned.out
    assert likeness(folder, label) > ALIKE

    done = laboratory.run("redact", code, "--rectangle", rectangle(label), *WHY)
    assert "the old version deleted" in done.out
    assert likeness(folder, label) < ALIKE
    laboratory.take_in(source, laboratory.home / "list.csv")  # known already, and nothing of it comes back
    assert scan_of(delivered) == (code, folder)
    assert likeness(folder, label) < ALIKE
    assert "blacked out at 1 place" in laboratory.run("show", delivered.codes[SLIDE]).out
    assert "no fault" in laboratory.run("check").out
    laboratory.run("audit", "verify")
    assert [one["scan"] for one in json.loads(laboratory.run("redact", "--owed", "--json").out)] == [code]
    assert "1 copy still shows" in laboratory.run("obligations", "list").out

    # Damage: the copy of before mends it and the scanner's file does, black as it was.
    shard = folder / PIXELS / "0/c/0/0/0"
    for words, said in ((("--from", old), "1 of 1 repaired"), (("--source", source), "whole again")):
        shard.unlink()
        laboratory.run("check", ends=4)
        assert said in laboratory.run("check", "--repair", *words).out
        assert likeness(folder, label) < ALIKE

    assert "deleted and made again" in laboratory.run("backup", backup, "--verify", "full").out
    assert json.loads(laboratory.run("redact", "--owed", "--json").out) == []
    (copy,) = Place(backup).scans.glob("??/*")
    assert likeness(copy, label) < ALIKE

    shutil.rmtree(laboratory.archive)
    laboratory.run("restore", backup, "--archive", laboratory.archive)
    assert likeness(scan_of(delivered)[1], label) < ALIKE
    assert "Nothing was left to do" in laboratory.run("redact", "--resume").out


def test_labels_of_real_slides_that_were_kept_are_made_black(real_slides: Path, tmp_path: Path) -> None:
    pictures = sorted((real_slides / "labels").glob("barcode_*"))
    labels = {f"{number}.svs": with_label(path) for number, path in enumerate(pictures)}
    (tmp_path / "delivery").mkdir()
    for name, label in labels.items():
        slide_of(tmp_path / "delivery" / name, label.picture)
    delivered = deliver(Laboratory(tmp_path / "laboratory"), tmp_path / "delivery", list(labels), ends=0)
    with Archive.open(delivered.laboratory.archive) as archive:
        for name, label in labels.items():
            (held,) = archive.slide(delivered.codes[name]).scans
            folder = archive.place.of_scan(held.record.key)
            assert likeness(folder, label) > ALIKE
            redact(archive, held.code, [Rectangle(*label.place)], reason="a test")
            assert likeness(folder, label) < ALIKE
    assert len(labels) > 3


def test_of_a_real_slide_only_what_is_touched_is_another(real_slides: Path, tmp_path: Path) -> None:
    name = "CMU-1-Small-Region.svs"
    delivered = deliver(Laboratory(tmp_path), real_slides / "aperio", [name], ends=0)
    with Archive.open(delivered.laboratory.archive) as archive:
        (held,) = archive.slide(delivered.codes[name]).scans
        folder = archive.place.of_scan(held.record.key) / PIXELS
        before = tiles(folder)
        places = [Rectangle(700, 900, 400, 300), Rectangle(0, 0, 60, held.record.size.height)]
        done = redact(archive, held.code, places, reason="a test")
    after = tiles(folder)
    changed = {place for place, stored in before.items() if after[place] != stored}
    with Pyramid.open(folder) as pyramid:
        assert changed == {
            (number, *place) for number, some in enumerate(touched(pyramid.layout, places)) for place in some
        }
    assert len(changed) == sum(done.tiles) < len(before) / 2
    assert not still_shown(folder, places)


def tiles(folder: Path) -> dict[tuple[int, int, int], bytes | None]:
    """Give every stored tile by level, column and row."""
    with Pyramid.open(folder) as pyramid:
        return {
            (level.index, column, row): level.encoded_tile(column, row)
            for level in pyramid.levels
            for row in range(level.rows)
            for column in range(level.columns)
        }
