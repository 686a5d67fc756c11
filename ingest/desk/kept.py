"""What a screening saw in the picture of a slide that is kept: a person makes it black, or says that it names nobody.

Places are kept nowhere, so the slide is looked at once more when somebody opens the page, which is written down.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from archive.accounts import Action
from archive.codes import Code, Kind
from archive.consent import Purpose, Recipient
from archive.consent.terms import Grade
from archive.errors import ArchiveError, ConsentRefused, FreeTextRefused, InvalidValue, UnknownCode
from archive.geometry import Size
from archive.holdings.pixels import encode_jpeg
from archive.holdings.redacting import redact
from archive.records import HeldScan, ScanStatus
from ingest.desk.blacking import SIDES, WORDS, Stage, data_url, ordered, rows_of
from ingest.desk.blacking import Spot as ShownSpot
from ingest.desk.frames import Frames, form_of, go, session_of, told
from ingest.desk.page import Page
from ingest.desk.room import Room
from ingest.pipeline.rescreening import grade_anew, look_at, take_back
from ingest.pipeline.seen import Seen, Spot
from ingest.screening import Place, Screener
from ingest.screening.views import Look, Pixels, SlideLevel, View, draw, overview

SHOWN: Final = 200
"""Kept scans that are listed; more would not be looked at in one sitting."""

PLACE_PX: Final = 640
"""Longest side of the picture of a place."""

AROUND: Final = 0.5
"""How much is shown around a place, of its longer side."""

QUALITY: Final = 90

WHAT_FOR: Final = "Judging what was seen in the picture"
"""Why the slide was opened, as the vault's trail tells it."""

NOTHING_WAITS: Final = "nothing that was seen on this scan waits for a person"

_ONE_AT_A_TIME: Final = threading.Lock()

Form = Mapping[str, str]
Act = Callable[[Code, Form], str]
"""Does with a scan what a form says, and says what became of it."""


def kept_routes(room: Room, frames: Frames) -> list[Page]:
    """Build the routes."""

    async def show(request: Request) -> Response:
        scan = _waiting(room, _code(request))
        stage = await run_in_threadpool(_stage, room, scan, session_of(request).who)
        case = room.archive.held(scan.record.slide).case_code
        return frames.page(request, "kept.html", code=scan.code, case=case, stage=stage, sides=SIDES)

    def act(judge: Act) -> Callable[[Request], object]:
        async def decide(request: Request) -> Response:
            code, session = _waiting(room, _code(request)).code, session_of(request)
            try:
                session.say(await run_in_threadpool(judge, code, form_of(request)))
            except (FreeTextRefused, InvalidValue) as error:
                session.say(told(error)[1])
                return go(f"/quarantine/kept/{code}")
            except ArchiveError as error:
                session.say(f"{code}: {told(error)[1]}")
            return go("/quarantine")

        return decide

    def black_out(code: Code, form: Form) -> str:
        redact(room.archive, code, ordered(form), reason=form.get("why", ""))
        scan = room.archive.scan(room.archive.key_of(code, Kind.SCAN))
        with _screener(room) as screener:
            found = grade_anew(room.archive, screener, scan) if scan else None
        if found and found.is_settled:
            return f"{code} is black there now, and nothing more is seen on it."
        return f"{code} is black there now, and is to be looked at again."

    def looked_at(code: Code, form: Form) -> str:
        take_back(room.archive, code, reason=form.get("why", ""))
        return (
            f"{code} is not assessed now: record for its case who attests that its pictures identify nobody. Where "
            "somebody did before, it may be shown at once."
        )

    return [
        Page("/quarantine/kept/{code}", show, needs=Action.JUDGE_QUARANTINE),
        Page("/quarantine/kept/{code}/black-out", act(black_out), needs=Action.JUDGE_QUARANTINE, methods=["POST"]),
        Page("/quarantine/kept/{code}/looked-at", act(looked_at), needs=Action.JUDGE_QUARANTINE, methods=["POST"]),
    ]


def _code(request: Request) -> Code:
    try:
        return Code.parse(request.path_params["code"])
    except InvalidValue:
        raise UnknownCode(NOTHING_WAITS) from None


def _waiting(room: Room, code: Code) -> HeldScan:
    """Give a scan that waits for a person; raises UnknownCode if it does not."""
    scan = room.archive.scan(room.archive.key_of(code, Kind.SCAN))
    if scan is None or (scan.record.status, scan.record.might_identify.grade) != (ScanStatus.KEPT, Grade.YES):
        raise UnknownCode(NOTHING_WAITS)
    return scan


def _stage(room: Room, scan: HeldScan, who: str) -> Stage | None:
    """Look once more, and draw what is seen; None if the pixels cannot be read.

    Raises
    ------
    ConsentRefused
        If the laboratory may not keep the slide: to see whether a picture identifies somebody is part of keeping it.
    """
    record = scan.record
    decision = room.archive.decide(record.slide, Purpose.KEEP, Recipient.LABORATORY, scan=record.key)
    if not decision.allowed:
        raise ConsentRefused(decision.sentence, row=decision.row, paragraph=decision.paragraph)
    room.vault.note_opening(record.slide, who, WHAT_FOR)
    with _screener(room) as screener:
        screening = look_at(room.archive, screener, scan).screening
    if screening is None:
        return None
    places = [(finding.kind, finding.place) for finding in screening.alarms]
    with room.archive.open_pyramid(record.key) as pyramid:
        levels = pyramid.levels
        whole = _jpeg(draw(levels, overview(record.size)))
        spots = tuple(ShownSpot(WORDS[kind], place, _closer(levels, place, record.size)) for kind, place in places)
    seen = Seen(record.size, tuple(Spot(kind, place) for kind, place in places))
    return Stage(whole, record.size, spots, (), rows_of(seen))


@contextmanager
def _screener(room: Room) -> Iterator[Screener]:
    """Make a process that looks at one slide; others wait, since each has half a gigabyte."""
    with _ONE_AT_A_TIME, Screener(limits_only=room.limits_only) as screener:
        yield screener


def _closer(levels: Sequence[SlideLevel], place: Place, slide: Size) -> str:
    """Draw a place and what is around it, as a data URL."""
    longer = max(place.width, place.height)
    margin = int(AROUND * longer)
    x, y = max(0, place.x - margin), max(0, place.y - margin)
    right, bottom = min(slide.width, place.right + margin), min(slide.height, place.bottom + margin)
    around = Place(x, y, right - x, bottom - y)
    reduced = max(1.0, max(around.width, around.height) / PLACE_PX)
    return _jpeg(draw(levels, View(around, reduced, Look.CLOSE)))


def _jpeg(pixels: Pixels) -> str:
    return data_url(encode_jpeg(pixels, quality=QUALITY, subsampling="444"))
