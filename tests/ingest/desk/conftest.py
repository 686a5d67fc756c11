"""A laboratory with a few slides in its archive and a few in quarantine, and its desk, asked in this process."""

import asyncio
import re
import shutil
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher

from archive.accounts import AccountStore, Grant, Role, passwords
from archive.codes import Code
from archive.settings import ArchiveSettings
from ingest.cli.places import Places
from ingest.desk.app import Desk
from ingest.desk.room import Room
from ingest.desk.session import Sessions
from ingest.desk.settings import DeskSettings
from tests.ingest.desk.furnished import Furnished, furnish

WHO = "dr.curator"
BASE = "http://127.0.0.1:8766"
KEY = re.compile(r'name="key" value="([^"]+)"')


PASSWORD = "violin grape umbrella"
PEOPLE = {
    "carol": [Role.CUSTODIAN],
    "lab": [Role.LABORATORY],
    "path": [Role.PATHOLOGIST],
    "both": [Role.LABORATORY, Role.PATHOLOGIST, Role.EDUCATOR],
    "ed": [Role.EDUCATOR],
    "learn": [Role.LEARNER],
    "aud": [Role.AUDITOR],
}
"""Who may sign in, each with the same password, and as what."""


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Browser:
    """Asks the desk as one browser does: with its cookies, and with forms that say where they come from."""

    def __init__(self, desk: "OpenDesk") -> None:
        self._desk = desk
        self.cookies = httpx.Cookies()
        self.addresses: list[str] = []

    def ask(
        self, method: str, address: str, headers: dict[str, str] | None = None, content: str = ""
    ) -> httpx.Response:
        return self._desk.run(self._ask(method, address, headers, content))

    async def _ask(self, method: str, address: str, headers: dict[str, str] | None, content: str) -> httpx.Response:
        transport = httpx.ASGITransport(self._desk.desk.app)
        async with httpx.AsyncClient(transport=transport, base_url=BASE, cookies=self.cookies) as client:
            raw = {name: value.encode("latin-1") for name, value in (headers or {}).items()}
            answer = await client.request(method, address, headers=raw, content=content.encode("latin-1"))
        self.cookies = client.cookies
        self.addresses += [str(answer.request.url), answer.headers.get("location", "")]
        return answer

    def get(self, address: str) -> httpx.Response:
        return self.ask("GET", address)

    def enter(self, token: str) -> httpx.Response:
        return self.get(f"/enter/{token}")

    def key(self) -> str:
        """Read a form's key off the first page of whoever came in."""
        answer = self.get("/")
        found = KEY.search(self.get(answer.headers["location"]).text if answer.is_redirect else answer.text)
        assert found
        return found[1]

    def send(
        self, address: str, fields: dict[str, str], *, key: str | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Send a form as a page of the desk does, unless told otherwise."""
        given = {"key": self.key() if key is None else key, **fields}
        content = str(httpx.QueryParams(given))
        own = {"origin": BASE, "content-type": "application/x-www-form-urlencoded"}
        return self.ask("POST", address, {**own, **(headers or {})}, content)

    def sign_in(self, name: str, password: str, **headers: str) -> httpx.Response:
        """Send the form by which people sign in, where there are accounts."""
        own = {"origin": BASE, "content-type": "application/x-www-form-urlencoded", **headers}
        return self.ask("POST", "/sign-in", own, str(httpx.QueryParams({"name": name, "password": password})))

    def find(self, accession: str, purpose: str = "review", words: str = "") -> httpx.Response:
        """Search, and follow to the case."""
        sent = self.send("/find", {"accession": accession, "purpose": purpose, "words": words})
        return self.get(sent.headers["location"]) if sent.status_code == 303 else sent


class OpenDesk:
    """A desk over a copy of the laboratory, with every token that it announced, and its accounts if it has any."""

    def __init__(
        self, furnished: Furnished, places: Places, accounts: AccountStore | None = None, **settings: float
    ) -> None:
        self.furnished = furnished
        self.clock = Clock()
        self.tokens: list[str] = []
        self._runner = asyncio.Runner()
        self._thread = ThreadPoolExecutor(1)
        self._opened = places.opened()
        self.archive, self.vault = self._opened.__enter__()
        archive_settings = ArchiveSettings(archive=places.archive, decision_cache_seconds=0)
        self.room = Room(self.archive, self.vault, archive_settings, WHO, places.secret, accounts=accounts)
        self.desk = Desk(self.room, DeskSettings(**settings), self.tokens.append, self.clock)

    def run(self, asking: Coroutine[None, None, httpx.Response]) -> httpx.Response:
        """Run it in the desk's one thread: a browser's tests may have a loop of their own running in this one."""
        return self._thread.submit(self._runner.run, asking).result()

    def offer(self) -> None:
        """Announce an address that lets somebody in, unless one is still good."""
        assert isinstance(self.desk.sessions, Sessions)
        self.desk.sessions.offer()

    def browser(self) -> Browser:
        """Let a new browser in by the address that is announced."""
        self.offer()
        browser = Browser(self)
        assert browser.enter(self.tokens[-1]).status_code == 303
        return browser

    def stranger(self) -> Browser:
        """Give a browser that was not let in."""
        return Browser(self)

    def acts(self) -> list[tuple[str, str, str | None]]:
        """Give the vault's trail: act, account and reason."""
        return [(entry.act, entry.who, entry.reason) for entry in self.vault.trail()]

    def slide_code(self, case: str, place: int = 0) -> Code:
        """Give the code of one of a case's slides, in the order of block and stain."""
        (found,) = self.vault.directory.find_case(case, who="test", purpose="test")
        return self.archive.held(found.slides[place].key).code

    def close(self) -> None:
        self._thread.submit(self.desk.close).result()
        self._thread.submit(self._runner.close).result()
        self._thread.shutdown()
        self._opened.__exit__(None, None, None)


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return furnish(tmp_path_factory.mktemp("desk"))


OpenIt = Callable[..., OpenDesk]


@pytest.fixture
def open_desk(furnished: Furnished, tmp_path: Path) -> Iterator[OpenIt]:
    """Open the desk of a laboratory that is as it was furnished."""
    opened: list[OpenDesk] = []

    def open_one(**settings: float) -> OpenDesk:
        home = tmp_path / str(len(opened))
        for name in ("archive", "archive-vault", "archive-key"):
            shutil.copytree(furnished.home / name, home / name)
        opened.append(OpenDesk(furnished, Places.of(home / "archive"), **settings))
        return opened[-1]

    yield open_one
    for desk in opened:
        desk.close()


@pytest.fixture
def desk(open_desk: OpenIt) -> OpenDesk:
    return open_desk()


@pytest.fixture
def browser(desk: OpenDesk) -> Browser:
    return desk.browser()


class PeopledDesk(OpenDesk):
    """A desk whose archive has accounts."""

    def __init__(self, furnished: Furnished, places: Places, **settings: float) -> None:
        self.accounts = AccountStore.open(places.archive, create=True)
        for name, roles in PEOPLE.items():
            self.accounts.add(name, PASSWORD, [Grant(role) for role in roles])
        super().__init__(furnished, places, self.accounts, **settings)

    def member(self, name: str, role: Role | None = None) -> Browser:
        """Sign somebody in, and choose a role where that is to be done."""
        browser = self.stranger()
        assert browser.sign_in(name, PASSWORD).status_code == 303
        if role is not None:
            assert self.choose(browser, role).status_code == 303
        return browser

    def choose(self, browser: Browser, role: str) -> httpx.Response:
        """Choose a role on the page where that is done."""
        found = KEY.search(browser.get("/role").text)
        assert found
        return browser.send("/role", {"role": role}, key=found[1])

    def close(self) -> None:
        super().close()
        self.accounts.close()


@pytest.fixture
def peopled(furnished: Furnished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PeopledDesk]:
    """Open the desk of a laboratory with accounts; hashing takes the least memory and one pass."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    home = tmp_path / "peopled"
    for name in ("archive", "archive-vault", "archive-key"):
        shutil.copytree(furnished.home / name, home / name)
    desk = PeopledDesk(furnished, Places.of(home / "archive"))
    yield desk
    desk.close()
