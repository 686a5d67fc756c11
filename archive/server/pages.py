"""The pages that people open: a list of collections, a collection's slides, and the frame that the viewer fills."""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from archive.errors import ArchiveError, UnknownCode
from archive.server.access import Access
from archive.server.callers import Caller
from archive.server.headers import INSTEAD, matches
from archive.server.status import MALFORMED, NOTHING_HERE, Refusal, WrongMethod, refusal_for
from archive.settings import ShownColours

_HERE = Path(__file__).parent
TEMPLATES = _HERE / "templates"
"""The pages' frames, and their style sheet."""

STATIC = _HERE / "static"
"""Where the package's build puts the viewer."""

VIEWER_MISSING = (
    "The viewer is not built, because npm was not there when Coverslip was installed: install Node.js 20.19 or newer "
    "with npm, install Coverslip again (pip install --force-reinstall --no-deps .), and start this server again."
)

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_HEADINGS = {404: "Nothing here", 400: "Malformed address", 403: "Not like this", 429: "Too often", 503: "Not now"}


class Asset:
    """One file of the pages' own, read once; the tag is that of its content, which is the same for everybody."""

    def __init__(self, file: Path) -> None:
        self.body = file.read_bytes()
        self.kind = _TYPES[file.suffix]
        self.tag = f'"{hashlib.blake2b(self.body, digest_size=12).hexdigest()}"'


def read_assets(*more: Path) -> Mapping[str, Asset]:
    """Read everything under ``/static/``, by name, with that of `more` folders; nothing else can be asked for."""
    files = [file for folder in (TEMPLATES, STATIC, *more) if folder.is_dir() for file in folder.iterdir()]
    return {file.name: Asset(file) for file in files if file.suffix in _TYPES}


def static_answer(asset: Asset, known_tag: str | None) -> Response:
    """Answer with a file of the pages' own, or that the browser has it."""
    headers = {"etag": asset.tag, "cache-control": "no-cache"}
    if matches(known_tag, asset.tag):
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.kind, headers=headers)


class Frames:
    """The HTML templates, and what they are made of. Everything put into them is escaped.

    Parameters
    ----------
    root : str
        What every address begins with.
    elsewhere : bool
        Whether people may also sign in at a place of the hospital's own.
    colours : ShownColours
        How colours are shown to whoever did not choose.
    """

    def __init__(
        self, root: str = "", *, elsewhere: bool = False, colours: ShownColours = ShownColours.SCANNED
    ) -> None:
        self.assets = read_assets()
        loader = FileSystemLoader(TEMPLATES)
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        self._environment.globals["viewer_missing"] = None if "viewer.js" in self.assets else VIEWER_MISSING
        self._environment.globals["root"] = root
        self._environment.globals["elsewhere"] = elsewhere
        self._environment.globals["colours"] = str(colours)
        self._environment.globals["thumbnail"] = thumbnail_of(colours)

    def fill(self, name: str, caller: Caller | None = None, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Fill a template for somebody who is signed in, or for anybody."""
        return HTMLResponse(self._environment.get_template(name).render(caller=caller, **values), status)

    def refuse(self, path: str, refusal: Refusal, caller: Caller | None = None) -> Response:
        """Say why not: as JSON under ``/api``, and as a page elsewhere."""
        instead = dict(INSTEAD.get(refusal.status, ())) | later(refusal)
        if path.startswith("/api/"):
            return JSONResponse({"detail": refusal.sentence}, refusal.status, instead)
        heading = _HEADINGS.get(refusal.status, "Not possible")
        page = self.fill("refused.html", caller, status=refusal.status, heading=heading, sentence=refusal.sentence)
        page.headers.update(instead)
        return page


def thumbnail_of(colours: ShownColours) -> str:
    """Give what the address of a thumbnail ends with."""
    return "/srgb/thumbnail.jpg" if colours is ShownColours.SRGB else "/thumbnail.jpg"


def later(refusal: Refusal) -> dict[str, str]:
    """Give the header that says when to come again, if that is known."""
    return {} if refusal.retry_seconds is None else {"retry-after": str(refusal.retry_seconds)}


def caller_of(request: Request) -> Caller | None:
    """Give who asks, if that was found out."""
    caller = getattr(request.state, "caller", None)
    return caller if isinstance(caller, Caller) else None


def add_pages(app: FastAPI, access: Access, frames: Frames, alive: Callable[[], object]) -> None:
    """Add the pages, what they are made of, and how all but tiles say that something cannot be shown.

    `alive` raises where what the server depends on cannot be asked.
    """
    app.include_router(_routes(access, frames, alive))
    _answer_errors(app, frames)


def _routes(access: Access, frames: Frames, alive: Callable[[], object]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    page = partial(routes.api_route, methods=["GET", "HEAD"])

    @page("/")
    async def collections(request: Request) -> HTMLResponse:
        return frames.fill("collections.html", caller_of(request), collections=access.collections())

    @page("/collections/{handle}")
    async def collection(handle: str, request: Request) -> HTMLResponse:
        return frames.fill("collection.html", caller_of(request), collection=access.collection(handle))

    @page("/slides/{handle}")
    async def slide(handle: str, request: Request) -> HTMLResponse:
        return frames.fill("slide.html", caller_of(request), slide=access.slide(handle))

    @page("/static/{name}")
    async def static(name: str, request: Request) -> Response:
        asset = frames.assets.get(name)
        if asset is None:
            raise UnknownCode
        return static_answer(asset, request.headers.get("if-none-match"))

    @page("/healthz")
    async def healthz() -> JSONResponse:
        alive()
        return JSONResponse({"status": "ok"})

    return routes


def _answer_errors(app: FastAPI, frames: Frames) -> None:
    """Answer with status and sentence from the one table."""

    def answer(request: Request, refusal: Refusal) -> Response:
        return frames.refuse(request.url.path, refusal, caller_of(request))

    @app.exception_handler(ArchiveError)
    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        return answer(request, refusal_for(error))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, _error: RequestValidationError) -> Response:
        return answer(request, MALFORMED)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        wrong_method = error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        return answer(request, refusal_for(WrongMethod()) if wrong_method else NOTHING_HERE)
