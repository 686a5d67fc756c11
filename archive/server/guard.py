"""With accounts, every address asks three things in this order: who is it, may their role do that, may this be shown.

Whoever is not signed in learns nothing at all, not even which addresses there are. Whoever is learns from a refusal no
more than from an address that never was.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.accounts import Action, Actor
from archive.errors import UnknownCode
from archive.server.callers import Caller, Callers
from archive.server.front import RsgiReply, Server, as_asgi, even_out, refused, reply, reply_asgi
from archive.server.headers import FOR_MEMBERS, NO_STORE, Answer, of_members_page
from archive.server.openings import Openings
from archive.server.site import Site
from archive.server.status import NOTHING_HERE, NotSignedIn, Refusal, refusal_for
from archive.server.tiles import TileRoute, is_picture

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from granian.rsgi import Scope as RsgiScope

OPEN_TO_ALL: Final = re.compile(r"/healthz|/static/[^/]+|/sign-in(/.+)?")
"""What tells nothing about any slide."""

OPEN_TO_MEMBERS: Final = re.compile(r"/role|/sign-out")
"""What needs a session and no role."""

NEEDS: Final = (
    (re.compile(r"/|/collections/[^/]+|/api/collections(/[^/]+)?|/api/openapi[.]json"), Action.SEE_COLLECTIONS),
    (re.compile(r"/slides/.+|/api/slides/[^/]+", re.DOTALL), Action.OPEN_SLIDE),
)
"""Which action an address is; one that stands nowhere here is nothing to anybody."""

_GIVEN: Final = (HTTPStatus.OK, HTTPStatus.NOT_MODIFIED)


class StreamedReply(RsgiReply, Protocol):
    """What granian gives to answer with, and to read what was sent."""

    def __aiter__(self) -> "AsyncIterator[bytes]":
        """Give what was sent, piece by piece."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a request is looked at before any page sees it."""

    method: str
    path: str
    host: str
    known_tag: str | None
    cookies: str
    authorization: str


class GuardedServer(Server):
    """Lets nobody see anything without an account that may.

    Parameters
    ----------
    tiles, others, close
        As for `Server`.
    site : Site
        The names that it answers to.
    callers : Callers
        Knows who asks.
    openings : Openings
        Tells the access trail who looks at what.
    refuse : callable
        Makes a page, or JSON for a program, of ``(path, refusal, caller)``.
    """

    _shield = staticmethod(of_members_page)

    def __init__(
        self,
        tiles: TileRoute,
        others: ASGIApp,
        close: Callable[[], None],
        *,
        site: Site,
        callers: Callers,
        openings: Openings,
        refuse: Callable[[str, Refusal, Caller | None], Response],
    ) -> None:
        super().__init__(tiles, others, close, site.admit)
        self._site = site
        self._callers = callers
        self._openings = openings
        self._refuse = refuse

    async def __rsgi__(self, scope: "RsgiScope", protocol: StreamedReply) -> None:  # type: ignore[override]
        """Answer one request of granian's."""
        arrived, given = time.monotonic(), scope.headers.get
        asked = Asked(
            scope.method,
            scope.path,
            given("host") or scope.authority or "",
            given("if-none-match"),
            given("cookie") or "",
            given("authorization") or "",
        )
        answer = self._at_once(asked)
        if answer is None:
            answer = await self._guarded_page(asked, as_asgi(scope), _receiving(protocol))
        if answer[0] == NOTHING_HERE.status:
            await even_out(arrived)
        reply(protocol, scope.method, answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of another server's."""
        if scope["type"] != "http":
            return await self._others(scope, receive, send)
        arrived = time.monotonic()
        headers = {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
        asked = Asked(
            scope["method"],
            scope["path"],
            headers.get(b"host", ""),
            headers.get(b"if-none-match"),
            headers.get(b"cookie", ""),
            headers.get(b"authorization", ""),
        )
        answer = self._at_once(asked)
        if answer is None:
            answer = await self._guarded_page(asked, scope, receive)
        if answer[0] == NOTHING_HERE.status:
            await even_out(arrived)
        await reply_asgi(send, scope["method"], answer)

    def _at_once(self, asked: Asked) -> Answer | None:
        """Answer if it is a picture that was asked for, or under a name or prefix that is not the server's."""
        try:
            if asked.host not in self._known_hosts:
                self._admit(asked.host)
            path = self._site.within(asked.path)
            if path is None:
                raise UnknownCode
            if not is_picture(path):
                return None
            actor = _require(self._callers.remembered(asked.cookies, asked.authorization), Action.OPEN_SLIDE)
            answer = self._tiles.answer(asked.method, path, asked.known_tag)
            if answer is not None and answer[0] in _GIVEN:
                self._openings.note(actor, path)
            return answer
        except Exception as error:  # noqa: BLE001  the last line of defence: nothing leaves as a stack trace
            return refused(error)

    async def _guarded_page(self, asked: Asked, scope: Scope, receive: Receive) -> Answer:
        """Answer with a page, if whoever asks may see it."""
        path, caller = self._site.within(asked.path) or "", None
        try:
            if not OPEN_TO_ALL.fullmatch(path):
                caller = self._callers.find(asked.cookies, asked.authorization, uses=not path.startswith("/api/"))
            inner = {**scope, "path": path, "state": {"caller": caller}}
            if OPEN_TO_ALL.fullmatch(path) or (caller and caller.session and OPEN_TO_MEMBERS.fullmatch(path)):
                return await self._page(inner, receive)
            actor = _require(caller, _needed(path))
            answer = await self._page(inner, receive)
            if answer[0] in _GIVEN:
                self._openings.note(actor, path)
        except NotSignedIn as error:
            if path.startswith("/api/"):
                return self._told(path, error, caller)
            return self._elsewhere(path, caller)
        except Exception as error:  # noqa: BLE001  as above
            return self._told(path, error, caller)
        return answer

    def _told(self, path: str, error: Exception, caller: Caller | None) -> Answer:
        page = self._refuse(path, refusal_for(error), caller)
        return page.status_code, self._shield(page.raw_headers), bytes(page.body)

    def _elsewhere(self, path: str, caller: Caller | None) -> Answer:
        """Send a browser to where its visitor signs in or chooses a role, and from there back."""
        target = "/role" if caller is not None and caller.session else "/sign-in"
        headers = [("location", f"{self._site.root}{target}?{urlencode({'next': path})}"), ("content-length", "0")]
        return HTTPStatus.SEE_OTHER, [*headers, NO_STORE, *FOR_MEMBERS], b""


def _needed(path: str) -> Action | None:
    return next((action for addresses, action in NEEDS if addresses.fullmatch(path)), None)


def _require(caller: Caller | None, need: Action | None) -> Actor:
    """Give who acts, if their role may do what is needed."""
    if caller is None or caller.actor is None:
        raise NotSignedIn
    if need is None or not caller.actor.may(need):
        raise UnknownCode
    return caller.actor


def _receiving(protocol: StreamedReply) -> Receive:
    """Give what granian reads as ASGI does."""
    pieces = aiter(protocol)

    async def receive() -> Message:
        try:
            body = await anext(pieces)  # with a default, Python crashes on what granian gives to wait for
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": body, "more_body": True}

    return receive
