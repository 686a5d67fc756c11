"""A person looks at what waits, label and list side by side, and releases or refuses it with a reason."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.precheck.companions import missing
from ingest.quarantine.telling import in_words
from ingest.quarantine.waiting import Quarantine
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk
from tests.ingest.desk.furnished import CUT, WRONG

PICTURE = re.compile(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"')


def waiting(desk: OpenDesk, case: str) -> str:
    return next(entry.number for entry in Quarantine(desk.vault).entries() if case in entry.path.name)


def test_what_waits_is_listed_with_what_to_do_and_without_paths(desk: OpenDesk, browser: Browser) -> None:
    page = browser.get("/quarantine").text
    for case, reason in ((WRONG, "wrong-barcode"), (CUT, "truncated")):
        assert waiting(desk, case) in page
        assert reason in page
        assert case not in page
    assert "copy it again from the scanner" in page


def test_label_and_list_are_shown_side_by_side_and_looking_is_written_down(desk: OpenDesk, browser: Browser) -> None:
    number = waiting(desk, WRONG)
    page = browser.get(f"/quarantine/{number}")
    pictures = {
        caption: np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
        for data, caption in PICTURE.findall(page.text)
    }
    assert set(pictures) == {"The label", "The whole glass", "The tissue"}
    assert (pictures["The label"].min(axis=2) < 80).mean() > 0.01, "the label has no writing"
    assert pictures["The tissue"].std() > 10
    assert f"<td>{WRONG}</td>" in page.text
    assert desk.acts()[-1][:2] == ("looked at file", WHO)
    assert page.headers["cache-control"] == "no-store"


def test_a_file_without_a_picture_is_told_with_its_reason(desk: OpenDesk, browser: Browser) -> None:
    page = browser.get(f"/quarantine/{waiting(desk, CUT)}")
    assert page.status_code == 200
    assert "No picture can be made of it.</p>" in page.text
    assert page.text.count("he file ends before its data does") == 1, "said once"
    assert "<h2>Release</h2>" not in page.text
    assert "<h2>Refuse for good</h2>" in page.text


def test_what_is_missing_or_not_readable_is_said_as_precisely_as_it_is_known(desk: OpenDesk, browser: Browser) -> None:
    why = missing("Data0003.dat")
    entry = Quarantine(desk.vault).set_aside(Path("/deliveries/Doe^Jane.mrxs"), why.reason, in_words(why))
    for address in ("/quarantine", f"/quarantine/{entry.number}"):
        assert (
            " part of this multi-file slide is missing: Data0003.dat; deliver all its parts"
            in browser.get(address).text
        )
    assert "Doe" not in browser.get("/quarantine").text


def test_a_release_needs_a_reason_and_is_written_down(desk: OpenDesk, browser: Browser) -> None:
    number = waiting(desk, WRONG)
    for why in ("", "   "):
        sent = browser.send(f"/quarantine/{number}/release", {"why": why})
        assert sent.headers["location"] == f"/quarantine/{number}"
        assert "Say why" in browser.get(f"/quarantine/{number}").text
        assert desk.vault.register.entry(number).state == "waits"
    browser.send(f"/quarantine/{number}/release", {"why": "the label says 943 476 5919"})
    assert "leave out whatever could identify a patient" in browser.get(f"/quarantine/{number}").text
    assert desk.vault.register.entry(number).state == "waits"
    sent = browser.send(f"/quarantine/{number}/release", {"why": "label read at the bench"})
    assert sent.headers["location"] == "/quarantine"
    assert desk.vault.register.entry(number).state == "released"
    assert ("released file", WHO, "label read at the bench") in desk.acts()
    page = browser.get("/quarantine").text
    assert f"{number} is released" in page
    assert "Released, for the next ingest to take" in page
    assert f"{number} is released" not in browser.get("/quarantine").text, "it is said once"


def test_a_refusal_needs_a_reason_is_written_down_and_can_be_taken_back(desk: OpenDesk, browser: Browser) -> None:
    number = waiting(desk, CUT)
    before = (desk.furnished.delivered / f"{CUT}-A1.svs").read_bytes()
    browser.send(f"/quarantine/{number}/refuse", {"why": ""})
    assert desk.vault.register.entry(number).state == "waits"
    browser.send(f"/quarantine/{number}/refuse", {"why": "will be scanned again"})
    assert desk.vault.register.entry(number).state == "refused"
    assert ("refused file", WHO, "will be scanned again") in desk.acts()
    assert (desk.furnished.delivered / f"{CUT}-A1.svs").read_bytes() == before
    page = browser.get(f"/quarantine/{number}").text
    assert "will be scanned again" in page
    assert "Take the refusal back" in page
    browser.send(f"/quarantine/{number}/release", {"why": "refused by mistake"})
    assert desk.vault.register.entry(number).state == "released"


def test_what_no_person_can_judge_is_not_released_by_asking_for_it(desk: OpenDesk, browser: Browser) -> None:
    number = waiting(desk, CUT)
    browser.send(f"/quarantine/{number}/release", {"why": "please"})
    assert desk.vault.register.entry(number).state == "waits"
    assert "nothing that a person can overrule" in browser.get(f"/quarantine/{number}").text


@pytest.mark.parametrize("number", ["00000000", "zzz", "..%2F.."])
def test_a_number_that_nothing_has_leads_nowhere(browser: Browser, number: str) -> None:
    assert browser.get(f"/quarantine/{number}").status_code == 404
    assert browser.send(f"/quarantine/{number}/release", {"why": "please"}).status_code == 404
