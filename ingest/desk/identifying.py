"""Whose a code is: one custodian asks and gives the reason, another one approves, and the first is told once.

The answer is written into the page that tells it and kept nowhere: no address leads to it, and loading it again finds
the request answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.errors import ArchiveError, InvalidValue
from archive.holdings.auditing import codes_in_laboratory
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.keyvault import Request as Asked
from ingest.keyvault.requests import HOLDS, WAITS, RequestState
from ingest.pipeline.identifying import ask

PAGE = "/identify"

OWN = 20
"""An account's own requests that are shown, the newest first."""


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request with the laboratory's codes of what it asks for; a code that is gone is empty."""

    request: Asked
    codes: tuple[str, ...]
    now: datetime

    @property
    def state(self) -> str:
        """How far it is, in a word or two."""
        request = self.request
        if request.is_open(self.now):
            return "waits"
        if request.may_be_answered(self.now):
            return "approved"
        return "run out" if request.state in (RequestState.ASKED, RequestState.APPROVED) else request.state

    @property
    def until(self) -> datetime | None:
        """Until when it can be approved, or answered."""
        if self.request.is_open(self.now):
            return self.request.at + WAITS
        decided = self.request.decided_at
        return decided + HOLDS if decided and self.request.may_be_answered(self.now) else None


class Identifying:
    """The page, the question, a second person's word on it, and the answer."""

    def __init__(self, room: Room, frames: Frames) -> None:
        self._room = room
        self._frames = frames

    def routes(self) -> list[Page]:
        """Build the routes."""
        post = ("POST",)
        return [
            Page(PAGE, self._show, needs=Action.IDENTIFY),
            Page(PAGE, self._ask, needs=Action.IDENTIFY, methods=post),
            Page(f"{PAGE}/decide", self._decide, needs=Action.APPROVE_IDENTIFY, methods=post),
            Page(f"{PAGE}/answer", self._answer, needs=Action.IDENTIFY, methods=post),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page(request, {"code": request.query_params.get("code", "")})

    async def _ask(self, request: Request) -> Response:
        form, session, room = form_of(request), session_of(request), self._room

        def act() -> Asked:
            code, reason = form.get("code", ""), form.get("reason", "")
            project = form.get("project") or "laboratory"
            return ask(room.archive, room.vault, [code], project=project, who=session.who, reason=reason)

        try:
            made = await run_in_threadpool(act)
        except ArchiveError as error:
            status, sentence = told(error)
            session.say(sentence)
            return self._page(request, form, status)
        waits = made.state is RequestState.ASKED
        session.say(f"Request {made.number} {'waits for a second person' if waits else 'can be answered'}.")
        return go(PAGE)

    async def _decide(self, request: Request) -> Response:
        form, session = form_of(request), session_of(request)
        number, reason, approve = form.get("request", ""), form.get("reason", ""), form.get("approve") == "yes"
        try:
            await run_in_threadpool(self._room.vault.approvals.decide, number, session.who, reason, approve=approve)
        except ArchiveError as error:
            session.say(told(error)[1])
        else:
            session.say("Approved; the account that asked has 24 hours to be answered." if approve else "Refused.")
        return go(PAGE)

    async def _answer(self, request: Request) -> Response:
        session, number, approvals = (
            session_of(request),
            form_of(request).get("request", ""),
            self._room.vault.approvals,
        )
        asked = tuple(one for one in approvals.of(session.who) if one.number == number)
        try:
            if any(one.bulk for one in asked):
                raise InvalidValue("a list is answered into a file, with: coverslip identify-list")
            (identity,) = await run_in_threadpool(approvals.answer, number, session.who)
        except ArchiveError as error:
            session.say(told(error)[1])
            return go(PAGE)
        return self._frames.page(request, "identified.html", asked=self._shown(asked)[0], identity=identity)

    def _page(self, request: Request, form: Mapping[str, str], status: int = 200) -> Response:
        who, approvals = session_of(request).who, self._room.vault.approvals
        return self._frames.page(
            request,
            "identify.html",
            status=status,
            form=form,
            own=self._shown(approvals.of(who)[:OWN]),
            others=self._shown(tuple(one for one in approvals.waiting() if one.who != who)),
            second_person=approvals.second_person,
        )

    def _shown(self, requests: tuple[Asked, ...]) -> list[ShownRequest]:
        codes = codes_in_laboratory(self._room.archive, {key for request in requests for key in request.keys})
        now = datetime.now(UTC)
        return [ShownRequest(one, tuple(codes.get(key, "") for key in one.keys), now) for one in requests]
