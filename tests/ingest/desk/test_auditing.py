"""The audit trails are verified and searched at the desk by whom they are for, and a patient's question is answered."""

import html
import re
import sqlite3
from pathlib import Path

import pytest

from archive.auditchain import FaultCode
from archive.auditchain.signing import SigningKey
from archive.holdings.auditing import catalogue_trail, sign, told_by
from archive.holdings.books import Books
from archive.holdings.second_place import SecondPlace
from ingest.desk.verdict import IN_WORDS
from ingest.pipeline.auditing import with_vault
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE, NAME, PATIENT, POST_MORTEM
from tests.ingest.desk.test_consenting import page_of

ROW = re.compile(
    r'<td data-label="By">(.*?)</td><td>(.*?)</td><td data-label="Of">(?:<code>(.*?)</code>)?</td>'
    r'<td data-label="Why">(.*?)</td>'
)
WHY = {"reason": "yearly audit"}


def rows_in(page: str) -> list[tuple[str, str, str, str]]:
    """Give account, act, code and reason of each entry on a page."""
    return [(who, act, code, html.unescape(why)) for who, act, code, why in ROW.findall(page)]


def searched(browser: Browser, **fields: str) -> list[tuple[str, str, str, str]]:
    answer = browser.send("/trail/search", {**WHY, **fields})
    assert answer.status_code == 200, answer.text
    return rows_in(answer.text)


def opened_by(desk: PeopledDesk) -> str:
    """Have the pathologist open a slide; give the slide's code."""
    browser = desk.member("path")
    page = browser.find(CASE)
    (address, *_) = re.findall(r'href="(/slides/[^"]+)"', page.text)
    assert browser.get(address).status_code == 200
    return str(desk.slide_code(CASE))


def test_an_auditor_finds_entries_by_code_account_purpose_and_time(peopled: PeopledDesk) -> None:
    code, auditor = opened_by(peopled), peopled.member("aud")
    of_code = searched(auditor, code=code)
    assert ("path", "opened slide") in [row[:2] for row in of_code]
    assert "coded" in [row[1] for row in of_code]
    by = searched(auditor, by="path")
    assert {row[0] for row in by} == {"path"}
    assert {"sign in", "found case", "opened slide"} <= {row[1] for row in by}
    purpose = searched(auditor, purpose="clinical review")
    assert purpose
    assert all("linical review" in row[3] for row in purpose)
    assert searched(auditor, until="2020-01-01") == []
    assert searched(auditor, since="2020-01-01", by="path") == by
    assert {row[1] for row in searched(auditor, act="opened slide")} == {"opened slide"}


def test_what_somebody_does_at_the_desk_is_found_by_their_account(peopled: PeopledDesk) -> None:
    for name in ("lab", "carol"):
        browser = peopled.member(name)
        browser.send(f"{page_of(browser)}/record", {"might_identify": "no", "reason": "looked at every slide"})
    auditor = peopled.member("aud")
    for name, role in (("lab", "laboratory"), ("carol", "custodian")):
        assert "record consent" in [row[1] for row in searched(auditor, by=name)]
        told = [one for one in told_by(catalogue_trail(peopled.archive)) if one.actor == name]
        assert [one.details["role"] for one in told] == [role]


def test_no_page_of_the_trails_names_a_patient(peopled: PeopledDesk) -> None:
    opened_by(peopled)
    answer = peopled.member("aud").send("/trail/search", WHY)
    assert rows_in(answer.text)
    assert not [secret for secret in peopled.furnished.secrets if secret in answer.text]


def test_who_reads_the_trails_is_in_them(peopled: PeopledDesk) -> None:
    auditor = peopled.member("aud")
    searched(auditor)
    assert ("read trail", "aud", "yearly audit") in peopled.acts()
    assert ("aud", "read audit") in [row[:2] for row in searched(auditor, by="aud")]


@pytest.mark.parametrize("reason", ["", f"about {CASE}", "asked by 943 476 5919"])
def test_trails_are_not_read_without_a_reason_that_names_nobody(peopled: PeopledDesk, reason: str) -> None:
    answer = peopled.member("aud").send("/trail/search", {"reason": reason, "by": "path"})
    assert answer.status_code == 400
    assert rows_in(answer.text) == []
    assert "read trail" not in [act for act, _, _ in peopled.acts()]


def test_what_is_asked_wrongly_is_told_and_stays_in_the_form(peopled: PeopledDesk) -> None:
    auditor = peopled.member("aud")
    for fields, said in (({"code": "no code"}, "code"), ({"since": "yesterday"}, "expected a day")):
        answer = auditor.send("/trail/search", {**WHY, **fields, "by": "path"})
        assert answer.status_code == 400
        assert said in answer.text
        assert 'value="path"' in answer.text


def test_the_trails_are_whole_and_the_verdict_says_what_it_cannot_see(peopled: PeopledDesk) -> None:
    for name in ("aud", "carol"):
        page = html.unescape(peopled.member(name).send("/trail/verify", {}).text)
        assert "The trails are whole" in page
        assert "cut off cannot be seen here" in page
        for trail in ("The archive's", "The accounts'", "The key vault's"):
            assert trail in page


def edited(desk: PeopledDesk, statement: str) -> None:
    """Do to the access trail what somebody with its file could."""
    database = sqlite3.connect(desk.room.settings.archive / "accounts.sqlite")
    with database:
        assert database.execute(statement).rowcount
    database.close()


def verdict(browser: Browser) -> str:
    return html.unescape(browser.send("/trail/verify", {}).text)


def test_an_entry_that_was_changed_is_told_in_plain_words(peopled: PeopledDesk) -> None:
    auditor = peopled.member("aud")
    edited(peopled, "update trail set text = replace(text, 'sign in', 'sign out')")
    page = verdict(auditor)
    assert "The trails are not whole." in page
    assert "an entry was changed after it was written" in page
    assert "The trails are whole" not in page


@pytest.fixture
def second_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "second"
    folder.mkdir()
    monkeypatch.setenv("COVERSLIP_AUDIT_COPY", str(folder))
    return folder


def signed(desk: PeopledDesk, place: Path) -> None:
    """Sign all trails into the second place, as the timer does every hour."""
    books = with_vault(Books.of_archive(desk.archive, desk.accounts.sealed_trail()), desk.vault)
    sign(desk.archive, books.trails, SecondPlace(place), SigningKey.create(place.parent / "audit.key"))


def test_with_a_second_place_an_end_that_was_cut_off_is_told(second_place: Path, peopled: PeopledDesk) -> None:
    auditor = peopled.member("aud")
    signed(peopled, second_place)
    page = verdict(auditor)
    assert "The trails are whole" in page
    assert "one signed statement in the second place" in page
    edited(peopled, "delete from trail where number > 3")
    page = verdict(auditor)
    assert "The trails are not whole." in page
    assert "the end of the trail was cut off" in page


def test_every_fault_that_there_can_be_has_words() -> None:
    assert set(IN_WORDS) == set(FaultCode)


def test_a_second_place_that_is_gone_is_no_good_sign(second_place: Path, peopled: PeopledDesk) -> None:
    auditor = peopled.member("aud")
    second_place.rmdir()
    page = verdict(auditor)
    assert "second place is not there" in page
    assert "The trails are whole" not in page


def test_a_patient_is_told_who_opened_their_slides_and_nothing_is_in_an_address(peopled: PeopledDesk) -> None:
    opened_by(peopled)
    custodian = peopled.member("carol")
    page = custodian.send("/trail/subject", {"patient": PATIENT, "reason": "letter 12"}).text
    assert ("path", "opened slide") in [row[:2] for row in rows_in(page)]
    assert NAME not in page
    assert not [secret for secret in peopled.furnished.secrets if secret in " ".join(custodian.addresses)]
    assert ("carol", "letter 12") in [(who, reason) for _, who, reason in peopled.acts()]


def test_a_report_about_nobody_says_so_and_is_written_down(peopled: PeopledDesk) -> None:
    custodian, before = peopled.member("carol"), len(peopled.acts())
    answer = custodian.send("/trail/subject", {"patient": "H-0000000", "reason": "letter 12"})
    assert answer.status_code == 400
    assert "nobody of this number is known here" in answer.text.lower()
    assert [who for _, who, _ in peopled.acts()[before:]] == ["carol"]


def test_without_accounts_the_desk_s_one_person_reads_the_two_trails(desk: OpenDesk, browser: Browser) -> None:
    browser.find(POST_MORTEM)
    assert (WHO, "found case") in [row[:2] for row in searched(browser, by=WHO)]
    page = verdict(browser)
    assert "The trails are whole" in page
    assert "The accounts'" not in page
