"""A small archive with one collection, and the application around it."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from archive.server.app import Server, create_app
from archive.settings import ArchiveSettings
from tests.archive.server.members import Members
from tests.archive.server.taught import TaughtArchive


class Client:
    """Asks the application in this process, one request after the other."""

    def __init__(self, app: Server, origin: str = "http://127.0.0.1:8765") -> None:
        self.app = app
        self.origin = origin
        self._runner = asyncio.Runner()

    def request(
        self, method: str, address: str, headers: dict[str, str] | None = None, content: bytes | None = None
    ) -> httpx.Response:
        return self._runner.run(self._request(method, address, headers, content))

    async def _request(
        self, method: str, address: str, headers: dict[str, str] | None, content: bytes | None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=self.origin) as client:
            return await client.request(method, address, headers=headers, content=content)

    def post(self, address: str, form: dict[str, str], headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a form as a page of the server's own does."""
        sent = {"origin": self.origin, "content-type": "application/x-www-form-urlencoded", **(headers or {})}
        return self.request("POST", address, sent, urlencode(form).encode())

    def get(self, address: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.request("GET", address, headers)

    def head(self, address: str) -> httpx.Response:
        return self.request("HEAD", address)

    def close(self) -> None:
        self._runner.close()
        self.app.close()


Opened = Callable[..., Client]


def client_of(taught: TaughtArchive, **settings: object) -> Client:
    """Open the application; decisions are asked for anew at each request unless told otherwise."""
    chosen = ArchiveSettings(**{"archive": taught.root, "decision_cache_seconds": 0.0, **settings})
    origin = f"https://{chosen.hostname}" if chosen.hostname else "http://127.0.0.1:8765"
    return Client(create_app(chosen), origin)


@pytest.fixture
def taught(tmp_path: Path) -> Iterator[TaughtArchive]:
    made = TaughtArchive(tmp_path / "archive")
    yield made
    made.archive.close()


@pytest.fixture
def members(taught: TaughtArchive) -> Iterator[Members]:
    """Give the archive accounts."""
    made = Members(taught.root)
    yield made
    made.store.close()


@pytest.fixture
def opened() -> Iterator[Opened]:
    """Open the application over an archive, and close it after the test."""
    clients: list[Client] = []

    def open_one(taught: TaughtArchive, **settings: object) -> Client:
        clients.append(client_of(taught, **settings))
        return clients[-1]

    yield open_one
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def two_slides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, str, str]]:
    """Open one archive for many tests: with a slide that is shown, and one that is refused after it was shown."""
    taught = TaughtArchive(tmp_path_factory.mktemp("taught") / "archive")
    shown, refused = taught.add(), taught.add()
    first, second = taught.teach("Two", shown, refused).places
    taught.refuse(refused)
    client = client_of(taught)
    yield client, first.handle, second.handle
    client.close()
    taught.archive.close()
