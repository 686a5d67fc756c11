"""A slide goes where it belongs, and wrong facts of a case are mended: first what would come of it, then the act.

The plan lies in the session, so that what is carried out is exactly what was shown; it can be carried out once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.consent import Facts
from archive.errors import ArchiveError
from archive.records import Stain
from ingest.desk.fields import fields_of, settings_of, slide_words
from ingest.desk.finding import Tray
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.pipeline.correcting import CasePlan, SlidePlan, carry_out, plan_case, plan_slide
from ingest.pipeline.own_word import SECOND_WORD, require_own_word

Plan = SlidePlan | CasePlan


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan that was shown and not carried out yet, and the form that it came from."""

    plan: Plan
    form: str


class Correcting:
    """The two forms, the preview of what would come of them, and the act."""

    def __init__(self, room: Room, frames: Frames) -> None:
        self._room = room
        self._frames = frames

    def routes(self) -> list[Page]:
        """Build the routes."""
        slide, case = "/correct/{tray}/slide/{code}", "/correct/{tray}/case/{place:int}"
        return [
            Page("/correct/carry-out", self._carry_out, needs=Action.CORRECT, methods=["POST"]),
            Page(slide, self._show_slide, needs=Action.CORRECT),
            Page(slide, self._plan_slide, needs=Action.CORRECT, methods=["POST"]),
            Page(case, self._show_case, needs=Action.CORRECT),
            Page(case, self._plan_case, needs=Action.CORRECT, methods=["POST"]),
        ]

    async def _show_slide(self, request: Request) -> Response:
        return self._slide_form(request, 200, {})

    async def _show_case(self, request: Request) -> Response:
        return self._case_form(request, 200, {})

    def _slide_form(self, request: Request, status: int, form: Mapping[str, str]) -> Response:
        held = self._room.archive.slide(request.path_params["code"])
        told_of: dict[str, Any] = {
            "held": held,
            "form": form,
            "stains": tuple(Stain),
            "back": f"/cases/{_tray(request).handle}",
        }
        return self._frames.page(request, "correct_slide.html", status=status, **told_of)

    def _case_form(self, request: Request, status: int, form: Mapping[str, str]) -> Response:
        tray = _tray(request)
        record = self._room.archive.case(tray.found(request.path_params["place"]).key)
        second_word = SECOND_WORD if self._room.accounts else ""
        groups = fields_of(record.told if record else Facts(), form, without=second_word)
        told_of: dict[str, Any] = {
            "tray": tray,
            "form": form,
            "groups": groups,
            "back": f"/cases/{tray.handle}",
            "consent": f"/consent/{tray.handle}/{request.path_params['place']}",
        }
        return self._frames.page(request, "correct_case.html", status=status, **told_of)

    async def _plan_slide(self, request: Request) -> Response:
        form, who, code = form_of(request), session_of(request).who, request.path_params["code"]
        archive, vault = self._room.archive, self._room.vault
        _tray(request)

        def plan() -> Plan:
            return plan_slide(archive, vault, code, slide_words(form), who=who, reason=form.get("reason", ""))

        return await self._preview(request, plan, self._slide_form)

    async def _plan_case(self, request: Request) -> Response:
        form, who, number = form_of(request), session_of(request).who, _tray(request).number
        archive, vault = self._room.archive, self._room.vault

        def plan() -> Plan:
            words = {name: form.get(name) or None for name in ("patient", "now_under")}
            settings = settings_of(form)
            require_own_word(self._room.settings.archive, settings.values)
            return plan_case(archive, vault, number, settings, **words, who=who, reason=form.get("reason", ""))

        return await self._preview(request, plan, self._case_form)

    async def _preview(
        self,
        request: Request,
        plan: Callable[[], Plan],
        form_again: Callable[[Request, int, Mapping[str, str]], Response],
    ) -> Response:
        session, address = session_of(request), request.url.path
        try:
            found = await run_in_threadpool(plan)
        except ArchiveError as error:
            status, sentence = told(error)
            session.say(sentence)
            return form_again(request, status, form_of(request))
        handle = session.keep(Planned(found, address))
        return self._frames.page(
            request, "foreseen.html", plan=found, prospect=found.prospect, handle=handle, back=address
        )

    async def _carry_out(self, request: Request) -> Response:
        session = session_of(request)
        planned = session.take(form_of(request).get("plan", ""), Planned)
        archive, vault = self._room.archive, self._room.vault
        try:
            await run_in_threadpool(lambda: carry_out(planned.plan, archive, vault, who=session.who))
        except ArchiveError as error:
            session.say(told(error)[1])
            return go(planned.form)
        session.say("Corrected. Find the case again to see it as it is now.")
        return go("/")


def _tray(request: Request) -> Tray:
    return session_of(request).kept(request.path_params["tray"], Tray)
