"""People come in by password, say in which role they are here, and are out when they sign out."""

import re

import httpx
import pytest

from archive.accounts import Grant, Role
from archive.server.callers import cookie_of
from archive.server.site import Site
from tests.archive.server.conftest import Client, Opened
from tests.archive.server.members import COOKIE, SEVERAL, Members
from tests.archive.server.taught import TaughtArchive

PASSWORD = "a long pass phrase, 4 tests only"


@pytest.fixture
def client(taught: TaughtArchive, members: Members, opened: Opened) -> Client:
    members.store.add("eva", PASSWORD, [Grant(Role.EDUCATOR)])
    members.store.add("kim", PASSWORD, [Grant(Role.EDUCATOR), Grant(Role.AUDITOR)])
    return opened(taught)


def cookie_given(answer: httpx.Response) -> dict[str, str]:
    """Give what a browser sends from now on."""
    (header,) = answer.headers.get_list("set-cookie")
    return {"cookie": header.partition(";")[0]}


def sign_in(client: Client, name: str, password: str = PASSWORD, onward: str = "/") -> httpx.Response:
    return client.post("/sign-in", {"name": name, "password": password, "next": onward})


def key_on(page: httpx.Response) -> str:
    """Read the key from a form of a page."""
    return re.findall(r'name="key" value="([0-9a-f]{64})"', page.text)[0]


def test_whoever_signs_in_goes_where_they_wanted_to(client: Client, taught: TaughtArchive) -> None:
    (place,) = taught.teach("One", taught.add()).places
    away = client.get(f"/slides/{place.handle}")
    assert (away.status_code, away.headers["location"]) == (303, f"/sign-in?next=%2Fslides%2F{place.handle}")
    page = client.get(away.headers["location"])
    assert f'name="next" value="/slides/{place.handle}"' in page.text
    answer = sign_in(client, "eva", onward=f"/slides/{place.handle}")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/slides/{place.handle}")
    assert client.get(answer.headers["location"], cookie_given(answer)).status_code == 200


@pytest.mark.parametrize(
    "onward",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "/sign-out",
        "/slides/../x",
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_anywhere_else(client: Client, onward: str) -> None:
    assert sign_in(client, "eva", onward=onward).headers["location"] == "/"
    assert sign_in(client, "kim", onward=onward).headers["location"] == "/role"


def test_whoever_has_two_roles_goes_on_from_choosing_one(client: Client, taught: TaughtArchive) -> None:
    (place,) = taught.teach("One", taught.add()).places
    answer = sign_in(client, "kim", onward=f"/slides/{place.handle}")
    assert answer.headers["location"] == f"/role?next=%2Fslides%2F{place.handle}"
    cookie = cookie_given(answer)
    page = client.get(answer.headers["location"], cookie)
    (onward,) = set(re.findall('name="next" value="([^"]+)"', page.text))
    form = {"key": key_on(page), "role": "educator", "project": "", "next": onward}
    assert client.post("/role", form, cookie).headers["location"] == f"/slides/{place.handle}"


def test_the_cookie_is_for_this_server_alone(client: Client) -> None:
    (header,) = sign_in(client, "eva").headers.get_list("set-cookie")
    assert re.fullmatch(rf"{COOKIE}=[A-Za-z0-9_-]{{43}}; Path=/; HttpOnly; SameSite=Strict", header)
    assert cookie_of("__Host-coverslip", "x", Site("slides.example")) == (
        "__Host-coverslip=x; Path=/; HttpOnly; SameSite=Strict; Secure"
    )


def test_a_name_may_be_typed_as_people_type(client: Client) -> None:
    assert sign_in(client, " Eva ").status_code == 303


def test_no_answer_tells_whether_name_or_password_was_wrong(client: Client, members: Members) -> None:
    members.store.add("gone", PASSWORD, [Grant(Role.LEARNER)])
    members.store.disable("gone")
    wrong = [sign_in(client, "eva", "no"), sign_in(client, "nobody"), sign_in(client, "gone"), sign_in(client, "Mr X!")]
    for _ in range(5):
        sign_in(client, "kim", "no")
    wrong.append(sign_in(client, "kim"))  # locked by now, though the password is right
    assert {answer.status_code for answer in wrong} == {403}
    assert len({answer.content for answer in wrong}) == 1
    assert len({repr(sorted(answer.headers.multi_items())) for answer in wrong}) == 1
    assert "set-cookie" not in wrong[0].headers


def test_whoever_has_two_roles_acts_in_one_at_a_time(client: Client, members: Members) -> None:
    answer = sign_in(client, "kim")
    cookie = cookie_given(answer)
    assert answer.headers["location"] == "/role"
    assert client.get("/", cookie).headers["location"] == "/role?next=%2F"
    page = client.get("/role", cookie)
    assert "Educator" in page.text
    assert "Auditor" in page.text
    chosen = client.post("/role", {"key": key_on(page), "role": "educator", "project": "", "next": "/"}, cookie)
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/")
    assert client.get("/", cookie).status_code == 200
    chosen = client.post("/role", {"key": key_on(page), "role": "auditor", "project": "", "next": "/"}, cookie)
    assert chosen.headers["location"] == "/role"
    assert client.get("/", cookie).status_code == 404
    assert "nothing to see here" in client.get("/role", cookie).text


@pytest.mark.parametrize("role", ["custodian", "laboratory", "no role", ""])
def test_nobody_takes_a_role_that_was_not_given(client: Client, role: str) -> None:
    cookie = cookie_given(sign_in(client, "kim"))
    key = key_on(client.get("/role", cookie))
    assert client.post("/role", {"key": key, "role": role, "project": ""}, cookie).status_code == 404
    assert client.get("/", cookie).status_code == 303


def test_an_account_without_a_role_is_told_so(client: Client, members: Members) -> None:
    members.store.add("new", PASSWORD)
    cookie = cookie_given(sign_in(client, "new"))
    assert "no role yet" in client.get("/role", cookie).text
    assert client.get("/api/collections", cookie).status_code == 401


def test_whoever_signs_out_is_out(client: Client, taught: TaughtArchive) -> None:
    (place,) = taught.teach("One", taught.add()).places
    cookie, tile = cookie_given(sign_in(client, "eva")), f"/slides/{place.handle}/tiles/0/0_0.jpg"
    assert client.get(tile, cookie).status_code == 200
    assert client.get("/sign-out", cookie).headers["location"] == "/role"
    assert client.get(tile, cookie).status_code == 200, "an address alone signs nobody out"
    answer = client.post("/sign-out", {"key": key_on(client.get("/", cookie))}, cookie)
    assert answer.headers["location"] == "/sign-in"
    assert answer.headers["clear-site-data"] == '"cache"'
    assert "Max-Age=0" in answer.headers["set-cookie"]
    assert client.get(tile, cookie).status_code == 401


def test_signing_in_begins_a_session_of_its_own_and_ends_the_one_that_was_brought(
    client: Client, members: Members
) -> None:
    planted = cookie_given(sign_in(client, "eva"))
    form = {"name": "kim", "password": PASSWORD, "next": "/"}
    fresh = cookie_given(client.post("/sign-in", form, planted))
    assert fresh != planted
    assert client.get("/", planted).headers["location"].startswith("/sign-in")
    assert client.get("/role", fresh).status_code == 200
    invented = {"cookie": f"{COOKIE}={'x' * 43}"}
    assert cookie_given(client.post("/sign-in", form, invented)) != invented
    assert client.get("/role", invented).status_code == 303


def test_a_wrong_password_ends_no_session(client: Client) -> None:
    cookie = cookie_given(sign_in(client, "eva"))
    client.post("/sign-in", {"name": "eva", "password": "wrong", "next": "/"}, cookie)
    assert client.get("/", cookie).status_code == 200


FOREIGN = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "https://127.0.0.1:8765"},
    {"origin": "http://127.0.0.1:8766"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"content-type": "text/plain"},
    {"content-type": "multipart/form-data; boundary=x"},
]


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_from_another_site_is_not_taken(client: Client, headers: dict[str, str]) -> None:
    cookie = cookie_given(sign_in(client, "kim"))
    key = key_on(client.get("/role", cookie))
    for address, form in (
        ("/sign-in", {"name": "eva", "password": PASSWORD}),
        ("/role", {"key": key, "role": "educator"}),
        ("/sign-out", {"key": key}),
    ):
        answer = client.post(address, form, cookie | headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    assert client.get("/role", cookie).status_code == 200


def test_a_form_without_an_origin_or_of_another_session_is_not_taken(client: Client) -> None:
    cookie, other = cookie_given(sign_in(client, "kim")), cookie_given(sign_in(client, "eva"))
    for key in ("", "0" * 64, "é", key_on(client.get("/role", other))):
        assert client.post("/sign-out", {"key": key}, cookie).status_code == 403
    form, kind = b"key=" + key_on(client.get("/role", cookie)).encode(), "application/x-www-form-urlencoded"
    assert client.request("POST", "/sign-out", {**cookie, "content-type": kind}, form).status_code == 403


@pytest.mark.parametrize(
    "content", [b"name=" + b"a" * 20_000, b"&".join(b"a=1" for _ in range(50)), b"\xff\xfe", b"name=%ff%fe&password=x"]
)
def test_what_is_no_form_is_refused_in_one_sentence(client: Client, content: bytes) -> None:
    headers = {"origin": client.origin, "content-type": "application/x-www-form-urlencoded"}
    answer = client.request("POST", "/sign-in", headers, content)
    assert answer.status_code == 403
    assert "open the page again" in answer.text


def test_pages_of_members_are_not_kept_and_send_forms_only_here(client: Client) -> None:
    cookie = cookie_given(sign_in(client, "eva"))
    for page in (
        client.get("/", cookie),
        client.get("/sign-in"),
        client.get("/role", cookie),
        client.get("/x", cookie),
    ):
        assert page.headers.get_list("cache-control") == ["no-store"]
        assert "form-action 'self'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "same-origin"
        assert PASSWORD not in page.text
        assert cookie["cookie"].partition("=")[2] not in page.text


def test_what_was_typed_is_never_read_as_html(client: Client) -> None:
    page = client.get('/sign-in?next="><script>alert(1)</script>')
    assert "<script>" not in page.text


def test_roles_of_one_account_end_each_other(client: Client, members: Members) -> None:
    learner, custodian = members.session(SEVERAL), members.session(SEVERAL)
    members.store.choose_role(learner.token, Role.LEARNER)
    cookie = {"cookie": f"{COOKIE}={learner.token}"}
    assert client.get("/", cookie).status_code == 200
    members.store.choose_role(custodian.token, Role.CUSTODIAN)
    assert client.get("/", cookie).status_code == 303
