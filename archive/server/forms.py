"""A form counts only if a page of the server's own sent it: any page on the web can make a browser send one."""

import hmac
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request

from archive.server.callers import Caller
from archive.server.site import Site
from archive.server.status import ForeignForm

LARGEST_FORM: Final = 16 * 1024
"""Bytes. A name, a password and an address fit many times over."""

MOST_FIELDS: Final = 10
"""Fields of a form; the largest has four."""

FORM: Final = "application/x-www-form-urlencoded"


async def form_of(request: Request, site: Site, caller: Caller | None = None) -> dict[str, str]:
    """Read the form that a request brings.

    Parameters
    ----------
    request : Request
        A request to which nobody has listened yet.
    site : Site
        Whose pages may send forms.
    caller : Caller or None
        Whose session the form must belong to; None for a form of somebody who is not signed in.

    Raises
    ------
    ForeignForm
        If it was not sent from such a page, or is too long, or no form.
    """
    given = request.headers
    own = given.get("origin") == site.origin(given.get("host", ""))
    if not own or given.get("sec-fetch-site", "same-origin") != "same-origin":
        raise ForeignForm("a form that was sent from elsewhere is not taken")
    if given.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise ForeignForm("this is no form of the server's")
    try:
        text = (await _body(request)).decode("ascii")
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict"))
    except ValueError:
        raise ForeignForm("this is no form of the server's") from None
    key = form.pop("key", "")
    if caller is not None and not hmac.compare_digest(key.encode(), caller.form_key.encode()):
        raise ForeignForm("this form belongs to an earlier session")
    return form


async def _body(request: Request) -> bytes:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            raise ForeignForm("this form is too long")
    return body
