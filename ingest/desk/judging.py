"""What waits in quarantine, and what a person decides about it after looking: label, overview, and what the list said.

A picture of the label names the patient. It is drawn in the jail when somebody opens the page, which is written down,
goes into the page itself, and lies nowhere else.
"""

from collections.abc import Callable, Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.amounts import counted
from archive.errors import FreeTextRefused, InvalidValue
from ingest.desk.blacking import SIDES, Stage, data_url, ordered, stage_of
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.kept import SHOWN, kept_routes
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.errors import JailUnavailable, SlideRefused
from ingest.pipeline.pictures import pictures_of
from ingest.pipeline.seen import seen_on
from ingest.quarantine.judging import may_release
from ingest.quarantine.register import RELEASED, Entry
from ingest.quarantine.telling import differences, sentence_of
from ingest.quarantine.waiting import Quarantine

CAPTIONS = {"macro": "The whole glass", "thumbnail": "The tissue", "unknown": "Another picture"}
"""What the pictures besides the label are, in the order in which a person looks at them."""

Form = Mapping[str, str]
Act = Callable[[str, str, Form], Entry]
"""Decides about the entry of a number, in somebody's name, as a form says."""


def judge_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""
    quarantine = Quarantine(room.vault)

    async def listed(request: Request) -> Response:
        return frames.page(
            request,
            "quarantine.html",
            waiting=quarantine.entries(),
            released=quarantine.released(),
            refused=quarantine.refused(),
            held=room.archive.scans_that_identify(),
            shown=SHOWN,
            sentence_of=lambda entry: what_comes(entry) or sentence_of(entry),
        )

    async def show(request: Request) -> Response:
        entry = quarantine.entry(request.path_params["number"])
        room.vault.register.looked_at(entry.number, session_of(request).who)
        pictures, stage, trouble = await run_in_threadpool(_pictures, room, entry)
        said = differences(entry)
        return frames.page(
            request,
            "waiting.html",
            entry=entry,
            sentence=sentence_of(entry),
            comes=what_comes(entry),
            label=pictures.pop("label", None),
            pictures=[(caption, pictures[kind]) for kind, caption in CAPTIONS.items() if kind in pictures],
            trouble=trouble,
            stage=stage,
            sides=SIDES,
            differences=said,
            found=any(difference.found for difference in said),
            may_release=may_release(entry),
        )

    def act(done: str, judge: Act) -> Callable[[Request], object]:
        async def decide(request: Request) -> Response:
            number, session = request.path_params["number"], session_of(request)
            try:
                judge(number, session.who, form_of(request))
            except (FreeTextRefused, InvalidValue) as error:
                session.say(told(error)[1])
                return go(f"/quarantine/{number}")
            session.say(f"{number} {done}")
            return go("/quarantine")

        return decide

    def release(number: str, who: str, form: Form) -> Entry:
        return quarantine.release_by_hand(number, who, form.get("why", ""))

    def black_out(number: str, who: str, form: Form) -> Entry:
        places, seen = ordered(form), seen_on(quarantine.entry(number))
        if seen is not None:
            seen.require_on_slide(places)
        return quarantine.black_out(number, places, who, form.get("why", ""))

    def refuse(number: str, who: str, form: Form) -> Entry:
        return quarantine.refuse(number, who, form.get("why", ""))

    released = act("is released: the next ingest takes it.", release)
    blacked = act("is released: the next ingest makes these places black, and looks again.", black_out)
    refused = act("is refused for good. The file itself was not touched.", refuse)
    return [
        Page("/quarantine", listed, needs=Action.JUDGE_QUARANTINE),
        Page("/quarantine/{number}", show, needs=Action.JUDGE_QUARANTINE),
        Page("/quarantine/{number}/release", released, needs=Action.JUDGE_QUARANTINE, methods=["POST"]),
        Page("/quarantine/{number}/black-out", blacked, needs=Action.JUDGE_QUARANTINE, methods=["POST"]),
        Page("/quarantine/{number}/refuse", refused, needs=Action.JUDGE_QUARANTINE, methods=["POST"]),
        *kept_routes(room, frames),
    ]


def what_comes(entry: Entry) -> str:
    """Say what the next ingest does with a file that a person released; nothing of one that waits."""
    if entry.state != RELEASED:
        return ""
    if not entry.black_out:
        return "Released: the next ingest takes it."
    places = counted(len(entry.black_out), "place")
    return f"Released: the next ingest takes it, makes {places} black, and looks again."


def _pictures(room: Room, entry: Entry) -> tuple[dict[str, str], Stage | None, str]:
    """Draw what the file shows of itself, as data URLs by kind, and what was seen; or say why there is no picture."""
    try:
        found = pictures_of(entry.path, keep_out=room.secret, limits_only=room.limits_only)
        stage = stage_of(room, entry)
    except SlideRefused as error:
        why = "" if error.sentence == sentence_of(entry) else f": {error.sentence}"
        return {}, None, f"No picture can be made of it{why}."
    except JailUnavailable as error:
        return {}, None, f"No picture can be made of it: {error}."
    if stage is not None:
        found.pop("thumbnail", None)
    return {kind: data_url(jpeg) for kind, jpeg in found.items()}, stage, ""
