"""What would come of a correction is seen before anything changes, and exactly that is carried out, once."""

import re

import httpx
import pytest

from archive.consent.terms import Grade
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE

PLAN = re.compile(r'name="plan" value="([0-9a-z]{26})"')
CORRECT = re.compile(r'href="(/correct/[0-9a-z]{26}/(?:slide/[-0-9A-Z]+|case/[0-9]+))"')


def forms(browser: Browser) -> tuple[str, str]:
    """Give the addresses of the case's form and of its first slide's."""
    case, slide, *_ = CORRECT.findall(browser.find(CASE).text)
    return case, slide


def carry_out(browser: Browser, preview: httpx.Response) -> httpx.Response:
    found = PLAN.search(preview.text)
    assert found, preview.text
    return browser.send("/correct/carry-out", {"plan": found[1]})


def test_a_slide_goes_to_another_case_after_it_was_seen_what_would_come_of_it(desk: OpenDesk, browser: Browser) -> None:
    _, slide = forms(browser)
    code = desk.slide_code(CASE)
    case_code = desk.archive.slide(code).case_code
    before = desk.archive.change_count()
    assert str(code) in browser.get(slide).text
    fields = {"case": "S26-04712", "patient": "H-1112223", "reason": "wrong row on the list"}
    preview = browser.send(slide, fields)
    assert preview.status_code == 200
    assert "Nothing is changed yet." in preview.text
    assert "none was found" in preview.text
    assert desk.archive.slide(code).case_code == case_code
    assert desk.archive.change_count() == before
    assert carry_out(browser, preview).headers["location"] == "/"
    assert "Corrected." in browser.get("/").text
    assert desk.archive.slide(code).case_code != case_code
    assert str(code) in browser.find("S26-04712").text
    assert str(code) not in browser.find(CASE).text
    assert any(who == WHO and reason == "wrong row on the list" for _, who, reason in desk.acts())


def test_a_slide_that_moved_is_on_no_page_of_its_old_case(desk: OpenDesk, browser: Browser) -> None:
    found = browser.find(CASE)
    handles = list(dict.fromkeys(re.findall(r'href="/slides/([0-9a-z]{26})"', found.text)))
    code = desk.slide_code(CASE)
    _, slide, *_ = CORRECT.findall(found.text)
    assert [browser.get(f"/slides/{handle}/tiles/0/0_0.jpg").status_code for handle in handles] == [200, 200]
    fields = {"case": "S26-04712", "patient": "H-1112223", "reason": "wrong row on the list"}
    carry_out(browser, browser.send(slide, fields))
    for address in ("", "/tiles/0/0_0.jpg", "/thumbnail.jpg"):
        answers = [browser.get(f"/slides/{handle}{address}").status_code for handle in handles]
        assert answers == [404, 200]
    assert str(code) not in browser.get(found.request.url.path).text


def test_a_plan_is_carried_out_once(browser: Browser) -> None:
    _, slide = forms(browser)
    preview = browser.send(slide, {"block": "A9", "reason": "block misread"})
    assert carry_out(browser, preview).status_code == 303
    assert carry_out(browser, preview).status_code == 404


def test_a_plan_of_another_session_is_none(desk: OpenDesk, browser: Browser) -> None:
    _, slide = forms(browser)
    preview = browser.send(slide, {"block": "A9", "reason": "block misread"})
    assert carry_out(desk.browser(), preview).status_code == 404


def test_facts_of_a_case_are_mended_and_decided_anew(desk: OpenDesk, browser: Browser) -> None:
    case, _ = forms(browser)
    held = desk.archive.slide(desk.slide_code(CASE))
    page = browser.get(case).text
    assert "tissue: living" in page
    preview = browser.send(case, {"might_identify": "yes", "reason": "looked at again"})
    assert preview.status_code == 200
    assert preview.text.count('class="differs"') == 4, "two slides are no longer taught or given to research"
    assert desk.archive.facts_of(held.record.key).might_identify.grade is not Grade.YES
    carry_out(browser, preview)
    assert desk.archive.facts_of(held.record.key).might_identify.grade is Grade.YES
    assert browser.find(CASE).text.count('class="use no"') == 4


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"block": "A9", "reason": ""}, "reason"),
        ({"block": "A9", "reason": f"as on {CASE}"}, "could identify a patient"),
        ({"reason": "nothing is wrong"}, "nothing was changed"),
        ({"stain": "tartan", "reason": "restained"}, "Choose the stain from the list."),
        ({"organ": "somewhere", "reason": "misread"}, ""),
    ],
)
def test_what_cannot_be_corrected_is_said_and_what_was_typed_stays(
    desk: OpenDesk, browser: Browser, fields: dict[str, str], sentence: str
) -> None:
    _, slide = forms(browser)
    before = desk.archive.change_count()
    answer = browser.send(slide, fields)
    assert answer.status_code == 400
    (said,) = re.findall(r'<p class="said" role="status">(.*?)</p>', answer.text, re.DOTALL)
    assert sentence in said
    assert CASE not in said
    if "block" in fields:
        assert 'value="A9"' in answer.text
    assert desk.archive.change_count() == before


def test_a_setting_that_is_no_word_of_its_list_is_told(browser: Browser) -> None:
    case, _ = forms(browser)
    answer = browser.send(case, {"consent": "withdrawn", "reason": "letter received"})
    assert (answer.status_code, "coverslip consent withdraw" in answer.text) == (400, True)
    answer = browser.send(case, {"consent": "maybe", "reason": "asked again"})
    assert answer.status_code == 400
    assert "consent" in answer.text


def test_no_answer_is_offered_that_is_no_correction(browser: Browser) -> None:
    case, _ = forms(browser)
    page = browser.get(case).text
    (consent,) = re.findall(r'<select name="consent">(.*?)</select>', page)
    assert "obtained" in consent
    assert "refused" not in consent
    assert "withdrawn" not in consent
    (address,) = re.findall(r'<a href="(/consent/[^"]+)">the case\'s page of consent', page)
    assert browser.get(address).status_code == 200


def test_every_column_that_can_be_set_has_a_field(browser: Browser) -> None:
    from ingest.delivery.mending import SETTABLE

    page = browser.get(forms(browser)[0]).text
    for name in SETTABLE:
        assert len(re.findall(f'name="{name}"', page)) == 1


SECOND_WORD = {"might_identify": "no", "assessed_by": "Dr A", "assessed_also_by": "Dr B", "reason": "looked at again"}


def test_where_there_are_accounts_a_correction_brings_no_second_persons_word(peopled: PeopledDesk) -> None:
    browser = peopled.member("lab")
    case, _ = forms(browser)
    assert "assessed_also_by" not in browser.get(case).text
    before = peopled.archive.change_count()
    answer = browser.send(case, SECOND_WORD)
    assert answer.status_code == 400
    assert "under an account of their own" in answer.text
    assert not PLAN.search(answer.text)
    assert peopled.archive.change_count() == before
    alone = {name: value for name, value in SECOND_WORD.items() if name != "assessed_also_by"}
    assert "Nothing is changed yet." in browser.send(case, alone).text


def test_without_accounts_a_second_persons_word_is_believed(desk: OpenDesk, browser: Browser) -> None:
    case, _ = forms(browser)
    carry_out(browser, browser.send(case, SECOND_WORD))
    assert desk.archive.facts_of(desk.archive.slide(desk.slide_code(CASE)).record.key).second_person
