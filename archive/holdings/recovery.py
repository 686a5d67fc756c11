"""A process may end at any instant; the next one puts right what it left, and says what it did.

Four things can be left. A staged folder that nobody works on is removed: its slide is ingested again. A folder among
the scans without a row is complete, since it was flushed before it was renamed; it is verified and taken up, or set
aside if it is not what its manifest says. A row without a folder cannot come from a crash: it is told, and nothing is
changed, because a disk that is not mounted looks the same. A line of the journal whose act was never committed is
made void when the catalogue is opened; where the newest part of the journal is damaged, it is begun anew from the
catalogue, which knows all that it said.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from archive import fixity
from archive.catalogue import LABORATORY, Catalogue, codes, slides
from archive.codes import Code, InternalKey, Kind, new_handle
from archive.errors import ArchiveError, CatalogueUnavailable, InvalidValue
from archive.fixity import Manifest
from archive.holdings.commit import Chain, chain_from, enter, remove
from archive.holdings.place import RECORD, Claim, Place, claimed, disk_errors


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery did: staged folders removed, scans taken up, folders set aside; and rows without a folder.

    ``journal_anew`` says that the journal was damaged and is begun anew. ``redacted`` are scans of which the blacking
    out was interrupted and is done now, ``still_shut`` those of which it cannot be done yet.
    """

    removed: int = 0
    taken_up: tuple[Code, ...] = ()
    set_aside: int = 0
    missing: tuple[Code, ...] = ()
    journal_anew: bool = False
    redacted: tuple[Code, ...] = ()
    still_shut: tuple[Code, ...] = ()

    def __add__(self, other: "Recovered") -> "Recovered":
        return Recovered(
            self.removed + other.removed,
            self.taken_up + other.taken_up,
            self.set_aside + other.set_aside,
            self.missing + other.missing,
            self.journal_anew or other.journal_anew,
            self.redacted + other.redacted,
            self.still_shut + other.still_shut,
        )

    @property
    def nothing(self) -> bool:
        """Whether everything was in order."""
        return self == Recovered()


def recover(place: Place, catalogue: Catalogue) -> Recovered:
    """Put right whatever interrupted processes left; folders that a living process works on are not touched."""
    journal_anew = catalogue.mend_journal()
    with disk_errors():
        removed = sweep(place)
        with catalogue.reading() as connection:
            rows = slides.scan_keys(connection)
        folders = frozenset(place.kept_keys())  # listed after the rows, so that no row is younger than its folder
        taken_up = (take_up(place, catalogue, key) for key in sorted(folders - rows))
        missing = _codes_of(catalogue, rows - folders)
        return sum(taken_up, Recovered(removed=removed, missing=missing, journal_anew=journal_anew))


def take_up(place: Place, catalogue: Catalogue, key: InternalKey) -> Recovered:
    """Catalogue a scan that has a folder and no row, or set its folder aside, unless another process sees to it."""
    folder = place.of_scan(key)
    claim = Claim.take(folder)
    if claim is None:
        return Recovered()
    try:
        chain, manifest = _read(folder, key)
        with catalogue.writing() as writing:
            if slides.find_scan(writing.connection, key) is not None:
                return Recovered()
            known = slides.find_case(writing.connection, chain.case.key)
            if known is not None and known.patient == chain.case.patient:
                chain = replace(chain, case=known)  # what was recorded since then holds
            return Recovered(taken_up=(enter(writing, chain, manifest, "take up").scan_code,))
    except CatalogueUnavailable:
        raise
    except ArchiveError:
        return _set_aside(place, catalogue, folder)
    finally:
        claim.release()


def sweep(place: Place) -> int:
    """Remove every staged folder that nobody holds a lock on."""
    ours = []
    with claimed(place.staging):  # no process is between making a folder and locking it
        for folder in place.staging.iterdir():
            if (claim := Claim.take(folder)) is not None:
                ours.append((folder, claim))
            elif not folder.is_dir():
                folder.unlink(missing_ok=True)
    for folder, claim in ours:
        remove(folder)
        claim.release()
    return len(ours)


def _read(folder: Path, key: InternalKey) -> tuple[Chain, Manifest]:
    """Read what a folder says of itself, and verify every byte of it."""
    try:
        manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
        chain = chain_from((folder / RECORD).read_bytes())
    except (OSError, ValueError, TypeError, KeyError, CatalogueUnavailable):
        raise InvalidValue("a folder among the scans does not say what it holds") from None
    if chain.scan.key != key or fixity.verify(folder, manifest):
        raise InvalidValue("a folder among the scans is not what it says")
    return chain, manifest


def _set_aside(place: Place, catalogue: Catalogue, folder: Path) -> Recovered:
    aside = place.aside / new_handle()
    with catalogue.writing() as writing:
        if slides.find_scan(writing.connection, InternalKey(folder.name)) is not None:
            return Recovered()
        folder.rename(aside)
        for parent in (folder.parent, aside.parent):
            fixity.flush_one(parent)
        writing.tell("set aside", folder=aside.name)
    return Recovered(set_aside=1)


def _codes_of(catalogue: Catalogue, keys: frozenset[InternalKey]) -> tuple[Code, ...]:
    with catalogue.reading() as connection:
        project = codes.project_number(connection, LABORATORY)
        found = (codes.code_of(connection, project, Kind.SCAN, key) for key in keys)
        return tuple(sorted(code for code in found if code is not None))
