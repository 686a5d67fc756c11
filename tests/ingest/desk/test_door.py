"""Whoever was not let in gets one and the same answer; forms are taken from the desk's own pages only."""

import re

import pytest

from tests.ingest.desk.conftest import BASE, Browser, OpenDesk, OpenIt

HANDLE = "0" * 26
PAGES = ["/", "/quarantine", "/report", "/rest"]
EVERYWHERE = [
    *PAGES,
    *(f"/cases/{HANDLE}", f"/slides/{HANDLE}", f"/api/slides/{HANDLE}", f"/api/collections/{HANDLE}"),
    *(f"/slides/{HANDLE}/tiles/0/0_0.jpg", f"/slides/{HANDLE}.dzi", f"/slides/{HANDLE}/thumbnail.jpg"),
    *("/quarantine/00000000", "/report/2026-01-01", "/report/2026-01-01/table.csv", f"/correct/{HANDLE}/case/0"),
    *("/nothing", "/enter/", "/enter/guess", "/docs", "/openapi.json", "/healthz", "//", "/../x"),
]
FORMS = ["/find", "/lock", "/correct/carry-out", "/quarantine/00000000/release", "/quarantine/00000000/refuse"]


def test_everything_answers_alike_without_a_session(desk: OpenDesk) -> None:
    stranger = desk.stranger()
    asked = [("GET", address) for address in EVERYWHERE]
    asked += [(method, address) for method in ("POST", "PUT", "DELETE") for address in (*FORMS, "/", "/nothing")]
    answers = [stranger.ask(method, address) for method, address in asked]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(answer.headers.multi_items()) for answer in answers}) == 1
    assert "The desk is locked" in answers[0].text


def test_a_cookie_that_was_made_up_is_no_session(desk: OpenDesk) -> None:
    browser = desk.browser()
    (name,) = browser.cookies
    for value in ("", "x", browser.cookies[name][:-1], browser.cookies[name] + "A", "ü" * 20):
        assert desk.stranger().ask("GET", "/", {"cookie": f"{name}={value}"}).status_code == 403
    assert browser.get("/").status_code == 200


def test_an_address_opens_the_desk_once(desk: OpenDesk) -> None:
    desk.offer()
    (token,) = desk.tokens
    entered = desk.stranger().enter(token)
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    cookie = entered.headers["set-cookie"]
    assert re.fullmatch(r"coverslip-desk-8766=[\w-]{43}; Path=/; HttpOnly; SameSite=Strict", cookie)
    assert desk.stranger().enter(token).status_code == 403


def test_an_address_that_was_only_looked_at_is_not_used_up(desk: OpenDesk) -> None:
    desk.offer()
    assert desk.stranger().ask("HEAD", f"/enter/{desk.tokens[0]}").status_code == 403
    assert desk.stranger().enter(desk.tokens[0]).status_code == 303


def test_an_address_grows_old(open_desk: OpenIt) -> None:
    desk = open_desk(token_minutes=10)
    desk.offer()
    desk.clock.now += 601
    assert desk.stranger().enter(desk.tokens[0]).status_code == 403


def test_one_address_at_a_time_is_announced_however_often_somebody_knocks(desk: OpenDesk) -> None:
    desk.offer()
    for _ in range(5):
        desk.stranger().get("/")
    assert len(desk.tokens) == 1
    desk.clock.now += 601
    desk.stranger().get("/")
    assert len(desk.tokens) == 2
    assert desk.tokens[0] != desk.tokens[1]


def test_the_desk_locks_itself_when_nobody_uses_it(open_desk: OpenIt) -> None:
    desk = open_desk(idle_minutes=15)
    browser = desk.browser()
    for _ in range(3):
        desk.clock.now += 890
        assert browser.get("/").status_code == 200
    desk.clock.now += 901
    assert browser.get("/").status_code == 403


@pytest.mark.parametrize("address", [f"/api/slides/{HANDLE}", "/rest"])
def test_what_a_page_asks_by_itself_does_not_keep_the_desk_open(open_desk: OpenIt, address: str) -> None:
    desk = open_desk(idle_minutes=15)
    browser = desk.browser()
    for _ in range(2):
        desk.clock.now += 500
        answer = browser.get(address)
    assert answer.status_code == 403


def test_a_page_left_open_is_put_away_after_the_desk_has_locked_itself(open_desk: OpenIt) -> None:
    browser = open_desk(idle_minutes=15).browser()
    assert browser.get("/").headers["refresh"] == "905; url=/rest"
    assert "was put away" in browser.get("/rest").text


def test_locking_ends_the_session_at_once(desk: OpenDesk) -> None:
    browser, other = desk.browser(), desk.browser()
    assert browser.send("/lock", {}).status_code == 303
    assert browser.get("/").status_code == 403
    assert other.get("/").status_code == 200


def test_too_many_browsers_push_the_first_one_out(desk: OpenDesk) -> None:
    browsers = [desk.browser() for _ in range(9)]
    assert [browser.get("/").status_code for browser in browsers] == [403, *[200] * 8]


@pytest.mark.parametrize("host", ["desk.example", "192.168.0.7:8766", "127.0.0.1.desk.example", "", "0.0.0.0:8766"])
def test_only_this_machine_is_asked_by_its_own_name(browser: Browser, host: str) -> None:
    for address in ("/", "/static/desk.css", "/enter/x"):
        assert browser.ask("GET", address, {"host": host}).status_code == 421


@pytest.mark.parametrize("address", PAGES)
def test_no_answer_is_kept_framed_or_passed_on(browser: Browser, address: str) -> None:
    answer = browser.get(address)
    assert answer.status_code == 200
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
    assert answer.headers.get_list("referrer-policy") == ["same-origin"]
    assert answer.headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert answer.headers.get_list("server") == [""]
    (policy,) = answer.headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "form-action 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not {"etag", "last-modified", "set-cookie", "access-control-allow-origin"} & set(answer.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://slides.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://127.0.0.1:8766"},
        {"origin": "http://127.0.0.1:8765"},
        {"origin": "http://localhost:8766"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"content-type": "text/plain"},
        {"content-type": "multipart/form-data; boundary=x"},
    ],
)
def test_a_form_from_elsewhere_does_nothing(desk: OpenDesk, headers: dict[str, str]) -> None:
    browser = desk.browser()
    before = desk.acts()
    answer = browser.send("/find", {"accession": "S26-04711", "purpose": "review"}, headers=headers)
    assert answer.status_code == 400
    assert desk.acts() == before


@pytest.mark.parametrize("key", ["", "guess", "ü"])
def test_a_form_without_its_key_does_nothing(desk: OpenDesk, key: str) -> None:
    browser = desk.browser()
    before = desk.acts()
    answer = browser.send("/find", {"accession": "S26-04711", "purpose": "review"}, key=key)
    assert answer.status_code == 400
    assert desk.acts() == before


def test_the_key_of_another_session_does_nothing(desk: OpenDesk) -> None:
    browser, other = desk.browser(), desk.browser()
    assert browser.send("/lock", {}, key=other.key()).status_code == 400
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("content", ["key=" + "x" * 70_000, "&".join(f"a{n}=1" for n in range(99)), "key=%FF", "\xff"])
def test_a_form_that_is_none_is_refused_in_a_sentence(browser: Browser, content: str) -> None:
    headers = {"origin": BASE, "content-type": "application/x-www-form-urlencoded"}
    answer = browser.ask("POST", "/lock", headers, content)
    assert answer.status_code == 400
    assert "form" in answer.text
    assert browser.get("/").status_code == 200


@pytest.mark.parametrize("address", FORMS)
def test_forms_are_not_sent_by_looking(browser: Browser, address: str) -> None:
    assert browser.get(address).status_code == 404
    assert browser.get("/").status_code == 200


def test_style_and_script_are_the_same_for_everybody_and_may_be_kept(desk: OpenDesk) -> None:
    answer = desk.stranger().get("/static/desk.css")
    assert answer.status_code == 200
    again = desk.stranger().ask("GET", "/static/desk.css", {"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("layout.html", "..%2Fapp.py", "case.html", "nothing"):
        assert desk.stranger().get(f"/static/{name}").status_code == 404
