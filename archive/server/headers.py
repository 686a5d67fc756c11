"""What every answer says besides its content: keep it to yourself, ask again, trust nothing from elsewhere.

No header tells a date of a scan, a digest, a code or the server's make; an ETag is random per collection.
"""

from collections.abc import Iterable
from http import HTTPStatus

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
"""Status, headers and body."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""Nothing is loaded from another host, and no other page may frame this one."""

SECURITY: Headers = [
    ("cross-origin-resource-policy", "same-origin"),
    ("referrer-policy", "no-referrer"),
    ("server", ""),
    ("x-content-type-options", "nosniff"),
]
"""What every answer has. The empty ``server`` keeps the one that granian would add from telling what runs here."""

FOR_PAGES: Headers = [("content-security-policy", POLICY), ("cross-origin-opener-policy", "same-origin"), *SECURITY]
_STRICTER = {"content-security-policy", "referrer-policy"}
FOR_MEMBERS: Headers = [
    *((name, value) for name, value in FOR_PAGES if name not in _STRICTER),
    ("content-security-policy", POLICY.replace("form-action 'none'", "form-action 'self'")),
    ("referrer-policy", "same-origin"),
]
"""As ``FOR_PAGES``; but forms may be sent to the server itself, and a browser tells it alone where they come from (with
``no-referrer`` it would call the server's own origin ``null``)."""

FOR_PICTURES: Headers = [("content-security-policy", "default-src 'none'"), *SECURITY]

PRIVATE = ("cache-control", "private, no-cache")
"""A browser may keep a tile but must ask each time whether it may still show it; nobody in between may keep it."""

NO_STORE = ("cache-control", "no-store")

INSTEAD: dict[int, Headers] = {
    HTTPStatus.METHOD_NOT_ALLOWED: [("allow", "GET, HEAD")],
    HTTPStatus.UNAUTHORIZED: [("www-authenticate", "Bearer")],
}
"""What an answer of that status says about how to do it instead."""

JPEG = "image/jpeg"
DZI = "application/xml"
TEXT = "text/plain; charset=utf-8"

_BY_TYPE: dict[str, Headers] = {kind: [("content-type", kind), PRIVATE, *FOR_PICTURES] for kind in (JPEG, DZI, TEXT)}


def content(kind: str, body: bytes, tag: str) -> Answer:
    """Answer with a picture and the tag under which a browser may keep it."""
    return 200, [*_BY_TYPE[kind], ("content-length", str(len(body))), ("etag", tag)], body


def unchanged(tag: str) -> Answer:
    """Answer that the browser may show what it has."""
    return 304, [("etag", tag), PRIVATE, *FOR_PICTURES], b""


def sentence(status: int, text: str) -> Answer:
    """Answer with one sentence; a 405 says what is allowed, and a 401 how to say who asks."""
    body = f"{text}\n".encode()
    return status, [*_BY_TYPE[TEXT], ("content-length", str(len(body))), *INSTEAD.get(status, [])], body


def of_page(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Complete the headers of a page, given as ASGI gives them."""
    return _completed(headers, PRIVATE, FOR_PAGES)


def of_members_page(headers: Iterable[tuple[bytes, bytes]]) -> Headers:
    """Complete the headers of a page for those who signed in: nobody who uses the browser later may go back to it."""
    return _completed(headers, NO_STORE, FOR_MEMBERS)


def _completed(headers: Iterable[tuple[bytes, bytes]], kept: tuple[str, str], shield: Headers) -> Headers:
    given = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
    keeping = [] if any(name == kept[0] for name, _ in given) else [kept]
    return [*given, *keeping, *shield]


def matches(known: str | None, tag: str) -> bool:
    """Whether an ``If-None-Match`` names `tag` (RFC 9110, 13.1.2: weak comparison).

    ``*`` is not honoured: it would have to be known that there is such a picture, without making it.
    """
    if known is None:
        return False
    return tag in (each.strip().removeprefix("W/") for each in known.split(","))
