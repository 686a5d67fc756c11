"""The desk as one application: the door outside, the viewer's tiles behind it, and the pages inside."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from archive.accounts import AccountStore, Action
from archive.errors import UnknownCode
from archive.server.api import slide_told
from archive.server.cache import TileCache
from archive.server.headers import Answer
from archive.server.pages import static_answer
from archive.server.pictures import Pictures
from archive.server.tiles import is_picture
from ingest.desk.auditing import Trails
from ingest.desk.consenting import Consenting
from ingest.desk.correcting import Correcting
from ingest.desk.door import LOCK, ROLE, Door
from ingest.desk.finding import Tray
from ingest.desk.frames import Frames, form_of, go, session_of
from ingest.desk.identifying import Identifying
from ingest.desk.judging import judge_routes
from ingest.desk.members import Members
from ingest.desk.obliging import work_routes
from ingest.desk.page import Page
from ingest.desk.patients import patient_routes
from ingest.desk.reporting import report_routes
from ingest.desk.reviewing import rules_routes
from ingest.desk.room import Room
from ingest.desk.searching import search_routes
from ingest.desk.session import Session, Sessions
from ingest.desk.settings import DeskSettings
from ingest.desk.viewing import Openings, Viewing
from ingest.desk.ways_in import ByAddress, BySigningIn, WayIn
from ingest.desk.withdrawing import Withdrawing


class Desk:
    """The desk of one laboratory, as an ASGI application. Belongs to one thread.

    Parameters
    ----------
    room : Room
        The opened archive and vault.
    settings : DeskSettings
        How long the desk trusts.
    announce : callable
        Shows a token to whoever started the desk; where there are accounts, nobody is let in by one.
    clock : callable
        Gives seconds that never run backwards.
    """

    def __init__(
        self,
        room: Room,
        settings: DeskSettings,
        announce: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        idle_seconds = 60 * settings.idle_minutes
        self._room = room
        self._pictures = Pictures(TileCache(room.settings.tile_cache_bytes))
        self._openings = Openings(room.vault.note_opening, clock)
        self.frames = Frames(idle_seconds, room.settings.colours)
        cookie = f"coverslip-desk-{settings.port}"
        self._viewings: dict[Session, Viewing] = {}
        self.sessions: Sessions | Members
        way_in: WayIn
        if room.accounts is None:
            self.sessions = Sessions(
                room.who,
                announce,
                idle_seconds=idle_seconds,
                token_seconds=60 * settings.token_minutes,
                ended=self._put_away,
                clock=clock,
                accounts=lambda: AccountStore.exists(room.settings.archive),
            )
            way_in = ByAddress(self.sessions, self.frames.closed, cookie)
        else:
            self.sessions = Members(room.accounts, idle_seconds=idle_seconds, ended=self._put_away, clock=clock)
            way_in = BySigningIn(self.sessions, self.frames.sign_in, cookie)
        self.app = Door(
            _pages(self),
            self._picture,
            self.sessions,
            way_in,
            refused=self.frames.refused,
            acting=self._acting,
            cookie=cookie,
        )

    @property
    def room(self) -> Room:
        """The opened archive and vault."""
        return self._room

    def viewing(self, session: Session) -> Viewing:
        """Give what a session may look at."""
        if session not in self._viewings:
            room = self._room
            self._viewings[session] = Viewing(
                room.archive, room.settings, self._pictures, session, self._openings, room.vault.require_standing
            )
        return self._viewings[session]

    def close(self) -> None:
        """Close every scan, and sign everybody out."""
        for session in list(self._viewings):
            self._put_away(session)
        if isinstance(self.sessions, Members):
            self.sessions.end_all()

    def _picture(self, session: Session, method: str, path: str) -> Answer | None:
        if is_picture(path):
            session.require(Action.OPEN_CASE_SLIDE)
        return self.viewing(session).picture(method, path)

    def _acting(self, session: Session) -> AbstractContextManager[None]:
        """Have the archive's trail name the account and its role; without accounts it names the laboratory."""
        if session.role is None:
            return nullcontext()
        return self._room.archive.acting(str(session.role), session.who)

    def _put_away(self, session: Session) -> None:
        viewing = self._viewings.pop(session, None)
        if viewing is not None:
            viewing.close()


def pages_of(desk: Desk) -> list[Page]:
    """Build every address of the desk but the pictures of slides, each with what it needs."""
    frames = desk.frames

    async def static(request: Request) -> Response:
        asset = frames.assets.get(request.path_params["name"])
        if asset is None:
            raise UnknownCode
        return static_answer(asset, request.headers.get("if-none-match"))

    async def look(request: Request) -> Response:
        viewing, handle = desk.viewing(session_of(request)), request.path_params["handle"]
        return frames.page(request, "look.html", stays=True, slide=viewing.slide(handle), title=viewing.title(handle))

    async def tell_slide(request: Request) -> Response:
        viewing, handle = desk.viewing(session_of(request)), request.path_params["handle"]
        return JSONResponse({**slide_told(viewing.slide(handle)).model_dump(), "title": viewing.title(handle)})

    async def tell_collection(request: Request) -> Response:
        tray = session_of(request).kept(request.path_params["handle"], Tray)
        placed = tray.placed(desk.room)
        slides = [{"handle": handle, "number": one.number, "title": one.title} for handle, one in placed.items()]
        return JSONResponse({"handle": tray.handle, "name": "Case", "slides": slides})

    async def rest(request: Request) -> Response:
        return frames.page(request, "rest.html", stays=True)

    async def lock(request: Request) -> Response:
        desk.sessions.end(request.state.cookie)
        return go("/")

    return [
        Page("/static/{name}", static, needs=None),
        Page("/slides/{handle}", look, needs=Action.OPEN_CASE_SLIDE),
        Page("/api/slides/{handle}", tell_slide, needs=Action.OPEN_CASE_SLIDE),
        Page("/api/collections/{handle}", tell_collection, needs=Action.OPEN_CASE_SLIDE),
        Page("/rest", rest, needs=None),
        Page(LOCK, lock, needs=None, methods=["POST"]),
        *_role_pages(desk),
        *search_routes(desk.room, frames),
        *judge_routes(desk.room, frames),
        *Correcting(desk.room, frames).routes(),
        *report_routes(desk.room, frames),
        *Consenting(desk.room, frames).routes(),
        *patient_routes(desk.room, frames),
        *Withdrawing(desk.room, frames).routes(),
        *work_routes(desk.room, frames),
        *rules_routes(desk.room, frames),
        *Identifying(desk.room, frames).routes(),
        *Trails(desk.room, frames).routes(),
    ]


def _pages(desk: Desk) -> Starlette:
    app = Starlette(routes=pages_of(desk), exception_handlers={HTTPException: _lost})
    app.router.redirect_slashes = False
    return app


def _role_pages(desk: Desk) -> list[Page]:
    """Build the page where somebody with several roles chooses one; there is none where there are no accounts."""
    members = desk.sessions
    if not isinstance(members, Members):
        return []

    async def ask(request: Request) -> Response:
        return desk.frames.page(request, "desk_role.html")

    async def choose(request: Request) -> Response:
        members.choose(request.state.cookie, form_of(request).get("role", ""))
        return go("/")

    return [Page(ROLE, ask, needs=None), Page(ROLE, choose, needs=None, methods=["POST"])]


async def _lost(_request: Request, _error: Exception) -> Response:
    """Leave it to the door to say that there is nothing."""
    raise UnknownCode
