"""A form counts only if a page of the desk's own sent it, and only in the session that the page belonged to."""

import hmac
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from starlette.types import Receive

from archive.errors import InvalidValue
from ingest.desk.session import Session

LARGEST_FORM: Final = 64 * 1024
"""Bytes. A reason and an accession number fit a hundred times over."""

MOST_FIELDS: Final = 60
"""Fields of a form; the largest of the desk's has about twenty."""

FORM: Final = "application/x-www-form-urlencoded"

SECRET: Final = frozenset({"password"})
"""Fields that are taken as they were typed, spaces and all."""


async def read_form(headers: Mapping[str, str], receive: Receive, session: Session | None) -> dict[str, str]:
    """Read a form that a page of the desk's own sent.

    Parameters
    ----------
    headers : mapping
        The request's, by name in small letters.
    receive : callable
        Gives the request's body.
    session : Session or None
        Whose page it is; None for the form by which somebody signs in, who has no session yet.

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
    form = {name: value if name in SECRET else value.strip() for name, value in fields}
    key = form.pop("key", "")
    if session is not None and not hmac.compare_digest(key.encode(), session.form_key.encode()):
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
