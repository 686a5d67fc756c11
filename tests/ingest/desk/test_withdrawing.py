"""What a withdrawal would do is seen before anything changes; exactly that is done, once, and told afterwards."""

import re

import httpx
import pytest

from archive.consent.terms import Consent
from archive.teaching import compose
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk
from tests.ingest.desk.furnished import CASE, NAME
from tests.ingest.desk.test_consenting import consent_recorded, page_of

PLAN = re.compile(r'name="plan" value="([0-9a-z]{26})"')
LETTER = {"giver": "self", "whose": "case", "reason": "letter received"}


def form_of(browser: Browser) -> str:
    """Give the address of the form."""
    consent = page_of(browser)
    found = re.search(r'href="(/withdraw/[0-9a-z]{26}/0)"', browser.get(consent).text)
    assert found
    return found[1]


def carry_out(browser: Browser, preview: httpx.Response) -> httpx.Response:
    found = PLAN.search(preview.text)
    assert found, preview.text
    return browser.send("/withdraw/carry-out", {"plan": found[1]})


def test_a_withdrawal_is_foreseen_then_carried_out_and_reported(desk: OpenDesk, browser: Browser) -> None:
    code, before = desk.slide_code(CASE), desk.archive.change_count()
    preview = browser.send(form_of(browser), LETTER)
    assert preview.status_code == 200
    assert "Nothing is changed yet." in preview.text
    assert str(code) in preview.text
    assert (desk.archive.change_count(), consent_recorded(desk)) == (before, Consent.UNKNOWN)
    report = browser.get(carry_out(browser, preview).headers["location"]).text
    assert re.search(r"It is entry [0-9,]+ of the archive", report)
    assert str(code) in report
    assert consent_recorded(desk) is Consent.REFUSED  # nothing was given that could be withdrawn
    assert ("withdrew consent", WHO, "letter received") in desk.acts()


def test_what_was_shown_is_carried_out_once(desk: OpenDesk, browser: Browser) -> None:
    preview = browser.send(form_of(browser), LETTER)
    carry_out(browser, preview)
    assert carry_out(browser, preview).status_code == 404
    again = browser.get(carry_out(browser, browser.send(form_of(browser), LETTER)).headers["location"]).text
    assert "It was so already" in again


def test_a_slide_leaves_its_collection_and_no_viewer_shows_it_for_teaching(desk: OpenDesk, browser: Browser) -> None:
    code = desk.slide_code(CASE)
    compose(desk.archive, "Skin, week 3", [code])
    preview = browser.send(form_of(browser), LETTER)
    assert re.search(rf"<code>{code}</code> would be taken out of the collection Skin, week 3, number 1", preview.text)
    report = browser.get(carry_out(browser, preview).headers["location"]).text
    assert f"<code>{code}</code> was taken out of the collection Skin, week 3, number 1" in report


def test_all_cases_of_the_patient_are_withdrawn_at_once_and_the_name_stays_in_the_vault(
    desk: OpenDesk, browser: Browser
) -> None:
    fields = {**LETTER, "whose": "patient", "name": NAME, "on": "2026-01-31", "document": "folder 7"}
    report = browser.get(carry_out(browser, browser.send(form_of(browser), fields)).headers["location"]).text
    assert "Withdrawn" in report
    consent = page_of(browser)
    text = browser.get(consent).text
    assert "all cases of the patient" in text
    assert NAME not in text
    assert NAME in browser.send(f"{consent}/evidence", {}).text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": "letter"}, "Choose in which role somebody withdrew"),
        ({"giver": "qualifying relation", "reason": "letter"}, "has a rank"),
        ({"giver": "self", "rank": "2", "reason": "letter"}, "has a rank"),
        ({"giver": "self", "on": "soon", "reason": "letter"}, "The day"),
        ({"giver": "self", "reason": ""}, "reason"),
        ({"giver": "self", "reason": f"letter about {CASE}"}, "identif"),
    ],
)
def test_what_is_no_withdrawal_is_refused_with_a_sentence_and_changes_nothing(
    desk: OpenDesk, browser: Browser, fields: dict[str, str], why: str
) -> None:
    address, before = form_of(browser), desk.archive.change_count()
    refused = browser.send(address, fields)
    assert (refused.status_code, desk.archive.change_count()) == (400, before)
    assert why in refused.text


def test_a_report_of_another_session_is_nothing_here(desk: OpenDesk, browser: Browser) -> None:
    report = carry_out(browser, browser.send(form_of(browser), LETTER)).headers["location"]
    assert desk.browser().get(report).status_code == 404
