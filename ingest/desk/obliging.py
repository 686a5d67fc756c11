"""The work list: what the rules ask somebody to do before slides can be used, by the codes of cases."""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.codes import Code, Kind
from archive.consent.terms import Record
from archive.errors import ArchiveError
from archive.holdings.consenting import handle
from archive.holdings.obligations import deal_with_copies, open_obligations, owed_copies
from ingest.desk.consenting import handled_in, sentence_of
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room

SHOWN = 200
"""More would not be worked through on one page; the command line lists all."""

DOCUMENTS = frozenset(map(str, Record))
"""What is done by saying that a document exists; the rest is done by recording facts."""


def work_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""

    async def listed(request: Request) -> Response:
        publication = request.query_params.get("publication") == "yes"
        owed = await run_in_threadpool(open_obligations, room.archive, publication=publication)
        copies = await run_in_threadpool(owed_copies, room.archive)
        holders = sorted({one.holder for one in copies})
        return frames.page(
            request,
            "work.html",
            owed=owed[:SHOWN],
            total=len(owed),
            publication=publication,
            documents=DOCUMENTS,
            copies={holder: [one for one in copies if one.holder == holder] for holder in holders},
            shown=SHOWN,
        )

    async def done(request: Request) -> Response:
        session, form = session_of(request), form_of(request)
        try:
            session.say(await run_in_threadpool(_copies_done if "holder" in form else _done, room, form, session.who))
        except ArchiveError as error:
            session.say(told(error)[1])
        return go(_back(form))

    return [
        Page("/work", listed, needs=Action.FULFIL_OBLIGATION),
        Page("/work", done, needs=Action.FULFIL_OBLIGATION, methods=("POST",)),
    ]


def _done(room: Room, form: Mapping[str, str], who: str) -> str:
    case = room.archive.key_of(Code.parse(form.get("case", "")), Kind.CASE)
    outcome = handle(room.archive, case, handled_in(form, who, done=True))
    return f"{outcome.subject}: {form['document']} is done. {sentence_of(outcome)}"


def _copies_done(room: Room, form: Mapping[str, str], who: str) -> str:
    deal_with_copies(room.archive, form["holder"], reason=form.get("reason", ""))
    return f"{form['holder']}: what it had is said to be gone."


def _back(form: Mapping[str, str]) -> str:
    return "/work?publication=yes" if form.get("publication") == "yes" else "/work"
