"""The page of a case's consent, and what is recorded from there: an answer, a finding, a mistake, a document.

Nothing recorded before is changed. The page is shown anew after each act, so that what follows is seen at once.
"""

from collections.abc import Callable, Mapping
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.codes import InternalKey
from archive.consent import Facts
from archive.consent.terms import Record
from archive.errors import ArchiveError, InvalidValue
from archive.holdings.consenting import Handled, Outcome, Subject, annul, handle
from archive.wordscreen import screen
from ingest.desk.answers import CHOICES, answer_in, chosen, finding_fields, findings_in, proof_in
from ingest.desk.consented import consent_of
from ingest.desk.fields import settings_of
from ingest.desk.finding import Tray
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.keyvault import Evidence, FoundCase
from ingest.pipeline.consenting import record, with_findings
from ingest.pipeline.own_word import require_own_word

PATIENT = "patient"
"""In the form: of all cases of the patient, those to come too."""


class Consenting:
    """The page of a case's consent, and the acts on it."""

    def __init__(self, room: Room, frames: Frames) -> None:
        self._room = room
        self._frames = frames

    def routes(self) -> list[Page]:
        """Build the routes."""
        case, post = "/consent/{tray}/{place:int}", ("POST",)
        return [
            Page(case, self._show, needs=Action.SEE_DECISION),
            Page(f"{case}/evidence", self._prove, needs=Action.RECORD_CONSENT, methods=post),
            Page(f"{case}/record", self._show_form, needs=Action.RECORD_CONSENT),
            Page(f"{case}/record", self._record, needs=Action.RECORD_CONSENT, methods=post),
            Page(f"{case}/annul", self._annul, needs=Action.RECORD_CONSENT, methods=post),
            Page(f"{case}/document", self._handle, needs=Action.FULFIL_OBLIGATION, methods=post),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page(request, None)

    async def _prove(self, request: Request) -> Response:
        """Show who signed, which is written down with what the case was found for."""
        tray, case = _found(request)
        consent, who = self._room.vault.consent, session_of(request).who
        proofs: dict[InternalKey, Evidence] = {}
        for key in (case.key, case.patient):
            proofs |= consent.read(key, who=who, reason=str(tray.wanted))
        return self._page(request, proofs)

    def _page(self, request: Request, proofs: Mapping[InternalKey, Evidence] | None) -> Response:
        tray, _ = _found(request)
        return self._frames.page(
            request,
            "consent.html",
            tray=tray,
            consent=consent_of(self._room, tray, request.path_params["place"]),
            documents=tuple(Record),
            proofs=proofs,
            here=_address(request),
        )

    async def _show_form(self, request: Request) -> Response:
        return self._form(request, 200, {})

    def _form(self, request: Request, status: int, form: Mapping[str, str]) -> Response:
        tray, case = _found(request)
        recorded = self._room.archive.case(case.key)
        return self._frames.page(
            request,
            "record_consent.html",
            status=status,
            tray=tray,
            form=form,
            fields=finding_fields(form, recorded.facts if recorded else Facts()),
            today=date.today().isoformat(),
            **CHOICES,
            back=_address(request),
        )

    async def _record(self, request: Request) -> Response:
        form, who = form_of(request), session_of(request).who
        (tray, case), archive, vault = _found(request), self._room.archive, self._room.vault

        def act() -> Outcome:
            subject = Subject(patient=case.patient) if form.get("whose") == PATIENT else Subject(case=case.key)
            require_own_word(self._room.settings.archive, [name for name, value in form.items() if value])
            said, settings = answer_in(form, who), settings_of(findings_in(form))
            if said is None or settings:
                said = with_findings(archive, vault, subject, tray.number, said, settings, who)
            return record(archive, vault, subject, said, proof_in(form), reason=form.get("reason", ""))

        try:
            outcome = await run_in_threadpool(act)
        except ArchiveError as error:
            status, sentence = told(error)
            session_of(request).say(sentence)
            return self._form(request, status, form)
        session_of(request).say(f"Recorded. {sentence_of(outcome)}")
        return go(_address(request))

    async def _annul(self, request: Request) -> Response:
        form, (_, case) = form_of(request), _found(request)

        def act() -> Outcome:
            of_patient = form.get("whose") == PATIENT
            subject = Subject(patient=case.patient) if of_patient else Subject(case=case.key)
            number = form.get("number", "")
            if not number.isascii() or not number.isdecimal():
                raise InvalidValue("there is no such record here")
            return annul(self._room.archive, subject, int(number), reason=screen(form.get("reason", ""), "a reason"))

        return await self._act(request, act, "Annulled.")

    async def _handle(self, request: Request) -> Response:
        form, (_, case) = form_of(request), _found(request)
        done, who = form.get("done") == "yes", session_of(request).who

        def act() -> Outcome:
            return handle(self._room.archive, case.key, handled_in(form, who, done=done))

        return await self._act(request, act, "Done." if done else "Open again.")

    async def _act(self, request: Request, act: Callable[[], Outcome], verb: str) -> Response:
        """Do it, and show the page anew with what came of it, or with why it cannot be done."""
        session = session_of(request)
        try:
            session.say(f"{verb} {sentence_of(await run_in_threadpool(act))}")
        except ArchiveError as error:
            session.say(told(error)[1])
        return go(_address(request))


def handled_in(form: Mapping[str, str], who: str, *, done: bool) -> Handled:
    """Read which document exists or does not, and why that is known.

    Raises
    ------
    InvalidValue
        If none is chosen, or there is no reason.
    """
    document = chosen(Record, form, "document")
    if document is None:
        raise InvalidValue("choose the document")
    return Handled(document, done, who, screen(form.get("reason", ""), "a reason"))


def sentence_of(outcome: Outcome) -> str:
    """Say in a sentence or two what came of an act."""
    changed, scans = len(outcome.changed), len(outcome.scans)
    if not changed and not scans:
        return "It is decided as before: what was known weighs more, or says the same."
    cases = "One case is" if changed == 1 else f"{changed:,} cases are"
    sentence = f"{cases} decided with it from now on."
    if not scans:
        return sentence
    which = "One scan may" if scans == 1 else f"{scans:,} scans may"
    return f"{sentence} {which} not be opened as before: {', '.join(sorted(outcome.scans)[:6])}."


def _found(request: Request) -> tuple[Tray, FoundCase]:
    tray = session_of(request).kept(request.path_params["tray"], Tray)
    return tray, tray.found(request.path_params["place"])


def _address(request: Request) -> str:
    """Give the address of the case's page."""
    return f"/consent/{request.path_params['tray']}/{request.path_params['place']}"
