"""Which files in a folder are one slide, and whether all of it is there.

A file of a family that is one file is a slide. A MIRAX or VMS slide is whole when every file that it names is there
and has settled; a DICOM series, when nothing of it is arriving and as many files are there as any of them speaks of.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingest.errors import Reason, SlideRefused
from ingest.pipeline.watching.settling import Settling
from ingest.precheck import Family, Instance, instance, is_whole, parts, sniff
from ingest.quarantine.moment import Moment

SHORTEST_HEAD = 1 << 10
"""Bytes: a DICOM file that has fewer yet may be of any series."""


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide: its files, the one that it is called by first. ``lacks_part`` says that some are not there yet."""

    files: tuple[Path, ...] = field(repr=False)
    settled: bool
    lacks_part: bool = False

    @property
    def path(self) -> Path:
        """The file that it is called by."""
        return self.files[0]


@dataclass(frozen=True, slots=True)
class Gathered:
    """The slides of a folder, how many other files have settled, and which files are still arriving."""

    slides: tuple[Slide, ...]
    others: int
    arriving: tuple[Path, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was read of a file as it was at one moment."""

    moment: Moment | None
    family: Family | None
    instance: Instance | None


class Gathering:
    """Tells slides in a folder; a file that has not changed is not opened again."""

    def __init__(self) -> None:
        self._known: dict[Path, _Known] = {}

    def gather(self, settling: Settling, named: Iterable[str] = ()) -> Gathered:
        """Tell the slides among the files that have settled.

        Parameters
        ----------
        settling
            The files.
        named
            Names of files that lists speak of. Of a series, the file of such a name stands for the slide.
        """
        files, wanted = settling.files, set(named)
        self._known = {path: known for path, known in self._known.items() if known.moment == settling.moment(path)}
        settled = [path for path in files if settling.is_settled(path)]
        families = {path: self._look_at(path, settling).family for path in settled}
        slides: list[Slide] = []
        claimed: set[Path] = set()
        for path in settled:
            if families[path] in (Family.MIRAX, Family.VMS):
                slide, own = self._of_named_parts(path, settling)
                slides.append(slide)
                claimed.update(own)
        for series in self._series(settled, settling):
            slides.append(self._of_series(series, files, settling, wanted))
            claimed.update(series)
        for path in settled:
            family = families[path]
            if path not in claimed and family is not None and family.refusal is None:
                slides.append(Slide((path,), settled=True))
                claimed.add(path)
        arriving = tuple(path for path in files if not settling.is_settled(path))
        others = sum(1 for path in settled if path not in claimed)
        return Gathered(tuple(sorted(slides, key=lambda slide: slide.path)), others, arriving)

    def _look_at(self, path: Path, settling: Settling) -> _Known:
        known = self._known.get(path)
        if known is None:
            try:
                family: Family | None = sniff(path)
            except SlideRefused:
                family = None
            said = instance(path) if family is Family.DICOM else None
            known = self._known[path] = _Known(settling.moment(path), family, said)
        return known

    @staticmethod
    def _of_named_parts(path: Path, settling: Settling) -> tuple[Slide, tuple[Path, ...]]:
        """Make a slide of a file that names its parts; what else lies in its own folder is the slide's, too."""
        folder = path.with_suffix("")
        own = tuple(file for file in settling.files if folder in file.parents)
        try:
            files = parts(path)
        except SlideRefused as refused:
            lacks = refused.reason is Reason.MISSING_COMPANION  # any other reason is for a person, with its sentence
            return Slide((path,), settled=True, lacks_part=lacks), (path, *own)
        settled = all(map(settling.is_settled, files))
        return Slide(files, settled), (*files, *own)

    def _series(self, settled: Iterable[Path], settling: Settling) -> Iterator[tuple[Path, ...]]:
        groups: dict[tuple[Path, str], list[Path]] = defaultdict(list)
        for path in settled:
            said = self._look_at(path, settling).instance
            if said is not None:
                groups[path.parent, said.series].append(path)
        return map(tuple, groups.values())

    def _of_series(
        self, series: tuple[Path, ...], files: tuple[Path, ...], settling: Settling, named: set[str]
    ) -> Slide:
        said = [one for path in series if (one := self._look_at(path, settling).instance) is not None]
        beside = (file for file in files if file.parent == series[0].parent and not settling.is_settled(file))
        arriving = any(_may_belong(file, said[0].series, settling) for file in beside)
        ordered = sorted(series, key=lambda path: (path.name not in named, path))
        return Slide(tuple(ordered), settled=not arriving, lacks_part=not is_whole(said))


def _may_belong(path: Path, series: str, settling: Settling) -> bool:
    """Tell whether a file that is still arriving may be of a series."""
    said = instance(path)
    if said is not None:
        return said.series == series
    size_bytes, _ = settling.moment(path) or (0, 0)
    return size_bytes < SHORTEST_HEAD
