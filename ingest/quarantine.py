"""A slide that could not be taken waits where it lies, untouched; what waits, and why, is written down.

Where a file lies often names a patient, so the entries are kept sealed in the key vault's register and never in the
archive. An entry ends when the file is taken in after all, or when a person refuses it for good. A person may also
overrule the reason, where it is one that a person can judge; it is then overruled for exactly this file.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from archive.errors import InvalidValue
from archive.geometry import Rectangle
from ingest.errors import Reason, SlideRefused

Moment = tuple[int, int]
"""Size in bytes and time of the last change in nanoseconds."""

GONE: Moment = (0, 0)
"""The moment of a file that is not there or cannot be asked."""

MOST_PLACES = 64
"""Rectangles that one order has at most."""

WAITS, RELEASED, REFUSED = "waits", "released", "refused"
"""The register's states that the quarantine is about."""

IN_PICTURE = frozenset({Reason.WRITING_IN_PICTURE, Reason.BARCODE_IN_PICTURE, Reason.STICKER_IN_PICTURE})
"""Reasons that are places in the picture, which a person can have made black."""

JUDGED_BY_A_PERSON = frozenset({Reason.WRONG_BARCODE, Reason.NO_BARCODE, Reason.REFUSED_BY_HAND}) | IN_PICTURE
"""Reasons about which a person who looks at the slide can know better. All others are mended, not overruled."""

_NOTHING: Mapping[str, str] = MappingProxyType({})
_LISTED, _FOUND = "list ", "file "
_SENTENCE = "sentence"
_REGION = "region"


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
        told: Mapping[str, str] = _NOTHING,
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

    def forget_waiting(self, path: Path) -> None:
        """Delete the entry of a file that waits."""


class Vault(Protocol):
    """What has a register: the key vault."""

    @property
    def register(self) -> Register:
        """The register of delivered files."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What the list and the file say of one thing, such as the case. What they say may name a patient."""

    what: str
    listed: str = field(repr=False)
    found: str = field(repr=False)


class Quarantine:
    """The files that wait, by number."""

    def __init__(self, vault: Vault) -> None:
        self._register = vault.register

    def entries(self) -> tuple[Entry, ...]:
        """List what waits, the longest-waiting first."""
        return self._register.in_state(WAITS)

    def released(self) -> tuple[Entry, ...]:
        """List what a person released and no ingest has taken yet."""
        return self._register.in_state(RELEASED)

    def refused(self) -> tuple[Entry, ...]:
        """List what a person refused for good."""
        return self._register.in_state(REFUSED)

    def entry(self, number: str) -> Entry:
        """Give the entry of a number.

        Raises
        ------
        UnknownCode
            If there is none.
        """
        return self._register.entry(number.strip().lower())

    def set_aside(
        self,
        path: Path,
        reason: Reason,
        told: Mapping[str, str] = _NOTHING,
        *,
        moment: Moment | None = None,
        feed: str | None = None,
    ) -> Entry:
        """Write down that a file waits. A second refusal for the same reason changes nothing."""
        moment = moment or moment_of(path)
        return self._register.note(
            path, WAITS, moment=moment, reason=reason.value, source_bytes=moment[0], feed=feed, told=told
        )

    def release(self, path: Path) -> None:
        """Write down that a file waits no longer; harmless if it did not."""
        self._register.forget_waiting(path)

    def overruled(self, path: Path, moment: Moment | None = None) -> frozenset[Reason]:
        """Give the reasons that a person overruled for exactly this file, whatever its region."""
        entry = self.standing(path, moment)
        return frozenset(reason for _, reason in entry.overruled) if entry else frozenset()

    def standing(self, path: Path, moment: Moment | None = None) -> Entry | None:
        """Give what is noted of exactly this file; None if it changed since, or nothing is."""
        entry = self._register.find(path)
        return entry if entry is not None and entry.moment == (moment or moment_of(path)) else None

    def is_refused(self, path: Path, moment: Moment | None = None) -> bool:
        """Tell whether a person refused exactly this file for good: then it is not even looked at."""
        entry = self.standing(path, moment)
        return entry is not None and entry.state == REFUSED

    def release_by_hand(self, number: str, who: str, why: str) -> Entry:
        """Overrule the reason for which a file waits, for exactly this file; the next ingest takes it.

        What was seen in a picture is overruled for the region of the glass on which it was seen, and for no other.
        To release a file that was refused by hand takes the refusal back, and overrules nothing else.

        Raises
        ------
        UnknownCode
            If there is no such entry.
        InvalidValue
            If it does not wait, no person can judge its reason (the sentence says what to do instead), the file is not
            the one that was set aside, or no account or reason is given.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        entry = self.entry(number)
        if entry.state == RELEASED:
            return entry
        reason = _require_waiting(entry)
        if not may_release(entry):
            raise InvalidValue(f"{reason.value} is nothing that a person can overrule: {reason.sentence}")
        _require_unchanged(entry)
        overruled = {(region_of(entry), reason)} if reason is not Reason.REFUSED_BY_HAND else ()
        return self._register.judge(entry.number, RELEASED, who, why, overruled)

    def black_out(self, number: str, places: Sequence[Rectangle], who: str, why: str) -> Entry:
        """Order places of a file's picture to be made black before it is kept; the next ingest does it.

        They are on the region of the glass that the file waits for, where it holds several. Nothing is overruled: if
        something is seen in the picture that is left, the file waits again.

        Parameters
        ----------
        number
            The file's.
        places
            Rectangles in pixels of level 0.
        who, why
            The account, and what that person says.

        Raises
        ------
        UnknownCode
            If there is no such entry.
        InvalidValue
            If it does not wait for something in its picture, there is no place or too many, the file is not the one
            that was set aside, or no account or reason is given.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        entry = self.entry(number)
        reason = _require_waiting(entry)
        if reason not in IN_PICTURE:
            raise InvalidValue(f"nothing is to be made black where a file waits for {reason.value}: {reason.sentence}")
        if not 1 <= len(places) <= MOST_PLACES:
            raise InvalidValue(f"tell 1 to {MOST_PLACES} places that are to be made black")
        _require_unchanged(entry)
        black = [(region_of(entry), place) for place in places]
        return self._register.judge(entry.number, RELEASED, who, why, black_out=black)

    def refuse(self, number: str, who: str, why: str) -> Entry:
        """Refuse a file for good: no ingest takes it, as long as it lies there unchanged. The file is not touched.

        Raises
        ------
        UnknownCode
            If there is no such entry.
        InvalidValue
            If it does not wait, changed since it was set aside, or no account or reason is given.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        entry = self.entry(number)
        if entry.state == REFUSED:
            return entry
        _require_waiting(entry)
        if moment_of(entry.path) not in (entry.moment, GONE):
            raise InvalidValue("the file changed since it was set aside; ingest it again first")
        return self._register.judge(entry.number, REFUSED, who, why)


def moment_of(path: Path) -> Moment:
    """Tell a file's size and time of last change; of a multi-file slide, those of its main file."""
    try:
        status = path.stat()
    except OSError:
        return GONE
    return status.st_size, status.st_mtime_ns


def may_release(entry: Entry) -> bool:
    """Tell whether the reason of an entry is one that a person can judge."""
    return entry.reason in JUDGED_BY_A_PERSON


def in_words(refused: SlideRefused) -> dict[str, str]:
    """Put the sentence of a refusal where an entry can tell it; empty where it is that of the reason as such."""
    return {_SENTENCE: refused.sentence} if refused.sentence != refused.reason.sentence else {}


def sentence_of(entry: Entry) -> str:
    """Say why a file waits and what to do: as precisely as was known when it was set aside."""
    return entry.told.get(_SENTENCE) or (entry.reason.sentence if entry.reason else "")


def on_region(number: int) -> dict[str, str]:
    """Put which region of its glass a file waits for, where it holds several, for an entry to tell."""
    return {_REGION: str(number)}


def region_of(entry: Entry) -> int:
    """Tell which region of its glass a file waits for: the first, where nothing else is told."""
    return int(entry.told.get(_REGION, 0))


def contradiction(listed: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """Put what the list says beside what the file says, such as ``{"case": ...}`` twice, for an entry to tell."""
    return {_LISTED + what: said for what, said in listed.items()} | {
        _FOUND + what: said for what, said in found.items()
    }


def differences(entry: Entry) -> tuple[Difference, ...]:
    """Give what an entry tells of what the list and the file say, thing by thing; empty where one says nothing."""
    told = entry.told
    sides = (_LISTED, _FOUND)
    things = dict.fromkeys(key.removeprefix(side) for side in sides for key in told if key.startswith(side))
    return tuple(Difference(what, told.get(_LISTED + what, ""), told.get(_FOUND + what, "")) for what in things)


def _require_unchanged(entry: Entry) -> None:
    if moment_of(entry.path) != entry.moment:
        raise InvalidValue("this is not the file that was set aside: it changed or is gone; ingest it again first")


def _require_waiting(entry: Entry) -> Reason:
    if entry.state not in (WAITS, RELEASED, REFUSED) or entry.reason is None:
        raise InvalidValue("this file does not wait any more: it was taken in; see: coverslip quarantine list")
    return entry.reason
