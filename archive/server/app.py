"""One ASGI application: the tile route in front, and behind it the pages and the JSON API."""

import asyncio
import ipaddress
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.holdings import Archive
from archive.server.access import Access
from archive.server.api import api, describe
from archive.server.cache import TileCache
from archive.server.headers import PRIVATE, SECURITY, Answer, header, sentence
from archive.server.pages import add_pages
from archive.server.pictures import Pictures
from archive.server.status import NOTHING_HERE, ForeignHost, refusal_for
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings

_HOST = re.compile(rb"(\[[0-9a-fA-F:]+\]|[0-9A-Za-z.-]+)(:[0-9]{1,5})?")
_HOSTS_REMEMBERED = 64

NOTHING_HERE_SECONDS = 0.05
"""How long it takes to be told that there is nothing: several times what deciding on a refused slide takes."""


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else: an address of the loopback network, or ``localhost``."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Server:
    """The ASGI application: lets in who asks this machine by its own name, and lets nothing out unshielded.

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
        self._known_hosts: set[bytes] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self._others(scope, receive, send)
        arrived = time.monotonic()
        try:
            self._admit(scope)
            answer = self._tiles.answer(scope) if scope["path"].startswith("/slides/") else None
        except Exception as error:  # noqa: BLE001  the last line of defence: nothing leaves as a stack trace
            answer = _refused(error)
        if answer is None:
            return await self._shielded(scope, receive, send, arrived)
        if answer[0] == NOTHING_HERE.status:
            await _even_out(arrived)
        await _send(answer, scope, send)

    def _admit(self, scope: Scope) -> None:
        host = header(scope["headers"], b"host") or b""
        if host in self._known_hosts:
            return
        found = _HOST.fullmatch(host)
        if found is None or not is_loopback(found[1].decode()):
            raise ForeignHost
        if len(self._known_hosts) < _HOSTS_REMEMBERED:
            self._known_hosts.add(host)

    async def _shielded(self, scope: Scope, receive: Receive, send: Send, arrived: float) -> None:
        """Pass on to the pages, add the headers that every answer has, and turn an escaping error into a sentence."""
        started = False

        async def shielding(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                if message["status"] == NOTHING_HERE.status:
                    await _even_out(arrived)
                headers = message["headers"]
                kept = [] if header(headers, PRIVATE[0]) else [PRIVATE]
                message = {**message, "headers": [*headers, *kept, *SECURITY]}
            await send(message)

        try:
            await self._others(scope, receive, shielding)
        except Exception as error:  # noqa: BLE001  as above
            if not started:
                await _send(_refused(error), scope, send)


async def _even_out(arrived: float) -> None:
    """Wait until it can no longer be told from the time taken whether something was looked up and refused."""
    await asyncio.sleep(max(0.0, arrived + NOTHING_HERE_SECONDS - time.monotonic()))


async def _send(answer: Answer, scope: Scope, send: Send) -> None:
    status, headers, body = answer
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


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
