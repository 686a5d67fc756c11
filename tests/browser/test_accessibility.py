"""Every page of server and desk can be used with a keyboard, a screen reader or weak eyes: axe-core finds no fault."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from archive.accounts import AccountStore, Grant, Role
from archive.holdings import Archive
from archive.server.pages import TEMPLATES as SERVERS
from ingest.cli.places import Places
from ingest.desk.frames import TEMPLATES as DESKS
from tests.archive.server.taught import TaughtArchive, served
from tests.browser.checking import faults_of
from tests.browser.conftest import Shown
from tests.browser.desks import AT_A_DESK_WITH_ACCOUNTS, DeskProcess, Visit, shoot
from tests.ingest.desk.furnished import CASE, NAME, PATIENT, POST_MORTEM, Furnished

SETTLED_MS = 900
WIDTHS = pytest.mark.parametrize("width", [390, 1280])


def assert_without_fault(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    shoot(page, f"axe-{name}")
    assert faults_of(page) == [], name
    assert parts_over_each_other(page) == [], name
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is wider than its window"


def parts_over_each_other(page: Page) -> list[list[str]]:
    """Give the pairs of things in a page's head that lie on one another, which axe-core does not look for."""
    pairs: list[list[str]] = page.evaluate(
        """() => {
            const parts = [...document.querySelectorAll(".top a, .top button, .top h1")]
                .map((part) => [part.textContent.trim(), part.getBoundingClientRect()])
                .filter(([, box]) => box.width > 0);
            const across = (a, b) => a.left < b.right - 1 && b.left < a.right - 1;
            const touch = (a, b) => across(a, b) && a.top < b.bottom && b.top < a.bottom;
            return parts.flatMap(([name, box], at) =>
                parts.slice(at + 1).filter(([, other]) => touch(box, other)).map(([other]) => [name, other]));
        }"""
    )
    return pairs


# The server's pages


@WIDTHS
def test_the_servers_pages(chromium: Browser, shown: Shown, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 860})
    page = context.new_page()
    addresses = {
        "collections": "/",
        "collection": f"/collections/{shown.collection.handle}",
        "nothing here": "/collections/nothing",
    }
    for name, address in addresses.items():
        page.goto(f"{shown.base}{address}")
        assert_without_fault(page, f"{name}-{width}")
    page.goto(shown.address(1))
    expect(page.get_by_role("button", name="magnification 10 times")).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    assert_without_fault(page, f"viewer-{width}")
    context.close()


def test_the_servers_page_without_a_collection(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty") / "archive"
    Archive.create(empty).close()
    page = chromium.new_page()
    with served(empty, workers=1) as base:
        page.goto(base)
        expect(page.get_by_text("There is no collection")).to_be_visible()
        assert_without_fault(page, "no collection")
    page.close()


# The server's pages, where there are accounts

TWO_ROLES, NO_ROLE = "j.teacher", "n.newcomer"
PASSWORD = "a long pass phrase of these tests"


@pytest.fixture(scope="module")
def members_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve an archive with a collection, and with an account of two roles and one of none."""
    taught = TaughtArchive(tmp_path_factory.mktemp("members") / "archive")
    taught.teach("Skin, week 3", taught.add())
    taught.archive.close()
    with AccountStore.open(taught.root, create=True) as store:
        store.add(TWO_ROLES, PASSWORD, [Grant(Role.EDUCATOR), Grant(Role.CUSTODIAN)])
        store.add(NO_ROLE, PASSWORD)
    with served(taught.root, workers=1) as base:
        yield base


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Account").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


@WIDTHS
def test_signing_in_and_looking(chromium: Browser, members_only: str, width: int) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 860})
    page = context.new_page()
    page.goto(members_only)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert_without_fault(page, f"sign in-{width}")
    sign_in(page, TWO_ROLES, "not the password")
    expect(page.get_by_role("alert")).to_be_visible()
    assert_without_fault(page, f"sign in, told why not-{width}")
    sign_in(page, TWO_ROLES)
    expect(page.get_by_role("heading", name="In which role are you here?")).to_be_visible()
    assert_without_fault(page, f"role-{width}")
    page.get_by_role("button", name="Custodian").click()
    expect(page.get_by_text("there is nothing to see here")).to_be_visible()
    assert_without_fault(page, f"a role that sees nothing-{width}")
    page.get_by_role("button", name="Educator").click()
    expect(page.get_by_role("heading", name="Teaching collections")).to_be_visible()
    assert_without_fault(page, f"collections, signed in-{width}")
    page.get_by_role("link", name=re.compile("Skin")).click()
    assert_without_fault(page, f"collection, signed in-{width}")
    page.get_by_role("link", name="Slide 1").click()
    expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    assert_without_fault(page, f"viewer, signed in-{width}")
    page.goto(f"{members_only}/collections/nothing")
    assert_without_fault(page, f"nothing here, signed in-{width}")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, NO_ROLE)
    expect(page.get_by_text("This account has no role yet.")).to_be_visible()
    assert_without_fault(page, f"no role-{width}")
    context.close()


# The desk's pages


@WIDTHS
def test_finding_and_looking(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    assert_without_fault(page, f"start-{width}")
    visit.find(CASE, "Another purpose")
    expect(page.get_by_role("status")).to_be_visible()
    assert_without_fault(page, f"start, told why not-{width}")
    visit.find(POST_MORTEM)
    expect(page.get_by_role("heading", name=POST_MORTEM)).to_be_visible()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_without_fault(page, f"a case that may not be shown-{width}")
    page.get_by_role("link", name="Find", exact=True).click()
    visit.find(CASE)
    page.get_by_role("link", name="Open slide 1").wait_for()
    assert_without_fault(page, f"case-{width}")
    page.get_by_role("link", name="Open slide 1").click()
    expect(page.get_by_role("button", name="Whole slide")).to_be_visible()
    page.wait_for_timeout(SETTLED_MS)
    assert_without_fault(page, f"looking-{width}")


@WIDTHS
def test_judging(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    page.get_by_role("link", name="Quarantine").click()
    for reason, picture in (("wrong-barcode", "The tissue"), ("truncated", None)):
        assert_without_fault(page, f"quarantine-{width}")
        page.locator("tr", has_text=reason).get_by_role("link").click()
        shows = page.get_by_role("img", name=picture) if picture else page.get_by_text("No picture can be made of it")
        expect(shows).to_be_visible()
        assert_without_fault(page, f"waiting, {reason}-{width}")
        page.get_by_role("link", name="Quarantine").click()


@WIDTHS
def test_correcting(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    visit.find(CASE)
    page.get_by_role("link", name="Correct this case").click()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_without_fault(page, f"correct a case-{width}")
    page.get_by_label(re.compile("^Might identify")).select_option("yes")
    page.get_by_label("Reason").fill("looked at again")
    page.get_by_role("button", name="See what would come of it").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    assert_without_fault(page, f"foreseen-{width}")
    page.get_by_role("link", name="Find", exact=True).click()
    visit.find(CASE)
    page.get_by_role("link", name="Correct", exact=True).last.click()
    assert_without_fault(page, f"correct a slide-{width}")


@WIDTHS
def test_consent_and_its_withdrawal(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    visit.find(POST_MORTEM, "Consent or withdrawal")
    page.get_by_role("link", name="Consent", exact=True).click()
    expect(page.get_by_role("heading", name=f"Consent of {POST_MORTEM}")).to_be_visible()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_without_fault(page, f"consent, nothing said-{width}")
    page.get_by_role("link", name="Record an answer or a finding").click()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_without_fault(page, f"record consent-{width}")
    page.get_by_label(re.compile("^Answer")).select_option("not foreseen")
    page.get_by_label("Reason").fill("the papers were read")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("status")).to_contain_text("is attested")
    assert_without_fault(page, f"record consent, told why not-{width}")
    page.get_by_label(re.compile("^Who signed")).fill("Beispiel, Berta")
    page.get_by_label("On which day").fill("2026-01-31")
    page.get_by_label("Why it could not be foreseen").fill("made for the diagnosis")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("status")).to_contain_text("Recorded.")
    page.get_by_role("button", name="Show who signed").click()
    expect(page.get_by_text("Beispiel, Berta").first).to_be_visible()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_without_fault(page, f"consent, with its evidence-{width}")
    page.get_by_role("link", name="Withdraw", exact=True).click()
    assert_without_fault(page, f"withdraw-{width}")
    page.get_by_label(re.compile("^From")).select_option("nominated representative")
    page.get_by_label("Reason").fill("letter received")
    page.get_by_role("button", name="See what it would do").click()
    expect(page.get_by_text("Nothing is changed yet.")).to_be_visible()
    assert_without_fault(page, f"withdrawal foreseen-{width}")
    page.get_by_role("button", name="Withdraw now").click()
    expect(page.get_by_role("heading", name=re.compile("^(Withdrawn|It was so already)$"))).to_be_visible()
    assert_without_fault(page, f"withdrawn-{width}")


@WIDTHS
def test_a_letter_before_the_slides(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    page.get_by_role("link", name="Record it for the patient").click()
    page.get_by_label("Patient number").fill("H-1234567")
    page.get_by_label("Reason").fill("letter received")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("status")).to_contain_text("Choose what was answered")
    assert_without_fault(page, f"letter, told why not-{width}")
    page.get_by_label(re.compile("^Answer")).select_option("refused")
    page.get_by_label(re.compile("^From")).select_option("self")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("status")).to_contain_text("Recorded for the patient.")
    assert_without_fault(page, f"letter, recorded-{width}")


@WIDTHS
def test_the_work_list_and_the_rules(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    page.get_by_role("link", name="Work", exact=True).click()
    page.get_by_role("link", name="also before publication").click()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert_without_fault(page, f"work-{width}")
    page.get_by_role("link", name=re.compile("^C-")).first.click()
    expect(page.get_by_text("find it by its number")).to_be_visible()
    assert_without_fault(page, f"start, for a case of the work list-{width}")
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_text("nothing waits")).to_be_visible()
    assert_without_fault(page, f"rules-{width}")


@WIDTHS
def test_the_day_and_the_pages_beside(visit: Visit, width: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": width, "height": 860})
    page.get_by_role("link", name="Day", exact=True).click()
    assert_without_fault(page, f"day-{width}")
    base = page.url.rsplit("/", 1)[0]
    for name, address in (("a day without anything", "/report/2020-01-01"), ("put away", "/rest")):
        page.goto(f"{base}{address}")
        assert_without_fault(page, f"{name}-{width}")
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="The desk is locked")).to_be_visible()
    assert_without_fault(page, f"locked-{width}")
    visit.complaints.clear()  # the browser says on its console that the page was forbidden


def test_what_is_not_there(visit: Visit) -> None:
    page = visit.page
    page.goto(f"{page.url.rstrip('/')}/quarantine/nothing")
    expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    assert_without_fault(page, "nothing here")
    visit.complaints.clear()  # the browser says on its console that the page was not found


# The desk's pages, where there are accounts

PASSPHRASE = "violin grape umbrella"
STAFF = {
    "carol": [Grant(Role.CUSTODIAN), Grant(Role.PATHOLOGIST)],
    "cecil": [Grant(Role.CUSTODIAN)],
    "arthur": [Grant(Role.AUDITOR)],
}


@dataclass(frozen=True)
class Peopled:
    """The address of a desk where people sign in, and a slide's code."""

    address: str
    code: str


@pytest.fixture(scope="module")
def peopled(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    """Open the desk of an archive with accounts."""
    home = tmp_path_factory.mktemp("peopled")
    for name in ("archive", "archive-vault", "archive-key"):
        shutil.copytree(furnished.home / name, home / name)
    with AccountStore.open(home / "archive", create=True) as store:
        for name, grants in STAFF.items():
            store.add(name, PASSPHRASE, grants)
    with Places.of(home / "archive").opened() as (archive, vault):
        (case,) = vault.directory.find_case(CASE, who="test", purpose="test")
        code = str(archive.held(case.slides[0].key).code)
    desk = DeskProcess(home / "archive")
    try:
        yield Peopled(desk.address(AT_A_DESK_WITH_ACCOUNTS), code)
    finally:
        desk.end()


def member(chromium: Browser, desk: Peopled, name: str, width: int) -> Page:
    """Sign somebody in at the desk, in a browser of their own."""
    page = chromium.new_context(viewport={"width": width, "height": 860}).new_page()
    page.goto(desk.address)
    sign_in(page, name, PASSPHRASE)
    return page


@WIDTHS
def test_signing_in_at_the_desk(chromium: Browser, peopled: Peopled, width: int) -> None:
    page = chromium.new_context(viewport={"width": width, "height": 860}).new_page()
    page.goto(peopled.address)
    assert_without_fault(page, f"sign in at the desk-{width}")
    sign_in(page, "carol", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not fit")
    assert_without_fault(page, f"sign in at the desk, refused-{width}")
    sign_in(page, "carol", PASSPHRASE)
    expect(page.get_by_role("heading", name="In which role are you here?")).to_be_visible()
    assert_without_fault(page, f"role at the desk-{width}")
    page.get_by_role("button", name="Custodian").click()
    expect(page.get_by_role("heading", name="Find a case")).to_be_visible()
    assert_without_fault(page, f"start of a custodian-{width}")
    page.get_by_role("link", name="carol, custodian").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in at the desk")).to_be_visible()
    page.context.close()


@WIDTHS
def test_asking_whose_a_code_is(chromium: Browser, peopled: Peopled, width: int) -> None:
    first, second = member(chromium, peopled, "cecil", width), member(chromium, peopled, "carol", width)
    first.get_by_role("link", name="Identify").click()
    first.get_by_label("Code of a patient").fill(peopled.code)
    first.get_by_label("Why", exact=True).fill(f"about {CASE}")
    first.get_by_role("button", name="Ask").click()
    expect(first.get_by_role("status")).to_contain_text("could identify a patient")
    assert_without_fault(first, f"identify, told why not-{width}")
    first.get_by_label("Why", exact=True).fill("ticket 17")
    first.get_by_role("button", name="Ask").click()
    expect(first.get_by_role("status")).to_contain_text("waits for a second person")
    assert_without_fault(first, f"identify, asked-{width}")
    second.get_by_role("button", name="Custodian").click()
    second.get_by_role("link", name="Identify").click()
    second.get_by_text("Approve or refuse").click()
    assert_without_fault(second, f"identify, to be approved-{width}")
    second.get_by_label("On what your word rests").fill("letter seen")
    second.get_by_role("button", name="Approve").click()
    expect(second.get_by_role("status")).to_contain_text("Approved")
    first.get_by_role("link", name="Identify").click()
    assert_without_fault(first, f"identify, approved-{width}")
    first.get_by_role("button", name="Show whose it is").click()
    expect(first.get_by_text(NAME)).to_be_visible()
    assert_without_fault(first, f"identified-{width}")
    assert first.url.endswith("/identify/answer")
    first.context.close()
    second.context.close()


@WIDTHS
def test_the_audit_trails(chromium: Browser, peopled: Peopled, width: int) -> None:
    page = member(chromium, peopled, "arthur", width)
    expect(page.get_by_role("heading", name="Audit trails")).to_be_visible()
    assert_without_fault(page, f"trail-{width}")
    page.get_by_label("Account or role").fill("arthur")
    page.get_by_label("What you read them for").fill("yearly audit")
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tr", has_text="read audit").first).to_be_visible()
    assert_without_fault(page, f"trail, searched-{width}")
    page.get_by_label("Code of a patient").fill("S-00000-00000")
    page.get_by_role("button", name="Search").click()
    assert_without_fault(page, f"trail, told why not-{width}")
    page.get_by_role("button", name="Verify all trails").click()
    expect(page.get_by_text("The trails are whole")).to_be_visible()
    assert_without_fault(page, f"trail, verified-{width}")
    page.context.close()


@WIDTHS
def test_a_patient_asks_who_opened_their_slides(chromium: Browser, peopled: Peopled, width: int) -> None:
    page = member(chromium, peopled, "cecil", width)
    page.get_by_role("link", name="Trail").click()
    page.get_by_label("Patient number").fill(PATIENT)
    page.get_by_label("Why").fill("letter 12")
    page.get_by_role("button", name="Show who").click()
    expect(page.get_by_role("heading", name=re.compile("What people did"))).to_be_visible()
    assert_without_fault(page, f"subject report-{width}")
    page.context.close()


LOOKED_AT = {
    *("collections.html", "collection.html", "slide.html", "refused.html", "sign_in.html", "role.html"),
    *("start.html", "case.html", "look.html", "quarantine.html", "waiting.html", "kept.html", "correct_case.html"),
    *("correct_slide.html", "foreseen.html", "report.html", "rest.html", "sorry.html", "closed.html"),
    *("desk_sign_in.html", "desk_role.html"),
    *("consent.html", "record_consent.html", "withdraw.html", "withdrawn.html", "work.html", "rules.html"),
    *("identify.html", "identified.html", "trail.html", "patient_consent.html"),
}
PARTS = {"frame.html", "layout.html", "parts.html", "stage.html", "answered.html"}
GOES_ON_AT_ONCE = {"signed_in.html"}
"""A browser leaves it before anybody could look."""


def test_no_page_is_forgotten() -> None:
    pages = {page.name for folder in (SERVERS, DESKS) for page in folder.glob("*.html")}
    assert pages == LOOKED_AT | PARTS | GOES_ON_AT_ONCE


def test_a_fault_is_found(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content('<html lang="en"><title>Page</title><main><h1>A</h1><img src="data:,"><input></main>')
    found = faults_of(page)
    assert {fault.partition(" at ")[0] for fault in found} >= {"critical: image-alt", "critical: label"}
    page.close()
