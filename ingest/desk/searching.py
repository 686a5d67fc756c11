"""The first page, with the search, today's figures and what waits; and the page of a case."""

from collections import Counter
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.codes import Code
from archive.errors import FreeTextRefused, InvalidValue, UnknownCode
from ingest.desk.finding import Asked, Tray, find
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.purposes import Choice
from ingest.desk.reporting import figures_of_today
from ingest.desk.room import Room


def search_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""

    def start(request: Request, asked: Asked, status: int = 200) -> Response:
        waiting = Counter(entry.reason.value for entry in room.vault.register.waiting() if entry.reason)
        waiting["kept, with something in the picture"] = len(room.archive.scans_that_identify())
        return frames.page(
            request,
            "start.html",
            status=status,
            choices=tuple(Choice),
            asked=asdict(asked),
            sought=_sought(request),
            waiting=[one for one in waiting.most_common() if one[1]],
            figures=figures_of_today(room),
        )

    async def empty(request: Request) -> Response:
        session = session_of(request)
        if not session.may(Action.FIND_CASE):
            return go(frames.first_room(session))
        return start(request, Asked(purpose=Choice.CONSENT if _sought(request) else session.last_purpose))

    async def search(request: Request) -> Response:
        form, session = form_of(request), session_of(request)
        asked = Asked(form.get("accession", ""), form.get("purpose", ""), form.get("words", ""))
        try:
            tray = find(room, session, asked)
        except (FreeTextRefused, InvalidValue, UnknownCode) as error:
            status, sentence = told(error)
            session.say(sentence)
            return start(request, asked, status)
        if tray.wanted.choice is not Choice.OTHER:
            session.last_purpose = asked.purpose
        return go(f"/cases/{tray.handle}")

    async def case(request: Request) -> Response:
        tray = session_of(request).kept(request.path_params["handle"], Tray)
        return frames.page(request, "case.html", tray=tray, cases=tray.cases(room))

    return [
        Page("/", empty, needs=None),
        Page("/find", search, needs=Action.FIND_CASE, methods=["POST"]),
        Page("/cases/{handle}", case, needs=Action.FIND_CASE),
    ]


def _sought(request: Request) -> Code | None:
    """Give the case that somebody came for from the work list, which knows no numbers."""
    code = request.query_params.get("case")
    return Code.parse(code) if code else None
