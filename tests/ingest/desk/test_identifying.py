"""Whose a code is: a custodian asks at the desk, another approves under a sign-in of their own, the first is told."""

import html
import re

import pytest

from archive.accounts import Grant, Role
from archive.codes import Code, Kind
from tests.ingest.desk.conftest import PASSWORD, Browser, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE, NAME, PATIENT

REQUEST = re.compile(r"Request ([0-9A-Z]{8}) ")
CURIOUS = "request 17"


@pytest.fixture
def two(peopled: PeopledDesk) -> tuple[Browser, Browser]:
    """Sign two custodians in, each in a browser of their own."""
    peopled.accounts.add("cecil", PASSWORD, [Grant(Role.CUSTODIAN)])
    return peopled.member("carol"), peopled.member("cecil")


def ask(browser: Browser, code: object, reason: str = CURIOUS, **more: str) -> str:
    """Ask, and give the page that comes."""
    sent = browser.send("/identify", {"code": str(code), "reason": reason, **more})
    return html.unescape(browser.get("/identify").text if sent.status_code == 303 else sent.text)


def number_in(page: str) -> str:
    found = REQUEST.search(page)
    assert found, page
    return found[1]


def decide(browser: Browser, number: str, approve: str = "yes", reason: str = "letter seen") -> str:
    browser.send("/identify/decide", {"request": number, "approve": approve, "reason": reason})
    return browser.get("/identify").text


def answer(browser: Browser, number: str) -> str:
    sent = browser.send("/identify/answer", {"request": number})
    return sent.text if sent.status_code == 200 else browser.get("/identify").text


def acts_of(desk: OpenDesk) -> list[tuple[str, str]]:
    return [
        (act, who) for act, who, _ in desk.acts() if "identif" in act or act in ("tried to approve own", "not answered")
    ]


def test_two_people_lead_from_a_code_to_a_person(peopled: PeopledDesk, two: tuple[Browser, Browser]) -> None:
    first, second = two
    code = peopled.slide_code(CASE)
    number = number_in(ask(first, code))
    waiting = second.get("/identify").text
    assert f"<code>{code}</code>" in waiting
    assert CURIOUS in waiting
    assert "Approve" in waiting
    assert "Approved" in decide(second, number)
    told = answer(first, number)
    for word in (PATIENT, NAME, CASE):
        assert word in told
    assert acts_of(peopled) == [
        ("asked to identify", "carol"),
        ("approved to identify", "cecil"),
        ("identified", "carol"),
    ]


def test_the_answer_is_given_once_and_no_address_leads_to_it(
    peopled: PeopledDesk, two: tuple[Browser, Browser]
) -> None:
    first, second = two
    number = number_in(ask(first, peopled.slide_code(CASE)))
    decide(second, number)
    assert NAME in answer(first, number)
    again = answer(first, number)
    assert "was answered before" in again
    assert NAME not in again
    addresses = " ".join(first.addresses + second.addresses)
    assert not [secret for secret in peopled.furnished.secrets if secret in addresses]
    assert first.get("/identify/answer").status_code == 404


def test_nobody_approves_a_request_of_their_own(peopled: PeopledDesk, two: tuple[Browser, Browser]) -> None:
    first, _ = two
    number = number_in(ask(first, peopled.slide_code(CASE)))
    assert "Approve or refuse" not in first.get("/identify").text
    assert "another person" in decide(first, number)
    assert NAME not in answer(first, number)
    assert acts_of(peopled)[1:] == [("tried to approve own", "carol"), ("not answered", "carol")]


def test_the_answer_is_for_nobody_but_the_account_that_asked(
    peopled: PeopledDesk, two: tuple[Browser, Browser]
) -> None:
    first, second = two
    number = number_in(ask(first, peopled.slide_code(CASE)))
    decide(second, number)
    assert NAME not in answer(second, number)
    assert ("not answered", "cecil") in acts_of(peopled)
    assert NAME in answer(first, number)


def test_what_is_refused_is_not_answered(peopled: PeopledDesk, two: tuple[Browser, Browser]) -> None:
    first, second = two
    number = number_in(ask(first, peopled.slide_code(CASE)))
    assert "Refused." in decide(second, number, approve="no")
    assert "refused by cecil" in first.get("/identify").text
    assert NAME not in answer(first, number)


def test_a_code_that_there_is_not_is_an_event(peopled: PeopledDesk, two: tuple[Browser, Browser]) -> None:
    first, _ = two
    before = len(peopled.acts())
    for code in (Code.random(Kind.SLIDE), "no code at all"):
        assert first.send("/identify", {"code": str(code), "reason": CURIOUS}).status_code in (400, 404)
    assert [act for act, _, _ in peopled.acts()[before:]] == ["not identified", "not identified"]


@pytest.mark.parametrize("reason", ["", "asked by 943 476 5919", f"about {CASE}"])
def test_a_reason_that_is_missing_or_may_name_somebody_is_refused(
    peopled: PeopledDesk, two: tuple[Browser, Browser], reason: str
) -> None:
    first, second = two
    code = peopled.slide_code(CASE)
    assert first.send("/identify", {"code": str(code), "reason": reason}).status_code == 400
    assert acts_of(peopled) == []
    number = number_in(ask(first, code))
    decide(second, number, reason=reason)
    assert acts_of(peopled) == [("asked to identify", "carol")]


def test_a_list_is_approved_at_the_desk_and_answered_into_a_file(
    peopled: PeopledDesk, two: tuple[Browser, Browser]
) -> None:
    first, second = two
    (found,) = peopled.vault.directory.find_case(CASE, who="test", purpose="test")
    keys = [slide.key for slide in found.slides]
    made = peopled.vault.approvals.ask(keys, "carol", "request 18", bulk=True)
    assert f"a list of {len(keys)}" in second.get("/identify").text
    decide(second, made.number)
    assert "coverslip identify-list" in first.get("/identify").text
    assert NAME not in answer(first, made.number)
    assert peopled.vault.approvals.of("carol")[0].state == "approved"


def test_without_accounts_nobody_is_told_alone(desk: OpenDesk, browser: Browser) -> None:
    page = ask(browser, desk.slide_code(CASE))
    assert "waits for a second person" in page
    number = number_in(page)
    decide(browser, number)
    assert NAME not in answer(browser, number)


def test_where_no_second_person_is_required_the_answer_comes_at_once(desk: OpenDesk, browser: Browser) -> None:
    desk.vault.approvals.require_second_person(False, "test", "a small laboratory")
    page = ask(browser, desk.slide_code(CASE))
    assert "can be answered" in page
    assert NAME in answer(browser, number_in(page))
