"""The desk's door: whoever has not been let in gets one and the same answer, whatever is asked.

It stands before everything else. It lets in who asks this machine by its own name and brings a session's cookie, sends
whoever has several roles to choose one first, takes a form only from a page of the desk itself, and lets nothing out
that a browser would keep, frame or pass on.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final, Protocol

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.server.headers import FOR_PAGES, POLICY, Answer, Headers
from archive.server.site import require_own_host
from ingest.desk.forms import read_form
from ingest.desk.session import Session
from ingest.desk.ways_in import WayIn

PUBLIC: Final = "/static/"
"""The pages' own style and script, which are the same for everybody and tell nothing."""

ROLE: Final = "/role"
LOCK: Final = "/lock"

ASKED_BY_PROGRAMS: Final = ("/api/", "/rest")
"""What an open page asks by itself; it does not show that anybody is there."""

_KEPT: Final = {"content-security-policy", "referrer-policy"}

SHIELD: Final[Headers] = [
    *((name, value) for name, value in FOR_PAGES if name not in _KEPT),
    ("content-security-policy", POLICY.replace("form-action 'none'", "form-action 'self'")),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
]
"""As the archive's pages; but forms may be sent to the desk, and a browser tells the desk alone where they come from
(with ``no-referrer`` it would call its own origin ``null``)."""

NO_STORE: Final = ("cache-control", "no-store")

Pictures = Callable[[Session, str, str], Answer | None]
"""Answers a session's ``(method, path)`` if it asks for a picture of a slide."""


class LetIn(Protocol):
    """Knows who was let in."""

    def find(self, cookie: str, *, uses: bool) -> Session | None:
        """Give the session of a cookie; a person's doing keeps it alive, a program's asking does not."""


class Door:
    """Stands before the pages.

    Parameters
    ----------
    inside : ASGIApp
        The pages; finds ``session``, ``cookie`` and ``form`` in its state.
    pictures : callable
        Answers requests for pictures, before the pages are asked.
    sessions : LetIn
        Knows who was let in.
    way_in : WayIn
        Lets in whoever was not, or says how.
    refused : callable
        Says, as an answer, why something cannot be done.
    acting : callable
        Has the archive's trail name whose session it is, for as long as its pages answer.
    cookie : str
        The cookie's name.
    """

    def __init__(
        self,
        inside: ASGIApp,
        pictures: Pictures,
        sessions: LetIn,
        way_in: WayIn,
        *,
        refused: Callable[[Exception], Answer],
        acting: Callable[[Session], AbstractContextManager[None]],
        cookie: str,
    ) -> None:
        self._inside = inside
        self._pictures = pictures
        self._sessions = sessions
        self._way_in = way_in
        self._refused = refused
        self._acting = acting
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return await self._inside(scope, receive, send)
        try:
            status, headers, body = await self._answer(scope, receive)
        except Exception as error:  # noqa: BLE001  the last line of defence: nothing leaves as a stack trace
            status, headers, body = self._refused(error)
        shielded = _shielded(headers, may_be_kept=scope["path"].startswith(PUBLIC))
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in shielded]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        given = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}
        require_own_host(given.get("host", ""))
        method, path = scope["method"], scope["path"]
        if path.startswith(PUBLIC):
            return await self._ask(scope)
        entered = await self._way_in.enter(method, path, given, receive)
        if entered is not None:
            return entered
        cookie = _cookie(given.get("cookie", ""), self._cookie)
        session = self._sessions.find(cookie, uses=not path.startswith(ASKED_BY_PROGRAMS))
        if session is None:
            return self._way_in.closed()
        if not session.acts and path not in (ROLE, LOCK):
            return HTTPStatus.SEE_OTHER, [("location", ROLE), ("content-length", "0")], b""
        picture = self._pictures(session, method, path)
        if picture is not None:
            return picture
        form = await read_form(given, receive, session) if method == "POST" else {}
        scope["state"] = {"session": session, "cookie": cookie, "form": form}
        with self._acting(session):
            return await self._ask(scope)

    async def _ask(self, scope: Scope) -> Answer:
        """Ask the pages; an error of theirs is not answered by them."""
        status, headers, body = 0, [], b""

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def collect(message: Message) -> None:
            nonlocal status, headers, body
            if message["type"] == "http.response.start":
                status, headers = message["status"], message["headers"]
            else:
                body += message.get("body", b"")

        await self._inside(scope, receive, collect)
        return status, [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers], body


def _shielded(headers: Iterable[tuple[str, str]], *, may_be_kept: bool) -> Headers:
    """Put the shield round an answer, in place of what the answer says about the same."""
    ours = {name for name, _ in SHIELD}
    if may_be_kept:
        return [*((name, value) for name, value in headers if name not in ours), *SHIELD]
    ours |= {NO_STORE[0], "etag"}
    return [*((name, value) for name, value in headers if name not in ours), NO_STORE, *SHIELD]


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
