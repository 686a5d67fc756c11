"""Who may see which slide: decided when it is asked for, remembered until anything changes in the archive.

What is remembered holds for half a second; then the archive is asked whether anything changed, and if so everything
is decided anew. A withdrawal therefore acts within a second on every worker. What is unknown, refused or withdrawn
raises the same error.
"""

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from archive.codes import InternalKey
from archive.errors import ClockUnreliable, ConsentRefused, UnknownCode
from archive.holdings import Archive
from archive.pyramid.between import ViewerLevel, viewer_levels
from archive.pyramid.reader import Pyramid
from archive.server.deepzoom import DeepZoom
from archive.settings import ArchiveSettings
from archive.teaching import TeachingCollection, find_collection, find_slide, shown_collections

OPEN_SHARDS = 512
"""Files that may be open at once: half of the 1,024 that systems allow a process without being asked."""

REFUSALS_REMEMBERED = 4096
"""Handles that led nowhere are remembered, so that asking again takes as long for a refused one as for an unknown."""

EDITION = 1
"""Raised when a picture made from the same pixels comes out differently, so that browsers ask for it anew."""

NOT_SHOWN = "there is no such slide or collection"


@dataclass(frozen=True, slots=True)
class ShownCollection:
    """A collection and those of its slides that may be shown now: ``(handle, number)``, in the teacher's order."""

    handle: str
    name: str
    slides: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class ShownSlide:
    """A slide that may be shown now, opened.

    ``levels`` are those that viewers number from 0, full resolution first. ``scan`` tells scans apart inside this
    worker, and ``version`` what was stored of one from what is after its pixels were changed; neither leaves it.
    ``tag`` is as random as the collection's handle, the same on every worker, and another one for each version.
    """

    handle: str
    number: int
    collection_handle: str
    collection_name: str
    scan: InternalKey
    version: str
    pyramid: Pyramid
    levels: tuple[ViewerLevel, ...]
    deepzoom: DeepZoom
    tag: str

    @property
    def pixels(self) -> tuple[InternalKey, str]:
        """Tell pictures that were made of it from all others: also from those of before its pixels were changed."""
        return self.scan, self.version


@dataclass(frozen=True, slots=True)
class Found:
    """Where a handle leads: to a scan that may be shown now, and the collection that it is shown in."""

    collection_handle: str
    collection_name: str
    number: int
    scan: InternalKey


class SlideAccess:
    """Slides by handles, as somebody may see them now. Belongs to one thread.

    Parameters
    ----------
    archive : Archive
        Where the scans are.
    settings : ArchiveSettings
        Says for how long a decision may be used again.
    find : callable
        Decides where a handle leads; raises `UnknownCode` or `ConsentRefused` where nothing may be shown.
    clock : callable
        Gives seconds that never run backwards.
    require : callable
        Raises where nothing may be shown any more, whatever the archive says; asked as often as the archive is.
    """

    def __init__(
        self,
        archive: Archive,
        settings: ArchiveSettings,
        find: Callable[[str], Found],
        clock: Callable[[], float] = time.monotonic,
        require: Callable[[], None] = lambda: None,
    ) -> None:
        self._archive = archive
        self._seconds = settings.decision_cache_seconds
        self._find = find
        self._clock = clock
        self._require = require
        self._read_at = self._sure_until = clock()
        self._changes: int | None = None
        self._slides: OrderedDict[str, ShownSlide] = OrderedDict()
        self._refused: set[str] = set()
        self._open_shards = 0
        self._taken_away: tuple[int, int] | None = None
        self._when_withdrawn: list[Callable[[], None]] = []

    def when_withdrawn(self, forget: Callable[[], None]) -> None:
        """Have pictures that were made forgotten as soon as anything at all is withdrawn, or to be made black."""
        self._when_withdrawn.append(forget)

    def slide(self, handle: str) -> ShownSlide:
        """Give the slide of that handle.

        Raises
        ------
        UnknownCode
            If there is no such slide, or it must not be shown.
        CatalogueUnavailable
            If it cannot be decided now.
        DamagedPyramid
            If what is stored of it cannot be opened.
        """
        self.assure()
        shown = self._slides.get(handle)
        if shown is None:
            return self._decided(handle)
        self._slides.move_to_end(handle)
        return shown

    def assure(self) -> None:
        """Make sure that what is remembered still holds; forget it all where the archive has changed.

        Raises
        ------
        CatalogueUnavailable
            If the archive cannot be asked, or the clock runs backwards; then nothing may be shown.
        """
        before, now = self._read_at, self._clock()
        if not now >= before:
            raise ClockUnreliable("the clock of this machine runs backwards; restart the machine")
        self._read_at = now
        if before < now < self._sure_until:  # a clock that stands still would make a decision last for ever
            return
        self._require()
        changes = self._archive.change_count()
        if changes != self._changes:
            self.forget()
            self._forget_withdrawn()
            self._changes = changes
        self._sure_until = now + self._seconds

    def forget(self) -> None:
        """Forget every decision and close every scan."""
        while self._slides:
            self._close_oldest()
        self._refused.clear()

    def _forget_withdrawn(self) -> None:
        newest = self._archive.newest_withdrawal(), self._archive.newest_redaction()
        if newest != self._taken_away:
            for forget in self._when_withdrawn:
                forget()
            self._taken_away = newest

    def _decided(self, handle: str) -> ShownSlide:
        if handle in self._refused:
            raise UnknownCode(NOT_SHOWN)
        try:
            found = self._find(handle)
        except (UnknownCode, ConsentRefused):
            if len(self._refused) < REFUSALS_REMEMBERED:
                self._refused.add(handle)
            raise UnknownCode(NOT_SHOWN) from None
        version = self._version(found.scan)  # before its pixels, so that no old ones can be taken for new ones
        pyramid = self._archive.open_pyramid(found.scan)
        levels = viewer_levels(pyramid)
        made_of = f"{EDITION} {found.collection_handle} {handle} {version}"
        tag = hashlib.blake2b(made_of.encode(), digest_size=10).hexdigest()
        shown = ShownSlide(
            handle=handle,
            number=found.number,
            collection_handle=found.collection_handle,
            collection_name=found.collection_name,
            scan=found.scan,
            version=version,
            pyramid=pyramid,
            levels=levels,
            deepzoom=DeepZoom.of(levels),
            tag=tag,
        )
        self._keep(shown)
        return shown

    def _version(self, scan: InternalKey) -> str:
        """Give the digest of what is stored of a scan, which is another after something of it was made black."""
        held = self._archive.scan(scan)
        return held.record.manifest_sha256 if held else ""

    def _keep(self, shown: ShownSlide) -> None:
        self._slides[shown.handle] = shown
        self._open_shards += _shards(shown.pyramid)
        while self._open_shards > OPEN_SHARDS and len(self._slides) > 1:
            self._close_oldest()

    def _close_oldest(self) -> None:
        _, oldest = self._slides.popitem(last=False)
        self._open_shards -= _shards(oldest.pyramid)
        oldest.pyramid.close()


class Access(SlideAccess):
    """One worker's view of the teaching collections and their slides. Belongs to one thread.

    Parameters
    ----------
    archive : Archive
        Opened for reading.
    settings : ArchiveSettings
        Says for how long a decision may be used again.
    clock : callable
        Gives seconds that never run backwards.
    require : callable
        Raises where nothing may be shown any more.
    """

    def __init__(
        self,
        archive: Archive,
        settings: ArchiveSettings,
        clock: Callable[[], float] = time.monotonic,
        require: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(archive, settings, self._taught, clock, require)
        self._collections: dict[str, ShownCollection] = {}
        self._all: tuple[ShownCollection, ...] | None = None

    def collection(self, handle: str) -> ShownCollection:
        """Give the collection of that handle, with those of its slides that may be shown now.

        Raises
        ------
        UnknownCode
            If there is no such collection, or none of its slides may be shown.
        CatalogueUnavailable
            If it cannot be decided now.
        """
        self.assure()
        shown = self._collections.get(handle)
        if shown is None:
            shown = self._collections[handle] = _shown(find_collection(self._archive, handle))
        return shown

    def collections(self) -> tuple[ShownCollection, ...]:
        """Give every collection that has a slide to show, in the order of their names.

        Raises
        ------
        CatalogueUnavailable
            If it cannot be decided now.
        """
        self.assure()
        if self._all is None:
            self._all = tuple(_shown(each) for each in shown_collections(self._archive))
        return self._all

    def forget(self) -> None:
        """Forget every decision and close every scan."""
        super().forget()
        self._collections.clear()
        self._all = None

    def _taught(self, handle: str) -> Found:
        collection, place = find_slide(self._archive, handle)
        return Found(collection.handle, collection.name, place.number, place.scan)


def _shown(found: TeachingCollection) -> ShownCollection:
    return ShownCollection(found.handle, found.name, tuple((each.handle, each.number) for each in found.places))


def _shards(pyramid: Pyramid) -> int:
    """How many files reading all of a scan opens."""
    return sum(math.prod(level.layout.shards) * level.layout.planes for level in pyramid.levels)
