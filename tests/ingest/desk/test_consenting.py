"""What patients said is recorded from the desk, seen at once with what follows from it, and a mistake is annulled."""

import re

import pytest

from archive.consent.terms import Consent
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE, POST_MORTEM

CONSENT = re.compile(r'href="(/consent/[0-9a-z]{26}/[0-9]+)"')
TEACHING = re.compile(r'Teaching a class.*?<span class="verdict">([a-z ]+)</span>', re.DOTALL)
REFUSAL = {"answer": "refused", "giver": "self", "whose": "case", "reason": "letter received"}


def page_of(browser: Browser, case: str = CASE) -> str:
    """Give the address of the case's consent."""
    found = CONSENT.search(browser.find(case, "consent").text)
    assert found
    return found[1]


def consent_recorded(desk: OpenDesk, case: str = CASE) -> Consent:
    record = desk.archive.case(desk.vault.directory.find_case(case, who="test", purpose="test")[0].key)
    assert record
    return record.facts.consent


def teaching(text: str) -> str:
    found = TEACHING.search(text)
    assert found, text
    return found[1]


def test_each_use_is_answered_and_what_would_change_it_is_told(browser: Browser) -> None:
    text = browser.get(page_of(browser, POST_MORTEM)).text
    assert "Nothing since the delivery list." in text
    assert teaching(text) != "yes"
    for words in ("What would change it:", "source: post-mortem", "authority: hospital", "Rules version"):
        assert words in text


def test_a_refusal_is_recorded_and_every_use_follows_it(desk: OpenDesk, browser: Browser) -> None:
    address = page_of(browser)
    assert teaching(browser.get(address).text) == "yes"
    sent = browser.send(f"{address}/record", {**REFUSAL, "for teaching": "yes"})
    assert (sent.status_code, sent.headers["location"]) == (303, address)
    text = browser.get(address).text
    assert "Recorded. One case is decided with it from now on." in text
    assert teaching(text) == "no"
    assert re.search(r"refused\s*</td>\s*<td data-label=\"By\">self", text)
    assert 'yes<span class="soft small">teaching</span>' in text
    assert any((act, who) == ("found case", WHO) for act, who, _ in desk.acts())


def test_an_answer_that_was_overtaken_does_not_count(browser: Browser) -> None:
    address = page_of(browser)
    for answer in ("refused", "given"):
        browser.send(f"{address}/record", {**REFUSAL, "answer": answer, "for teaching": "yes", "for research": "yes"})
    text = browser.get(address).text
    assert text.count("overtaken, or weighs less") == 1
    assert 'yes<span class="soft small">research, teaching</span>' in text


def test_the_evidence_is_shown_only_when_asked_for_and_that_is_written_down(desk: OpenDesk, browser: Browser) -> None:
    address = page_of(browser)
    proof = {"name": "Beispiel, Berta", "on": "2026-01-31", "document": "folder 7, sheet 3"}
    browser.send(f"{address}/record", {**REFUSAL, **proof})
    assert "Berta" not in browser.get(address).text
    assert "read evidence" not in [act for act, _, _ in desk.acts()]
    text = browser.send(f"{address}/evidence", {}).text
    assert all(words in text for words in proof.values())
    assert ("read evidence", WHO, "Consent or withdrawal") in desk.acts()


def test_a_mistake_is_annulled_stays_to_be_seen_and_counts_no_more(desk: OpenDesk, browser: Browser) -> None:
    before, address = consent_recorded(desk), page_of(browser)
    browser.send(f"{address}/record", REFUSAL)
    assert consent_recorded(desk) is Consent.REFUSED
    fields = {"number": "1", "whose": "case", "reason": "another case was meant"}
    browser.send(f"{address}/annul", fields)
    text = browser.get(address).text
    assert '<span class="flag">annulled</span>' in text
    assert consent_recorded(desk) is before
    browser.send(f"{address}/annul", fields)
    assert "There is no such record here that counts" in browser.get(address).text


def test_a_refusal_of_the_patient_is_of_all_their_cases(desk: OpenDesk, browser: Browser) -> None:
    address = page_of(browser)
    browser.send(f"{address}/record", {**REFUSAL, "whose": "patient"})
    assert "all cases of the patient" in browser.get(address).text
    assert consent_recorded(desk) is Consent.REFUSED


def test_what_was_found_out_is_recorded_without_an_answer(desk: OpenDesk, browser: Browser) -> None:
    address = page_of(browser, POST_MORTEM)
    browser.send(f"{address}/record", {"might_identify": "no", "reason": "looked at every slide"})
    text = browser.get(address).text
    assert "found out" in text
    assert "might identify: no (person)" in text


def test_a_document_is_done_and_open_again_with_who_and_why(browser: Browser) -> None:
    address = page_of(browser, POST_MORTEM)
    fields = {"document": "family consultation", "reason": "minutes of the meeting"}
    browser.send(f"{address}/document", {**fields, "done": "yes"})
    text = browser.get(address).text
    assert re.search(rf"family consultation</th><td>done</td><td>{WHO}</td><td>minutes of the meeting", text)
    browser.send(f"{address}/document", {**fields, "done": "no"})
    assert "<td>open again</td>" in browser.get(address).text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"reason": "letter"}, "A consent record says what was answered"),
        ({"giver": "self", "reason": "letter"}, "Choose what was answered"),
        ({"answer": "refused", "reason": "letter"}, "in which role somebody"),
        ({"answer": "given", "giver": "self", "reason": "letter"}, "A consent names its purposes"),
        ({"answer": "not foreseen", "reason": "letter"}, "is attested"),
        ({"answer": "withdrawn", "giver": "self", "reason": "letter"}, "withdraw"),
        ({"answer": "perhaps", "reason": "letter"}, "Answer: choose from the list"),
        ({**REFUSAL, "rank": "first"}, "The rank is a whole number"),
        ({**REFUSAL, "on": "yesterday"}, "The day: expected one such as 2026-01-31"),
        ({**REFUSAL, "on": "2999-01-31"}, "The day is still to come"),
        ({**REFUSAL, "reason": ""}, "reason"),
        ({**REFUSAL, "reason": f"letter about {CASE}"}, "identif"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_sentence_and_changes_nothing(
    desk: OpenDesk, browser: Browser, fields: dict[str, str], why: str
) -> None:
    address, before = page_of(browser), desk.archive.change_count()
    refused = browser.send(f"{address}/record", fields)
    assert refused.status_code == 400
    assert why in refused.text
    assert desk.archive.change_count() == before


def test_no_address_of_these_pages_names_a_case_or_a_patient(desk: OpenDesk, browser: Browser) -> None:
    address = page_of(browser)
    browser.send(f"{address}/record", REFUSAL)
    browser.get(address)
    said = "\n".join(browser.addresses).lower()
    assert not [secret for secret in desk.furnished.secrets if secret.lower() in said]


def test_a_case_of_another_session_is_nothing_here(desk: OpenDesk, browser: Browser) -> None:
    address, other = page_of(browser), desk.browser()
    for path in (address, f"{address}/record"):
        assert other.get(path).status_code == 404


def test_a_second_persons_word_is_given_under_an_account_of_ones_own(peopled: PeopledDesk) -> None:
    look = {"might_identify": "no", "reason": "looked at every slide"}
    first, second = peopled.member("lab"), peopled.member("carol")
    key = peopled.archive.slide(peopled.slide_code(CASE)).record.key
    address = page_of(first)
    assert "assessed_also_by" not in first.get(f"{address}/record").text
    refused = first.send(f"{address}/record", {**look, "assessed_also_by": "Dr B"})
    assert refused.status_code == 400
    assert "under an account of their own" in refused.text
    assert first.send(f"{address}/record", look).status_code == 303
    assert first.send(f"{address}/record", look).status_code == 303
    assert not peopled.archive.facts_of(key).second_person
    assert second.send(f"{page_of(second)}/record", look).status_code == 303
    assert peopled.archive.facts_of(key).second_person
