"""A file is set aside, waits by its number and is judged by a person; what is decided stands for exactly this file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from archive.errors import InvalidValue
from archive.geometry import Rectangle
from ingest.errors import Reason
from ingest.quarantine.judging import IN_PICTURE, MOST_PLACES, may_release, require_unchanged, require_waiting
from ingest.quarantine.moment import GONE, Moment, moment_of
from ingest.quarantine.register import NOTHING, REFUSED, RELEASED, WAITS, Entry, Vault
from ingest.quarantine.telling import region_of


class Quarantine:
    """The files that wait, by number."""

    def __init__(self, vault: Vault) -> None:
        self._register = vault.register

    def set_aside(
        self,
        path: Path,
        reason: Reason,
        told: Mapping[str, str] = NOTHING,
        *,
        moment: Moment | None = None,
        feed: str | None = None,
    ) -> Entry:
        """Write down that a file waits. A second refusal for the same reason changes nothing."""
        moment = moment or moment_of(path)
        return self._register.note(
            path, WAITS, moment=moment, reason=reason.value, source_bytes=moment[0], feed=feed, told=told
        )

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
        reason = require_waiting(entry)
        if not may_release(entry):
            raise InvalidValue(f"{reason.value} is nothing that a person can overrule: {reason.sentence}")
        require_unchanged(entry)
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
        reason = require_waiting(entry)
        if reason not in IN_PICTURE:
            raise InvalidValue(f"nothing is to be made black where a file waits for {reason.value}: {reason.sentence}")
        if not 1 <= len(places) <= MOST_PLACES:
            raise InvalidValue(f"tell 1 to {MOST_PLACES} places that are to be made black")
        require_unchanged(entry)
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
        require_waiting(entry)
        if moment_of(entry.path) not in (entry.moment, GONE):
            raise InvalidValue("the file changed since it was set aside; ingest it again first")
        return self._register.judge(entry.number, REFUSED, who, why)

    def standing(self, path: Path) -> Entry | None:
        """Give what is noted of exactly this file; None if it changed since, or nothing is."""
        entry = self._register.find(path)
        return entry if entry is not None and entry.moment == moment_of(path) else None

    def overruled(self, path: Path) -> frozenset[Reason]:
        """Give the reasons that a person overruled for exactly this file, whatever its region."""
        entry = self.standing(path)
        return frozenset(reason for _, reason in entry.overruled) if entry else frozenset()
