"""Every part of the store works on one database, by one clock and one set of limits."""

from collections.abc import Callable

from sqlalchemy import Connection

from archive.accounts import sessions, tokens, trail
from archive.accounts.database import Database
from archive.accounts.limits import Limits
from archive.accounts.values import Actor
from archive.auditchain import Value


class Room:
    """What the parts of the store share."""

    def __init__(self, database: Database, limits: Limits, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = limits
        self._now = clock

    def _tell(self, connection: Connection, act: str, actor: Actor | str, **details: Value) -> None:
        trail.append(connection, self._now(), act, actor, details)

    @staticmethod
    def _end_all(connection: Connection, name: str) -> int:
        return sessions.end_all(connection, name) + tokens.end_all(connection, name)
