"""Where there are accounts, the desk is opened by name and password, in one role at a time, and by nothing else."""

import re

import pytest

from archive.accounts import AccountStore, Role
from tests.ingest.desk.conftest import PASSWORD, OpenDesk, PeopledDesk
from tests.ingest.desk.furnished import CASE
from tests.ingest.desk.test_door import EVERYWHERE, FORMS


def test_everything_answers_alike_until_somebody_signs_in(peopled: PeopledDesk) -> None:
    stranger = peopled.stranger()
    asked = [("GET", address) for address in EVERYWHERE]
    asked += [(method, address) for method in ("POST", "PUT", "DELETE") for address in (*FORMS, "/", "/nothing")]
    answers = [stranger.ask(method, address) for method, address in asked]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert 'action="/sign-in"' in answers[0].text
    assert peopled.tokens == []


def test_whoever_signs_in_acts_in_their_own_name(peopled: PeopledDesk) -> None:
    browser = peopled.member("lab")
    assert "lab, laboratory</a>" in browser.get("/").text
    browser.find(CASE)
    assert [who for act, who, _ in peopled.acts()][-1] == "lab"


@pytest.mark.parametrize(
    ("name", "password"),
    [("lab", "wrong"), ("lab", ""), ("lab", f" {PASSWORD}"), ("nobody", PASSWORD), ("", ""), ("LAB; --", PASSWORD)],
)
def test_a_name_and_a_password_that_do_not_fit_let_nobody_in(peopled: PeopledDesk, name: str, password: str) -> None:
    browser = peopled.stranger()
    answer = browser.sign_in(name, password)
    assert answer.status_code == 403
    assert "Name and password do not fit" in answer.text
    assert not browser.cookies
    assert browser.get("/").status_code == 403


def test_five_wrong_passwords_lock_the_account(peopled: PeopledDesk) -> None:
    browser = peopled.stranger()
    for _ in range(5):
        browser.sign_in("lab", "wrong")
    assert browser.sign_in("lab", PASSWORD).status_code == 403


@pytest.mark.parametrize("headers", [{"origin": "http://slides.example"}, {"sec-fetch-site": "cross-site"}])
def test_the_form_is_taken_from_the_desks_own_page_only(peopled: PeopledDesk, headers: dict[str, str]) -> None:
    browser = peopled.stranger()
    assert browser.sign_in("lab", PASSWORD, **headers).status_code == 400
    assert not browser.cookies


@pytest.mark.parametrize("name", ["ed", "learn"])
def test_an_account_without_a_role_at_the_desk_is_told_so_and_not_let_in(peopled: PeopledDesk, name: str) -> None:
    browser = peopled.stranger()
    answer = browser.sign_in(name, PASSWORD)
    assert answer.status_code == 403
    assert "No role of this account works at the desk" in answer.text
    assert not browser.cookies


def test_somebody_with_several_roles_chooses_one_before_anything_else(peopled: PeopledDesk) -> None:
    browser = peopled.member("both")
    for address in ("/", "/quarantine", "/slides/x/thumbnail.jpg", "/nothing"):
        assert browser.get(address).headers["location"] == "/role"
    page = browser.get("/role").text
    assert re.findall(r'name="role" value="(\w+)"', page) == ["laboratory", "pathologist"]
    assert peopled.choose(browser, Role.PATHOLOGIST).headers["location"] == "/"
    assert "both, pathologist</a>" in browser.get("/").text
    assert browser.get("/quarantine").status_code == 403


@pytest.mark.parametrize("role", ["educator", "custodian", "auditor", "root", ""])
def test_no_role_is_chosen_that_is_not_ones_own_or_not_of_the_desk(peopled: PeopledDesk, role: str) -> None:
    browser = peopled.member("both")
    assert peopled.choose(browser, role).status_code == 403
    assert browser.get("/").headers["location"] == "/role"


def test_what_was_found_in_one_role_does_not_lie_there_in_the_next(peopled: PeopledDesk) -> None:
    browser = peopled.member("both", Role.LABORATORY)
    page = browser.find(CASE).text
    (case,) = {address for address in browser.addresses if address.startswith("/cases/")}
    (slide, *_) = re.findall(r'href="(/slides/[^"]+)"', page)
    assert browser.get(slide).status_code == 200
    peopled.choose(browser, Role.PATHOLOGIST)
    assert [browser.get(address).status_code for address in (case, slide, f"{slide}/thumbnail.jpg")] == [404] * 3


def test_a_second_browser_in_another_role_signs_the_first_one_out(peopled: PeopledDesk) -> None:
    first, second = peopled.member("both", Role.LABORATORY), peopled.member("both", Role.PATHOLOGIST)
    assert [first.get("/").status_code, second.get("/").status_code] == [403, 200]


def test_whoever_is_disabled_or_loses_the_role_is_out_at_once(peopled: PeopledDesk) -> None:
    disabled, revoked = peopled.member("lab"), peopled.member("path")
    peopled.accounts.disable("lab")
    peopled.accounts.revoke("path", Role.PATHOLOGIST)
    assert disabled.get("/").status_code == 403
    assert revoked.get("/").status_code in (303, 403)
    assert CASE not in revoked.get("/role").text
    assert revoked.get("/quarantine").status_code in (303, 403)


def test_signing_out_ends_the_accounts_session_too(peopled: PeopledDesk) -> None:
    browser = peopled.member("lab")
    (cookie,) = browser.cookies.values()
    assert peopled.accounts.session(cookie) is not None
    browser.send("/lock", {})
    assert peopled.accounts.session(cookie) is None
    assert browser.get("/").status_code == 403


def test_the_desk_signs_out_whoever_leaves_it_alone(peopled: PeopledDesk) -> None:
    browser = peopled.member("lab")
    (cookie,) = browser.cookies.values()
    peopled.clock.now += 60 * 15 + 1
    assert browser.get("/").status_code == 403
    assert peopled.accounts.session(cookie) is None


def test_a_session_that_began_elsewhere_does_not_open_the_desk(peopled: PeopledDesk) -> None:
    session = peopled.accounts.sign_in("lab", PASSWORD)
    cookie = f"coverslip-desk-8766={session.token}"
    assert peopled.stranger().ask("GET", "/", {"cookie": cookie}).status_code == 403


def test_nobody_is_let_in_while_the_accounts_cannot_be_asked(peopled: PeopledDesk) -> None:
    browser = peopled.member("lab")
    peopled.accounts.close()
    file = peopled.room.settings.archive / "accounts.sqlite"
    sound = file.read_bytes()
    assert not list(file.parent.glob("accounts.sqlite-*"))
    file.write_bytes(b"no database at all" * 1000)
    answers = [browser.get("/"), browser.get("/quarantine"), browser.sign_in("lab", PASSWORD)]
    file.write_bytes(sound)
    assert {answer.status_code for answer in answers} == {503}


def test_a_desk_without_accounts_shuts_when_the_archive_is_given_some(desk: OpenDesk) -> None:
    browser = desk.browser()
    assert browser.get("/").status_code == 200
    AccountStore.open(desk.room.settings.archive, create=True).close()
    answers = [browser.get("/"), desk.stranger().get("/"), desk.stranger().enter("guess")]
    assert {answer.status_code for answer in answers} == {503}
    assert "has accounts now" in answers[0].text
