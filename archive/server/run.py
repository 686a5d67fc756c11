"""Start the server: some worker processes behind one port, of this machine's loopback unless there are accounts."""

import socket
from collections.abc import Callable
from functools import partial

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.server import Server as Granian

from archive import logs
from archive.accounts import AccountStore
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.server.app import create_app
from archive.server.front import Server
from archive.server.site import Site
from archive.settings import ArchiveSettings

WAITING_CONNECTIONS = 256
"""Connections that may wait for a worker; whoever comes after them is turned away at once rather than kept waiting."""

SECONDS_TO_END = 5
"""How long a worker may take to end when told to; one told before it listens for that never would, so it is killed."""

GRANIANS_LOG = {"loggers": {"_granian": {"handlers": [], "propagate": True}}}
"""What granian logs goes where our own lines go, and as little of it is written down as of any library."""


def address_of(settings: ArchiveSettings) -> str:
    """Give the address to open in a browser; behind a proxy, the proxy's."""
    if settings.behind_tls_proxy:
        return f"https://{settings.hostname}{settings.root_path}/"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


def serve(settings: ArchiveSettings, started: Callable[[str], None] = lambda address: None) -> None:
    """Serve until told to stop (SIGINT or SIGTERM).

    Parameters
    ----------
    settings : ArchiveSettings
        The archive, where to listen, and how many workers.
    started : callable
        Called with the address once the port is open.

    Raises
    ------
    InvalidValue
        If others could reach it who need no account, or the port is taken.
    ArchiveError
        If the archive cannot be opened, or nothing may be decided: the rules of this program are not in force, or the
        clock is wrong. This is tried before any worker starts.
    """
    accounts = AccountStore.exists(settings.archive)
    Site.of(settings, accounts=accounts)
    host = "127.0.0.1" if settings.host.lower() == "localhost" else settings.host
    _require_free(host, settings.port)
    create_app(settings, accounts=accounts).close()
    _require_something_to_show(settings)
    server = Granian(
        target="archive.server.app:create_app",
        address=host,
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        runtime_mode=RuntimeModes.st,
        loop=Loops.auto,
        http=HTTPModes.http1,
        websockets=False,
        backlog=WAITING_CONNECTIONS * settings.workers,
        backpressure=WAITING_CONNECTIONS,
        respawn_failed_workers=True,
        workers_kill_timeout=SECONDS_TO_END,
        log_level=LogLevels.error,
        log_dictconfig=GRANIANS_LOG,
    )
    server.on_startup(lambda: started(address_of(settings)))
    server.serve(target_loader=partial(_worker, settings, accounts), wrap_loader=False)


def _require_something_to_show(settings: ArchiveSettings) -> None:
    """Refuse to start where nothing may be decided, so that this is known before somebody stands before a class."""
    with Archive.open(settings.archive, read_only=True, settings=settings) as archive:
        archive.change_count()


def _worker(settings: ArchiveSettings, accounts: bool) -> Server:
    """Build one worker's application, in the worker's own process."""
    logs.start(logs.LogSettings())
    return create_app(settings, accounts=accounts)


def _require_free(host: str, port: int) -> None:
    """Workers share their port with each other, so that a second server would take it over without a word."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise InvalidValue(f"port {port} of this machine is taken; choose another one with --port") from None
