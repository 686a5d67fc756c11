"""A slide on which something is written waits for a person before it is kept, and what is made black is gone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

import cv2
import numpy as np
import psutil
import pytest
from typer.testing import CliRunner

from archive.codes import new_key
from archive.consent import Facts, MightIdentify
from archive.consent.records import ConsentRecord
from archive.consent.terms import Grade
from archive.holdings import Archive
from archive.holdings.consenting import Subject, record
from archive.holdings.place import PIXELS
from archive.records import HeldScan, Stain
from ingest.cli.main import app
from ingest.delivery import Row
from ingest.errors import Reason
from ingest.pipeline import screening as at_ingest
from ingest.pipeline.batch import Delivered, Outcome, ingest_batch
from ingest.pipeline.looking import Watch, nobody
from ingest.pipeline.rescreening import due
from ingest.pipeline.seen import seen_on
from ingest.pipeline.slide import Intake
from ingest.quarantine.register import Entry
from ingest.quarantine.waiting import Quarantine
from ingest.sandbox import Limits
from ingest.screening import VERSION, Kind, Screening, draw, overview
from ingest.screening import screener as screening_process
from ingest.screening.views import borders
from tests.ingest.pipeline.conftest import LIVING, Laboratory
from tests.journeys.laboratory import ROOT
from tests.slides.seen import SEEN, slide_of, with_label, with_paper, with_writing
from tests.slides.tissue import tissue

BLACK = 24
"""Brightness, of 255, that nothing in a place that was made black exceeds: JPEG is not exact at its edges."""

CLEAN = tissue(600, 460, seed=2)


def deliver(laboratory: Laboratory, path: Path, screen: bool = True, watch: Watch = nobody) -> Outcome:
    """Take a file in as a delivery does, which notes what came of it."""
    file, case = PurePosixPath(path.name), f"S26-{path.stem}"
    row = Row(number=2, file=file, patient=f"H-{path.stem}", case=case, block="A1", stain=Stain.HE)
    intake = Intake(laboratory.archive, laboratory.vault, screen=screen, watch=watch)
    (outcome,) = ingest_batch([Delivered(path, row, LIVING)], intake)
    return outcome


def held(archive: Archive, outcome: Outcome) -> HeldScan:
    assert outcome.receipt is not None
    assert outcome.receipt.scan is not None
    scan = archive.scan(outcome.receipt.scan)
    assert scan is not None
    return scan


def the_one(laboratory: Laboratory) -> Entry:
    (entry,) = Quarantine(laboratory.vault).entries()
    return entry


def overlaps(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    across = one[0] < other[0] + other[2] and other[0] < one[0] + one[2]
    return across and one[1] < other[1] + other[3] and other[1] < one[1] + one[3]


def brightest(archive: Archive, scan: HeldScan, place: tuple[int, int, int, int]) -> list[int]:
    """Give the brightest value in a place at each level."""
    x, y, width, height = place
    with archive.open_pyramid(scan.record.key) as pyramid:
        values = []
        for level in pyramid.levels:
            factor = pyramid.size.width / level.size.width
            region = [int(side / factor) for side in (x, y, width, height)]
            values.append(int(level.read_region(*region).max()))
    return values


def test_a_clean_slide_is_graded_when_it_is_taken_in(laboratory: Laboratory, tmp_path: Path) -> None:
    outcome = deliver(laboratory, slide_of(tmp_path / "clean.svs", CLEAN))
    scan = held(laboratory.archive, outcome)
    assert (scan.record.might_identify, scan.record.rescreen) == (MightIdentify.screened(VERSION), False)
    assert outcome.receipt is not None
    told = outcome.receipt.as_json()["screened"]
    assert (told["grade"], told["whole"], told["seen"], told["black_out"]) == (f"no (screened, {VERSION})", True, {}, 0)
    assert told["seconds"] > 0


@pytest.mark.parametrize("reason", SEEN)
def test_what_is_seen_waits_where_it_is_and_is_gone_when_it_was_made_black(
    laboratory: Laboratory, tmp_path: Path, reason: Reason
) -> None:
    one = SEEN[reason]()
    path = slide_of(tmp_path / "named.svs", one.picture)
    assert deliver(laboratory, path).reason is reason
    assert laboratory.archive.slides() == ()
    assert list(laboratory.archive.place.staging.iterdir()) == []
    entry = the_one(laboratory)
    seen = seen_on(entry)
    assert seen is not None
    assert (seen.size.width, seen.size.height) == (one.picture.shape[1], one.picture.shape[0])
    assert any(overlaps(spot.place.sides, one.place) for spot in seen.spots)

    places = seen.places(12)
    Quarantine(laboratory.vault).black_out(entry.number, places, "dr.curator", "seen at the desk")
    outcome = deliver(laboratory, path)
    scan = held(laboratory.archive, outcome)
    assert (str(scan.record.might_identify), scan.record.rescreen) == (f"no (screened, {VERSION})", False)
    assert laboratory.archive.redactions_of(scan.record.key) == tuple(sorted(places))
    for place in places:
        assert max(brightest(laboratory.archive, scan, place.sides)) <= BLACK
    assert outcome.receipt is not None
    assert outcome.receipt.as_json()["screened"]["black_out"] == len(places)


def test_what_is_seen_besides_what_was_made_black_waits_again(laboratory: Laboratory, tmp_path: Path) -> None:
    path = slide_of(tmp_path / "named.svs", with_writing().picture)
    deliver(laboratory, path)
    quarantine, number = Quarantine(laboratory.vault), the_one(laboratory).number
    elsewhere = CliRunner().invoke(
        app("quarantine"),
        ["quarantine", "black-out", number, "--rectangle", "0,0,20,20", "--reason", "a corner"],
        env={"COVERSLIP_ARCHIVE": str(laboratory.archive.place.root)},
    )
    assert elsewhere.exit_code == 0, elsewhere.output
    assert quarantine.entry(number).state == "released"
    assert deliver(laboratory, path, screen=False).reason is Reason.WRITING_IN_PICTURE, "it is looked at in any case"
    assert quarantine.entry(number).state == "waits"
    assert [str(place) for _, place in quarantine.entry(number).black_out] == ["0,0,20,20"]


def test_a_person_who_releases_a_slide_attests_nothing(laboratory: Laboratory, tmp_path: Path) -> None:
    path = slide_of(tmp_path / "named.svs", with_writing().picture)
    deliver(laboratory, path)
    assert deliver(laboratory, path, screen=False).reason is Reason.WRITING_IN_PICTURE, "later is no way round"
    Quarantine(laboratory.vault).release_by_hand(the_one(laboratory).number, "dr.curator", "the scanner's scale bar")
    outcome = deliver(laboratory, path, screen=False)
    scan = held(laboratory.archive, outcome)
    assert (scan.record.might_identify.grade, scan.record.rescreen) == (Grade.UNASSESSED, False)
    assert not list(due(laboratory.archive))
    assert outcome.receipt is not None
    assert outcome.receipt.as_json()["screened"]["seen"]["text"] >= 1


def _refused_and_taken_back(laboratory: Laboratory, path: Path) -> None:
    quarantine, number = Quarantine(laboratory.vault), the_one(laboratory).number
    quarantine.refuse(number, "dr.curator", "not one of ours")
    quarantine.release_by_hand(number, "dr.curator", "it is one of ours")


def _without_a_row(laboratory: Laboratory, path: Path) -> None:
    (outcome,) = ingest_batch([Delivered(path, None)], Intake(laboratory.archive, laboratory.vault, screen=True))
    assert outcome.reason is Reason.NO_ROW


def _delivered_anew(laboratory: Laboratory, path: Path) -> None:
    os.utime(path, (1, 1))


def _ordered_black_and_delivered_anew(laboratory: Laboratory, path: Path) -> None:
    entry = the_one(laboratory)
    places = seen_on(entry)
    assert places is not None
    Quarantine(laboratory.vault).black_out(entry.number, places.places(12), "dr.curator", "seen at the desk")
    _delivered_anew(laboratory, path)


@pytest.mark.parametrize(
    "meanwhile", [_refused_and_taken_back, _without_a_row, _delivered_anew, _ordered_black_and_delivered_anew]
)
def test_whatever_comes_between_a_slide_that_waited_is_not_taken_without_a_look(
    laboratory: Laboratory, tmp_path: Path, meanwhile: Callable[[Laboratory, Path], None]
) -> None:
    path = slide_of(tmp_path / "named.svs", with_writing().picture)
    deliver(laboratory, path)
    meanwhile(laboratory, path)
    assert deliver(laboratory, path, screen=False).reason is Reason.WRITING_IN_PICTURE


@pytest.mark.parametrize(("act", "left"), [("refuse", "refused"), ("black-out", "released")])
def test_what_a_person_decides_while_a_slide_is_taken_in_counts(
    laboratory: Laboratory, tmp_path: Path, act: str, left: str
) -> None:
    path = slide_of(tmp_path / "named.svs", with_writing().picture)
    deliver(laboratory, path)
    quarantine, number, places = Quarantine(laboratory.vault), the_one(laboratory).number, seen_on(the_one(laboratory))
    assert places is not None
    quarantine.release_by_hand(number, "dr.curator", "the scanner's scale bar")

    def decide(step: str, told: object) -> None:
        if step == "prove" and act == "refuse":
            quarantine.refuse(number, "dr.curator", "it is a name after all")
        elif step == "prove":
            quarantine.black_out(number, places.places(12), "dr.curator", "it is a name after all")

    outcome = deliver(laboratory, path, watch=decide)
    assert outcome.reason is Reason.REFUSED_BY_HAND
    assert laboratory.archive.slides() == ()
    assert quarantine.entry(number).state == left
    if act == "black-out":
        assert "ingest it again" in outcome.sentence
        assert laboratory.archive.redactions_of(held(laboratory.archive, deliver(laboratory, path)).record.key)


def test_who_released_paper_did_not_release_the_writing_beside_it(laboratory: Laboratory, tmp_path: Path) -> None:
    both = with_paper().picture.copy()
    line = cv2.putText(np.full((70, 480, 3), 255, np.uint8), "HARGREAVES 4711", (10, 48), 2, 1.4, (20, 20, 30), 3)
    both[440:510, 200:680] = line
    path = slide_of(tmp_path / "both.svs", both)
    deliver(laboratory, path)
    entry = the_one(laboratory)
    seen = seen_on(entry)
    assert seen is not None
    assert {spot.kind for spot in seen.spots} >= {Kind.TEXT, Kind.STICKER}
    Quarantine(laboratory.vault).release_by_hand(entry.number, "dr.curator", "a blank sticker")
    assert entry.reason is Reason.WRITING_IN_PICTURE
    assert deliver(laboratory, path).reason is Reason.STICKER_IN_PICTURE


@pytest.mark.parametrize("by_list", [False, True])
def test_who_attested_for_a_case_did_not_see_what_came_later(
    laboratory: Laboratory, tmp_path: Path, by_list: bool
) -> None:
    looked_at = Facts(might_identify=MightIdentify(Grade.NO_PERSON))
    facts = replace(LIVING, might_identify=looked_at.might_identify) if by_list else LIVING
    intake = Intake(laboratory.archive, laboratory.vault, screen=False)

    def take(path: Path, number: int) -> Outcome:
        row = Row(
            number=number, file=PurePosixPath(path.name), patient="H-1", case="S-1", block=f"A{number}", stain=Stain.HE
        )
        (outcome,) = ingest_batch([Delivered(path, row, facts)], intake)
        return outcome

    first = take(slide_of(tmp_path / "clean.svs", CLEAN), 1)
    assert first.receipt is not None
    if not by_list:
        case = laboratory.archive.slide(first.receipt.slide_code).record.case
        said = ConsentRecord(by="dr.curator", established=looked_at, tells=frozenset({"might_identify"}))
        record(laboratory.archive, Subject(case=case), new_key(), said, reason="looked at every slide")
    second = take(slide_of(tmp_path / "named.svs", with_writing().picture), 2)
    assert second.reason is (None if by_list else Reason.WRITING_IN_PICTURE), "a list tells of this very slide"


def test_later_is_due_at_night(laboratory: Laboratory, tmp_path: Path) -> None:
    outcome = deliver(laboratory, slide_of(tmp_path / "named.svs", with_writing().picture), screen=False)
    assert outcome.receipt is not None
    assert outcome.receipt.as_json()["screened"] is None
    assert [scan.record.key for scan in due(laboratory.archive)] == [outcome.receipt.scan]


def test_views_of_a_large_slide_come_out_of_the_jail_as_they_are(laboratory: Laboratory, tmp_path: Path) -> None:
    """They are megabytes each, and there are eight of them at most."""
    path = slide_of(tmp_path / "large.svs", np.tile(tissue(650, 500, seed=2), (4, 4, 1)))
    scan = held(laboratory.archive, deliver(laboratory, path, screen=False))
    with laboratory.archive.open_pyramid(scan.record.key) as pyramid:
        layouts, folder = [level.layout for level in pyramid.levels], laboratory.archive.place.of_scan(scan.record.key)
        views = 2 * (overview(pyramid.size), *borders(pyramid.size))
        with at_ingest.Drawing(folder / PIXELS, layouts, (), False) as drawing:
            for view in views:
                assert np.array_equal(drawing.draw(view), draw(pyramid.levels, view))


def test_ink_alone_is_kept_and_told(laboratory: Laboratory, tmp_path: Path) -> None:
    picture = cv2.ellipse(CLEAN.copy(), (300, 230), (150, 100), 20, 0, 350, (20, 110, 60), 14, cv2.LINE_AA)
    scan = held(laboratory.archive, deliver(laboratory, slide_of(tmp_path / "ink.svs", np.asarray(picture, np.uint8))))
    assert str(scan.record.might_identify) == f"no (screened, {VERSION}-pen)"


def _no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening_process, "CPU_SECONDS", 0.01)


def _never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening_process, "VIEW_CPU_SECONDS", 0.05)


def _no_memory_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Limits(memory_bytes=1 << 20, cpu_seconds=120, wall_seconds=900.0)
    monkeypatch.setattr(at_ingest, "LIMITS", small)


@pytest.mark.parametrize("trouble", [_no_time, _never_ends, _no_memory_to_draw])
def test_a_slide_that_could_not_be_looked_at_whole_is_kept_and_shut(
    laboratory: Laboratory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Callable[[pytest.MonkeyPatch], None],
) -> None:
    path = slide_of(tmp_path / "clean.svs", tissue(1290, 300, seed=2))
    trouble(monkeypatch)
    scan = held(laboratory.archive, deliver(laboratory, path))
    assert (scan.record.might_identify.grade, scan.record.rescreen) == (Grade.UNASSESSED, True)
    assert [one.record.key for one in due(laboratory.archive)] == [scan.record.key]


def test_a_real_label_that_the_scanner_caught_waits(laboratory: Laboratory, tmp_path: Path, real_slides: Path) -> None:
    label = sorted((real_slides / "labels").iterdir())[0]
    path = slide_of(tmp_path / "caught.svs", with_label(label).picture)
    assert deliver(laboratory, path).reason in SEEN


def test_the_command_looks_unless_it_is_told_to_do_so_later(tmp_path: Path) -> None:
    slide_of(tmp_path / "named.svs", with_writing().picture)
    (tmp_path / "list.csv").write_text(
        "file,patient,case,block,stain,tissue\nnamed.svs,H-1000001,S26-0001,A1,HE,living\n"
    )
    environment = {"COVERSLIP_ARCHIVE": str(tmp_path / "archive")}
    words = ["ingest", str(tmp_path / "named.svs"), "--delivery", str(tmp_path / "list.csv"), "--screen", "now"]
    planned = CliRunner().invoke(app("ingest"), [*words, "--dry-run"], env=environment).stdout
    assert "row 2: would be kept by row K1 of the rules: 760 x 560 px, 2 levels; 3 pictures and " in planned
    assert "1 would be kept, 0 refused. Nothing was written.\nWriting in a picture is looked for only when" in planned
    refused = CliRunner().invoke(app("ingest"), words, env=environment)
    assert refused.exit_code == 3
    listed = CliRunner().invoke(app("quarantine"), ["quarantine", "list", "--json"], env=environment)
    (entry,) = json.loads(listed.stdout)
    assert entry["reason"] == "writing-in-picture"
    asked = ["find", "S26-0001", "--purpose", "a test", "--json"]
    found = CliRunner().invoke(app("find"), asked, env=environment)
    assert json.loads(found.stdout)["waiting"] == [entry["number"]]
    assert f"; its number is {entry['number']}\n" in refused.stdout
    shown = CliRunner().invoke(app("quarantine"), ["quarantine", "show", entry["number"]], env=environment)
    assert "seen: text" in shown.stdout
    picture = ["--picture", str(tmp_path / "place.jpg")]
    CliRunner().invoke(app("quarantine"), ["quarantine", "show", entry["number"], *picture], env=environment)
    assert (tmp_path / "place.jpg").read_bytes()[:2] == b"\xff\xd8"
    order = ["quarantine", "black-out", entry["number"], "--what-was-seen", "--reason", "a name on the glass"]
    assert CliRunner().invoke(app("quarantine"), order, env=environment).exit_code == 0
    again = CliRunner().invoke(app("ingest"), words, env=environment)
    assert again.exit_code == 0, again.output
    assert "; 1 place made black" in " ".join(again.stdout.split())


ASKS_AND_WAITS = """
import time
from ingest.screening import shared
from tests.slides.real_pictures import OneLevel
from tests.slides.tissue import tissue
screener = shared()
screener.screen([OneLevel(tissue(300, 200))])
print(screener.process, flush=True)
time.sleep(60)
"""


def test_who_looks_does_not_outlive_the_process_that_it_looks_for() -> None:
    owner = subprocess.Popen([sys.executable, "-c", ASKS_AND_WAITS], stdout=subprocess.PIPE, cwd=ROOT, text=True)
    assert owner.stdout is not None
    looking = psutil.Process(int(owner.stdout.readline()))
    os.kill(owner.pid, signal.SIGKILL)
    owner.communicate()
    for _ in range(100):
        if not looking.is_running() or looking.status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    pytest.fail("it still runs")


def test_an_incomplete_screening_that_sees_nothing_is_no_grade() -> None:
    assert at_ingest.Screened(Screening(), 0.1).rescreen
    assert at_ingest.Screened(Screening(), 0.1).grade.grade is Grade.UNASSESSED
