"""What comes out of a jail was made by a process that a stranger's file may have taken over.

So it is one line of JSON a message, of bounded length and number, and never unpickled. What goes in comes from the
process that made the jail and is trusted: a function, by its name, and its arguments.
"""

import json
import os
import pickle
import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Final, TypeAlias

from ingest.errors import Reason
from ingest.sandbox.limits import Limits

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"
Tell: TypeAlias = Callable[[dict[str, Any]], None]

_LENGTH: Final = struct.Struct("<Q")
_PIECE_BYTES: Final = 1 << 16
_REASONS: Final = {reason.value: reason for reason in Reason}

MAX_CONTAINERS: Final = 1 << 20
"""Lists and objects in one message: an empty list takes two bytes in a message and 56 in memory."""


class BadMessage(Exception):
    """The jail sent something that is no message."""


class Ear:
    """Hears what comes out of a jail."""

    def __init__(self, descriptor: int, limits: Limits) -> None:
        self._descriptor = descriptor
        self._longest = limits.message_bytes
        self._left = limits.messages
        self._heard = bytearray()

    def listen(self) -> bool:
        """Take what there is; False when there will be nothing more. Does not wait if the descriptor is ready."""
        piece = os.read(self._descriptor, _PIECE_BYTES)
        self._heard += piece
        return bool(piece)

    def message(self) -> dict[str, JSON] | None:
        """Give the next whole message, or None if it is not all there yet.

        Raises
        ------
        BadMessage
            If it is too long, one too many, or no JSON object.
        """
        end = self._heard.find(b"\n")
        if max(end, 0 if end >= 0 else len(self._heard)) > self._longest:
            raise BadMessage
        if end < 0:
            return None
        line = bytes(self._heard[:end])
        del self._heard[: end + 1]
        self._left -= 1
        if self._left < 0:
            raise BadMessage
        return _parse(line)


def _parse(line: bytes) -> dict[str, JSON]:
    if line.count(b"[") + line.count(b"{") > MAX_CONTAINERS:
        raise BadMessage
    try:
        message = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):  # not UTF-8, not JSON, a number too long, too deep
        raise BadMessage from None
    if not isinstance(message, dict) or len(message) != 1:
        raise BadMessage
    return message


def _refuse(constant: str) -> None:
    """Refuse NaN and the infinities, which are not JSON."""
    raise ValueError


class Mouth:
    """Says something from inside a jail."""

    def __init__(self, descriptor: int, longest: int) -> None:
        self._descriptor = descriptor
        self._longest = longest

    def say(self, kind: str, value: JSON) -> None:
        """Send one message.

        Raises
        ------
        ValueError, TypeError
            If the value is too long or no JSON.
        """
        line = json.dumps({kind: value}, allow_nan=False, separators=(",", ":")).encode() + b"\n"
        if len(line) > self._longest:
            raise ValueError("the answer is too long; write it to a file in the staged folder")
        view = memoryview(line)
        while view:
            view = view[os.write(self._descriptor, view) :]

    def tell(self, progress: dict[str, Any]) -> None:
        """Tell how far the work is."""
        self.say("progress", progress)


def order(*content: Any) -> bytes:
    """Write what is sent into a jail."""
    body = pickle.dumps(content)
    return _LENGTH.pack(len(body)) + body


def next_order(orders: BinaryIO) -> tuple[Any, ...]:
    """Read, inside a jail, what was sent into it.

    Raises
    ------
    EOFError
        If there will be nothing more.
    """
    head = orders.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    content: tuple[Any, ...] = pickle.loads(orders.read(_LENGTH.unpack(head)[0]))  # noqa: S301 - from the maker of the jail
    return content


def reason_told(value: JSON) -> Reason:
    """Read the reason why a slide was refused inside the jail; one that is not on the list counts as a crash."""
    return _REASONS.get(value, Reason.READER_CRASHED) if isinstance(value, str) else Reason.READER_CRASHED
