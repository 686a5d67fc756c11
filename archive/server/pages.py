"""The pages that people open: a list of collections, a collection's slides, and the frame that the viewer fills."""

import hashlib
from collections.abc import Mapping
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
from archive.server.headers import matches
from archive.server.status import MALFORMED, NOTHING_HERE, Refusal, WrongMethod, refusal_for

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
_HEADINGS = {404: "Nothing here", 400: "Malformed address", 503: "Not now"}


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


class _Frames:
    """The HTML templates. Everything put into them is escaped."""

    def __init__(self, viewer_missing: str | None) -> None:
        loader = FileSystemLoader(TEMPLATES)
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        self._environment.globals["viewer_missing"] = viewer_missing

    def fill(self, name: str, status: int = 200, **values: Any) -> HTMLResponse:
        return HTMLResponse(self._environment.get_template(name).render(values), status)


def add_pages(app: FastAPI, access: Access) -> None:
    """Add the pages, what they are made of, and how all but tiles say that something cannot be shown."""
    assets = read_assets()
    frames = _Frames(None if "viewer.js" in assets else VIEWER_MISSING)
    app.include_router(_routes(access, frames, assets))
    _answer_errors(app, frames)


def _routes(access: Access, frames: _Frames, assets: Mapping[str, Asset]) -> APIRouter:
    routes = APIRouter(include_in_schema=False)
    page = partial(routes.api_route, methods=["GET", "HEAD"])

    @page("/")
    async def collections() -> HTMLResponse:
        return frames.fill("collections.html", collections=access.collections())

    @page("/collections/{handle}")
    async def collection(handle: str) -> HTMLResponse:
        return frames.fill("collection.html", collection=access.collection(handle))

    @page("/slides/{handle}")
    async def slide(handle: str) -> HTMLResponse:
        return frames.fill("slide.html", slide=access.slide(handle))

    @page("/static/{name}")
    async def static(name: str, request: Request) -> Response:
        asset = assets.get(name)
        if asset is None:
            raise UnknownCode
        return static_answer(asset, request.headers.get("if-none-match"))

    @page("/healthz")
    async def healthz() -> JSONResponse:
        access.assure()
        return JSONResponse({"status": "ok"})

    return routes


def _answer_errors(app: FastAPI, frames: _Frames) -> None:
    """Answer with JSON under ``/api`` and with a page elsewhere; status and sentence come from the one table."""

    def answer(request: Request, refusal: Refusal) -> Response:
        if request.url.path.startswith("/api/"):
            return JSONResponse({"detail": refusal.sentence}, refusal.status)
        heading = _HEADINGS.get(refusal.status, "Not possible")
        return frames.fill("refused.html", refusal.status, heading=heading, sentence=refusal.sentence)

    @app.exception_handler(ArchiveError)
    @app.exception_handler(Exception)
    async def _(request: Request, error: Exception) -> Response:
        return answer(request, refusal_for(error))

    @app.exception_handler(RequestValidationError)
    async def _(request: Request, _error: RequestValidationError) -> Response:
        return answer(request, MALFORMED)

    @app.exception_handler(HTTPException)
    async def _(request: Request, error: HTTPException) -> Response:
        if error.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return answer(request, NOTHING_HERE)
        refused = answer(request, refusal_for(WrongMethod()))
        refused.headers["allow"] = "GET, HEAD"
        return refused
