"""Who opened which slide is told in the access trail once an hour, before the first pixel leaves; a tile alone is not.

The thumbnail which stands in every list is no opening. What the trail cannot be told is not shown.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from archive.accounts import AccountStore, Actor
from archive.codes import Code
from archive.consent import Purpose
from archive.errors import UnknownCode
from archive.holdings import Archive
from archive.server.access import NOT_SHOWN, ShownSlide, SlideAccess

SURE_SECONDS: Final = 600.0
"""For how long a worker need not ask the trail whether it was told; what was told is forgotten there after an hour."""

OPENINGS_REMEMBERED: Final = 4096

_LOOKED_AT: Final = re.compile(r"/(?:api/)?slides/([^/.]+?)(?:(?:/srgb)?(?:/tiles/.+|_files/.+|[.]dzi))?")
"""Addresses that show more of a slide than its thumbnail."""


class Openings:
    """Tells the access trail who looks at what. Belongs to one thread.

    Parameters
    ----------
    archive : Archive
        Knows which slide a handle stands for.
    access : SlideAccess
        Knows what a handle shows now.
    store : AccountStore
        Keeps the access trail, for all workers.
    clock : callable
        Gives seconds that never run backwards.
    """

    def __init__(
        self, archive: Archive, access: SlideAccess, store: AccountStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._archive = archive
        self._access = access
        self._store = store
        self._clock = clock
        self._told: OrderedDict[tuple[Actor, str], float] = OrderedDict()

    def note(self, actor: Actor, path: str) -> None:
        """Tell the trail, if a path that was answered shows a slide and the trail was not told within the hour.

        Raises
        ------
        ArchiveError
            If the slide is not shown any more, or the trail cannot be told; then it must not be shown.
        """
        found = _LOOKED_AT.fullmatch(path)
        if found is None:
            return
        known, now = (actor, found[1]), self._clock()
        if now < self._told.get(known, now):
            return
        shown = self._access.slide(found[1])
        self._store.note_opening(
            actor, str(self._code(shown)), collection=shown.collection_handle, purpose=str(Purpose.TEACHING)
        )
        self._told[known] = now + SURE_SECONDS
        if len(self._told) > OPENINGS_REMEMBERED:
            self._told.popitem(last=False)

    def _code(self, shown: ShownSlide) -> Code:
        """Give the laboratory's code, which stays when the collection is gone, so that a patient can be told later."""
        scan = self._archive.scan(shown.scan)
        if scan is None:
            raise UnknownCode(NOT_SHOWN)
        return self._archive.held(scan.record.slide).code
