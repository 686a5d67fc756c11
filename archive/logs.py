"""A log is read by more people than an archive, and kept for longer; so it holds what was written to be told, no more.

A sentence of our own is a fixed text with closed values in it, and is written down as it is. What a library logs may
repeat a file's name, a path or a value that it choked on: of that only level and place are written. The same goes for
errors: never their text, never a traceback.

Values of `LogSettings` come from the environment as ``COVERSLIP_LOG_<NAME>``, for example ``COVERSLIP_LOG_FORM=json``.
"""

import json
import logging
import sys
import threading
from datetime import UTC, datetime
from enum import StrEnum
from logging.handlers import SysLogHandler
from pathlib import Path
from socket import socket as Socket  # noqa: N812  the handler calls its own one socket
from types import TracebackType
from typing import TextIO

from pydantic_settings import BaseSettings, SettingsConfigDict

from archive.errors import InvalidValue

OURS = frozenset({"archive", "coverslip", "ingest"})
"""Names that our own loggers begin with."""

WITHHELD = "A library logged something; its words are not written down, because they may repeat what it read."
FAULT = "An error was not expected here; please report where it arose."
LOST = "coverslip: a line of the log could not be written\n"

SYSLOG_SECONDS = 0.5
"""How long a line may wait for the system's log; a log that hangs must not keep a class from its slides."""

_log = logging.getLogger(__name__)


class Form(StrEnum):
    """How a line looks."""

    PLAIN = "plain"
    JSON = "json"


class Place(StrEnum):
    """Where lines go."""

    STDERR = "stderr"
    SYSLOG = "syslog"


class Level(StrEnum):
    """The least that is worth a line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogSettings(BaseSettings):
    """How and where the log is written."""

    model_config = SettingsConfigDict(
        env_prefix="COVERSLIP_LOG_", frozen=True, extra="forbid", use_attribute_docstrings=True
    )

    form: Form = Form.PLAIN
    """``plain`` for people, or ``json``: one object a line, for a program that gathers logs."""

    to: Place = Place.STDERR
    """``stderr``, which a service manager keeps, or ``syslog``: the log of this machine. To no other machine: Coverslip
    opens no connection to any; the system's own log can pass lines on."""

    level: Level = Level.WARNING
    """The least that is written: ``info`` also tells each act of the access trail, such as ``sign in failed``, with the
    account and without the slide, for a program that raises alarms."""

    socket: Path = Path("/dev/log")
    """Socket of this machine's log, for ``syslog``; ``/var/run/syslog`` on macOS."""


class Plain(logging.Formatter):
    """A line for people: level and sentence."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        told = entry_of(record)
        where = "".join(f" ({name} {told[name]})" for name in ("fault", "at") if name in told)
        return _one_line(f"{told['level']} {told['message']}{where}")


class Json(logging.Formatter):
    """A line for programs: a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record as one line."""
        return json.dumps(entry_of(record), ensure_ascii=True)


def entry_of(record: logging.LogRecord) -> dict[str, str | int]:
    """Tell of a record what may be written down.

    Returns
    -------
    dict
        ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``process`` and ``message``; ``fault``, the class of an error;
        ``at``, module and line, where words were withheld or an error arose.
    """
    ours = record.name.partition(".")[0] in OURS
    entry: dict[str, str | int] = {
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname,
        "logger": record.name,
        "process": record.process or 0,
        "message": record.getMessage() if ours else WITHHELD,
    }
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        entry |= {"fault": type(error).__name__, "at": place_of(error)}
    elif not ours:
        entry["at"] = f"{record.module}:{record.lineno}"
    return entry


def place_of(error: BaseException) -> str:
    """Say where in our own code an error arose: the innermost module and line."""
    found, trace = "its start", error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OURS:
            found = f"{module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return found


class _Quiet:
    """What a handler does with a line that it cannot write: it says so, and does not repeat the line."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's own name
        """Say that a line was lost."""
        if sys.stderr is not None:
            sys.stderr.write(LOST)


class ToStream(_Quiet, logging.StreamHandler[TextIO]):
    """Lines on standard error."""


class ToSyslog(_Quiet, SysLogHandler):
    """Lines into the log of this machine. One that it does not take at once is lost, and the next is tried anew."""

    socket: Socket | None

    def emit(self, record: logging.LogRecord) -> None:
        """Send a line, but wait for nobody: what the handler does by itself may wait for ever."""
        weight = self.encodePriority(self.facility, self.mapPriority(record.levelname))
        try:
            self._connected().sendall(f"<{weight}>coverslip: {self.format(record)}".encode())
        except OSError:
            self.close()
            self.handleError(record)

    def _connected(self) -> Socket:
        if self.socket is None:
            self.createSocket()
        if self.socket is None:
            raise ConnectionError
        self.socket.settimeout(SYSLOG_SECONDS)
        return self.socket


def start(settings: LogSettings) -> None:
    """Begin to log in this process, and see to it that no error leaves it as a traceback.

    Raises
    ------
    InvalidValue
        If this machine has no log where the settings say.
    """
    handler = _handler(settings)
    handler.setFormatter(Json() if settings.form is Form.JSON else Plain())
    handler.setLevel(settings.level.upper())  # a library that sets its loggers' own levels passes by the root's
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each, _Quiet)]:
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)
    sys.unraisablehook = lambda told: _uncaught(told.exc_type, told.exc_value, told.exc_traceback)


def _handler(settings: LogSettings) -> logging.Handler:
    if settings.to is Place.STDERR:
        return ToStream()
    if not settings.socket.is_socket():
        raise InvalidValue(
            "the log of this machine is not at the socket that COVERSLIP_LOG_SOCKET names (/dev/log unless set); "
            "start the system's log, or leave out COVERSLIP_LOG_TO"
        )
    return ToSyslog(str(settings.socket), SysLogHandler.LOG_DAEMON)


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if not issubclass(kind, KeyboardInterrupt):
        _log.critical(FAULT, exc_info=(kind, error or kind(), trace))


def _one_line(text: str) -> str:
    """Write out what a terminal or a log would take for a command or the beginning of another line."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
