"""Where there are accounts, a session is one account's in one role, and the accounts are asked about it each time.

So whoever is disabled, loses the role or signs in elsewhere in another one is out at the next request. What was found
in one role does not lie there in the next: its handles lead nowhere then.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from archive.accounts import AccountStore, Action, Role
from archive.accounts import Session as SignedIn
from archive.errors import NotAllowed
from ingest.desk.session import AT_THE_DESK, MOST_SESSIONS, Session, digest_of


@dataclass
class _Let:
    session: Session
    cookie: str
    used: float


class Members:
    """Everybody who signed in at the desk. Belongs to one thread, but for `prove`.

    Parameters
    ----------
    store : AccountStore
        Knows accounts and their sessions.
    idle_seconds : float
        For how long an unused session is good at the desk; names must not stay on a screen that was left.
    ended : callable
        Told of each session that is over.
    clock : callable
        Gives seconds that never run backwards.
    """

    def __init__(
        self,
        store: AccountStore,
        *,
        idle_seconds: float,
        ended: Callable[[Session], None] = lambda session: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._idle = idle_seconds
        self._ended = ended
        self._clock = clock
        self._let: OrderedDict[str, _Let] = OrderedDict()

    def prove(self, name: str, password: str) -> SignedIn:
        """Check a password; call it from a thread.

        Raises
        ------
        SignInRefused
            If the account does not exist, is disabled or locked, or the password does not fit.
        NotAllowed
            If no role of the account works at the desk.
        """
        signed_in = self._store.sign_in(name, password)
        if not Session(name, signed_in).roles:
            self._store.sign_out(signed_in.token)
            raise NotAllowed("no role of this account works at the desk; a custodian can grant one")
        return signed_in

    def let_in(self, signed_in: SignedIn) -> str:
        """Give a session to somebody whose password was checked; gives its cookie."""
        cookie = signed_in.token
        self._let[digest_of(cookie)] = _Let(self._session(signed_in), cookie, self._clock())
        if len(self._let) > MOST_SESSIONS:
            self._drop(next(iter(self._let)))
        return cookie

    def find(self, cookie: str, *, uses: bool) -> Session | None:
        """Give the session of a cookie, if the accounts know it still; only sessions that began at the desk count.

        Raises
        ------
        AccountsUnavailable
            If the accounts cannot be asked; then nobody is let in.
        """
        now, name = self._clock(), digest_of(cookie)
        for old in [key for key, let in self._let.items() if now - let.used > self._idle]:
            self._drop(old)
        let = self._let.get(name)
        if let is None:
            return None
        known = self._store.session(cookie, uses=uses)
        if known is None:
            self._drop(name)
            return None
        if uses:
            let.used = now
        if known != let.session.signed_in:
            self._ended(let.session)
            let.session = self._session(known)
        return let.session

    def choose(self, cookie: str, role: str) -> None:
        """Act in a role of one's own from now on.

        Raises
        ------
        NotAllowed
            If the account does not hold it, or it does not work at the desk.
        """
        if role not in AT_THE_DESK:
            raise NotAllowed("this role does not work at the desk; choose one that does")
        self._store.choose_role(cookie, Role(role))

    def end(self, cookie: str) -> None:
        """Sign somebody out; harmless if nobody was in."""
        self._drop(digest_of(cookie))

    def end_all(self) -> None:
        """Sign everybody out, as the desk closes."""
        for name in list(self._let):
            self._drop(name)

    def _session(self, signed_in: SignedIn) -> Session:
        def tell(action: Action) -> None:
            self._store.note("not allowed", signed_in.actor or signed_in.account, action=str(action), means="desk")

        return Session(signed_in.account, signed_in, tell)

    def _drop(self, name: str) -> None:
        let = self._let.pop(name, None)
        if let is not None:
            self._ended(let.session)
            self._store.sign_out(let.cookie)
