"""Start the desk: one process, one thread, on this machine's loopback; it shares the vault with no child.

The server runs inside this process, so that whoever ends it ends everything: no worker stays behind that has the vault
open.
"""

import asyncio
import signal
import socket
from collections.abc import Callable

import uvicorn

from archive.errors import InvalidValue
from archive.server.site import require_loopback
from ingest.desk.app import Desk
from ingest.desk.room import Room
from ingest.desk.session import Sessions
from ingest.desk.settings import DeskSettings
from ingest.desk.ways_in import ENTRANCE

WAITING_CONNECTIONS = 64
"""One person's browsers open six connections each."""

LAST_ANSWERS_SECONDS = 5
"""For answers that are under way when the desk is told to end."""


def address_of(settings: DeskSettings) -> str:
    """Give the desk's address, without a final slash."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"


def serve(room: Room, settings: DeskSettings, announce: Callable[[str], None]) -> None:
    """Keep the desk open until told to stop (SIGINT or SIGTERM).

    Parameters
    ----------
    room : Room
        The opened archive and vault, which stay open.
    settings : DeskSettings
        Where to listen, and how long to trust.
    announce : callable
        Shows an address to whoever started it: one that opens the desk once, or, where the room has accounts, the one
        where people sign in.

    Raises
    ------
    InvalidValue
        If the host is not loopback or the port is taken.
    """
    require_loopback(settings.host)
    desk = Desk(room, settings, lambda token: announce(f"{address_of(settings)}{ENTRANCE}{token}"))
    with _listening(settings) as opened:
        if isinstance(desk.sessions, Sessions):
            desk.sessions.offer()
        else:
            announce(address_of(settings))
        try:
            _serve(desk, opened)
        finally:
            desk.close()


def _serve(desk: Desk, opened: socket.socket) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            desk.app,
            lifespan="off",
            http="h11",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            backlog=WAITING_CONNECTIONS,
            limit_concurrency=WAITING_CONNECTIONS,
            timeout_graceful_shutdown=LAST_ANSWERS_SECONDS,
        )
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _heard)  # the server passes on what it was told once it has ended
    asyncio.run(server.serve(sockets=[opened]))


def _heard(_number: int, _frame: object) -> None:
    """Do nothing more: the server has ended because of it."""


def _listening(settings: DeskSettings) -> socket.socket:
    host = "127.0.0.1" if settings.host.lower() == "localhost" else settings.host
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, settings.port), family=family, backlog=WAITING_CONNECTIONS)
    except OSError:
        raise InvalidValue(f"port {settings.port} of this machine is taken; choose another one with --port") from None
