"""Who signs in at the hospital's own place is let in here if there is an account of that name, and nobody else is."""

import asyncio
import html
import re
import socket
import sys
from collections.abc import Iterator

import httpx
import pytest

from archive.accounts import Grant, Role
from archive.errors import InvalidValue
from archive.server.oidc import BACK, START
from archive.server.waiting import PLACES_OF_ONE
from tests.archive.accounts.hospital import SECRET, hospital, visit
from tests.archive.server.conftest import Client, Opened
from tests.archive.server.members import COOKIE, SEVERAL, Members
from tests.archive.server.taught import TaughtArchive

HERE = f"http://127.0.0.1:8765{BACK}"
BEHIND_PROXY = f"https://slides.hospital.example/slides{BACK}"
ATTEMPT = f"{COOKIE}-attempt"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with hospital(HERE, BEHIND_PROXY) as name:
        yield name


def settings_for(issuer: str) -> dict[str, str]:
    return {"oidc_issuer": issuer, "oidc_client_secret": SECRET}


@pytest.fixture
def client(taught: TaughtArchive, members: Members, opened: Opened, issuer: str) -> Client:
    taught.teach("Skin", taught.add())
    return opened(taught, **settings_for(issuer))


def given(answer: httpx.Response) -> dict[str, str]:
    """Give name and value of every cookie that an answer gives."""
    return dict(header.partition(";")[0].split("=", 1) for header in answer.headers.get_list("set-cookie"))


def sent(cookies: dict[str, str]) -> dict[str, str]:
    return {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}


def come_back(client: Client, login: str, back: str = HERE, root: str = "", asked: str = "") -> httpx.Response:
    """Set out, sign in at the provider, and come back; gives the answer to that."""
    away = client.get(f"{root}{START}{asked}")
    there = visit(away.headers["location"], back, login)
    return client.get(str(there), sent(given(away)))


def test_who_signs_in_there_is_in_here(client: Client, members: Members) -> None:
    answer = come_back(client, "learner")
    assert answer.status_code == 200
    page = client.get("/", sent({COOKIE: given(answer)[COOKIE]}))
    assert (page.status_code, "Skin" in page.text, "learner" in page.text) == (200, True, True)
    with members.store.entries() as entries:
        assert '"means":"openid"' in list(entries)[-1].text


def test_a_page_of_the_servers_own_leads_on_because_a_strict_cookie_does_not_come_along(client: Client) -> None:
    answer = come_back(client, "learner")
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text
    assert answer.headers["cache-control"] == "no-store"
    cookies = {header.partition("=")[0]: header for header in answer.headers.get_list("set-cookie")}
    assert cookies[COOKIE].endswith("; Path=/; HttpOnly; SameSite=Strict")
    assert cookies[ATTEMPT] == f"{ATTEMPT}=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0"


def test_who_signs_in_there_goes_on_to_the_page_they_asked_for(client: Client, taught: TaughtArchive) -> None:
    (place,) = taught.teach("One", taught.add()).places
    page = f"/slides/{place.handle}"
    (way,) = re.findall(f'href="{START}([^"]*)"', client.get(client.get(page).headers["location"]).text)
    answer = come_back(client, "learner", asked=html.unescape(way))
    assert f'content="0; url={page}"' in answer.text
    assert client.get(page, sent({COOKIE: given(answer)[COOKIE]})).status_code == 200
    chooses = come_back(client, SEVERAL, asked=html.unescape(way))
    assert f'content="0; url=/role?next=%2Fslides%2F{place.handle}"' in chooses.text


@pytest.mark.parametrize("onward", ["//evil.example", "https://evil.example/", "/sign-out", "/x%22%3E", ":", "/a;b=c"])
def test_nobody_is_sent_anywhere_else_from_there(client: Client, onward: str) -> None:
    answer = come_back(client, "learner", asked=f"?next={onward}")
    assert 'content="0; url=/">' in answer.text
    away = client.get(START)
    forged = {ATTEMPT: f"{given(away)[ATTEMPT].partition(':')[0]}:{onward}"}
    answer = client.get(str(visit(away.headers["location"], HERE, "learner")), sent(forged))
    assert 'content="0; url=/">' in answer.text or not given(answer)


def test_somebody_with_two_roles_chooses_one(client: Client) -> None:
    session = sent({COOKIE: given(come_back(client, SEVERAL))[COOKIE]})
    assert client.get("/", session).headers["location"] == "/role?next=%2F"
    assert "Custodian" in client.get("/role", session).text


def test_an_account_without_a_password_needs_none(client: Client, members: Members) -> None:
    members.store.add("j.marsh", grants=[Grant(Role.LEARNER)])
    assert COOKIE in given(come_back(client, "j.marsh"))


def test_nobody_gets_an_account_by_being_known_elsewhere(client: Client, members: Members) -> None:
    before = members.store.accounts()
    answer = come_back(client, "somebody.else")
    assert (answer.status_code, given(answer)) == (403, {})
    assert "somebody.else" not in answer.text
    assert members.store.accounts() == before
    with members.store.entries() as entries:
        assert '"act":"sign in refused"' in list(entries)[-1].text


def test_a_name_that_was_given_to_a_new_person_does_not_give_them_the_account(
    client: Client, members: Members, caplog: pytest.LogCaptureFixture
) -> None:
    assert COOKIE in given(come_back(client, "learner"))
    refused, unknown = come_back(client, "learner~2"), come_back(client, "somebody.else")
    assert (refused.status_code, refused.text, given(refused)) == (unknown.status_code, unknown.text, {})
    assert COOKIE in given(come_back(client, "learner"))
    assert "that can be used by them" in caplog.text
    assert "learner" not in caplog.text
    members.store.untie("learner")
    assert COOKIE in given(come_back(client, "learner~2"))
    assert given(come_back(client, "learner")) == {}


def test_a_disabled_account_looks_like_none(client: Client, members: Members) -> None:
    members.store.disable("learner")
    refused, unknown = come_back(client, "learner"), come_back(client, "somebody.else")
    assert (refused.status_code, refused.text) == (unknown.status_code, unknown.text)
    assert given(refused) == {}


def test_another_browser_cannot_come_back_in_somebodys_place(client: Client) -> None:
    away, thief = client.get(START), client.get(START)
    there = str(visit(away.headers["location"], HERE, "learner"))
    for cookies in ({}, given(thief), {ATTEMPT: "made up"}):
        answer = client.get(there, sent(cookies))
        assert (answer.status_code, given(answer)) == (403, {})
    assert client.get(there, sent(given(away))).status_code == 200


def test_an_attempt_is_known_to_its_own_browser_for_ten_minutes(client: Client) -> None:
    (header,) = client.get(START).headers.get_list("set-cookie")
    assert header.startswith(f"{ATTEMPT}=")
    assert header.endswith("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600")


def test_behind_a_proxy_browsers_come_back_to_its_name_through_tls(
    taught: TaughtArchive, members: Members, opened: Opened, issuer: str
) -> None:
    proxy = {"behind_tls_proxy": True, "hostname": "slides.hospital.example", "root_path": "/slides"}
    client = opened(taught, **proxy, **settings_for(issuer))
    assert 'href="/slides/sign-in/openid"' in client.get("/slides/sign-in").text
    (header,) = client.get(f"/slides{START}").headers.get_list("set-cookie")
    assert header.startswith("__Host-coverslip-attempt=")
    assert "; Path=/; HttpOnly; SameSite=Lax; Secure" in header
    answer = come_back(client, "learner", BEHIND_PROXY, "/slides")
    assert '<meta http-equiv="refresh" content="0; url=/slides/">' in answer.text
    assert "__Host-coverslip" in given(answer)


def test_without_a_provider_there_is_no_such_way_in(taught: TaughtArchive, members: Members, opened: Opened) -> None:
    client = opened(taught)
    assert START not in client.get("/sign-in").text
    assert client.get(START).status_code == 404
    assert client.get(BACK).status_code == 404


def test_the_page_to_sign_in_leads_to_the_provider(client: Client) -> None:
    assert f'href="{START}"' in client.get("/sign-in").text


def test_while_the_provider_is_away_passwords_still_count(
    taught: TaughtArchive, members: Members, opened: Opened
) -> None:
    with hospital(HERE) as gone:
        client = opened(taught, **settings_for(gone))
    answer = client.get(START)
    assert (answer.status_code, given(answer)) == (503, {})
    assert gone not in answer.text
    members.store.set_password("learner", "a good long pass phrase 4 tests")
    form = {"name": "learner", "password": "a good long pass phrase 4 tests", "next": "/"}
    assert COOKIE in given(client.post("/sign-in", form))


def test_while_the_provider_hangs_nobody_with_a_password_waits(
    taught: TaughtArchive, members: Members, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.accounts.oidc.SECONDS_TO_ANSWER", 2.0)
    members.store.set_password("learner", "a good long pass phrase 4 tests")
    form = {"name": "learner", "password": "a good long pass phrase 4 tests", "next": "/"}
    done: list[int] = []

    async def ask(client: httpx.AsyncClient, method: str, address: str, form: dict[str, str] | None) -> None:
        done.append((await client.request(method, address, data=form, headers={"origin": own.origin})).status_code)

    async def all_at_once() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(own.app), base_url=own.origin) as client:
            setting_out = [ask(client, "GET", START, None) for _ in range(PLACES_OF_ONE)]
            await asyncio.gather(*setting_out, ask(client, "POST", "/sign-in", form))

    with socket.create_server(("127.0.0.1", 0)) as hanging:
        own = opened(taught, **settings_for(f"http://127.0.0.1:{hanging.getsockname()[1]}"))
        asyncio.run(all_at_once())
    assert done == [303, *[503] * PLACES_OF_ONE]


def test_the_log_names_nobody_and_holds_no_code(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    away = client.get(START)
    there = visit(away.headers["location"], HERE, "somebody.else")
    client.get(str(there))
    client.get(str(there), sent(given(away)))
    ours = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("coverslip"))
    assert "without the attempt" in ours
    assert "no account here" in ours
    secrets = [there.params["code"], there.params["state"], given(away)[ATTEMPT], "somebody.else"]
    assert not [secret for secret in secrets if secret in ours]


def test_a_provider_without_accounts_is_refused_at_the_start(taught: TaughtArchive, opened: Opened) -> None:
    with pytest.raises(InvalidValue, match="accounts are needed first"):
        opened(taught, **settings_for("https://login.hospital.example"))


def test_missing_libraries_are_named_at_the_start(
    taught: TaughtArchive, members: Members, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "archive.accounts.oidc", raising=False)
    monkeypatch.setitem(sys.modules, "joserfc", None)
    with pytest.raises(InvalidValue, match="coverslip.oidc"):
        opened(taught, **settings_for("https://login.hospital.example"))
