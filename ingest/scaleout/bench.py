"""At a worker's bench: a file is looked at and a scan is made, by the pipeline's own functions.

What a worker answers is a value, also when it fails: an exception would be written into its log together with what it
was asked, and that names a file.
"""

import importlib.metadata
import secrets
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from distributed import WorkerPlugin

from archive.errors import ArchiveError, HoldingsUnavailable
from archive.holdings.place import disk_errors
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.jailed import PREPARED
from ingest.pipeline.looking import Looked, look
from ingest.pipeline.making import Made, WorkOrder, make
from ingest.sandbox import prepare
from ingest.sandbox.cell import place_of

BEGUN, PROBE = "begun", "probe"

T = TypeVar("T")


@dataclass(frozen=True)
class LookOrder:
    """Which file to look at."""

    path: Path = field(repr=False)
    limits_only: bool = False
    keep_out: tuple[Path, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Refusal:
    """The slide is not taken."""

    reason: Reason
    sentence: str


@dataclass(frozen=True)
class Failure:
    """No slide can be taken by this worker, as one sentence says."""

    sentence: str


@dataclass(frozen=True)
class Unseen:
    """There is no such file where this worker is."""


@dataclass(frozen=True)
class Abandoned:
    """Another worker began to make this scan and was lost; it may still write, so it is made anew elsewhere."""


def look_at(order: LookOrder) -> tuple[Looked, ...] | Unseen | Refusal | Failure:
    """Look at a file; see `ingest.pipeline.looking`."""
    if not order.path.exists():
        return Unseen()
    return _answered(lambda: look(order.path, limits_only=order.limits_only, keep_out=order.keep_out))


def make_of(order: WorkOrder) -> Made | Abandoned | Refusal | Failure:
    """Make a scan; see `ingest.pipeline.making`."""
    try:
        (order.notes / BEGUN).touch(exist_ok=False)
    except FileExistsError:
        return Abandoned()
    except OSError:
        return Failure(UNSHARED)
    return _answered(lambda: make(order))


UNSHARED = (
    "a worker does not see the archive's folder, or may not write there; "
    "mount the archive on every worker at the path that it has here"
)
UNSEEN = "a worker does not see the delivered files; mount their folder on every worker at the path that it has here"
OTHER_VERSION = "a worker runs another version of Coverslip; install the same one on every worker"


@dataclass(frozen=True)
class Probe:
    """A file in the archive's staging folder that every worker must find, with what stands in it."""

    folder: Path = field(repr=False)
    token: str = field(repr=False)

    @classmethod
    def lay(cls, folder: Path) -> "Probe":
        """Write it."""
        token = secrets.token_hex(16)
        (folder / PROBE).write_text(token)
        return cls(folder, token)

    def require_seen(self) -> None:
        """See that this is the same folder, and that it can be written into.

        Raises
        ------
        HoldingsUnavailable
            If it is not.
        """
        try:
            seen = (self.folder / PROBE).read_text() == self.token
            (self.folder / secrets.token_hex(16)).touch(exist_ok=False)
        except OSError:
            seen = False
        if not seen:
            raise HoldingsUnavailable(UNSHARED)


class Bench(WorkerPlugin):
    """Gets a worker ready, now or when it joins: it sees what it must see, and its slide readers are imported."""

    def __init__(self, probe: Probe) -> None:
        self.name = "coverslip"
        self._probe = probe
        self._version = importlib.metadata.version("coverslip")

    def setup(self, worker: Any) -> None:
        """Get ready.

        Raises
        ------
        HoldingsUnavailable
            If slides cannot be made here; the worker is not used then.
        """
        del worker
        if importlib.metadata.version("coverslip") != self._version:
            raise HoldingsUnavailable(OTHER_VERSION)
        self._probe.require_seen()
        prepare(*PREPARED)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # who typed Ctrl-C gets an answer from the coordinator


def _answered(act: Callable[[], T]) -> T | Refusal | Failure:
    try:
        with disk_errors():
            return act()
    except SlideRefused as refused:
        return Refusal(refused.reason, refused.sentence)
    except ArchiveError as error:
        return Failure(str(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence: its text may hold a name
        return Failure(f"the program has a fault of its own ({place_of(error)}); please report this")
