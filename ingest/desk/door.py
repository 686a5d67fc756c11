"""The desk's door: whoever has not been let in gets one and the same answer, whatever is asked.

It stands before everything else. It lets in who asks this machine by its own name and brings a session's cookie; takes
a form only from a page of the desk itself; and lets nothing out that a browser would keep, frame or pass on.
"""

import hmac
from collections.abc import Callable, Iterable
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from archive.errors import InvalidValue
from archive.server.headers import FOR_PAGES, POLICY, Answer, Headers
from archive.server.site import require_own_host
from ingest.desk.session import Session, Sessions

LARGEST_FORM: Final = 64 * 1024
"""Bytes. A reason and an accession number fit a hundred times over."""

MOST_FIELDS: Final = 60
"""Fields of a form; the largest of the desk's has about twenty."""

FORM: Final = "application/x-www-form-urlencoded"
ENTRANCE: Final = "/enter/"
PUBLIC: Final = "/static/"
"""The pages' own style and script, which are the same for everybody and tell nothing."""

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


class Door:
    """Stands before the pages.

    Parameters
    ----------
    inside : ASGIApp
        The pages; finds ``session``, ``cookie`` and ``form`` in its state.
    pictures : callable
        Answers requests for pictures, before the pages are asked.
    sessions : Sessions
        Knows who was let in.
    closed : callable
        Makes the page for whoever was not.
    refused : callable
        Says, as an answer, why something cannot be done.
    cookie : str
        The cookie's name.
    """

    def __init__(
        self,
        inside: ASGIApp,
        pictures: Pictures,
        sessions: Sessions,
        *,
        closed: Callable[[], Answer],
        refused: Callable[[Exception], Answer],
        cookie: str,
    ) -> None:
        self._inside = inside
        self._pictures = pictures
        self._sessions = sessions
        self._closed = closed
        self._refused = refused
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
        if method == "GET" and path.startswith(ENTRANCE):
            return self._enter(path.removeprefix(ENTRANCE))
        cookie = _cookie(given.get("cookie", ""), self._cookie)
        session = self._sessions.find(cookie, uses=not path.startswith(ASKED_BY_PROGRAMS))
        if session is None:
            self._sessions.offer()
            return self._closed()
        picture = self._pictures(session, method, path)
        if picture is not None:
            return picture
        form = await _form(given, receive, session) if method == "POST" else {}
        scope["state"] = {"session": session, "cookie": cookie, "form": form}
        return await self._ask(scope)

    def _enter(self, token: str) -> Answer:
        cookie = self._sessions.enter(token)
        if cookie is None:
            self._sessions.offer()
            return self._closed()
        kept = f"{self._cookie}={cookie}; Path=/; HttpOnly; SameSite=Strict"
        return HTTPStatus.SEE_OTHER, [("location", "/"), ("set-cookie", kept), ("content-length", "0")], b""

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


async def _form(headers: dict[str, str], receive: Receive, session: Session) -> dict[str, str]:
    """Read a form that a page of the desk's own sent.

    Raises
    ------
    InvalidValue
        If it was not sent from such a page, or is no form.
    """
    own = f"http://{headers.get('host', '')}"
    if headers.get("origin") != own or headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise InvalidValue("this form was not sent from the desk; go back to the desk and fill it in there")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise InvalidValue("this is no form of the desk's")
    try:
        text = (await _body(receive)).decode("ascii")
        fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:
        raise InvalidValue("this is no form of the desk's") from None
    form = {name: value.strip() for name, value in fields}
    if not hmac.compare_digest(form.pop("key", "").encode(), session.form_key.encode()):
        raise InvalidValue("this form belongs to an earlier session; fill it in again")
    return form


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False) and message["type"] == "http.request"
        if len(body) > LARGEST_FORM:
            raise InvalidValue("this form is too long; write less")
    return body
