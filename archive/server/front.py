"""One server with two doors: RSGI for speed, as granian calls it, and ASGI for whatever else would run it.

Pictures are answered by the tile route alone. Everything else goes to the pages and the JSON API, which FastAPI holds.
"""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.server.headers import Answer, Headers, of_page, sentence
from archive.server.site import require_own_host
from archive.server.status import NOTHING_HERE, refusal_for
from archive.server.tiles import TileRoute

if TYPE_CHECKING:
    from granian.rsgi import Scope as RsgiScope

_HOSTS_REMEMBERED = 64

NOTHING_HERE_SECONDS = 0.05
"""How long it takes to be told that there is nothing: several times what deciding on a refused slide takes."""


class RsgiReply(Protocol):
    """What granian gives to answer with."""

    def response_empty(self, status: int, headers: Headers) -> None:
        """Send headers alone."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send headers and content."""


async def nothing_more() -> Message:
    """Tell a page that the request has no content."""
    return {"type": "http.request", "body": b"", "more_body": False}


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
    admit : callable
        Refuses a name that is not the server's own.
    """

    _shield = staticmethod(of_page)
    """Completes the headers of a page."""

    def __init__(
        self,
        tiles: TileRoute,
        others: ASGIApp,
        close: Callable[[], None],
        admit: Callable[[str], None] = require_own_host,
    ) -> None:
        self._require_own = admit
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
            answer = await self._page(as_asgi(scope))
        if answer[0] == NOTHING_HERE.status:
            await even_out(arrived)
        reply(protocol, scope.method, answer)

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
        if answer[0] == NOTHING_HERE.status:
            await even_out(arrived)
        await reply_asgi(send, scope["method"], answer)

    def _picture(self, method: str, path: str, host: str, known_tag: str | None) -> Answer | None:
        """Answer if it is a picture that was asked for, or if nothing may be answered at all."""
        try:
            if host not in self._known_hosts:
                self._admit(host)
            return self._tiles.answer(method, path, known_tag)
        except Exception as error:  # noqa: BLE001  the last line of defence: nothing leaves as a stack trace
            return refused(error)

    def _admit(self, host: str) -> None:
        self._require_own(host)
        if len(self._known_hosts) < _HOSTS_REMEMBERED:
            self._known_hosts.add(host)

    async def _page(self, scope: Scope, receive: Receive = nothing_more) -> Answer:
        """Answer with a page; an error that escapes from it becomes a sentence."""
        status, headers, body = 0, [], b""

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
                return refused(error)
        return status, self._shield(headers), body


def as_asgi(scope: "RsgiScope") -> Scope:
    """Tell one request of granian's as ASGI does."""
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": scope.http_version,
        "method": scope.method,
        "scheme": scope.scheme,
        "path": scope.path,
        "query_string": scope.query_string.encode("latin-1"),
        "root_path": "",
        "client": _client(scope.client),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in scope.headers.items()],
    }


def _client(told: str) -> tuple[str, int] | None:
    """Read the other end of a connection, as granian writes it: ``address:port``."""
    host, _, port = told.rpartition(":")
    return (host, int(port)) if port.isascii() and port.isdigit() else None


def reply(protocol: RsgiReply, method: str, answer: Answer) -> None:
    """Send an answer through granian."""
    status, told, body = answer
    if method == "HEAD" or not body:
        protocol.response_empty(status, told)
    else:
        protocol.response_bytes(status, told, body)


async def reply_asgi(send: Send, method: str, answer: Answer) -> None:
    """Send an answer through another server."""
    status, told, body = answer
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in told]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})


async def even_out(arrived: float) -> None:
    """Wait until it can no longer be told from the time taken whether something was looked up and refused."""
    await asyncio.sleep(max(0.0, arrived + NOTHING_HERE_SECONDS - time.monotonic()))


def refused(error: Exception) -> Answer:
    """Answer with one sentence that says why not."""
    refusal = refusal_for(error)
    return sentence(refusal.status, refusal.sentence)
