"""Start the desk: one process, one thread, on this machine's loopback; it shares the vault with no child.

The server runs inside this process, so that whoever ends it ends everything: no worker stays behind that has the vault
open.
"""

import asyncio
import logging
import signal
from collections.abc import Callable

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from archive.server.run import require_free, require_loopback
from ingest.desk.app import Desk
from ingest.desk.door import ENTRANCE
from ingest.desk.room import Room
from ingest.desk.settings import DeskSettings


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
        Shows an address that opens the desk once, to whoever started it.

    Raises
    ------
    InvalidValue
        If the host is not loopback or the port is taken.
    """
    require_loopback(settings.host)
    host = "127.0.0.1" if settings.host.lower() == "localhost" else settings.host
    require_free(host, settings.port)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    desk = Desk(room, settings, lambda token: announce(f"{address_of(settings)}{ENTRANCE}{token}"))
    try:
        asyncio.run(_serve(desk, host, settings.port))
    finally:
        desk.close()


async def _serve(desk: Desk, host: str, port: int) -> None:
    server = Server(
        desk.app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        log_level=LogLevels.error,
        log_access=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    server.on_startup(desk.sessions.offer)
    await server.serve()
