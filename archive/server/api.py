"""The JSON API: what a viewer must know to show a slide. Sizes, scale and handles; never a code, a date or a digest."""

from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Path
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict

from archive.pyramid.colours import Profile
from archive.server.access import Access, ShownCollection, ShownSlide
from archive.server.site import Site

Handle = Annotated[str, Path(description="A random handle; it belongs to one collection only.", max_length=64)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Refused(_Told):
    """Why there is no answer."""

    detail: str
    """One sentence."""


class MicronsPerPixel(_Told):
    """Length of a pixel's sides at full resolution."""

    x: float
    """Micrometres across."""
    y: float
    """Micrometres down."""


class LevelTold(_Told):
    """One resolution of a slide; its number is its place in the list."""

    width: int
    """Pixels across."""
    height: int
    """Pixels down."""
    tile_width: int
    """Pixels across of every tile, padding at the right edge included."""
    tile_height: int
    """Pixels down of every tile, padding at the bottom edge included."""
    downsample: float
    """How many pixels of full resolution one pixel stands for, along one side."""


class CollectionNamed(_Told):
    """A collection's handle and name."""

    handle: str
    name: str


class SlideNamed(_Told):
    """A slide's handle and its place in the collection, counted from 1."""

    handle: str
    number: int


class CollectionListed(CollectionNamed):
    """A collection in the list of all."""

    slides: int
    """Number of slides that may be shown now."""


class CollectionTold(CollectionNamed):
    """A collection and the slides of it that may be shown now."""

    slides: list[SlideNamed]


class SlideTold(SlideNamed):
    """A slide as a viewer needs it."""

    collection: CollectionNamed
    mpp: MicronsPerPixel | None
    """None where the scanner did not say."""
    objective_power: float | None
    """Magnification of the scanner's objective; None where the scanner did not say."""
    colour_profile: Profile
    """Whether the scanner said what its colours are: ``usable`` if they can be shown managed, under ``/srgb``."""
    levels: list[LevelTold]
    """From full resolution to the smallest, each about half the one before."""


_REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": Refused, "description": "The address is malformed."},
    401: {"model": Refused, "description": "The archive has accounts, and nobody who may ask is signed in."},
    404: {"model": Refused, "description": "There is nothing at this address, or nothing that may be shown."},
    503: {"model": Refused, "description": "The archive cannot tell now."},
}


def api(access: Access) -> APIRouter:
    """Build the routes of the JSON API."""
    routes = APIRouter(prefix="/api", tags=["teaching collections"], responses=_REFUSALS)

    @routes.get("/collections", operation_id="list_collections")
    async def list_collections() -> list[CollectionListed]:
        """List every collection that has a slide to show."""
        return [
            CollectionListed(handle=each.handle, name=each.name, slides=len(each.slides))
            for each in access.collections()
        ]

    @routes.get("/collections/{handle}", operation_id="tell_collection")
    async def tell_collection(handle: Handle) -> CollectionTold:
        """Tell a collection's slides, in the teacher's order."""
        return collection_told(access.collection(handle))

    @routes.get("/slides/{handle}", operation_id="tell_slide")
    async def tell_slide(handle: Handle) -> SlideTold:
        """Tell a slide's sizes and scale; its tiles are at ``/slides/{handle}/tiles/{level}/{column}_{row}.jpg``.

        With colours managed to sRGB they are at ``/slides/{handle}/srgb/tiles/{level}/{column}_{row}.jpg``.
        """
        return slide_told(access.slide(handle))

    return routes


def describe(app: FastAPI, site: Site | None = None) -> dict[str, Any]:
    """Give the OpenAPI description, in which a malformed address is answered as it is here: 400, never 422.

    With a `site`, that of a server with accounts, the description says that a token is needed.
    """
    description = get_openapi(title=app.title, summary=app.summary, version=app.version, routes=app.routes)
    for operations in description["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for unused in ("HTTPValidationError", "ValidationError"):
        description["components"]["schemas"].pop(unused, None)
    if site is not None:
        description["servers"] = [{"url": f"{site.root}/"}]
        description["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        description["security"] = [{"token": []}]
    return description


def collection_told(shown: ShownCollection) -> CollectionTold:
    """Tell a collection and those of its slides that may be shown."""
    slides = [SlideNamed(handle=handle, number=number) for handle, number in shown.slides]
    return CollectionTold(handle=shown.handle, name=shown.name, slides=slides)


def slide_told(slide: ShownSlide) -> SlideTold:
    """Tell a slide as the viewer needs it."""
    mpp = slide.pyramid.mpp
    levels = [
        LevelTold(
            width=level.size.width,
            height=level.size.height,
            tile_width=level.tile.width,
            tile_height=level.tile.height,
            downsample=level.downsample,
        )
        for level in slide.levels
    ]
    return SlideTold(
        handle=slide.handle,
        number=slide.number,
        collection=CollectionNamed(handle=slide.collection_handle, name=slide.collection_name),
        mpp=None if mpp is None else MicronsPerPixel(x=mpp.x, y=mpp.y),
        objective_power=slide.pyramid.objective_power,
        colour_profile=slide.pyramid.colours.profile,
        levels=levels,
    )
