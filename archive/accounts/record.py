"""What happened at the door and behind it, as the access trail tells it."""

from collections.abc import Iterator
from contextlib import contextmanager

from archive.accounts import following, openings, trail
from archive.accounts.room import Room
from archive.accounts.values import Actor
from archive.auditchain import Entry, Fault, Head, Trail, Value


class Record(Room):
    """Tells the access trail what was done, and reads it."""

    def note(self, act: str, actor: Actor | str, **details: Value) -> Head:
        """Append an entry to the access trail.

        Raises
        ------
        FreeTextRefused
            If a ``reason`` looks as if it held an identifier.
        """
        with self._database.writing() as connection:
            return trail.append(connection, self._now(), act, actor, details)

    def note_opening(self, actor: Actor, slide: str, **details: Value) -> bool:
        """Tell the trail that somebody looks at a slide, unless it was told within the hour; tell whether it was new.

        Parameters
        ----------
        actor
            Who looks.
        slide
            The handle or code that the slide was asked for by, at most 64 characters.
        details
            What else the entry says, such as the collection.
        """
        now, within = self._now(), self._limits.opening_seconds
        with self._database.reading() as connection:
            if openings.is_told(connection, actor, slide, now, within):
                return False
        with self._database.writing() as connection:
            if openings.is_told(connection, actor, slide, now, within):
                return False
            openings.remember(connection, actor, slide, now, within)
            trail.append(connection, now, "open slide", actor, {"slide": slide, **details})
        return True

    @contextmanager
    def entries(self) -> Iterator[Iterator[Entry]]:
        """Give all entries of the access trail in their order, of one state of the store."""
        with self._database.reading() as connection:
            yield trail.entries(connection)

    def head(self) -> Head:
        """Give the access trail's newest state."""
        with self._database.reading() as connection:
            return trail.head(connection)

    def sealed_trail(self) -> Trail:
        """Give the access trail as it is verified and signed together with the others."""

        def entries() -> Iterator[Entry]:
            with self.entries() as found:
                yield from found

        def beside() -> tuple[Fault, ...]:
            with self._database.reading() as connection:
                return following.faults(connection)

        with self._database.reading() as connection:
            return Trail("access", trail.first(connection), entries, lambda: (self.head(),), beside)
