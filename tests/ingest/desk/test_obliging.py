"""What the rules ask people to do is a list at the desk; what is done leaves it, with who said so and why."""

import re

from archive.catalogue import codes
from archive.codes import Kind
from archive.geometry import Rectangle
from archive.holdings.redacting import redact
from tests.ingest.desk.conftest import WHO, Browser, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE, POST_MORTEM
from tests.ingest.desk.test_consenting import page_of

PUBLICATION = "/work?publication=yes"
ROW = re.compile(r'name="case" value="(C-[-0-9A-Z]+)">\s*<input type="hidden" name="document" value="([^"]+)"')


def open_now(browser: Browser, address: str = PUBLICATION) -> list[tuple[str, str]]:
    """Give case and document of everything that could be done on the list."""
    return [(case, document.replace("&#39;", "'")) for case, document in ROW.findall(browser.get(address).text)]


def test_a_document_that_is_done_leaves_the_list_and_one_that_is_not_comes_back(
    desk: OpenDesk, browser: Browser
) -> None:
    consent, owed = page_of(browser), open_now(browser)
    case = str(desk.archive.slide(desk.slide_code(CASE)).case_code)
    document = "family consultation"
    assert (case, document) in owed
    sent = browser.send("/work", {"case": case, "document": document, "publication": "yes", "reason": "minutes"})
    assert (sent.status_code, sent.headers["location"]) == (303, PUBLICATION)
    assert "is done." in browser.get("/work").text
    assert (case, document) not in open_now(browser)
    assert re.search(rf"<td>done</td><td>{WHO}</td><td>minutes</td>", browser.get(consent).text)
    browser.send(f"{consent}/document", {"document": document, "done": "no", "reason": "taken back"})
    assert (case, document) in open_now(browser)


def test_what_nobody_gives_a_reason_for_stays_open(browser: Browser) -> None:
    case, document = open_now(browser)[0]
    for reason in ("", f"spoke about {POST_MORTEM}"):
        browser.send("/work", {"case": case, "document": document, "reason": reason})
        assert (case, document) in open_now(browser)


def test_a_form_that_names_no_case_or_no_document_does_nothing(desk: OpenDesk, browser: Browser) -> None:
    case, before = str(desk.archive.slide(desk.slide_code(POST_MORTEM)).case_code), desk.archive.change_count()
    for fields in ({}, {"case": case}, {"case": "C-00000-00000"}, {"case": case, "document": "a promise"}):
        assert browser.send("/work", {**fields, "reason": "minutes"}).status_code == 303
    assert desk.archive.change_count() == before


def test_facts_to_establish_are_on_the_list_and_not_done_there(desk: OpenDesk, browser: Browser) -> None:
    text = browser.get("/work").text
    found = re.search(r'<a href="(/\?case=C-[-0-9A-Z]+)">Record it on the case\'s consent</a>', text)
    assert found
    assert POST_MORTEM not in text
    page = browser.get(found[1]).text
    assert f"For case <code>{found[1].partition('=')[2]}</code>" in page
    assert 'value="consent" required checked' in page
    assert f'href="/identify?code={found[1].partition("=")[2]}"' in page


def test_whoever_may_not_ask_whose_a_code_is_is_not_sent_there(peopled: PeopledDesk) -> None:
    case = peopled.archive.slide(peopled.slide_code(POST_MORTEM)).case_code
    assert "/identify" in peopled.member("carol").get(f"/?case={case}").text
    page = peopled.member("lab").get(f"/?case={case}").text
    assert f"For case <code>{case}</code>" in page
    assert "/identify" not in page


def test_publication_is_asked_about_when_it_is_wanted(browser: Browser) -> None:
    assert 'href="/work?publication=yes"' in browser.get("/work").text
    assert 'href="/work">without publication' in browser.get("/work?publication=yes").text


def test_copies_that_still_show_what_was_blacked_out_are_listed_until_somebody_says_they_are_gone(
    desk: OpenDesk, browser: Browser
) -> None:
    (scan, *_) = desk.archive.slide(desk.slide_code(CASE)).scans
    assert "still show" not in browser.get("/work").text
    slide = scan.record.slide
    with desk.archive.catalogue.writing() as writing:
        project = codes.add_project(writing.connection, "colon")
        codes.add_code(writing.connection, project, Kind.SLIDE, slide)
        writing.tell("cohort", project="colon", scans=1)
    redact(desk.archive, scan.code, [Rectangle(0, 0, 8, 8)], reason="a label on the glass")
    text = browser.get("/work").text
    assert "project colon" in text
    assert str(scan.code) in text
    for holder, reason in (("project colon", ""), ("project liver", "they deleted it"), ("", "they deleted it")):
        browser.send("/work", {"holder": holder, "reason": reason})
        assert "Copies that still show" in browser.get("/work").text
    assert browser.send("/work", {"holder": "project colon", "reason": "they deleted it"}).status_code == 303
    text = browser.get("/work").text
    assert "said to be gone" in text
    assert "Copies that still show" not in text
