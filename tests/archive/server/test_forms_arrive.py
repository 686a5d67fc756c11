"""A form reaches the real server, whose own way of reading it is no other's, and the same process goes on answering."""

import re
from collections.abc import Iterator

import httpx
import pytest

from archive.accounts import AccountStore, Grant, Role
from archive.holdings import Archive
from tests.archive.server.members import PASSWORD
from tests.archive.server.taught import served

NAME = "j.curator"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    root = tmp_path_factory.mktemp("forms") / "archive"
    Archive.create(root).close()
    with AccountStore.open(root, create=True) as store:
        store.add(NAME, PASSWORD, [Grant(Role.CUSTODIAN), Grant(Role.LEARNER)])
    log = root.parent / "log"
    with served(root, workers=1, log=log) as base:
        yield base
    assert "Unexpected exit" not in log.read_text()


def sign_in(client: httpx.Client, **fields: str) -> httpx.Response:
    return client.post("/sign-in", data=fields, headers={"origin": str(client.base_url).rstrip("/")})


@pytest.mark.parametrize("fields", [{}, {"name": NAME, "password": "wrong"}, {"name": NAME, "next": "/" * 9_000}])
def test_what_lets_nobody_in_is_answered(address: str, fields: dict[str, str]) -> None:
    with httpx.Client(base_url=address) as client:
        answer = sign_in(client, **fields)
        assert answer.status_code == 403
        assert not client.cookies


def test_a_form_that_is_too_long_is_answered(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        assert sign_in(client, name=NAME, password="x" * 1_000_000).status_code == 403


def test_name_and_password_let_in_and_a_role_is_chosen(address: str) -> None:
    with httpx.Client(base_url=address) as client:
        answer = sign_in(client, name=NAME, password=PASSWORD)
        assert (answer.status_code, answer.headers["location"]) == (303, "/role")
        found = re.search(r'name="key" value="([^"]+)"', client.get("/role").text)
        assert found
        chosen = {"key": found[1], "role": "learner", "project": "", "next": "/"}
        answer = client.post("/role", data=chosen, headers={"origin": address})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "There is no collection" in client.get("/").text
