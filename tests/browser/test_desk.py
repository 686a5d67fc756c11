"""The desk in a real browser: find a case and look at it, judge what waits, correct, and be locked out in time."""

import io
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.desks import DeskProcess, Visit
from tests.ingest.desk.furnished import CASE, WRONG, Furnished

SETTLED_MS = 900


def stained(page: Page) -> float:
    """Give the share of what the stage shows that has the colour of stained tissue."""
    shot = page.locator(".stage").screenshot()
    picture = np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)
    red, green, blue = (picture[..., channel] for channel in range(3))
    return float(((np.maximum(red, blue) - green > 25) & (green < 220)).mean())


def test_a_case_is_found_and_its_tissue_is_shown(visit: Visit, furnished: Furnished) -> None:
    page = visit.page
    visit.shoot("start")
    visit.find(CASE)
    expect(page.get_by_role("heading", name=CASE)).to_be_visible()
    expect(page.get_by_role("heading", name="A1 · H&E 1")).to_be_visible()
    page.wait_for_load_state("networkidle")
    visit.shoot("case")
    page.get_by_role("link", name="Open slide 1").click()
    expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    page.wait_for_load_state("networkidle")
    visit.shoot("viewer")
    assert stained(page) > 0.05
    expect(page.get_by_role("heading", name="A1 · H&E 1")).to_be_visible()
    page.get_by_role("link", name="B2 · PAS 1").click()
    expect(page.get_by_role("heading", name="B2 · PAS 1")).to_be_visible()
    page.get_by_role("link", name="Case C-").click()
    expect(page.get_by_role("heading", name=CASE)).to_be_visible()
    said = "\n".join(visit.addresses).lower()
    for secret in furnished.secrets:
        assert secret.lower() not in said


def test_a_search_can_be_made_with_keys_alone(visit: Visit) -> None:
    page = visit.page
    expect(page.get_by_label("Accession number")).to_be_focused()
    page.keyboard.type(CASE)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=CASE)).to_be_visible()


def test_another_purpose_has_to_be_put_into_words(visit: Visit) -> None:
    page = visit.page
    words = page.get_by_placeholder("the other purpose, in a few words")
    expect(words).to_be_hidden()
    visit.find(CASE, "Another purpose")
    expect(page.get_by_role("status")).to_have_text("Say in a few words what the other purpose is.")
    expect(words).to_be_visible()
    words.fill("asked by the registry")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_text("Not shown for this purpose")).to_have_count(2)


def test_what_waits_is_looked_at_and_released(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("link", name="What waits").click()
    visit.shoot("quarantine")
    page.get_by_role("row", name=re.compile("wrong-barcode")).get_by_role("link").click()
    for picture in ("The label", "The whole glass", "The tissue"):
        image = page.get_by_role("img", name=picture)
        expect(image).to_be_visible()
        assert image.evaluate("image => image.complete && image.naturalWidth > 100")
    expect(page.get_by_role("cell", name=WRONG, exact=True)).to_be_visible()
    visit.shoot("waiting")
    release = page.get_by_role("button", name="Release")
    release.click()
    expect(page.get_by_role("heading", name="Refuse for good")).to_be_visible()
    page.locator("#why-release").fill("label read at the bench, case confirmed")
    release.click()
    expect(page.get_by_role("status")).to_contain_text("is released: the next ingest takes it.")
    expect(page.get_by_role("heading", name="Released, for the next ingest to take")).to_be_visible()


def test_a_refusal_needs_a_reason(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("link", name="Quarantine").click()
    page.get_by_role("row", name=re.compile("truncated")).get_by_role("link").click()
    expect(page.get_by_text("No picture can be made of it")).to_be_visible()
    refuse = page.get_by_role("button", name="Refuse")
    refuse.click()
    assert page.locator("#why-refuse").evaluate("field => field.validity.valueMissing")
    page.locator("#why-refuse").fill("   ")
    refuse.click()
    expect(page.get_by_role("status")).to_contain_text("Say why")
    page.locator("#why-refuse").fill("will be scanned again")
    refuse.click()
    expect(page.get_by_role("status")).to_contain_text("is refused for good.")
    expect(page.get_by_role("heading", name="Refused for good")).to_be_visible()


def test_a_slide_is_corrected_after_its_prospect_was_seen(visit: Visit) -> None:
    page = visit.page
    visit.find(CASE)
    page.get_by_role("link", name="Correct", exact=True).last.click()
    visit.shoot("correct")
    page.get_by_label("Block").fill("B7")
    page.get_by_label("Reason").fill("block misread")
    page.get_by_role("button", name="See what would come of it").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    visit.shoot("foreseen")
    page.get_by_role("button", name="Carry it out").click()
    expect(page.get_by_role("status")).to_contain_text("Corrected.")
    visit.find(CASE)
    expect(page.get_by_role("heading", name="B7 · PAS 1")).to_be_visible()


def test_the_day_can_be_taken_away_as_a_table(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("link", name="Day", exact=True).click()
    visit.shoot("day")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert download.value.path().read_text().startswith("number,state,reason,code,source_bytes,stored_bytes")


@pytest.mark.parametrize("width", [390, 820, 1920])
def test_no_page_is_wider_than_its_window(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 900})
    visit.find(CASE)
    expect(page.get_by_role("heading", name=CASE)).to_be_visible()
    addresses = [
        page.url,
        page.url.replace("/cases/", "/consent/") + "/0",
        *(f"{page.url.split('/cases/')[0]}/{name}" for name in ("", "quarantine", "report", "work", "rules")),
    ]
    for number, address in enumerate(addresses):
        page.goto(address)
        visit.shoot(f"width-{width}-{number}")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address


def test_a_desk_that_nobody_uses_locks_itself_and_clears_the_stage(chromium: Browser, furnished: Furnished) -> None:
    desk = DeskProcess(furnished.laboratory.archive, idle_minutes=0.1)
    context = chromium.new_context()
    try:
        page, case = context.new_page(), context.new_page()
        page.goto(desk.address())
        Visit(page).find(CASE)
        expect(page.get_by_role("heading", name=CASE)).to_be_visible()
        case.goto(page.url)
        page.get_by_role("link", name="Open slide 1").click()
        expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
        expect(page.get_by_role("alert")).to_contain_text("This desk was locked.")
        assert stained(page) < 0.01
        expect(case.get_by_role("heading", name=re.compile("The desk is locked|Put away"))).to_be_visible()
        expect(case.get_by_text(CASE)).to_have_count(0)
        case.reload()
        expect(case.get_by_role("heading", name="The desk is locked")).to_be_visible()
    finally:
        context.close()
        desk.end()
