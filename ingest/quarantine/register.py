"""What waits is kept in the key vault's register; this is all that the quarantine asks of it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from archive.geometry import Rectangle
from ingest.errors import Reason
from ingest.quarantine.moment import Moment

WAITS, RELEASED, REFUSED = "waits", "released", "refused"
"""The register's states that the quarantine is about."""

NOTHING: Mapping[str, str] = MappingProxyType({})
"""What an entry tells of a reason that needs no more to be shown."""


class Entry(Protocol):
    """What the register knows of a file. Path and ``told`` are shown to the laboratory only."""

    @property
    def number(self) -> str:
        """What people call it by."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def moment(self) -> Moment:
        """Its size and time of last change when it was looked at."""

    @property
    def state(self) -> str:
        """What became of it."""

    @property
    def reason(self) -> Reason | None:
        """Why."""

    @property
    def since(self) -> datetime:
        """Since when."""

    @property
    def source_bytes(self) -> int:
        """Bytes of all its parts."""

    @property
    def feed(self) -> str | None:
        """The name of its feed."""

    @property
    def told(self) -> Mapping[str, str]:
        """What is needed to show the reason."""

    @property
    def overruled(self) -> frozenset[tuple[int, Reason]]:
        """Reasons that a person set aside, each with the number of the region of the file on which it was seen."""

    @property
    def because(self) -> str | None:
        """What that person said."""

    @property
    def black_out(self) -> tuple[tuple[int, Rectangle], ...]:
        """Places that a person ordered to be made black, each with the number of its region of the file."""


class Register(Protocol):
    """What keeps the entries: the key vault's register."""

    def find(self, path: Path) -> Entry | None:
        """Find what became of the file at a path."""

    def entry(self, number: str) -> Entry:
        """Give the entry of a number."""

    def in_state(self, *states: str) -> tuple[Entry, ...]:
        """List the entries in these states, the oldest first."""

    def note(
        self,
        path: Path,
        state: str,
        *,
        moment: Moment,
        reason: str | None = None,
        source_bytes: int = 0,
        feed: str | None = None,
        told: Mapping[str, str] = NOTHING,
    ) -> Entry:
        """Note what became of a file."""

    def judge(
        self,
        number: str,
        state: str,
        who: str,
        why: str,
        overruled: Iterable[tuple[int, Reason]] = (),
        black_out: Sequence[tuple[int, Rectangle]] = (),
    ) -> Entry:
        """Note what a person decided."""


class Vault(Protocol):
    """What has a register: the key vault."""

    @property
    def register(self) -> Register:
        """The register of delivered files."""
