"""Look at the folder, and say what can be taken: what is whole, has a row, and was not taken before."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.delivery import ColumnMapping, Feed, Row
from ingest.keyvault import KeyVault
from ingest.keyvault.register import Entry, State
from ingest.pipeline.expecting import expect_rows, words_of
from ingest.pipeline.noting import AS, Delivered, Outcome, said_of
from ingest.pipeline.watching.gathering import Gathering, Slide
from ingest.pipeline.watching.labels import Labels
from ingest.pipeline.watching.lists import Lists, WatchedList, names
from ingest.pipeline.watching.pairing import Found, Paired, pair_lists
from ingest.pipeline.watching.settling import Settling
from ingest.pipeline.watching.standing import Stand, Standing, View
from ingest.quarantine.moment import Moment

HELD = (State.KEPT, State.KNOWN)
NANOSECONDS = 10**9


@dataclass(frozen=True)
class Watched:
    """What is watched, and with what lists are read. ``retry`` tries again, once, what waits in quarantine.

    ``may_attest`` says whether a row may say what somebody attests.
    """

    folder: Path
    delivery: Path | None = None
    mapping: ColumnMapping | None = None
    feed: Feed | None = None
    keep_out: tuple[Path, ...] = ()
    limits_only: bool = False
    retry: bool = False
    may_attest: bool = True


class Watcher:
    """Knows a folder from its last look at it.

    Parameters
    ----------
    watched
        What is watched.
    vault
        The key vault, whose register tells what became of every file.
    settling
        When files have settled.
    """

    def __init__(self, watched: Watched, vault: KeyVault, settling: Settling) -> None:
        self._watched, self._vault, self._settling = watched, vault, settling
        self._lists = Lists(watched.mapping, watched.feed, watched.delivery, may_attest=watched.may_attest)
        self._gathering = Gathering()
        self._labels = Labels(watched.keep_out, limits_only=watched.limits_only)
        self._whole: frozenset[Path] = frozenset()
        self._entries: dict[Path, tuple[Moment | None, Entry | None]] = {}
        self._expected: set[tuple[Path, Moment]] = set()
        self._arrived: set[tuple[str, ...]] = set()
        self._taken: set[tuple[str, ...]] = set()
        self._handed: dict[Path, str] = {}
        self._view = View()
        self._as_of: frozenset[object] | None = None

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all lists at the last look."""
        return tuple(row for one in self.view.lists for row in one.rows)

    @property
    def is_reading(self) -> bool:
        """Whether labels were left to be read at the next look."""
        return self._labels.are_left

    @property
    def view(self) -> View:
        """How everything stood at the last look."""
        return self._view

    def look(self) -> View:
        """Look through the folder.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        named = [self._watched.delivery] if self._watched.delivery else []
        self._settling.look(self._watched.folder, also=named)
        as_of = self._settling.state | self._judged()
        if as_of != self._as_of:
            self._labels.begin()
            self._view, self._as_of = self._stand(), as_of
            if self._labels.are_left:
                self._as_of = None
        return self._view

    def delivered(self, ready: Standing) -> Delivered:
        """Give what ingest is told of a slide that can be taken."""
        row = ready.row
        return Delivered(ready.path, row, row.facts(self._watched.feed) if row else None)

    def note(self, outcome: Outcome) -> None:
        """Take note of what became of a slide; the register knows it already."""
        path = outcome.delivered.path
        self._entries.pop(path, None)
        self._handed[path] = said_of(outcome.delivered)
        self._as_of = None

    def _judged(self) -> frozenset[tuple[str, str]]:
        """Look at what people decided meanwhile about what waits."""
        waiting = self._vault.register.in_state(State.WAITS, State.RELEASED, State.REFUSED)
        known = {entry.path: entry for entry in waiting}
        for path, (_, entry) in list(self._entries.items()):
            if entry is not None and entry.state not in HELD and known.get(path) != entry:
                del self._entries[path]
        return frozenset((entry.number, f"{entry.state} {entry.since}") for entry in waiting)

    def _stand(self) -> View:
        lists = self._lists.read(self._settling)
        gathered = self._gathering.gather(self._settling, names(lists))
        slides = [slide for slide in gathered.slides if not self._lists.is_list(slide.path)]
        self._whole = frozenset(slide.path for slide in slides if slide.settled and not slide.lacks_part)
        self._expect(lists)
        paired = pair_lists(lists, [slide.path for slide in slides], self._barcodes, self._is_stale)
        standings = tuple(self._standing(slide, paired) for slide in slides)
        self._note_arrived(standings)
        arriving = sum(1 for path in gathered.arriving if not self._is_held(path, self._entry(path)))
        others = gathered.others - len(lists)
        return View(standings, lists, self._not_arrived(paired.awaited), paired.faults, arriving, max(0, others))

    def _standing(self, slide: Slide, paired: Paired) -> Standing:
        entry = self._entry(slide.path)
        one, row = paired.rows.get(slide.path, (None, None))
        stand = self._stand_of(slide, entry, (one, row) if one and row else None, paired)
        waits = entry is not None and stand in (Stand.QUARANTINED, Stand.REFUSED)
        return Standing(slide.path, stand, row, one, entry.number if waits and entry else "")

    def _stand_of(self, slide: Slide, entry: Entry | None, found: Found | None, paired: Paired) -> Stand:
        same = entry is not None and entry.moment == self._settling.moment(slide.path)
        if entry is not None and same and entry.state is State.REFUSED:
            return Stand.REFUSED
        if entry is not None and self._is_held(slide.path, entry) and entry.source_bytes == self._bytes(slide):
            return Stand.DONE
        if not slide.settled:
            return Stand.ARRIVES
        if slide.lacks_part:
            return Stand.LACKS_PART
        if slide.path in paired.contested:
            return Stand.CONTESTED
        if slide.path in paired.stale:
            return Stand.STALE
        if found is None:
            return Stand.QUARANTINED if same and entry and entry.state not in HELD else Stand.LACKS_ROW
        if not self._was_tried(entry, slide, found[1]):
            return Stand.READY
        return Stand.QUARANTINED if entry and entry.state is State.WAITS else Stand.DONE

    def _is_held(self, path: Path, entry: Entry | None) -> bool:
        """Tell whether a file is held as it lies there."""
        return entry is not None and entry.state in HELD and entry.moment == self._settling.moment(path)

    def _is_stale(self, one: WatchedList, row: Row, path: Path) -> bool:
        """Tell whether a row spoke of another file: it had its file after its list was written, and this is not it."""
        entry = self._entry(path)
        if entry is None:
            expected = self._vault.register.expected(words_of(row))
            had = expected.taken if expected else None
        else:
            changed = entry.state in HELD and not self._is_held(path, entry)
            had = entry.since if changed else None
        return had is not None and one.moment[1] <= had.timestamp() * NANOSECONDS

    def _was_tried(self, entry: Entry | None, slide: Slide, row: Row) -> bool:
        """Tell whether neither a slide nor what is said of it has changed since ingest ended with it."""
        if entry is None or entry.state is State.RELEASED:
            return False
        said = said_of(Delivered(slide.path, row, row.facts(self._watched.feed)))
        noted = entry.told.get(AS) if entry.state is State.WAITS and not self._watched.retry else None
        return said in (noted, self._handed.get(slide.path))

    def _entry(self, path: Path) -> Entry | None:
        """Find what the register knows of a file; asked again when the file has changed."""
        moment = self._settling.moment(path)
        known = self._entries.get(path)
        if known is None or known[0] != moment:
            known = self._entries[path] = moment, self._vault.register.find(path)
        return known[1]

    def _bytes(self, slide: Slide) -> int:
        return sum(moment[0] for path in slide.files if (moment := self._settling.moment(path)) is not None)

    def _barcodes(self, path: Path) -> Sequence[str]:
        """Read the label of a slide that is whole and is not held already."""
        if path not in self._whole or self._is_held(path, self._entry(path)):
            return ()
        return self._labels.of(path, self._settling.moment(path))

    def _expect(self, lists: Sequence[WatchedList]) -> None:
        """Have the rows of new lists remembered, for the daily report."""
        feed = self._watched.feed.name if self._watched.feed else None
        for one in lists:
            if (one.path, one.moment) not in self._expected:
                expect_rows(self._vault, one.rows, (), one.path, feed)
                self._expected.add((one.path, one.moment))

    def _note_arrived(self, standings: Sequence[Standing]) -> None:
        """Have it remembered which rows have had their file; not before the register knows what became of it."""
        feed = self._watched.feed.name if self._watched.feed else None
        known = [one for one in standings if one.stand in (Stand.DONE, Stand.QUARANTINED, Stand.REFUSED)]
        new = [one for one in known if one.row and words_of(one.row) not in self._arrived]
        for of in dict.fromkeys(one.of for one in new if one.of):
            rows = [one.row for one in new if one.row and one.of is of]
            expect_rows(self._vault, rows, {row.number for row in rows}, of.path, feed)
            self._arrived.update(map(words_of, rows))
        done = {words_of(one.row) for one in known if one.row and one.stand is Stand.DONE} - self._taken
        if done:
            self._vault.register.take(done)
            self._taken |= done

    def _not_arrived(self, awaited: Sequence[Found]) -> tuple[Found, ...]:
        """Leave out rows whose file was there and has been taken away since."""
        found = []
        for one, row in awaited:
            words = words_of(row)
            if words not in self._arrived:
                expected = self._vault.register.expected(words)
                if expected is None or expected.arrived is None:
                    found.append((one, row))
                else:
                    self._arrived.add(words)
        return tuple(found)
