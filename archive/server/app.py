"""The teaching server put together: over one archive, and behind its accounts where it has any."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from archive.accounts import AccountStore
from archive.accounts.provider import Provider, provider_of
from archive.errors import RestartNeeded
from archive.holdings import Archive
from archive.server.access import Access
from archive.server.api import api, describe
from archive.server.cache import TileCache
from archive.server.callers import Callers, cookie_name
from archive.server.entrance import Entrance
from archive.server.front import Server
from archive.server.guard import GuardedServer
from archive.server.oidc import ProviderEntrance
from archive.server.openings import Openings
from archive.server.pages import Frames, add_pages
from archive.server.pictures import Pictures
from archive.server.site import Site
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings


def create_app(settings: ArchiveSettings, *, accounts: bool | None = None) -> Server:
    """Open the archive for reading and build the application around it; one for each worker.

    Parameters
    ----------
    settings : ArchiveSettings
        The archive and where it is served.
    accounts : bool or None
        Whether the archive must have accounts. None looks for them; whoever starts several workers says what it found,
        so that no worker that starts later serves without them.

    Raises
    ------
    InvalidValue
        If others could reach the server who need no account.
    ArchiveError
        If the archive or its accounts cannot be opened.
    """
    guarded = AccountStore.exists(settings.archive) if accounts is None else accounts
    site, provider = Site.of(settings, accounts=guarded), provider_of(settings, accounts=guarded)
    archive = Archive.open(settings.archive, read_only=True, settings=settings)
    try:
        return _guarded(archive, settings, site, provider) if guarded else _open(archive, settings)
    except BaseException:
        archive.close()
        raise


def _open(archive: Archive, settings: ArchiveSettings) -> Server:
    """Build the application for whoever sits at this machine."""
    access = Access(archive, settings, require=partial(_require_no_accounts, settings))
    close = _closing(access, archive)
    others = _pages(access, Frames(colours=settings.colours), None, access.assure, close)
    return Server(_tiles(access, settings), others, close)


def _require_no_accounts(settings: ArchiveSettings) -> None:
    """Refuse to go on without signing in where accounts were made meanwhile.

    Raises
    ------
    RestartNeeded
        If they were.
    """
    if AccountStore.exists(settings.archive):
        raise RestartNeeded("this archive has accounts now; start the server again, so that people sign in")


def _guarded(archive: Archive, settings: ArchiveSettings, site: Site, provider: Provider | None) -> Server:
    """Build the application for those who have an account."""
    store = AccountStore.open(settings.archive)
    access, cookie = Access(archive, settings), cookie_name(site, settings.port)
    frames = Frames(site.root, elsewhere=provider is not None, colours=settings.colours)
    close = _closing(access, archive, store)

    def alive() -> None:
        access.assure()
        store.change_count()

    others = _pages(access, frames, site, alive, close)
    others.include_router(Entrance(store, site, cookie, frames).routes())
    if provider is not None:
        others.include_router(ProviderEntrance(provider, store, site, cookie, frames).routes())
    return GuardedServer(
        _tiles(access, settings),
        others,
        close,
        site=site,
        callers=Callers(store, cookie, settings.decision_cache_seconds),
        openings=Openings(archive, access, store),
        refuse=frames.refuse,
    )


def _tiles(access: Access, settings: ArchiveSettings) -> TileRoute:
    return TileRoute(access, Pictures(TileCache(settings.tile_cache_bytes)))


def _closing(access: Access, *opened: Archive | AccountStore) -> Callable[[], None]:
    def close() -> None:
        access.forget()
        for each in opened:
            each.close()

    return close


def _pages(
    access: Access, frames: Frames, site: Site | None, alive: Callable[[], object], close: Callable[[], None]
) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        close()

    app = FastAPI(
        title="Coverslip",
        summary="Teaching collections and the slides in them, by handles that tell nothing.",
        version="1",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.include_router(api(access))
    app.openapi = partial(describe, app, site)  # type: ignore[method-assign]
    add_pages(app, access, frames, alive)
    return app
