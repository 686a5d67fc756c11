"""One application with two doors: RSGI for speed, as granian calls it, and ASGI for whatever else would run it.

Pictures are answered by the tile route alone. Everything else goes to the pages and the JSON API, which FastAPI holds.
"""

import asyncio
import ipaddress
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Protocol

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.holdings import Archive
from archive.server.access import Access
from archive.server.api import api, describe
from archive.server.cache import TileCache
from archive.server.headers import Answer, Headers, of_page, sentence
from archive.server.pages import add_pages
from archive.server.pictures import Pictures
from archive.server.status import NOTHING_HERE, ForeignHost, refusal_for
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings

if TYPE_CHECKING:
    from granian.rsgi import Scope as RsgiScope

_HOST = re.compile(r"(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+)(:[0-9]{1,5})?")
_HOSTS_REMEMBERED = 64

NOTHING_HERE_SECONDS = 0.05
"""How long it takes to be told that there is nothing: several times what deciding on a refused slide takes."""


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else: an address of the loopback network, or ``localhost``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def require_own_host(host: str) -> None:
    """Refuse a request that names another host than this machine, as ``host`` or ``host:port``.

    Raises
    ------
    ForeignHost
        If it does.
    """
    found = _HOST.fullmatch(host)
    if found is None or not is_loopback(found[1]):
        raise ForeignHost


class RsgiReply(Protocol):
    """What granian gives to answer with."""

    def response_empty(self, status: int, headers: Headers) -> None:
        """Send headers alone."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send headers and content."""


class Server:
    """Lets in who asks this machine by its own name, and lets nothing out unshielded.

    Without the first, any web page could have its own name point here and read slides through its visitor's browser.

    Parameters
    ----------
    tiles : TileRoute
        Answers requests for pictures.
    others : ASGIApp
        Answers all others.
    close : callable
        Closes the archive and every scan.
    """

    def __init__(self, tiles: TileRoute, others: ASGIApp, close: Callable[[], None]) -> None:
        self._tiles = tiles
        self._others = others
        self.close = close
        self._known_hosts: set[str] = set()

    async def __rsgi__(self, scope: "RsgiScope", protocol: "RsgiReply") -> None:
        """Answer one request of granian's."""
        arrived = time.monotonic()
        headers = scope.headers
        host, known_tag = headers.get("host") or scope.authority or "", headers.get("if-none-match")
        answer = self._picture(scope.method, scope.path, host, known_tag)
        if answer is None:
            answer = await self._page(_as_asgi(scope))
        status, told, body = answer
        if status == NOTHING_HERE.status:
            await _even_out(arrived)
        if scope.method == "HEAD" or not body:
            protocol.response_empty(status, told)
        else:
            protocol.response_bytes(status, told, body)

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close, as granian's worker ends."""
        self.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of another server's."""
        if scope["type"] != "http":
            return await self._others(scope, receive, send)
        arrived = time.monotonic()
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        host, known_tag = headers.get(b"host", ""), headers.get(b"if-none-match")
        answer = self._picture(scope["method"], scope["path"], host, known_tag)
        if answer is None:
            answer = await self._page(scope)
        status, told, body = answer
        if status == NOTHING_HERE.status:
            await _even_out(arrived)
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    def _picture(self, method: str, path: str, host: str, known_tag: str | None) -> Answer | None:
        """Answer if it is a picture that was asked for, or if nothing may be answered at all."""
        try:
            if host not in self._known_hosts:
                self._admit(host)
            return self._tiles.answer(method, path, known_tag)
        except Exception as error:  # noqa: BLE001  the last line of defence: nothing leaves as a stack trace
            return _refused(error)

    def _admit(self, host: str) -> None:
        require_own_host(host)
        if len(self._known_hosts) < _HOSTS_REMEMBERED:
            self._known_hosts.add(host)

    async def _page(self, scope: Scope) -> Answer:
        """Answer with a page; an error that escapes from it becomes a sentence."""
        status, headers, body = 0, [], b""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def collect(message: Message) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            else:
                body += message.get("body", b"")

        try:
            await self._others(scope, receive, collect)
        except Exception as error:  # noqa: BLE001  as above; where a page answered first, its answer stands
            if not status:
                return _refused(error)
        return status, of_page(headers), body


def _as_asgi(scope: "RsgiScope") -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": scope.scheme,
        "path": scope.path,
        "query_string": scope.query_string.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in scope.headers.items()],
    }


async def _even_out(arrived: float) -> None:
    """Wait until it can no longer be told from the time taken whether something was looked up and refused."""
    await asyncio.sleep(max(0.0, arrived + NOTHING_HERE_SECONDS - time.monotonic()))


def _refused(error: Exception) -> Answer:
    refusal = refusal_for(error)
    return sentence(refusal.status, refusal.sentence)


def create_app(settings: ArchiveSettings) -> Server:
    """Open the archive for reading and build the application around it; one for each worker."""
    archive = Archive.open(settings.archive, read_only=True, settings=settings)
    access = Access(archive, settings)

    def close() -> None:
        access.forget()
        archive.close()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        close()

    others = FastAPI(
        title="Coverslip",
        summary="Teaching collections and the slides in them, by handles that tell nothing.",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    others.include_router(api(access))
    others.openapi = partial(describe, others)  # type: ignore[method-assign]
    add_pages(others, access)
    return Server(TileRoute(access, Pictures(TileCache(settings.tile_cache_bytes))), others, close)
