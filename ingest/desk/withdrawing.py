"""Consent is withdrawn from the desk: first what that would do, then the act, then the report of what it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.consent.records import Giver
from archive.errors import ArchiveError, InvalidValue
from archive.holdings.withdrawal import Withdrawn
from ingest.desk.answers import chosen, day_in, rank_in
from ingest.desk.consenting import PATIENT
from ingest.desk.finding import Tray
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.pipeline.withdrawing import Letter, PlannedWithdrawal, carry_out, plan_found


@dataclass(frozen=True, slots=True)
class Foreseen:
    """A withdrawal whose effects were shown, and that was not carried out yet; ``form`` is where it was filled in."""

    plan: PlannedWithdrawal
    form: str


@dataclass(frozen=True, slots=True)
class Reported:
    """What a withdrawal did; ``plan`` is how it was filled in."""

    plan: PlannedWithdrawal = field(repr=False)
    report: Withdrawn


class Withdrawing:
    """The form, the preview, the act and its report."""

    def __init__(self, room: Room, frames: Frames) -> None:
        self._room = room
        self._frames = frames

    def routes(self) -> list[Page]:
        """Build the routes."""
        case, post = "/withdraw/{tray}/{place:int}", ("POST",)
        return [
            Page("/withdraw/carry-out", self._carry_out, needs=Action.WITHDRAW, methods=post),
            Page(case, self._show, needs=Action.WITHDRAW),
            Page(case, self._plan, needs=Action.WITHDRAW, methods=post),
            Page("/withdrawn/{handle}", self._report, needs=Action.WITHDRAW),
        ]

    async def _show(self, request: Request) -> Response:
        return self._form(request, 200, {})

    def _form(self, request: Request, status: int, form: Mapping[str, str]) -> Response:
        tray, place = _tray(request), request.path_params["place"]
        tray.found(place)
        return self._frames.page(
            request,
            "withdraw.html",
            status=status,
            tray=tray,
            form=form,
            givers=tuple(Giver),
            today=date.today().isoformat(),
            back=f"/consent/{tray.handle}/{place}",
        )

    async def _plan(self, request: Request) -> Response:
        form, session, tray = form_of(request), session_of(request), _tray(request)
        case = tray.found(request.path_params["place"])

        def plan() -> PlannedWithdrawal:
            letter = _letter(form, tray.number)
            archive, vault = self._room.archive, self._room.vault
            return plan_found(archive, vault, letter, case, who=session.who, reason=form.get("reason", ""))

        try:
            planned = await run_in_threadpool(plan)
        except ArchiveError as error:
            status, sentence = told(error)
            session.say(sentence)
            return self._form(request, status, form)
        back = request.url.path
        handle = session.keep(Foreseen(planned, back))
        return self._page(request, planned, planned.prospect, handle=handle, back=back)

    async def _carry_out(self, request: Request) -> Response:
        session = session_of(request)
        foreseen = session.take(form_of(request).get("plan", ""), Foreseen)
        try:
            report = await run_in_threadpool(carry_out, foreseen.plan, self._room.archive, self._room.vault)
        except ArchiveError as error:
            session.say(told(error)[1])
            return go(foreseen.form)
        return go(f"/withdrawn/{session.keep(Reported(foreseen.plan, report))}")

    async def _report(self, request: Request) -> Response:
        reported = session_of(request).kept(request.path_params["handle"], Reported)
        return self._page(request, reported.plan, reported.report)

    def _page(
        self, request: Request, plan: PlannedWithdrawal, report: Withdrawn, *, handle: str = "", back: str = "/"
    ) -> Response:
        """Show what was done, or with the ``handle`` of a plan what would be."""
        return self._frames.page(request, "withdrawn.html", plan=plan, report=report, handle=handle, back=back)


def _tray(request: Request) -> Tray:
    return session_of(request).kept(request.path_params["tray"], Tray)


def _letter(form: Mapping[str, str], number: str) -> Letter:
    giver = chosen(Giver, form, "giver")
    if giver is None:
        raise InvalidValue("choose in which role somebody withdrew")
    return Letter(
        number,
        giver,
        day_in(form) or date.today(),
        form.get("whose") == PATIENT,
        rank_in(form),
        form.get("name", ""),
        form.get("document", ""),
    )
