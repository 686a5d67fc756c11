"""What waits to be looked at again: new rules, before they take effect, and feeds whose day of review has come."""

from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.errors import ArchiveError
from archive.holdings.new_rules import look, put_in_force
from archive.wordscreen import screen
from ingest.delivery import feeds_of
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room


def rules_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""

    async def show(request: Request) -> Response:
        found = await run_in_threadpool(look, room.archive)
        due = [feed for feed in feeds_of(room.vault.declared("feed")).values() if feed.is_overdue(date.today())]
        return frames.page(request, "rules.html", found=found, due=due)

    async def accept(request: Request) -> Response:
        session, form = session_of(request), form_of(request)
        try:
            reason = screen(form.get("reason", ""), "a reason")
            found = await run_in_threadpool(put_in_force, room.archive, seen=form.get("seen") or None, reason=reason)
            session.say(f"Version {found.of_program} of the rules is in force. Start servers, and this desk, anew.")
        except ArchiveError as error:
            session.say(told(error)[1])
        return go("/rules")

    return [
        Page("/rules", show, needs=Action.REVIEW_RULES),
        Page("/rules", accept, needs=Action.REVIEW_RULES, methods=("POST",)),
    ]
