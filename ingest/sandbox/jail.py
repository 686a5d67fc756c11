"""A jail is made for one slide, answers a few calls, and ends; one that can read a slide is never used for another.

Only what can read no slide at all lives longer: the jail that looks at pixels which it is handed.
"""

import os
import re
import select
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from ingest.errors import JailUnavailable, Reason, SlideRefused
from ingest.sandbox.confinement import Confinement, libraries
from ingest.sandbox.forkserver import Child, current
from ingest.sandbox.level import Level, jail_level, what_is_missing
from ingest.sandbox.limits import Limits
from ingest.sandbox.messages import JSON, BadMessage, Ear, order, reason_told
from ingest.sandbox.serving import NUMBER
from ingest.sandbox.watch import Watch

LOOK_SECONDS: Final = 0.02
"""How often a jail's memory is looked at; a gigabyte takes longer to fill."""

END_SECONDS: Final = 10.0
"""How long a killed process may take to go."""

LAST_SECONDS: Final = 1.0
"""How long after its last word a process may take to end by itself; usually a millisecond."""

_DEATHS: Final = {
    -signal.SIGXCPU: Reason.TOO_SLOW,
    -signal.SIGKILL: Reason.TOO_MUCH_MEMORY,  # nobody else kills it but the kernel when memory runs out
}

_PLACE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,60}( in [A-Za-z0-9_]{1,60}\.pyx?:[0-9]{1,7})?")


class Jail:
    """A child process that reads one slide; a context manager.

    Parameters
    ----------
    read
        Files and folders that it may read, and nothing else but the installed libraries. Name a slide's own files
        (`ingest.precheck.parts`), not the folder in which other patients' slides lie.
    write
        Folders that it may write into.
    list_names
        Folders whose names it may list, without reading what lies there: OpenSlide does not open a DICOM file unless
        it can look through its folder.
    limits
        What it may use.
    keep_out
        Folders that it must have no way into, such as the key vault. It is an error if one of them lies in, or
        holds, what the jail may read or write.
    allow_limits_only
        Whether to go on where the system has no walls, only limits.

    Attributes
    ----------
    last_failure : str
        Kind of exception and line of the program where the last call failed, for developers; no text of the file's.
    """

    def __init__(
        self,
        *,
        read: Sequence[Path],
        write: Sequence[Path] = (),
        list_names: Sequence[Path] = (),
        limits: Limits | None = None,
        keep_out: Sequence[Path] = (),
        allow_limits_only: bool = False,
    ) -> None:
        self.last_failure = ""
        self._limits = limits or Limits()
        self._seconds_left = self._limits.wall_seconds
        self._read = tuple(str(path.absolute()) for path in read)
        self._write = tuple(str(path.absolute()) for path in write)
        self._list_names = tuple(str(path.absolute()) for path in list_names)
        self._keep_out = tuple(keep_out)
        self._allow_limits_only = allow_limits_only
        self._ended: Reason | None = None
        self._child: Child | None = None
        self._busy = False
        self._peak: int | None = None

    @property
    def process(self) -> int | None:
        """Its process number; None once it is closed."""
        return self._child.process if self._child else None

    @property
    def peak_rss_anon_bytes(self) -> int | None:
        """Most memory of its own that the process was seen with; None where the system does not tell."""
        return self._watch.peak_rss_anon_bytes if self._child else self._peak

    def __enter__(self) -> "Jail":
        level = self._level()
        require_apart(self._keep_out, [*map(Path, (*self._read, *self._write)), *libraries()])
        if not all(os.path.exists(path) for path in (*self._read, *self._write, *self._list_names)):
            raise SlideRefused(Reason.UNREADABLE_FILE)
        self._server = current()
        self._child = self._server.fork()
        os.set_blocking(self._child.orders, False)
        self._ear = Ear(self._child.answers, self._limits)
        self._watch = Watch(self._child.process)
        try:
            walls = Confinement(self._read, self._write, self._list_names, self._limits, level)
            kind, _ = self._exchange(order(walls), None)
        except SlideRefused:  # nothing of the slide was read yet
            kind = ""
        if kind != "ready":
            self.close()
            raise JailUnavailable("the walls of the jail could not be put up; run `coverslip doctor` to see why")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process; closing twice is harmless."""
        if self._child is None:
            return
        child = self._child
        self._watch.look()
        self._server.kill(child.process)
        self._exit_code(child, END_SECONDS)
        self._watch.close()
        self._peak = self._watch.peak_rss_anon_bytes
        self._child = None
        for descriptor in (child.orders, child.answers, child.end):
            os.close(descriptor)

    def call(
        self,
        function: Callable[..., Any],
        *args: Any,
        on_progress: Callable[[dict[str, Any]], None] | None = None,
        otherwise: Reason = Reason.UNREADABLE_PIXELS,
    ) -> JSON:
        """Run ``function(tell, *args)`` in the jail and return its answer.

        Parameters
        ----------
        function
            A function of a module, best of one that was given to `prepare`; what it returns must be plain JSON.
        args
            Whatever can be pickled; file names as absolute paths.
        on_progress
            Called with what the function tells while it works.
        otherwise
            The reason to give when the function raises anything but `SlideRefused` or `MemoryError`.

        Raises
        ------
        SlideRefused
            With the function's own reason; with ``otherwise``; or because the process crashed, used too much memory,
            time or disk, or answered with something that is no answer. Only after the first two can the jail be
            called again.
        JailUnavailable
            If the jail is closed.
        """
        if self._ended is not None:
            raise SlideRefused(self._ended)
        self.last_failure = ""
        kind, value = self._exchange(order(function, args), on_progress)
        match kind:
            case "answer":
                return value
            case "refused":
                raise SlideRefused(reason_told(value))
            case "failed":
                self.last_failure = value if isinstance(value, str) and _PLACE.fullmatch(value) else ""
                raise SlideRefused(otherwise)
            case "out of memory":
                raise SlideRefused(Reason.TOO_MUCH_MEMORY)
            case _:
                raise self._end(Reason.READER_CRASHED)

    def _level(self) -> Level:
        """Choose how the jail is built here, or refuse to build it."""
        level = jail_level()
        if level is Level.NONE or (level is Level.LIMITS_ONLY and not self._allow_limits_only):
            raise JailUnavailable("slides cannot be read safely on this machine: " + "; ".join(what_is_missing()))
        return level

    def _exchange(self, message: bytes, on_progress: Callable[[dict[str, Any]], None] | None) -> tuple[str, JSON]:
        """Send an order and hear what comes back, up to the first message that is no progress."""
        child = self._child
        if child is None or self._busy:
            raise JailUnavailable("this jail is closed, or its last call was broken off; make a new one")
        self._busy = True
        deadline = time.monotonic() + self._seconds_left
        pending = memoryview(message)
        try:
            while True:
                ready = self._wait(child, deadline, sending=bool(pending))
                if child.orders in ready:
                    pending = _send(child.orders, pending)
                if child.answers in ready:
                    more = self._ear.listen()
                    answer = self._answer(on_progress)
                    if answer is not None:
                        self._busy = False
                        return answer
                    if not more:
                        raise self._end(None)
                elif child.end in ready:
                    raise self._end(None)
        except BadMessage:
            raise self._end(Reason.READER_CRASHED) from None
        finally:
            self._seconds_left = max(0.0, deadline - time.monotonic())

    def _answer(self, on_progress: Callable[[dict[str, Any]], None] | None) -> tuple[str, JSON] | None:
        """Pass on progress that was heard, and give the first message that is something else."""
        while (message := self._ear.message()) is not None:
            kind, value = message.popitem()
            if kind != "progress":
                return kind, value
            if not isinstance(value, dict):
                raise BadMessage
            if on_progress is not None:
                on_progress(value)
        return None

    def _wait(self, child: Child, deadline: float, *, sending: bool) -> set[int]:
        """Wait until something can be heard or sent; end the jail if it takes more than it may."""
        poll = select.poll()
        poll.register(child.answers, select.POLLIN)
        poll.register(child.end, select.POLLIN)
        if sending:
            poll.register(child.orders, select.POLLOUT)
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise self._end(Reason.TOO_SLOW)
            ready = {descriptor for descriptor, _ in poll.poll(1000 * min(left, LOOK_SECONDS))}
            self._watch.look(not_within=LOOK_SECONDS)
            if self._watch.grown_bytes > self._limits.memory_bytes:
                raise self._end(Reason.TOO_MUCH_MEMORY)
            if self._watch.written_bytes > self._limits.written_bytes:
                raise self._end(Reason.TOO_LARGE)
            if ready:
                return ready

    def _end(self, reason: Reason | None) -> SlideRefused:
        """End the process for a reason, or find out why it ended by itself."""
        child = self._child
        if child is not None:
            code = self._exit_code(child, LAST_SECONDS) if reason is None else None
            reason = reason or _DEATHS.get(code or 0)
            self._server.kill(child.process)
            self._exit_code(child, END_SECONDS)
        self._ended = reason or Reason.READER_CRASHED
        return SlideRefused(self._ended)

    def _exit_code(self, child: Child, seconds: float) -> int | None:
        """Wait until the fork server tells how the process ended; None if it does not, or has told before."""
        poll = select.poll()
        poll.register(child.end, select.POLLIN)
        if not poll.poll(1000 * seconds):
            return None
        told = os.read(child.end, NUMBER.size)
        return int(NUMBER.unpack(told)[0]) if len(told) == NUMBER.size else None


def _send(descriptor: int, pending: memoryview) -> memoryview:
    try:
        return pending[os.write(descriptor, pending) :]
    except BlockingIOError:
        return pending
    except BrokenPipeError:  # it has ended, which is heard on the other pipe
        return memoryview(b"")


def require_apart(closed: Sequence[Path], opened: Sequence[Path]) -> None:
    """Refuse to open a file or folder that holds a closed one, or lies in one.

    Raises
    ------
    JailUnavailable
        If it is so.
    """
    for shut in (path.resolve() for path in closed):
        for way in (path.resolve() for path in opened):
            if shut.is_relative_to(way) or way.is_relative_to(shut):
                raise JailUnavailable(
                    "the key vault lies where slide readers must read or write; move the vault to a folder of its own"
                )
