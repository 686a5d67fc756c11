"""Start the server: some worker processes behind one port of this machine's loopback."""

import logging
import socket
from collections.abc import Callable
from functools import partial

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.log import LogLevels
from granian.server import Server as Granian

from archive.errors import InvalidValue
from archive.server.app import Server, create_app, is_loopback
from archive.settings import ArchiveSettings

WAITING_CONNECTIONS = 256
"""Connections that may wait for a worker; whoever comes after them is turned away at once rather than kept waiting."""

SECONDS_TO_END = 5
"""How long a worker may take to end when told to; one told before it listens for that never would, so it is killed."""


def address_of(settings: ArchiveSettings) -> str:
    """Give the address to open in a browser."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}/"


def require_loopback(host: str) -> None:
    """Refuse to listen where other machines could reach.

    Raises
    ------
    InvalidValue
        If `host` is anything but this machine's loopback.
    """
    if not is_loopback(host):
        raise InvalidValue(
            "the server listens on this machine only (127.0.0.1, ::1 or localhost), because there are no accounts "
            "yet and an address that anyone can open is the public domain; use an SSH tunnel to look from elsewhere"
        )


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
        If the host is not loopback or the port is taken.
    ArchiveError
        If the archive cannot be opened; this is tried before any worker starts.
    """
    require_loopback(settings.host)
    host = "127.0.0.1" if settings.host.lower() == "localhost" else settings.host
    _require_free(host, settings.port)
    create_app(settings).close()
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
    )
    server.on_startup(lambda: started(address_of(settings)))
    server.serve(target_loader=partial(_worker, settings), wrap_loader=False)


def _worker(settings: ArchiveSettings) -> Server:
    """Build one worker's application, in the worker's own process."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    return create_app(settings)


def _require_free(host: str, port: int) -> None:
    """Workers share their port with each other, so that a second server would take it over without a word."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise InvalidValue(f"port {port} of this machine is taken; choose another one with --port") from None
