"""Who asks is known by a browser's cookie or by a program's token, and by nothing else that a request says.

The account store is asked who that is. For a picture its answer is used again until anything changes there, which is
seen within 20 ms, and for half a second at most; for anything else never. Whoever is disabled, signed out or in another
role sees no more tile after that.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from http.cookies import CookieError, SimpleCookie
from typing import Final

from archive.accounts import AccountStore, Actor, Grant
from archive.server.site import Site

CALLERS_REMEMBERED: Final = 4096
"""Browsers and programs that one worker answers at a time; the one that was asked about longest ago goes first."""

SECONDS_BETWEEN: Final = 0.02
"""How often the store is asked whether anything changed: with every tile it would be a third of what a tile costs."""

_BEARER: Final = "bearer "


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who is signed in, or a program with a token.

    ``actor`` is None until a role was chosen; ``grants`` are the roles to choose from. ``session`` is the cookie's
    secret, and empty for a program.
    """

    account: str
    actor: Actor | None
    grants: tuple[Grant, ...] = ()
    session: str = field(default="", repr=False)

    @property
    def form_key(self) -> str:
        """What every form of this session's pages brings back, so that no other page can send one."""
        return sha256(b"form\0" + self.session.encode()).hexdigest()


class Callers:
    """Everybody who asks one worker. Belongs to one thread.

    Parameters
    ----------
    store : AccountStore
        Knows sessions and tokens.
    cookie : str
        The name of the session's cookie.
    seconds : float
        For how long an answer of the store's may be used again.
    clock : callable
        Gives seconds that never run backwards.
    """

    def __init__(
        self, store: AccountStore, cookie: str, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._cookie = cookie
        self._seconds = seconds
        self._clock = clock
        self._seconds_between = min(seconds, SECONDS_BETWEEN)
        self._asked_at = clock()
        self._changes: int | None = None
        self._known: OrderedDict[tuple[str, str], tuple[float, Caller]] = OrderedDict()

    def remembered(self, cookies: str, authorization: str) -> Caller | None:
        """Give who asks, as it was known since the last change; None if nobody is signed in.

        Parameters
        ----------
        cookies, authorization : str
            The headers as they came; empty where there is none.

        Raises
        ------
        ArchiveError
            If the store cannot be asked; then nothing may be shown.
        """
        now = self._clock()
        if not self._asked_at < now < self._asked_at + self._seconds_between:
            self._forget_if_changed(now)
        known = self._known.get((cookies, authorization))
        if known is not None and now < known[0]:
            return known[1]
        return self.find(cookies, authorization)

    def _forget_if_changed(self, now: float) -> None:
        changes = self._store.change_count()
        if changes != self._changes:
            self._known.clear()
            self._changes = changes
        self._asked_at = now

    def find(self, cookies: str, authorization: str, *, uses: bool = True) -> Caller | None:
        """Give who asks, as it is known now; parameters and errors as for `remembered`.

        What an open page asks by itself does not show that anybody is there: it uses nothing.
        """
        asked, until = (cookies, authorization), self._clock() + self._seconds
        self._known.pop(asked, None)
        caller = self._program(authorization) if authorization else self._person(cookies, uses)
        if caller is not None:
            self._known[asked] = until, caller
            if len(self._known) > CALLERS_REMEMBERED:
                self._known.popitem(last=False)
        return caller

    def _person(self, cookies: str, uses: bool) -> Caller | None:
        secret = _cookie(cookies, self._cookie)
        session = self._store.session(secret, uses=uses) if secret else None
        return None if session is None else Caller(session.account, session.actor, session.grants, secret)

    def _program(self, authorization: str) -> Caller | None:
        """Whoever brings a token is known by it alone, also where there is a cookie."""
        if authorization[: len(_BEARER)].lower() != _BEARER:
            return None
        actor = self._store.actor_of_token(authorization[len(_BEARER) :].strip())
        return None if actor is None else Caller(actor.account, actor)


def cookie_name(site: Site, port: int) -> str:
    """Name the session's cookie; browsers let no other host set one whose name begins so, and send it by TLS alone."""
    return "__Host-coverslip" if site.encrypted else f"coverslip-{port}"


def cookie_of(name: str, secret: str, site: Site, *, seconds: int | None = None, same_site: str = "Strict") -> str:
    """Write the header that gives a browser its session; with ``seconds=0`` the one that takes it away."""
    ends = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{name}={secret}; Path=/; HttpOnly; SameSite={same_site}{'; Secure' if site.encrypted else ''}{ends}"


def _cookie(header: str, name: str) -> str:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return ""
    return found.value if found else ""
