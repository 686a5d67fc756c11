"""Somebody who signs in at the hospital's own place leaves for it with nothing and comes back with a code.

In between a cookie tells their browser from all others, and keeps the page that was first asked for. It has to come
along from the provider's site, so it is not as strict as a session's, and it is worth nothing but this one attempt. The
session's cookie would not come along: so whoever is let in gets a page of the server's own, which leads on by itself.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Final, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from archive.accounts import AccountStore, Session
from archive.accounts.attempt import Attempt
from archive.accounts.provider import Provider
from archive.errors import InvalidValue, NotVouchedFor, ProviderUnavailable, SignInRefused
from archive.server.addresses import address_of
from archive.server.callers import cookie_of
from archive.server.onward import next_of, own
from archive.server.pages import Frames
from archive.server.site import Site
from archive.server.waiting import WaitingLine

T = TypeVar("T")

START: Final = "/sign-in/openid"
BACK: Final = "/sign-in/openid/return"
"""What a provider must know as the address that it may send browsers back to, behind the server's own."""

ATTEMPT_SECONDS: Final = 600
"""How long somebody may take to sign in elsewhere: a second factor may have to be fetched from a coat."""

AT_ONCE: Final = 4
"""How many may wait for the provider at once, in threads of their own: while it hangs, passwords are checked still."""

VOUCHER: Final = "openid"
"""What the access trail calls this way in."""

logger = logging.getLogger("coverslip.server")


class ProviderEntrance:
    """Lets people in whom the hospital's own sign-in vouches for. Belongs to one thread.

    Parameters
    ----------
    provider : Provider
        Who vouches.
    store : AccountStore
        Knows who may come in.
    site : Site
        Where they come in.
    cookie : str
        The name of the session's cookie.
    frames : Frames
        The pages' templates.

    Raises
    ------
    InvalidValue
        If what asks a provider is not installed.
    """

    def __init__(self, provider: Provider, store: AccountStore, site: Site, cookie: str, frames: Frames) -> None:
        try:
            from archive.accounts.oidc import ProviderSignIn
        except ImportError:
            raise InvalidValue("a sign-in provider needs more libraries; run: pip install 'coverslip[oidc]'") from None
        self._sign_in = ProviderSignIn(provider)
        self._store = store
        self._site = site
        self._cookie = cookie
        self._attempt_cookie = f"{cookie}-attempt"
        self._frames = frames
        self._line = WaitingLine("sign-in-provider", AT_ONCE)

    def routes(self) -> APIRouter:
        """Give the routes."""
        routes = APIRouter(include_in_schema=False)
        routes.get(START)(self._set_out)
        routes.get(BACK)(self._come_back)
        return routes

    async def _set_out(self, request: Request) -> Response:
        """Send a browser to the provider."""
        attempt = Attempt.new()
        try:
            address = await self._wait(request, partial(self._sign_in.begin, attempt, self._back(request)))
        except ProviderUnavailable as error:
            logger.error("Nobody can sign in through OpenID Connect: %s.", error)
            raise
        answer = RedirectResponse(address, HTTPStatus.SEE_OTHER)
        kept = f"{attempt.secret}:{own(request.query_params.get('next', '/'))}"
        answer.headers.append("set-cookie", self._attempt(kept, ATTEMPT_SECONDS))
        return answer

    async def _come_back(self, request: Request) -> Response:
        """Let somebody in who comes back, if the provider vouches for an account that there is."""
        try:
            secret, _, onward = request.cookies.get(self._attempt_cookie, "").partition(":")
            attempt = Attempt(secret)
            brought = dict(request.query_params)
            session = await self._wait(request, partial(self._let_in, attempt, self._back(request), brought))
        except SignInRefused:
            logger.warning(
                "The sign-in provider vouched for somebody who has no account here that can be used by them."
            )
            raise NotVouchedFor from None
        except (NotVouchedFor, ProviderUnavailable) as error:
            logger.warning("A sign-in through OpenID Connect was refused: %s.", error)
            raise
        answer = self._frames.fill("signed_in.html", onward=next_of(session.actor, onward))
        answer.headers.append("set-cookie", cookie_of(self._cookie, session.token, self._site))
        answer.headers.append("set-cookie", self._attempt("", 0))
        return answer

    def _let_in(self, attempt: Attempt, back: str, brought: Mapping[str, str]) -> Session:
        vouched = self._sign_in.finish(attempt, back, brought)
        return self._store.sign_in_vouched(vouched.name, VOUCHER, vouched.person)

    async def _wait(self, request: Request, task: Callable[[], T]) -> T:
        """Do what may take long without keeping anybody from their tiles."""
        return await self._line.through(address_of(request, self._site), task)

    def _back(self, request: Request) -> str:
        """Give the address to come back to. The host that was asked for is known to be the server's own."""
        return f"{self._site.origin(request.headers.get('host', ''))}{self._site.root}{BACK}"

    def _attempt(self, kept: str, seconds: int) -> str:
        """Write the header that gives a browser its attempt, or takes it away."""
        return cookie_of(self._attempt_cookie, kept, self._site, seconds=seconds, same_site="Lax")
