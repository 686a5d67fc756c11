"""A browser is let in by an address that works once, and is known by its cookie until nobody uses it any more.

Whatever a session has found is reached under random handles that lead nowhere in any other session, so that no address
names a case, and an address that was copied, logged or remembered by a browser is worth nothing.
"""

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from archive.accounts import Action, Role
from archive.accounts import Session as SignedIn
from archive.codes import new_handle
from archive.errors import AccountsUnavailable, NotAllowed, UnknownCode

T = TypeVar("T")

MOST_SESSIONS = 8
"""More browsers than one person uses at one desk; the one that was let in first has to go."""

MOST_KEPT = 20_000
"""Handles of a session: a long day's cases and slides. The oldest lead nowhere after that."""

GONE = "this is no longer on the desk; find it again"

AT_THE_DESK = frozenset({Role.CUSTODIAN, Role.LABORATORY, Role.PATHOLOGIST, Role.AUDITOR})
"""Roles that work with the key vault's room, or read its trail; every other role works where slides are coded."""


class Session:
    """What one browser has on the desk.

    Parameters
    ----------
    who : str
        The account in whose name everything is done.
    signed_in : archive.accounts.Session or None
        The account's session where there are accounts; None where the desk is one person's own.
    refused : callable
        Told of what was asked for and may not be done.
    """

    def __init__(
        self, who: str, signed_in: SignedIn | None = None, refused: Callable[[Action], object] = lambda action: None
    ) -> None:
        self.who = who
        self.signed_in = signed_in
        self._refused = refused
        self.form_key = secrets.token_urlsafe(24)
        self.last_purpose = ""
        self._notice: str | None = None
        self._kept: OrderedDict[str, object] = OrderedDict()

    @property
    def role(self) -> Role | None:
        """The role that is acted in; None where there are no accounts, or none that works at the desk was chosen."""
        actor = self.signed_in.actor if self.signed_in else None
        return actor.role if actor and actor.role in AT_THE_DESK else None

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles of the account that work at the desk."""
        grants = self.signed_in.grants if self.signed_in else ()
        return tuple(grant.role for grant in grants if grant.role in AT_THE_DESK)

    @property
    def acts(self) -> bool:
        """Whether it is known in which role things are done, where that matters."""
        return self.signed_in is None or self.role is not None

    def may(self, action: Action) -> bool:
        """Tell whether this may be done here: the role may, or there are no accounts."""
        if self.signed_in is None:
            return True
        actor = self.signed_in.actor
        return self.role is not None and actor is not None and actor.may(action)

    def require(self, action: Action) -> None:
        """Refuse what may not be done here; that it was asked for is written down.

        Raises
        ------
        NotAllowed
            If the role may not.
        """
        if not self.may(action):
            self._refused(action)
            raise NotAllowed(f"as {self.role or 'nobody'} you may not do this: {action}")

    def keep(self, thing: object) -> str:
        """Keep a thing on the desk; gives the handle that leads to it."""
        handle = new_handle()
        self._kept[handle] = thing
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return handle

    def kept(self, handle: str, kind: type[T]) -> T:
        """Give what a handle leads to.

        Raises
        ------
        UnknownCode
            If it leads to nothing of that kind here.
        """
        thing = self._kept.get(handle)
        if not isinstance(thing, kind):
            raise UnknownCode(GONE)
        return thing

    def take(self, handle: str, kind: type[T]) -> T:
        """Give what a handle leads to, and have it lead there no more.

        Raises
        ------
        UnknownCode
            If it leads to nothing of that kind here.
        """
        thing = self.kept(handle, kind)
        del self._kept[handle]
        return thing

    def say(self, sentence: str) -> None:
        """Have a sentence shown on the next page."""
        self._notice = sentence

    def said(self) -> str | None:
        """Give the sentence that waits to be shown, once."""
        notice, self._notice = self._notice, None
        return notice


@dataclass
class _Let:
    session: Session
    used: float


class Sessions:
    """Everybody who was let in, and the one address that lets somebody in.

    Parameters
    ----------
    who : str
        The account of whoever started the desk.
    announce : callable
        Shows a token to that person, and to nobody else.
    idle_seconds, token_seconds : float
        For how long an unused session, and an unused token, are good.
    ended : callable
        Told of each session that is over.
    clock : callable
        Gives seconds that never run backwards.
    accounts : callable
        Tells whether the archive has accounts by now; from then on nobody is let in so.
    """

    def __init__(
        self,
        who: str,
        announce: Callable[[str], None],
        *,
        idle_seconds: float,
        token_seconds: float,
        ended: Callable[[Session], None] = lambda session: None,
        clock: Callable[[], float] = time.monotonic,
        accounts: Callable[[], bool] = lambda: False,
    ) -> None:
        self._accounts = accounts
        self._who = who
        self._announce = announce
        self._idle = idle_seconds
        self._token_seconds = token_seconds
        self._ended = ended
        self._clock = clock
        self._let: OrderedDict[str, _Let] = OrderedDict()
        self._token = ""
        self._token_until = clock()

    def offer(self) -> None:
        """Announce a new token, unless the last one is still good: at most one lets anybody in."""
        if self._token and self._clock() < self._token_until:
            return
        self._token = secrets.token_urlsafe(32)
        self._token_until = self._clock() + self._token_seconds
        self._announce(self._token)

    def enter(self, token: str) -> str | None:
        """Exchange a token for a cookie; None if it is not the one that was announced, was used, or is too old."""
        self._require_alone()
        good = bool(self._token) and self._clock() < self._token_until
        if not hmac.compare_digest(token.encode(), self._token.encode()) or not good:
            return None
        self._token = ""
        cookie = secrets.token_urlsafe(32)
        self._let[digest_of(cookie)] = _Let(Session(self._who), self._clock())
        if len(self._let) > MOST_SESSIONS:
            self._drop(next(iter(self._let)))
        return cookie

    def find(self, cookie: str, *, uses: bool) -> Session | None:
        """Give the session of a cookie; a person's doing keeps it alive, a program's asking does not.

        Raises
        ------
        AccountsUnavailable
            If the archive was given accounts meanwhile.
        """
        self._require_alone()
        now = self._clock()
        for name in [name for name, let in self._let.items() if now - let.used > self._idle]:
            self._drop(name)
        let = self._let.get(digest_of(cookie))
        if let is None:
            return None
        if uses:
            let.used = now
        return let.session

    def end(self, cookie: str) -> None:
        """Let somebody in no more; harmless if nobody was."""
        self._drop(digest_of(cookie))

    def _require_alone(self) -> None:
        if self._accounts():
            raise AccountsUnavailable(
                "this archive has accounts now; end the desk and open it again, so that people sign in"
            )

    def _drop(self, name: str) -> None:
        let = self._let.pop(name, None)
        if let is not None:
            self._ended(let.session)


def digest_of(cookie: str) -> str:
    """Cookies are kept as digests, so that looking one up takes as long whatever it is."""
    return hashlib.sha256(cookie.encode("utf-8", "surrogateescape")).hexdigest()
