"""Each page and each act of the desk answers the roles that it is for, and says so to every other in one sentence."""

import re
from collections.abc import Iterator, Sequence

import pytest
from starlette.routing import BaseRoute

from archive.accounts import Action, Role
from archive.holdings.auditing import told_by
from ingest.desk.app import pages_of
from ingest.desk.page import Page
from ingest.desk.session import AT_THE_DESK
from tests.ingest.desk.conftest import Browser, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE

RESTATED = """
                                               custodian laboratory pathologist auditor
GET  /                                             x         x          x          x
POST /find                                         x         x          x          -
GET  /cases/{handle}                               x         x          x          -
GET  /slides/{handle}                              -         x          x          -
GET  /api/slides/{handle}                          -         x          x          -
GET  /api/collections/{handle}                     -         x          x          -
GET  /quarantine                                   -         x          -          -
GET  /quarantine/{number}                          -         x          -          -
POST /quarantine/{number}/release                  -         x          -          -
POST /quarantine/{number}/refuse                   -         x          -          -
POST /quarantine/{number}/black-out                -         x          -          -
GET  /quarantine/kept/{code}                       -         x          -          -
POST /quarantine/kept/{code}/black-out             -         x          -          -
POST /quarantine/kept/{code}/looked-at             -         x          -          -
GET  /correct/{tray}/slide/{code}                  -         x          -          -
POST /correct/{tray}/slide/{code}                  -         x          -          -
GET  /correct/{tray}/case/{place:int}              -         x          -          -
POST /correct/{tray}/case/{place:int}              -         x          -          -
POST /correct/carry-out                            -         x          -          -
GET  /report                                       -         x          -          -
GET  /report/{day}                                 -         x          -          -
GET  /report/{day}/table.csv                       -         x          -          -
GET  /rest                                         x         x          x          x
GET  /static/{name}                                x         x          x          x
GET  /role                                         x         x          x          x
POST /role                                         x         x          x          x
POST /lock                                         x         x          x          x
GET  /consent/{tray}/{place:int}                   x         x          x          -
POST /consent/{tray}/{place:int}/evidence          x         x          -          -
GET  /consent/{tray}/{place:int}/record            x         x          -          -
POST /consent/{tray}/{place:int}/record            x         x          -          -
POST /consent/{tray}/{place:int}/annul             x         x          -          -
POST /consent/{tray}/{place:int}/document          x         x          -          -
GET  /work                                         x         x          -          -
POST /work                                         x         x          -          -
GET  /patient                                      x         x          -          -
POST /patient                                      x         x          -          -
GET  /withdraw/{tray}/{place:int}                  x         x          -          -
POST /withdraw/{tray}/{place:int}                  x         x          -          -
POST /withdraw/carry-out                           x         x          -          -
GET  /withdrawn/{handle}                           x         x          -          -
GET  /rules                                        x         -          -          -
POST /rules                                        x         -          -          -
GET  /identify                                     x         -          -          -
POST /identify                                     x         -          -          -
POST /identify/decide                              x         -          -          -
POST /identify/answer                              x         -          -          -
GET  /trail                                        x         -          -          x
POST /trail/verify                                 x         -          -          x
POST /trail/search                                 -         -          -          x
POST /trail/subject                                x         -          -          -
"""
"""Which role which address is for, by hand and from what the roles are there for: the laboratory takes in and corrects,
a custodian answers for consent and codes and sees no slide, a pathologist looks at the slides of a case, an auditor
reads the trails and does nothing that they tell of."""

ROLES = ("custodian", "laboratory", "pathologist", "auditor")
NAMES = {"custodian": "carol", "laboratory": "lab", "pathologist": "path", "auditor": "aud"}
FILLED = {
    "{handle}": "0" * 26,
    "{tray}": "0" * 26,
    "{place:int}": "0",
    "{number}": "00000000",
    "{code}": "S-00000-00000",
    "{day}": "2026-01-01",
    "{name}": "desk.css",
}
PICTURES = ("/slides/{}/thumbnail.jpg", "/slides/{}/tiles/0/0_0.jpg", "/slides/{}.dzi", "/slides/{}_files/1/0_0.jpg")
FORBIDDEN = re.compile(r"<p>As [a-z]+ you may not do this: [a-z ]+\.</p>")


def restated() -> dict[tuple[str, str], tuple[str, ...]]:
    head, *rows = RESTATED.strip("\n").splitlines()
    assert tuple(head.split()) == ROLES
    said = {}
    for row in rows:
        method, path, *marks = row.split()
        said[method, path] = tuple(role for role, mark in zip(ROLES, marks, strict=True) if mark == "x")
    return said


SAID = restated()


def addresses(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, str]]:
    for route in routes:
        assert isinstance(route, Page), route
        yield from ((method, route.path) for method in sorted(route.methods or ()) if method != "HEAD")


def test_every_address_of_the_desk_is_restated(peopled: PeopledDesk) -> None:
    assert set(addresses(pages_of(peopled.desk))) == set(SAID)


def forbidden(browser: Browser, method: str, path: str, key: str) -> bool:
    for name, value in FILLED.items():
        path = path.replace(name, value)
    answer = browser.get(path) if method == "GET" else browser.send(path, {}, key=key)
    refused = FORBIDDEN.search(answer.text) is not None
    assert (answer.status_code == 403) is refused or path == "/role", (answer.status_code, answer.text)
    return refused


@pytest.mark.parametrize("role", ROLES)
def test_a_role_gets_what_it_is_for_and_nothing_else(peopled: PeopledDesk, role: str) -> None:
    browser = peopled.member(NAMES[role])
    key = browser.key()
    differing = [
        (method, path)
        for (method, path), roles in SAID.items()
        if path != "/lock" and forbidden(browser, method, path, key) is (role in roles)
    ]
    assert differing == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("picture", PICTURES)
def test_pictures_of_a_case_are_for_those_who_look_at_its_slides(peopled: PeopledDesk, role: str, picture: str) -> None:
    answer = peopled.member(NAMES[role]).get(picture.format("0" * 26))
    assert (FORBIDDEN.search(answer.text) is not None) is (role in ("custodian", "auditor"))


def test_what_a_role_asks_for_and_may_not_do_is_in_the_access_trail(peopled: PeopledDesk) -> None:
    browser = peopled.member("path")
    browser.send("/identify", {"code": "S-00000-00000", "reason": "curious"})
    told = [one for one in told_by(peopled.accounts.sealed_trail()) if one.act == "not allowed"]
    assert [(one.actor, one.details["action"], one.details["role"]) for one in told] == [
        ("path", "identify", "pathologist")
    ]


def test_what_is_refused_by_role_is_refused_before_it_is_looked_for(peopled: PeopledDesk) -> None:
    browser, before = peopled.member("path"), peopled.acts()
    (waiting, *_) = peopled.vault.register.waiting()
    answers = [browser.get(f"/quarantine/{number}") for number in (waiting.number, "00000000")]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].content == answers[1].content
    assert peopled.acts() == before


def test_a_custodian_finds_a_case_and_sees_no_slide(peopled: PeopledDesk) -> None:
    page = peopled.member("carol").find(CASE).text
    assert "Case <code>C-" in page
    assert "/slides/" not in page
    assert "Correct" not in page


def test_a_pathologist_looks_at_a_case_and_corrects_nothing(peopled: PeopledDesk) -> None:
    browser = peopled.member("path")
    page = browser.find(CASE).text
    (address, *_) = re.findall(r'href="(/slides/[^"]+)"', page)
    assert browser.get(address).status_code == 200
    assert "Correct" not in page
    assert "opened slide" in [act for act, who, _ in peopled.acts() if who == "path"]


def test_the_head_of_a_page_names_the_rooms_of_the_role(peopled: PeopledDesk) -> None:
    page = peopled.member("path").get("/").text
    assert 'href="/quarantine"' not in page
    assert 'href="/report"' not in page
    assert 'href="/quarantine"' in peopled.member("lab").get("/").text


def test_without_accounts_whoever_opened_the_desk_does_everything(desk: OpenDesk) -> None:
    browser = desk.browser()
    key = browser.key()
    asked = [(method, path) for method, path in SAID if path not in ("/lock", "/role")]
    assert not [one for one in asked if forbidden(browser, *one, key)]
    assert browser.get("/role").status_code == 404


def test_an_auditor_begins_at_the_trails_and_finds_no_way_to_a_case(peopled: PeopledDesk) -> None:
    browser = peopled.member("aud")
    assert browser.get("/").headers["location"] == "/trail"
    page = browser.get("/trail").text
    assert re.findall(r'<a href="(/[a-z]*)"', page) == ["/trail", "/role"]


def test_no_role_works_at_the_desk_but_those_that_work_with_the_vault_or_read_its_trail() -> None:
    assert {str(role) for role in AT_THE_DESK} == set(ROLES)
    assert {Role.RESEARCHER, Role.EDUCATOR, Role.LEARNER} == set(Role) - AT_THE_DESK


def test_nothing_of_the_desk_needs_what_no_role_there_may(peopled: PeopledDesk) -> None:
    needed = {page.needs for page in pages_of(peopled.desk) if isinstance(page, Page)}
    assert Action.FIND_CASE in needed
    assert all(roles for roles in SAID.values())
