"""From an accession number, and a purpose, to the slides of a case.

The number travels in a form only, never in an address. What was found lies in the session under a random handle;
whether each scan may be looked at for this purpose is decided each time the case is shown, and again when the scan is
opened.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.accounts import Action
from archive.amounts import bytes_told
from archive.codes import Code
from archive.consent import Decision, Purpose, Recipient
from archive.errors import UnknownCode
from archive.records import HeldScan, HeldSlide, ScanRecord, ScanStatus
from archive.server.access import NOT_SHOWN
from ingest.desk.purposes import Wanted
from ingest.desk.room import Room
from ingest.desk.session import GONE, Session
from ingest.desk.viewing import Placed
from ingest.keyvault.directory import FoundCase, FoundSlide

USES = (
    ("Teaching", Purpose.TEACHING, Recipient.CLASS),
    ("Research", Purpose.RESEARCH, Recipient.PROJECT),
)
"""What a laboratory asks about a slide besides looking at it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed into the search, to be shown again where it could not be answered."""

    accession: str = ""
    purpose: str = ""
    words: str = ""


@dataclass(frozen=True, slots=True)
class ShownScan:
    """One scan as the case's page shows it; ``handle`` leads to the viewer, and is None where it may not."""

    number: int
    code: Code
    record: ScanRecord
    handle: str | None
    refused: Decision | None

    @property
    def size(self) -> str:
        """Its size in pixels."""
        return f"{self.record.size.width:,} × {self.record.size.height:,} px"

    @property
    def words(self) -> str:
        """What else is known of it, in a line."""
        record = self.record
        known = (
            f"{record.objective_power:g}×" if record.objective_power else "",
            record.scanner_model or record.scanner_maker or "",
            bytes_told(record.stored_bytes),
        )
        return " · ".join(word for word in known if word)

    @property
    def status(self) -> ScanStatus:
        """Whether it may be opened at all."""
        return self.record.status


@dataclass(frozen=True, slots=True)
class ShownGlass:
    """One slide of the case's page: its block, stain and code, its scans, and what else it may be used for."""

    title: str
    code: Code
    scans: tuple[ShownScan, ...]
    uses: tuple[tuple[str, Decision], ...]

    @property
    def shown(self) -> tuple[ShownScan, ...]:
        """The scans that may be looked at now."""
        return tuple(scan for scan in self.scans if scan.handle)


@dataclass(frozen=True, slots=True)
class ShownCase:
    """One case of a number; it has codes once one of its slides is in the archive."""

    code: Code | None
    patient_code: Code | None
    slides: tuple[ShownGlass, ...]


class Tray:
    """What one search found, on the desk of one session: its scans keep their handles for as long as it lies there."""

    def __init__(self, session: Session, number: str, wanted: Wanted, cases: tuple[FoundCase, ...]) -> None:
        self.number = number
        self.wanted = wanted
        self._session = session
        self._cases = cases
        self._handles: dict[str, str] = {}
        self.handle = session.keep(self)

    def found(self, place: int) -> FoundCase:
        """Give one of the cases, counted from 0.

        Raises
        ------
        UnknownCode
            If there are not so many.
        """
        if place >= len(self._cases):
            raise UnknownCode(GONE)
        return self._cases[place]

    def cases(self, room: Room) -> tuple[ShownCase, ...]:
        """Give the cases as they are now."""
        numbers = iter(range(1, 1_000_000))
        return tuple(self._case(room, case, numbers) for case in self._cases)

    def placed(self, room: Room) -> dict[str, Placed]:
        """Give every scan of the search that may be looked at now, by its handle.

        Raises
        ------
        UnknownCode
            If there is none.
        """
        scans = [scan for case in self.cases(room) for slide in case.slides for scan in slide.shown]
        if not scans:
            raise UnknownCode(NOT_SHOWN)
        return {scan.handle: self._session.kept(scan.handle, Placed) for scan in scans if scan.handle}

    def _case(self, room: Room, case: FoundCase, numbers: Iterator[int]) -> ShownCase:
        here = [(found, slide) for found in case.slides if (slide := held(room, case, found)) is not None]
        slides = tuple(self._glass(room, found, slide, numbers) for found, slide in here)
        if not here:
            return ShownCase(None, None, ())
        return ShownCase(here[0][1].case_code, here[0][1].patient_code, slides)

    def _glass(self, room: Room, found: FoundSlide, slide: HeldSlide, numbers: Iterator[int]) -> ShownGlass:
        title = f"{found.block} · {found.slide}"
        largest_first = sorted(slide.scans, key=lambda scan: -scan.record.size.pixels)
        scans = tuple(self._scan(room, slide, scan, next(numbers), title) for scan in largest_first)
        decided = any(scan.status is ScanStatus.KEPT for scan in scans)
        uses = tuple(
            (name, room.archive.decide(slide.record.key, purpose, recipient))
            for name, purpose, recipient in USES
            if decided
        )
        return ShownGlass(title, slide.code, scans, uses)

    def _scan(self, room: Room, slide: HeldSlide, scan: HeldScan, number: int, title: str) -> ShownScan:
        if scan.record.status is not ScanStatus.KEPT:
            return ShownScan(number, scan.code, scan.record, None, None)
        choice = self.wanted.choice
        decision = room.archive.decide(slide.record.key, choice.purpose, choice.recipient, scan=scan.record.key)
        if not decision.allowed:
            return ShownScan(number, scan.code, scan.record, None, decision)
        if not self._session.may(Action.OPEN_CASE_SLIDE):
            return ShownScan(number, scan.code, scan.record, None, None)
        placed = Placed(
            slide=slide.record.key,
            scan=scan.record.key,
            number=number,
            title=title,
            case=slide.record.case,
            case_handle=self.handle,
            case_code=slide.case_code,
            wanted=self.wanted,
        )
        return ShownScan(number, scan.code, scan.record, self._handle(placed), None)

    def _handle(self, placed: Placed) -> str:
        if placed.scan not in self._handles:
            self._handles[placed.scan] = self._session.keep(placed)
        return self._handles[placed.scan]


def find(room: Room, session: Session, asked: Asked) -> Tray:
    """Look a case up, which is written down, and lay it on the desk.

    Raises
    ------
    InvalidValue
        If no purpose is given, or the number can be no case's.
    UnknownCode
        If no case has this number.
    """
    wanted = Wanted.of(asked.purpose, asked.words)
    cases = room.vault.directory.find_case(asked.accession, who=session.who, purpose=str(wanted))
    if not cases:
        raise UnknownCode("no case has this number; check it, letter by letter and with its hyphens")
    return Tray(session, cases[0].number, wanted, cases)


def held(room: Room, case: FoundCase, found: FoundSlide) -> HeldSlide | None:
    """Give a slide that was found, if it is in the archive and still this case's: a correction may have moved it."""
    try:
        slide = room.archive.held(found.key)
    except UnknownCode:
        return None  # recorded in the vault, and not yet in the archive: an ingest is under way or was killed
    return slide if slide.record.case == case.key else None
