"""What every answer says besides its content: keep it to yourself, ask again, trust nothing from elsewhere.

No header tells a date of a scan, a digest, a code or the server's make; an ETag is random per collection.
"""

from collections.abc import Iterable
from http import HTTPStatus

Headers = list[tuple[bytes, bytes]]
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
    (b"content-security-policy", POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"server", b""),
    (b"x-content-type-options", b"nosniff"),
]
"""The empty ``server`` keeps the one that granian would add from telling what runs here."""

PRIVATE = (b"cache-control", b"private, no-cache")
"""A browser may keep a tile but must ask each time whether it may still show it; nobody in between may keep it."""

JPEG = b"image/jpeg"
DZI = b"application/xml"
TEXT = b"text/plain; charset=utf-8"

_BY_TYPE: dict[bytes, Headers] = {kind: [(b"content-type", kind), PRIVATE, *SECURITY] for kind in (JPEG, DZI, TEXT)}


def content(kind: bytes, body: bytes, tag: bytes) -> Answer:
    """Answer with a picture and the tag under which a browser may keep it."""
    return 200, [*_BY_TYPE[kind], (b"content-length", b"%d" % len(body)), (b"etag", tag)], body


def unchanged(tag: bytes) -> Answer:
    """Answer that the browser may show what it has."""
    return 304, [(b"etag", tag), PRIVATE, *SECURITY], b""


def sentence(status: int, text: str) -> Answer:
    """Answer with one sentence; a 405 says what is allowed."""
    body = f"{text}\n".encode()
    allowed = [(b"allow", b"GET, HEAD")] if status == HTTPStatus.METHOD_NOT_ALLOWED else []
    return status, [*_BY_TYPE[TEXT], (b"content-length", b"%d" % len(body)), *allowed], body


def header(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    """Find one header of a request; names are in lower case, as ASGI gives them."""
    for key, value in headers:
        if key == name:
            return value
    return None


def matches(asked: bytes | None, tag: bytes) -> bool:
    """Whether an ``If-None-Match`` names `tag` (RFC 9110, 13.1.2: weak comparison).

    ``*`` is not honoured: it would have to be known that there is such a picture, without making it.
    """
    if asked is None:
        return False
    return tag in (each.strip().removeprefix(b"W/") for each in asked.split(b","))
