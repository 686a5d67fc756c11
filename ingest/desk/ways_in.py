"""The two ways in: the address that was printed for one person, and, where there are accounts, name and password.

A password is checked in a thread of its own, one at a time: it takes a tenth of a second of a processor core on
purpose, and tiles must not wait for it.
"""

import asyncio
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final, Protocol

from starlette.types import Receive

from archive.errors import NotAllowed, SignInRefused
from archive.server.headers import Answer
from archive.server.status import NOT_LET_IN
from ingest.desk.forms import read_form
from ingest.desk.members import Members
from ingest.desk.session import Sessions

ENTRANCE: Final = "/enter/"
SIGN_IN: Final = "/sign-in"


class WayIn(Protocol):
    """How somebody without a session gets one."""

    async def enter(self, method: str, path: str, headers: Mapping[str, str], receive: Receive) -> Answer | None:
        """Let somebody in, if that is what is asked for; None for any other request."""

    def closed(self) -> Answer:
        """Answer whoever was not let in: the same, whatever is asked."""


class ByAddress:
    """An address that is printed where the desk was started lets its reader in, once.

    Parameters
    ----------
    sessions : Sessions
        Everybody who was let in.
    page : callable
        Makes the page that says where the address is found.
    cookie : str
        The cookie's name.
    """

    def __init__(self, sessions: Sessions, page: Callable[[], Answer], cookie: str) -> None:
        self._sessions = sessions
        self._page = page
        self._cookie = cookie

    async def enter(self, method: str, path: str, headers: Mapping[str, str], receive: Receive) -> Answer | None:
        """Exchange the token of an address for a cookie."""
        if method != "GET" or not path.startswith(ENTRANCE):
            return None
        cookie = self._sessions.enter(path.removeprefix(ENTRANCE))
        return self.closed() if cookie is None else _let_in(self._cookie, cookie)

    def closed(self) -> Answer:
        """Have a new address printed, unless the last one is still good."""
        self._sessions.offer()
        return self._page()


class BySigningIn:
    """An account's name and password let its owner in.

    Parameters
    ----------
    members : Members
        Everybody who signed in.
    page : callable
        Makes the page with the form; given a sentence, it says why somebody was not let in.
    cookie : str
        The cookie's name.
    """

    def __init__(self, members: Members, page: Callable[[str], Answer], cookie: str) -> None:
        self._members = members
        self._page = page
        self._cookie = cookie
        self._one_at_a_time = asyncio.Semaphore(1)

    async def enter(self, method: str, path: str, headers: Mapping[str, str], receive: Receive) -> Answer | None:
        """Take the form, and let in whoever it names if the password is theirs."""
        if method != "POST" or path != SIGN_IN:
            return None
        form = await read_form(headers, receive, None)
        name, password = form.get("name", "").lower(), form.get("password", "")
        try:
            async with self._one_at_a_time:
                signed_in = await asyncio.to_thread(self._members.prove, name, password)
            return _let_in(self._cookie, self._members.let_in(signed_in))
        except SignInRefused:
            return self._page(NOT_LET_IN.sentence)
        except NotAllowed as error:
            return self._page(f"{str(error).capitalize()}.")

    def closed(self) -> Answer:
        """Ask who it is."""
        return self._page("")


def _let_in(name: str, cookie: str) -> Answer:
    kept = f"{name}={cookie}; Path=/; HttpOnly; SameSite=Strict"
    return HTTPStatus.SEE_OTHER, [("location", "/"), ("set-cookie", kept), ("content-length", "0")], b""
