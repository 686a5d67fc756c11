"""A letter came before the slides: what a patient answered is recorded for all their cases, those to come too."""

from collections.abc import Mapping
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.errors import ArchiveError, InvalidValue
from archive.holdings.consenting import Outcome
from ingest.desk.answers import CHOICES, answer_in, proof_in
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.pipeline.consenting import find_subject, record

PAGE = "/patient"


def patient_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""

    def page(request: Request, form: Mapping[str, str], status: int = 200) -> Response:
        return frames.page(
            request,
            "patient_consent.html",
            status=status,
            form=form,
            tray=None,
            today=date.today().isoformat(),
            **CHOICES,
        )

    async def show(request: Request) -> Response:
        return page(request, {})

    async def send(request: Request) -> Response:
        form, session = form_of(request), session_of(request)
        try:
            outcome = await run_in_threadpool(_record, room, form, session.who)
        except ArchiveError as error:
            status, sentence = told(error)
            session.say(sentence)
            return page(request, form, status)
        cases = len(outcome.changed)
        decided = {0: "No case is decided anew", 1: "One case is decided anew"}.get(
            cases, f"{cases:,} cases are decided anew"
        )
        session.say(f"Recorded for the patient. {decided}; whatever is taken in from now on is decided with it.")
        return go(PAGE)

    return [
        Page(PAGE, show, needs=Action.RECORD_CONSENT),
        Page(PAGE, send, needs=Action.RECORD_CONSENT, methods=("POST",)),
    ]


def _record(room: Room, form: Mapping[str, str], who: str) -> Outcome:
    said, proof, reason = answer_in(form, who), proof_in(form), form.get("reason", "")
    if said is None:
        raise InvalidValue("choose what was answered")
    number = form.get("patient", "")
    subject = find_subject(room.vault, number, of_patient=True, under=None, who=who, reason=reason)
    return record(room.archive, room.vault, subject, said, proof, reason=reason)
