"""At the desk, places on a slide are drawn with a mouse or with keys, and told in pixels of the slide."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.consent import MightIdentify
from archive.consent.terms import Grade
from archive.records import HeldScan
from ingest.cli.places import Places
from tests.browser.checking import faults_of
from tests.browser.desks import DeskProcess, Visit
from tests.ingest.desk.furnished import Furnished
from tests.ingest.pipeline.conftest import Laboratory
from tests.slides.seen import HEIGHT, WIDTH, Waiting, slide_of, waiting, with_writing

LOOK_MS = 60_000
"""The slide is looked at before its page is there, and again after it was made black."""

NEAR_PX = 5
"""Pixels of the slide by which a place may be off: one of the screen is about one of them."""


@pytest.fixture(scope="module")
def named(furnished: Furnished, desk: DeskProcess) -> Waiting:
    del desk  # it runs, and has the vault open, too
    with Places.of(furnished.laboratory.archive).opened() as (_, vault):
        return waiting(vault, furnished.home / "writing.svs")


def black_out_of(furnished: Furnished, named: Waiting) -> list[tuple[int, int, int, int]]:
    with Places.of(furnished.laboratory.archive).opened() as (_, vault):
        return [place.sides for _, place in vault.register.entry(named.number).black_out]


@pytest.fixture
def page(visit: Visit, named: Waiting) -> Page:
    visit.page.goto(f"{visit.page.url.rstrip('/')}/quarantine/{named.number}")
    expect(visit.page.get_by_role("heading", name="writing-in-picture")).to_be_visible()
    return visit.page


def place(page: Page, number: int) -> list[str]:
    """Give the four fields of a place, as they are."""
    return [page.locator(f"input[name={side}{number}]").input_value() for side in ("x", "y", "width", "height")]


def drag(page: Page, left: float, top: float, right: float, bottom: float) -> None:
    """Draw from one place to another, told as shares of the picture."""
    box = page.locator("[data-stage] svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + left * box["width"], box["y"] + top * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * (left + right) * box["width"], box["y"] + bottom * box["height"], steps=3)
    page.mouse.move(box["x"] + right * box["width"], box["y"] + bottom * box["height"], steps=3)
    page.mouse.up()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_has_no_fault_with_places_drawn(page: Page, visit: Visit, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 860})
    page.wait_for_load_state("networkidle")
    page.locator("[data-stage]").scroll_into_view_if_needed()
    drag(page, 0.1, 0.1, 0.3, 0.2)
    visit.shoot(f"blacking-{width}")
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for picture in page.get_by_role("img").all():
        assert picture.evaluate("image => image.complete && image.naturalWidth > 60")


def test_what_was_seen_is_filled_in_and_can_be_moved_with_keys(page: Page, named: Waiting) -> None:
    x, y, width, height = (int(side) for side in place(page, 1))
    assert x <= named.place.x
    assert y <= named.place.y
    assert x + width >= named.place.right
    assert y + height >= named.place.bottom
    rectangle = page.get_by_role("button", name=re.compile("^Place 1: arrow keys"))
    rectangle.focus()
    step = round(max(WIDTH, HEIGHT) / 200)
    for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert [int(side) for side in place(page, 1)] == [x + step, y + step, width + step, height - step]
    page.keyboard.press("Delete")
    assert place(page, 1) == ["", "", "", ""]
    expect(rectangle).to_have_count(0)


def test_places_are_drawn_typed_and_removed(page: Page) -> None:
    drag(page, 0.6, 0.7, 0.9, 0.8)
    drawn = [int(side) for side in place(page, 2)]
    for side, wanted in zip(drawn, (0.6 * WIDTH, 0.7 * HEIGHT, 0.3 * WIDTH, 0.1 * HEIGHT), strict=True):
        assert abs(side - wanted) <= NEAR_PX
    drag(page, 0.9, 0.5, 0.8, 0.4)
    drag(page, 0.0, 0.9, 0.2, 1.2)
    assert int(place(page, 4)[1]) + int(place(page, 4)[3]) == HEIGHT, "what is drawn beyond the slide ends at its edge"
    expect(page.locator("rect.black")).to_have_count(4)
    page.get_by_role("button", name="Remove place 3").click()
    expect(page.locator("rect.black")).to_have_count(3)
    page.locator("input[name=width2]").fill("7")
    expect(page.get_by_role("button", name=re.compile("^Place 2: arrow keys"))).to_have_attribute("width", "7")
    page.mouse.click(20, 20)
    expect(page.locator("rect.black")).to_have_count(3)


def test_a_finger_moves_the_page_until_it_is_said_that_it_draws(chromium: Browser, page: Page, visit: Visit) -> None:
    state = visit.page.context.storage_state()
    context = chromium.new_context(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 560}, storage_state=state
    )
    phone = context.new_page()
    phone.goto(page.url)
    phone.wait_for_load_state("networkidle")
    phone.locator("[data-stage]").scroll_into_view_if_needed()
    before = phone.evaluate("scrollY")
    swipe(phone)
    expect(phone.locator("rect.black")).to_have_count(1)
    phone.wait_for_function(f"scrollY > {before} + 20")
    phone.get_by_role("button", name="Draw with a finger").click()
    phone.locator("[data-stage]").scroll_into_view_if_needed()
    before = phone.evaluate("scrollY")
    swipe(phone)
    expect(phone.locator("rect.black")).to_have_count(2)
    assert phone.evaluate("scrollY") == before
    stage = phone.locator("[data-stage]").bounding_box()
    assert stage is not None
    assert stage["height"] <= 0.76 * 560, "beside it the page can be moved"
    context.close()


def swipe(page: Page) -> None:
    """Move a finger over the picture, upwards and aside."""
    box = page.locator("[data-stage] svg").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.3 * box["width"], box["y"] + 0.8 * box["height"]
    touch = page.context.new_cdp_session(page)
    for kind, share in (("touchStart", 0.0), *(("touchMove", step / 5) for step in range(1, 6)), ("touchEnd", 1.0)):
        points = [] if kind == "touchEnd" else [{"x": x + 60 * share, "y": y - 0.6 * box["height"] * share}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.detach()


def test_a_tall_slide_is_seen_whole(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 500})
    box = page.locator("[data-stage]").bounding_box()
    assert box is not None
    assert box["height"] <= 0.76 * 500
    assert abs(box["width"] / box["height"] - WIDTH / HEIGHT) < 0.02


def test_without_a_script_the_form_is_filled_in_by_hand(
    chromium: Browser, page: Page, visit: Visit, named: Waiting
) -> None:
    context = chromium.new_context(java_script_enabled=False, storage_state=visit.page.context.storage_state())
    plain = context.new_page()
    plain.goto(page.url)
    assert plain.locator("input[name=x3]").count() == 1
    assert plain.get_by_role("button", name="Remove").count() == 0
    assert plain.locator("rect.spot").get_attribute("x") == str(named.place.x)
    context.close()


def test_what_was_drawn_is_ordered(page: Page, furnished: Furnished, named: Waiting) -> None:
    drag(page, 0.25, 0.25, 0.5, 0.5)
    wanted = [tuple(int(side) for side in place(page, number)) for number in (1, 2)]
    page.locator("#why-black").fill("a name is written on the glass")
    page.get_by_role("button", name="Black out and release").click()
    expect(page.get_by_role("status")).to_contain_text("makes these places black, and looks again")
    assert black_out_of(furnished, named) == wanted


@pytest.fixture
def kept(furnished: Furnished, desk: DeskProcess, tmp_path: Path) -> HeldScan:
    """Keep a slide on which something is written, graded as a screening does that saw it."""
    del desk  # it runs, and has archive and vault open, too
    path = slide_of(tmp_path / "kept.svs", with_writing().picture)
    with Places.of(furnished.laboratory.archive).opened() as (archive, vault):
        receipt = Laboratory(archive, vault).take_in(path)
        assert receipt.scan is not None
        archive.set_grade(receipt.scan, MightIdentify(Grade.YES), rescreen=False, reason="seen by screening")
        scan = archive.scan(receipt.scan)
    assert scan is not None
    return scan


def test_a_kept_slide_is_looked_at_and_made_black_at_the_desk(
    furnished: Furnished, visit: Visit, kept: HeldScan
) -> None:
    page = visit.page
    page.get_by_role("link", name="Quarantine").click()
    page.get_by_role("link", name=str(kept.code)).click()
    expect(page.get_by_role("heading", name=str(kept.code))).to_be_visible(timeout=LOOK_MS)
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 860})
        visit.shoot(f"kept-{width}")
        assert faults_of(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    drag(page, 0.0, 0.0, 0.1, 0.1)
    expect(page.locator("rect.black")).to_have_count(2)
    page.locator("#why-black").fill("a name is written there")
    page.get_by_role("button", name="Black out").click()
    told = page.get_by_text(f"{kept.code} is black there now, and nothing more is seen on it.")
    expect(told).to_be_visible(timeout=LOOK_MS)
    with Places.of(furnished.laboratory.archive).opened() as (archive, _):
        assert len(archive.redactions_of(kept.record.key)) == 2
        assert archive.scans_that_identify() == ()
