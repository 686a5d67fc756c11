"""Somebody comes in by name and password, says in which of their roles they are here, and leaves by signing out.

A password is checked in a thread of its own, one at a time in each worker, and a short line waits for that.
"""

from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from archive.accounts import AccountStore, Action, Role, Session
from archive.errors import InvalidValue, NotAllowed, SignInRefused, TryLater
from archive.server.addresses import address_of
from archive.server.callers import Caller, cookie_of
from archive.server.forms import form_of
from archive.server.onward import next_of, own
from archive.server.pages import Frames, caller_of, later
from archive.server.site import Site
from archive.server.status import NotSignedIn, Refusal, refusal_for
from archive.server.waiting import WaitingLine


class Entrance:
    """The pages where people come in and leave. Belongs to one thread.

    Parameters
    ----------
    store : AccountStore
        Knows who may come in.
    site : Site
        Where they come in.
    cookie : str
        The name of the session's cookie.
    frames : Frames
        The pages' templates.
    """

    def __init__(self, store: AccountStore, site: Site, cookie: str, frames: Frames) -> None:
        self._store = store
        self._site = site
        self._cookie = cookie
        self._frames = frames
        self._line = WaitingLine("sign-in", at_once=1)

    def routes(self) -> APIRouter:
        """Give the routes."""
        routes = APIRouter(include_in_schema=False)
        page = partial(routes.api_route, methods=["GET", "HEAD"])
        page("/sign-in")(self._ask_who)
        routes.post("/sign-in")(self._sign_in)
        page("/role")(self._ask_role)
        routes.post("/role")(self._choose_role)
        page("/sign-out")(self._before_leaving)
        routes.post("/sign-out")(self._sign_out)
        return routes

    def let_in(self, session: Session, onward: str = "/") -> Response:
        """Give a browser its session, and send it on: to choose a role, if that is still to be done."""
        answer = self._go(next_of(session.actor, onward))
        answer.headers.append("set-cookie", cookie_of(self._cookie, session.token, self._site))
        return answer

    async def _ask_who(self, request: Request) -> HTMLResponse:
        return self._frames.fill("sign_in.html", onward=own(request.query_params.get("next", "/")), sentence=None)

    async def _sign_in(self, request: Request) -> Response:
        form = await form_of(request, self._site)
        onward, name = own(form.get("next", "/")), form.get("name", "").strip().lower()
        address = address_of(request, self._site)
        check = partial(self._store.sign_in, name, form.get("password", ""), address)
        try:
            session = await self._line.through(address, check)
        except (SignInRefused, TryLater) as error:
            return self._not_now(refusal_for(error), onward)
        if earlier := request.cookies.get(self._cookie):
            self._store.sign_out(earlier)
        return self.let_in(session, onward)

    def _not_now(self, refusal: Refusal, onward: str) -> Response:
        page = self._frames.fill("sign_in.html", status=refusal.status, onward=onward, sentence=refusal.sentence)
        page.headers.update(later(refusal))
        return page

    async def _ask_role(self, request: Request) -> HTMLResponse:
        caller, onward = _member(request), own(request.query_params.get("next", "/"))
        idle = caller.actor is not None and not caller.actor.may(Action.SEE_COLLECTIONS)
        return self._frames.fill("role.html", caller, onward=onward, idle=idle)

    async def _choose_role(self, request: Request) -> Response:
        caller = _member(request)
        form = await form_of(request, self._site, caller)
        try:
            role = Role(form.get("role", ""))
            session = self._store.choose_role(caller.session, role, form.get("project") or None)
        except (ValueError, InvalidValue):
            raise NotAllowed("there is no such role") from None
        return self._go(next_of(session.actor, form.get("next", "/")))

    async def _before_leaving(self) -> Response:
        """Signing out takes a form; an address alone must not do it."""
        return self._go("/role")

    async def _sign_out(self, request: Request) -> Response:
        caller = _member(request)
        await form_of(request, self._site, caller)
        self._store.sign_out(caller.session)
        answer = self._go("/sign-in")
        answer.headers.append("set-cookie", cookie_of(self._cookie, "", self._site, seconds=0))
        answer.headers["clear-site-data"] = '"cache"'
        return answer

    def _go(self, path: str) -> Response:
        return RedirectResponse(f"{self._site.root}{path}", HTTPStatus.SEE_OTHER)


def _member(request: Request) -> Caller:
    caller = caller_of(request)
    if caller is None:
        raise NotSignedIn
    return caller
