"""A person sees on the slide's own picture where something is written, and orders what is to be made black."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ingest.desk.blacking import EMPTY, ROWS
from ingest.pipeline.seen import seen_on
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk
from tests.slides.seen import HEIGHT, WIDTH, Waiting, waiting, with_writing

PICTURE = re.compile(r'<img src="data:image/jpeg;base64,([^"]+)" alt="([^"]+)"')
ORDERED = re.compile(r'<rect class="ordered" x="(\d+)" y="(\d+)" width="(\d+)" height="(\d+)">')
TOLD = {"x1": "10", "y1": "20", "width1": "300", "height1": "40", "x4": "0", "y4": "0", "width4": "5", "height4": "6"}


@pytest.fixture
def named(desk: OpenDesk, tmp_path: Path) -> Waiting:
    return waiting(desk.vault, tmp_path / "Testperson.svs")


def test_the_picture_is_all_of_level_0_and_what_was_seen_is_drawn_on_it(browser: Browser, named: Waiting) -> None:
    page = browser.get(f"/quarantine/{named.number}").text
    pictures = {
        caption: np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data, caption in PICTURE.findall(page)
    }
    assert set(pictures) == {
        *("The label", "The whole glass", "The whole slide; what was seen on it is marked", "Place 1, closer")
    }
    whole = pictures["The whole slide; what was seen on it is marked"]
    assert abs(whole.shape[1] / whole.shape[0] - WIDTH / HEIGHT) < 0.01
    small = np.asarray(Image.fromarray(with_writing().picture).resize((whole.shape[1], whole.shape[0])))
    assert np.abs(whole.astype(int) - small).mean() < 12
    x, y, width, height = named.place.sides
    assert f'viewBox="0 0 {WIDTH} {HEIGHT}"' in page
    assert f'<rect class="spot" x="{x}" y="{y}" width="{width}" height="{height}">' in page
    closer = pictures["Place 1, closer"]
    assert max(closer.shape) >= 2 * max(width, height) - 4
    assert (closer.max(axis=2) < 110).mean() > 0.005, "the writing is there"
    assert "Testperson" not in page.replace(str(named.path), "")


def test_a_form_without_a_script_has_the_places_and_rows_for_more(browser: Browser, named: Waiting) -> None:
    page = browser.get(f"/quarantine/{named.number}").text
    legends = re.findall(r"<legend>Place (\d+)</legend>", page)
    assert legends == [str(number) for number in range(1, 2 + EMPTY)]
    first = dict(re.findall(r'name="(x1|y1|width1|height1)"[^>]* value="(\d+)"', page))
    assert int(first["x1"]) < named.place.x
    assert int(first["x1"]) + int(first["width1"]) > named.place.right
    assert 'src="/static/blacking.js"' in page
    assert browser.get("/static/blacking.js").headers["content-type"].startswith("text/javascript")
    assert len(legends) <= ROWS


def test_an_order_is_sealed_audited_and_releases_the_slide(desk: OpenDesk, browser: Browser, named: Waiting) -> None:
    sent = browser.send(f"/quarantine/{named.number}/black-out", {**TOLD, "why": "a name is written there"})
    assert sent.headers["location"] == "/quarantine"
    assert f"{named.number} is released: the next ingest makes these places black" in browser.get("/quarantine").text
    entry = desk.vault.register.entry(named.number)
    assert entry.state == "released"
    assert [(region, str(place)) for region, place in entry.black_out] == [(0, "10,20,300,40"), (0, "0,0,5,6")]
    assert entry.overruled == frozenset()
    assert ("ordered black", WHO, "a name is written there") in desk.acts()
    comes = "the next ingest takes it, makes 2 places black, and looks again."
    assert comes in browser.get("/quarantine").text
    page = browser.get(f"/quarantine/{named.number}").text
    assert "Black out and release" not in page
    assert f"<strong>Released: {comes}</strong> Reason given: a name is written there</p>" in page
    assert ORDERED.findall(page) == [("10", "20", "300", "40"), ("0", "0", "5", "6")]
    assert "/static/blacking.js" not in page


CANNOT_BE = (
    ({}, "seen", "tell 1 to 64 places"),
    ({**TOLD, "x1": ""}, "seen", "place 1 needs four whole numbers"),
    ({**TOLD, "width4": "0"}, "seen", "place 4 needs four whole numbers"),
    ({**TOLD, "y1": "1.5"}, "seen", "place 1 needs four whole numbers"),
    ({**TOLD, "x4": str(WIDTH)}, "seen", f"lies beyond the slide, which is {WIDTH} x {HEIGHT} px"),
    (TOLD, "  ", "say why"),
    (TOLD, "the glass says 943 476 5919", "leave out whatever could identify a patient"),
)


def test_an_order_that_cannot_be_carried_out_is_answered_and_nothing_is_noted(
    desk: OpenDesk, browser: Browser, named: Waiting
) -> None:
    for fields, why, told in CANNOT_BE:
        sent = browser.send(f"/quarantine/{named.number}/black-out", {**fields, "why": why})
        assert sent.headers["location"] == f"/quarantine/{named.number}"
        assert told in browser.get("/quarantine").text.lower()
        entry = desk.vault.register.entry(named.number)
        assert (entry.state, entry.black_out) == ("waits", ())


def test_a_release_says_what_it_means_here(desk: OpenDesk, browser: Browser, named: Waiting) -> None:
    assert "What was seen names nobody" in browser.get(f"/quarantine/{named.number}").text
    browser.send(f"/quarantine/{named.number}/release", {"why": "the scanner's scale bar"})
    entry = desk.vault.register.entry(named.number)
    assert (entry.state, entry.overruled) == ("released", {(0, entry.reason)})
    assert seen_on(entry) is not None
