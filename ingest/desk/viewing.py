"""The archive's own viewer on the desk's own addresses: the same tiles, for another purpose and other people.

Each use is decided anew by the archive, for the purpose that was given with the search. Opening a slide is written down
once an hour for each person and slide, before the first tile leaves; a tile alone is not.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from archive.codes import Code, InternalKey
from archive.errors import ConsentRefused, UnknownCode
from archive.holdings import Archive
from archive.server.access import NOT_SHOWN, Found, ShownSlide, SlideAccess
from archive.server.headers import Answer
from archive.server.pictures import Pictures
from archive.server.tiles import TileRoute
from archive.settings import ArchiveSettings
from ingest.desk.purposes import Wanted
from ingest.desk.session import Session

ONE_OPENING_SECONDS = 3600
"""Whoever comes back to a slide within the hour has opened it once."""

_LOOKED_AT = re.compile("/slides/([^/.]+?)(?:/srgb)?(?:/tiles/|_files/|[.]dzi)")
"""Addresses that show more of a slide than the thumbnail which stands in every list."""


@dataclass(frozen=True, slots=True)
class Placed:
    """One scan on the desk: which it is, of what, in which case it was found, and what it may be looked at for."""

    slide: InternalKey
    scan: InternalKey
    number: int
    title: str
    case: InternalKey
    case_handle: str
    case_code: Code
    wanted: Wanted


class Openings:
    """Writes down who opened which slide, at most once an hour.

    Parameters
    ----------
    note : callable
        Writes ``(slide, who, purpose)`` into the vault's trail; what it raises keeps the slide shut.
    clock : callable
        Gives seconds that never run backwards.
    """

    def __init__(
        self, note: Callable[[InternalKey, str, str], object], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._note = note
        self._clock = clock
        self._noted: dict[tuple[str, InternalKey], float] = {}

    def note(self, who: str, placed: Placed) -> None:
        """Write an opening down, unless the same person opened the same slide within the hour."""
        now = self._clock()
        last = self._noted.get((who, placed.slide))
        if last is not None and now - last < ONE_OPENING_SECONDS:
            return
        self._note(placed.slide, who, str(placed.wanted))
        self._noted = {key: at for key, at in self._noted.items() if now - at < ONE_OPENING_SECONDS}
        self._noted[who, placed.slide] = now


class Viewing:
    """What one session may look at. Belongs to one thread.

    Parameters
    ----------
    archive, settings, pictures, session, openings
        What is looked at, by whom, and where it is written down.
    require_vault : callable
        Raises if the key vault is not there any more: the desk is a room of whoever holds the key, and of nobody else.
    """

    def __init__(
        self,
        archive: Archive,
        settings: ArchiveSettings,
        pictures: Pictures,
        session: Session,
        openings: Openings,
        require_vault: Callable[[], object],
    ) -> None:
        self._archive = archive
        self._require_vault = require_vault
        self._session = session
        self._openings = openings
        self._access = SlideAccess(archive, settings, self._find)
        self._route = TileRoute(self._access, pictures)

    def slide(self, handle: str) -> ShownSlide:
        """Open a slide for the viewer, and write down that it was opened.

        Raises
        ------
        UnknownCode
            If the handle leads to nothing that may be shown now.
        """
        self._require_vault()
        shown = self._access.slide(handle)
        self._openings.note(self._session.who, self._session.kept(handle, Placed))
        return shown

    def title(self, handle: str) -> str:
        """Give the block and the stain of a slide."""
        return self._session.kept(handle, Placed).title

    def picture(self, method: str, path: str) -> Answer | None:
        """Answer a request for a picture; None when the address is not a picture's."""
        looked_at = _LOOKED_AT.match(path)
        if looked_at:
            self.slide(looked_at[1])
        elif path.startswith("/slides/"):
            self._require_vault()
        return self._route.answer(method, path, None)

    def close(self) -> None:
        """Close every scan that is open."""
        self._access.forget()

    def _find(self, handle: str) -> Found:
        placed = self._session.kept(handle, Placed)
        if self._archive.held(placed.slide).record.case != placed.case:
            raise UnknownCode(NOT_SHOWN)  # corrected meanwhile: it must not be read as a slide of this case
        choice = placed.wanted.choice
        decision = self._archive.decide(placed.slide, choice.purpose, choice.recipient, scan=placed.scan)
        if not decision.allowed:
            raise ConsentRefused(decision.sentence, row=decision.row, paragraph=decision.paragraph)
        return Found(placed.case_handle, f"Case {placed.case_code}", placed.number, placed.scan)
