"""The desk's pages: the archive's own look, everything escaped, nothing from elsewhere, no script but the viewer's."""

from http import HTTPStatus
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse

from archive.accounts import Action
from archive.amounts import bytes_told
from archive.errors import ArchiveError, DamagedPyramid, NotAllowed
from archive.server.headers import Answer
from archive.server.pages import TEMPLATES as ARCHIVE_TEMPLATES
from archive.server.pages import VIEWER_MISSING, read_assets, thumbnail_of
from archive.server.status import REFUSALS, refusal_for
from archive.settings import ShownColours
from ingest.desk.session import Session

TEMPLATES = Path(__file__).parent / "templates"

PUT_AWAY_AFTER = 5
"""Seconds after the desk has locked itself until an open page is put away, so that it finds the desk locked."""

ROOMS = (
    ("/", "Find", Action.FIND_CASE),
    ("/quarantine", "Quarantine", Action.JUDGE_QUARANTINE),
    ("/report", "Day", Action.INGEST),
    ("/work", "Work", Action.FULFIL_OBLIGATION),
    ("/rules", "Rules", Action.REVIEW_RULES),
    ("/identify", "Identify", Action.IDENTIFY),
    ("/trail", "Trail", Action.VERIFY_AUDIT),
)
"""What stands at the head of every page: address, name, and what somebody must be allowed to do to see it there."""

_HEADINGS = {404: "Nothing here", 400: "Not like this", 403: "The desk is locked", 503: "Not now"}


def session_of(request: Request) -> Session:
    """Give the session that the door found."""
    session = request.state.session
    assert isinstance(session, Session)  # noqa: S101  the door lets nobody in without one
    return session


def form_of(request: Request) -> dict[str, str]:
    """Give the form that the door read."""
    return dict(request.state.form)


def go(address: str) -> RedirectResponse:
    """Send the browser on after a form, so that loading the page again does nothing twice."""
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


class Frames:
    """The templates, and what each of them may use.

    Parameters
    ----------
    idle_seconds : float
        After how long a page that nobody uses is put away.
    colours : ShownColours
        How the colours of slides are shown to whoever did not choose.
    """

    def __init__(self, idle_seconds: float, colours: ShownColours = ShownColours.SCANNED) -> None:
        self.assets = read_assets(TEMPLATES)
        self._put_away = int(idle_seconds + PUT_AWAY_AFTER)
        self._environment = Environment(
            loader=ChoiceLoader([FileSystemLoader(TEMPLATES), FileSystemLoader(ARCHIVE_TEMPLATES)]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["viewer_missing"] = None if "viewer.js" in self.assets else VIEWER_MISSING
        self._environment.globals["Action"] = Action
        self._environment.globals["colours"] = str(colours)
        self._environment.globals["thumbnail"] = thumbnail_of(colours)
        self._environment.filters["size"] = bytes_told
        self._environment.filters["count"] = "{:,}".format

    def page(
        self, request: Request, name: str, *, status: int = 200, stays: bool = False, **values: Any
    ) -> HTMLResponse:
        """Fill a page for a session; unless it `stays`, the browser puts it away once the desk has locked itself."""
        session = session_of(request)
        rooms = [(address, title) for address, title, action in ROOMS if session.may(action)]
        told = {"session": session, "rooms": rooms, "notice": session.said(), "path": request.url.path, **values}
        headers = {} if stays else {"refresh": f"{self._put_away}; url=/rest"}
        return HTMLResponse(self._environment.get_template(name).render(told), status, headers)

    def first_room(self, session: Session) -> str:
        """Give the address where a session begins that finds no cases."""
        return next((address for address, _, action in ROOMS if session.may(action)), "/rest")

    def closed(self) -> Answer:
        """Give the one page for whoever was not let in."""
        return _answer(HTTPStatus.FORBIDDEN, self._environment.get_template("closed.html").render())

    def sign_in(self, sentence: str) -> Answer:
        """Give the one page for whoever is not signed in, with a sentence where somebody tried and was refused."""
        return _answer(
            HTTPStatus.FORBIDDEN, self._environment.get_template("desk_sign_in.html").render(sentence=sentence)
        )

    def refused(self, error: Exception) -> Answer:
        """Say why something cannot be done, to whoever is or is not let in."""
        status, sentence = told(error)
        heading = "Not in this role" if isinstance(error, NotAllowed) else _HEADINGS.get(status, "Not possible")
        text = self._environment.get_template("sorry.html").render(heading=heading, sentence=sentence)
        return _answer(status, text)


def told(error: Exception) -> tuple[int, str]:
    """Give status and sentence of an error; only what is raised on purpose speaks for itself."""
    text = str(error)
    if isinstance(error, NotAllowed):
        return HTTPStatus.FORBIDDEN, f"{text[0].upper()}{text[1:]}."
    if isinstance(error, DamagedPyramid) or not isinstance(error, ArchiveError) or not text:
        refusal = refusal_for(error)
        return refusal.status, refusal.sentence
    status = next((REFUSALS[kind].status for kind in type(error).__mro__ if kind in REFUSALS), HTTPStatus.BAD_REQUEST)
    return status, f"{text[0].upper()}{text[1:]}".rstrip(".") + "."


def _answer(status: int, text: str) -> Answer:
    body = text.encode()
    return int(status), [("content-type", "text/html; charset=utf-8"), ("content-length", str(len(body)))], body
