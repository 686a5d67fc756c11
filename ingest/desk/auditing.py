"""The page of the audit trails: they are verified and searched there, and a patient's question is answered.

Codes, reasons and numbers travel in forms, never in an address; who reads the trails is written down first. What was
found stands on the page that answers, and is kept nowhere.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.auditchain.told import Told
from archive.errors import ArchiveError, InvalidValue
from archive.holdings import auditing
from archive.holdings.books import Books, question
from archive.holdings.second_place import SecondPlace
from archive.wordscreen import screen
from ingest.desk.frames import Frames, form_of, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.desk.verdict import Verdict
from ingest.pipeline.auditing import subject_report, with_vault

PAGE = "/trail"

SHOWN = 500
"""Entries on one page, the newest; a narrower question shows the others."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: the entries that are shown, how many there are in all, and what they are."""

    title: str
    entries: tuple[Told, ...]
    total: int


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page of the trails shows beside its forms."""

    form: Mapping[str, str] = field(default_factory=dict)
    verdict: Verdict | None = None
    answer: Answer | None = None


class Trails:
    """The page, and the three questions that it answers."""

    def __init__(self, room: Room, frames: Frames) -> None:
        self._room = room
        self._frames = frames

    def routes(self) -> list[Page]:
        """Build the routes."""
        post = ("POST",)
        return [
            Page(PAGE, self._show, needs=Action.VERIFY_AUDIT),
            Page(f"{PAGE}/verify", self._verify, needs=Action.VERIFY_AUDIT, methods=post),
            Page(f"{PAGE}/search", self._search, needs=Action.READ_AUDIT, methods=post),
            Page(f"{PAGE}/subject", self._subject, needs=Action.REPORT_SUBJECT, methods=post),
        ]

    async def _show(self, request: Request) -> Response:
        return self._page(request, Shown())

    async def _verify(self, request: Request) -> Response:
        return await self._answer(request, lambda form, who: Shown(verdict=_verified(self._room)))

    async def _search(self, request: Request) -> Response:
        return await self._answer(request, lambda form, who: Shown(form, answer=_found(self._room, form, who)))

    async def _subject(self, request: Request) -> Response:
        return await self._answer(request, lambda form, who: Shown(answer=_looked(self._room, form, who)))

    async def _answer(self, request: Request, find: Callable[[Mapping[str, str], str], Shown]) -> Response:
        form, session = form_of(request), session_of(request)
        try:
            return self._page(request, await run_in_threadpool(find, form, session.who))
        except ArchiveError as error:
            status, sentence = told(error)
            session.say(sentence)
            return self._page(request, Shown(form), status)

    def _page(self, request: Request, shown: Shown, status: int = 200) -> Response:
        return self._frames.page(
            request, "trail.html", status=status, shown=shown, form=shown.form, today=date.today().isoformat()
        )


def _books(room: Room) -> Books:
    access = room.accounts.sealed_trail() if room.accounts else None
    return with_vault(Books.of_archive(room.archive, access), room.vault)


def _verified(room: Room) -> Verdict:
    books, folder = _books(room), room.settings.audit_copy
    place = SecondPlace(folder) if folder else None
    return Verdict(auditing.verify(books.trails, place, None, books.must), place is not None)


def _found(room: Room, form: Mapping[str, str], who: str) -> Answer:
    """Search the trails, after it was written down who does and what for."""
    room.vault.note_reading(who, screen(form.get("reason", ""), "what they are read for"))
    if room.accounts:
        room.accounts.note("read audit", who)
    asked = question(
        room.archive,
        code=form.get("code") or None,
        project=form.get("project") or "laboratory",
        by=form.get("by") or None,
        act=form.get("act") or None,
        purpose=form.get("purpose") or None,
        since=_day(form, "since"),
        until=_day(form, "until"),
    )
    entries = _books(room).found(asked)[::-1]
    return Answer("What the trails say, the newest first", tuple(entries[:SHOWN]), len(entries))


def _looked(room: Room, form: Mapping[str, str], who: str) -> Answer:
    """Answer a patient, by the laboratory's own number, which the look-up writes down."""
    why, number = screen(form.get("reason", ""), "a reason"), form.get("patient", "")
    entries = subject_report(room.archive, room.vault, _books(room).told(), number, who=who, reason=why)
    if entries is None:
        raise InvalidValue("nobody of this number is known here; check it")
    return Answer("What people did with this patient's slides, or asked about them", tuple(entries), len(entries))


def _day(form: Mapping[str, str], name: str) -> date | None:
    text = form.get(name)
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{name}: expected a day, such as 2026-01-31") from None
