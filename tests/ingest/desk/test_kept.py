"""What a screening saw on a slide that is kept is shown at the desk, made black there, or said to name nobody."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from archive.codes import Code
from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.geometry import Rectangle
from archive.records import HeldScan, ScanStatus
from ingest.screening import VERSION
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk
from tests.ingest.pipeline.conftest import Laboratory
from tests.slides.seen import HEIGHT, WIDTH, slide_of, with_writing

PICTURE = re.compile(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"')
SPOT = re.compile(r'<rect class="spot" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)">')
FIELD = re.compile(r'name="((?:x|y|width|height)\d+)"[^>]* value="(\d+)"')
HEADING = "Kept, with something in the picture"


@pytest.fixture
def named(desk: OpenDesk, tmp_path: Path) -> HeldScan:
    """Keep a slide on which something is written, graded as a screening does that saw it."""
    path = slide_of(tmp_path / "Testperson.svs", with_writing().picture)
    receipt = Laboratory(desk.archive, desk.vault).take_in(path, case="S26-7001", patient="H-7001")
    assert receipt.scan is not None
    desk.archive.set_grade(receipt.scan, MightIdentify(Grade.YES), rescreen=False, reason="seen by screening")
    return scan_of(desk, receipt.scan_code)


def scan_of(desk: OpenDesk, code: Code) -> HeldScan:
    held = next(one for slide in desk.archive.slides() for one in slide.scans if one.code == code)
    assert isinstance(held, HeldScan)
    return held


def grade_of(desk: OpenDesk, named: HeldScan) -> MightIdentify:
    return scan_of(desk, named.code).record.might_identify


def test_it_is_listed_and_shown_where_it_is_and_looking_is_written_down(
    desk: OpenDesk, browser: Browser, named: HeldScan
) -> None:
    address = f"/quarantine/kept/{named.code}"
    listed = browser.get("/quarantine").text
    assert listed.index(HEADING) < listed.index(f'href="{address}"')
    assert '<span class="number">1</span> <span>kept, with something in the picture</span>' in browser.get("/").text
    page = browser.get(address).text
    assert ("opened slide", WHO, "Judging what was seen in the picture") in desk.acts()
    pictures = {caption: Image.open(io.BytesIO(base64.b64decode(data))) for data, caption in PICTURE.findall(page)}
    assert set(pictures) == {"The whole slide; what was seen on it is marked", "Place 1, closer"}
    whole = np.asarray(pictures["The whole slide; what was seen on it is marked"])
    assert whole.shape[:2] == (HEIGHT, WIDTH)
    assert np.abs(whole.astype(int) - with_writing().picture).mean() < 12
    x, y, width, height = with_writing().place
    ((left, top, across, down),) = [tuple(map(int, found)) for found in SPOT.findall(page)]
    assert left < x + width / 2 < left + across
    assert top < y + height / 2 < top + down
    case = desk.archive.held(named.record.slide).case_code
    assert f'<a href="/?case={case}">' in page
    assert "Testperson" not in page


def test_what_was_seen_is_made_black_and_the_slide_looked_at_again(
    desk: OpenDesk, browser: Browser, named: HeldScan
) -> None:
    address = f"/quarantine/kept/{named.code}"
    fields = dict(FIELD.findall(browser.get(address).text))
    sent = browser.send(f"{address}/black-out", {**fields, "why": "a name is written there"})
    assert sent.headers["location"] == "/quarantine"
    page = browser.get("/quarantine").text
    assert f"{named.code} is black there now, and nothing more is seen on it." in page
    assert HEADING not in page
    told = Rectangle(*(int(fields[side]) for side in ("x1", "y1", "width1", "height1")))
    assert desk.archive.redactions_of(named.record.key) == (told,)
    assert grade_of(desk, named) == MightIdentify.screened(VERSION)
    with desk.archive.open_pyramid(named.record.key) as pyramid:
        assert pyramid.levels[0].read_region(told.x, told.y, told.width, told.height).max() < 24
    assert browser.get(address).status_code == 404
    assert not desk.archive.audit_faults()


def test_what_is_left_is_to_be_looked_at_again(desk: OpenDesk, browser: Browser, named: HeldScan) -> None:
    fields = {"x1": "0", "y1": "0", "width1": "8", "height1": "8", "why": "a corner"}
    browser.send(f"/quarantine/kept/{named.code}/black-out", fields)
    page = browser.get("/quarantine").text
    assert f"{named.code} is black there now, and is to be looked at again." in page
    assert HEADING in page
    assert grade_of(desk, named).grade is Grade.YES


def test_what_names_nobody_is_said_to_with_a_reason(desk: OpenDesk, browser: Browser, named: HeldScan) -> None:
    address = f"/quarantine/kept/{named.code}"
    browser.send(f"{address}/looked-at", {"why": "the scanner's scale bar"})
    page = browser.get("/quarantine").text
    assert f"{named.code} is not assessed now" in page
    assert HEADING not in page
    assert grade_of(desk, named).grade is Grade.UNASSESSED


@pytest.mark.parametrize(
    ("act", "fields", "said"),
    [
        ("looked-at", {"why": " "}, "say who looked"),
        ("looked-at", {"why": "it says 943 476 5919"}, "leave out whatever could identify a patient"),
        ("black-out", {"why": "a name"}, "rectangles to make black"),
        ("black-out", {"why": "", "x1": "0", "y1": "0", "width1": "8", "height1": "8"}, "say why it is made black"),
        ("black-out", {"why": "a name", "x1": "9000", "y1": "0", "width1": "8", "height1": "8"}, "beyond the scan"),
        ("black-out", {"why": "a name", "x1": "9"}, "place 1 needs four whole numbers"),
    ],
)
def test_what_is_not_said_rightly_changes_nothing(
    desk: OpenDesk, browser: Browser, named: HeldScan, act: str, fields: dict[str, str], said: str
) -> None:
    address = f"/quarantine/kept/{named.code}"
    assert browser.send(f"{address}/{act}", fields).headers["location"] == address
    assert said in browser.get("/quarantine").text.lower()
    assert scan_of(desk, named.code) == named
    assert desk.archive.redactions_of(named.record.key) == ()


def test_a_scan_on_which_nothing_was_seen_or_that_is_shut_is_not_shown_here(desk: OpenDesk, browser: Browser) -> None:
    scan = desk.archive.slides()[0].scans[0]
    for code in (str(scan.code), "N-00000-00000", "nothing", "S-00000-00000"):
        assert browser.get(f"/quarantine/kept/{code}").status_code in (400, 404)
        assert browser.send(f"/quarantine/kept/{code}/looked-at", {"why": "seen"}).status_code in (400, 404)
    desk.archive.set_grade(scan.record.key, MightIdentify(Grade.YES), rescreen=False, reason="seen by screening")
    assert "Nothing is seen on it now." in browser.get(f"/quarantine/kept/{scan.code}").text
    desk.archive.set_status(scan.record.key, ScanStatus.WITHDRAWN, reason="a letter")
    assert browser.get(f"/quarantine/kept/{scan.code}").status_code == 404
    assert HEADING not in browser.get("/quarantine").text
