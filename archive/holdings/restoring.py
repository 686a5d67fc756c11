"""An archive is made again from a backup in an empty place, and every byte of it is verified on the way.

The mark that makes a folder an archive is written last: killed meanwhile, the folder is no archive, and the same
command goes on where it was. Killed later it is one, and what it has told since stays. The newer of the two, the
catalogue's copy and the journal, says what is held.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive import auditchain, fixity
from archive.catalogue import Catalogue, audit, redactions, slides
from archive.catalogue.journal import Journal
from archive.catalogue.journal_replay import hand_over
from archive.codes import Code, InternalKey
from archive.errors import CatalogueUnavailable, HoldingsUnavailable, InvalidValue
from archive.fixity import Manifest
from archive.holdings import redaction_witness
from archive.holdings.archive import Archive
from archive.holdings.backup import Begun, Rows, Versions
from archive.holdings.backup_state import BackupState, copy_journal, heads_of
from archive.holdings.commit import remove
from archive.holdings.copying import CopyFault, Wrote, copy_file, copy_scan
from archive.holdings.known_backups import note_backup
from archive.holdings.new_version import version_of
from archive.holdings.place import Place, claimed, disk_errors
from archive.holdings.rebuilding import Rebuilt, rebuild_catalogue
from archive.holdings.redaction_work import resume

if TYPE_CHECKING:
    from archive.settings import ArchiveSettings

BEGUN = "restoring.json"
"""Marks a folder in which a restoration was begun and is not finished."""


@dataclass
class Restored:
    """What a restoration did: scans and bytes copied, and what is not as it was.

    ``faults`` are of scans whose copies are damaged, which were not restored. ``rebuilt`` tells of the catalogue where
    it was made again from the journal, because its copy was older or damaged. ``blacked_out`` are scans of which the
    backup had the old version, ``still_shut`` those on which something is not black yet that is to be, and why.
    """

    scans: int = 0
    copied_bytes: int = 0
    faults: list[CopyFault] = field(default_factory=list)
    audit_faults: tuple[auditchain.Fault, ...] = ()
    rebuilt: Rebuilt | None = None
    blacked_out: tuple[Code, ...] = ()
    still_shut: tuple[tuple[Code, str], ...] = ()

    @property
    def complete(self) -> bool:
        """Whether the archive is what was backed up."""
        whole = self.rebuilt is None or self.rebuilt.complete
        return whole and not (self.faults or self.audit_faults or self.still_shut)


def restore(
    backup: Path,
    root: Path,
    settings: "ArchiveSettings | None" = None,
    *,
    begun: Begun = lambda what, total_bytes: None,
    wrote: Wrote = lambda count: None,
    first: Callable[[], object] = lambda: None,
) -> Restored:
    """Make an archive from a backup.

    Parameters
    ----------
    backup
        The backup's folder. Nothing in it is changed.
    root
        Where the archive is to be: empty, not there, or left by a restoration of this backup that was killed.
    settings
        Where its catalogue is to be; None for an SQLite file in its folder.
    begun, wrote
        Told how many bytes there are to copy, and then how far it is.
    first
        Puts in what must be there before the folder is an archive, so that nobody can open it without; each time anew
        until it is one.

    Raises
    ------
    InvalidValue
        If there is something else in the place of the archive.
    HoldingsUnavailable, CatalogueUnavailable
        If there is no finished backup, or a disk or the database cannot be used.
    """
    state = BackupState.read(backup)
    if state.finished is None:
        raise HoldingsUnavailable("this backup was never finished; use another one")
    source, place, done = Place(backup), Place(root), Restored()
    rows: Rows | None
    with disk_errors():
        _prepare(source, place, state)
        with claimed(root):
            if is_archive := place.mark.exists():
                rows = _rows_of_archive(source, root, settings)
            else:
                for left in place.staging.iterdir():  # of a restoration that was killed
                    remove(left)
                first()
                copy_journal(source.journal, place.journal, state.acts)
                rows = _take_catalogue(source, place, state)
            _copy_all(source, place, rows, done, begun, wrote)
            if rows is not None and not is_archive:
                _shut_again(place, settings)
                _finish(place, state, settings)
        if rows is None:
            done.rebuilt = rebuild_catalogue(root, settings, identity=state.archive, backup=backup)
        note_backup(place, backup, acts=0)  # first, so that whoever blacks out is told of it
    with Archive.open(root, settings=settings, actor="restore") as archive:
        resumed = resume(archive.place, archive.catalogue, archive.step)
        done.blacked_out, done.still_shut = tuple(one.scan for one in resumed.done), resumed.shut
        with archive.catalogue.reading() as connection:
            start = audit.first_head(connection)
            done.audit_faults = auditchain.verify(audit.entries(connection), start, heads_of(backup))
    with disk_errors():
        (root / BEGUN).unlink()
        fixity.flush_one(root)
    return done


def _prepare(source: Place, place: Place, state: BackupState) -> None:
    root, folder = place.root.resolve(), source.root.resolve()
    if root.is_relative_to(folder) or folder.is_relative_to(root):
        raise InvalidValue("an archive is restored to a place outside its backup; name another folder")
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    begun = place.root / BEGUN
    if begun.exists():
        if json.loads(begun.read_bytes()) != {"archive": state.archive}:
            raise InvalidValue("another backup was being restored here; name another folder")
    elif any(left.name != f"{BEGUN}.new" for left in root.iterdir()):
        raise InvalidValue("an archive is restored to an empty folder; name another one")
    else:
        fixity.write(begun, json.dumps({"archive": state.archive}).encode())
    for part in (place.staging, place.scans, place.aside):
        part.mkdir(mode=0o750, exist_ok=True)
    fixity.flush_one(root)


def _take_catalogue(source: Place, place: Place, state: BackupState) -> Rows | None:
    """Take the catalogue's copy and give its scans; None where it is damaged, or the journal knows more."""
    for left in place.root.glob("catalogue.*"):
        left.unlink()
    if not source.catalogue.is_file():
        return None
    copy_file(source.catalogue, place.catalogue)
    newest = Journal(place.journal).newest()
    try:
        with closing(Catalogue.open(place.catalogue, read_only=True)) as catalogue:
            older = newest is not None and newest.number - newest.is_void > catalogue.acts
            if not older and not catalogue.faults() and catalogue.identity == state.archive:
                with catalogue.reading() as connection:
                    return dict(_versions(source, slides.manifests(connection), redactions.replaced(connection)))
    except CatalogueUnavailable:
        pass
    for left in place.root.glob("catalogue.*"):
        left.unlink()
    return None


def _rows_of_archive(source: Place, root: Path, settings: "ArchiveSettings | None") -> Rows:
    """Give the scans of what was an archive already when its restoration was killed.

    Its catalogue, journal and trail are its own since: made anew, they would contradict what it has told elsewhere.
    """
    with Archive.open(root, read_only=True, settings=settings) as archive, archive.catalogue.reading() as connection:
        return dict(_versions(source, slides.manifests(connection), redactions.replaced(connection)))


def _versions(source: Place, rows: Rows, replaced: Versions) -> Iterator[tuple[InternalKey, tuple[str, int]]]:
    """Take the old version where the backup has no other one; it is made black before it can be opened."""
    for scan, (manifest, stored_bytes) in rows.items():
        found = version_of(source.of_scan(scan)) if scan in replaced else None
        yield scan, (found if found is not None and found in replaced[scan] else manifest, stored_bytes)


def _copy_all(source: Place, place: Place, rows: Rows | None, done: Restored, begun: Begun, wrote: Wrote) -> None:
    """Copy every scan that is not there yet, against its catalogued manifest or, where that is not known, its own."""
    there = set(place.kept_keys())
    wanted = {scan: told for scan, told in (rows or _told_by_folders(source)).items() if scan not in there}
    begun("copying", sum(stored_bytes for _, stored_bytes in wanted.values()))
    done.scans = len(there)

    def copied(scan: InternalKey) -> CopyFault | None:
        return copy_scan(source, place, scan, wanted[scan][0], wrote)

    with ThreadPoolExecutor(fixity.READERS) as copiers:
        for scan, fault in zip(wanted, copiers.map(copied, wanted), strict=True):
            if fault is not None:
                done.faults.append(fault)
                continue
            done.scans += 1
            done.copied_bytes += wanted[scan][1]


def _told_by_folders(source: Place) -> Rows:
    rows: Rows = {}
    for scan in source.kept_keys():
        try:
            manifest = Manifest.from_bytes((source.of_scan(scan) / fixity.MANIFEST).read_bytes())
            rows[scan] = manifest.sha256, manifest.stored_bytes
        except (OSError, InvalidValue):
            rows[scan] = "", 0  # no manifest has this digest, so it is told as a fault
    return rows


def _shut_again(place: Place, settings: "ArchiveSettings | None") -> None:
    """Have the catalogue know what only the second place knows, before the folder is an archive that can be opened."""
    if settings and settings.audit_second_place:
        with closing(Catalogue.open(place.catalogue, actor="restore")) as catalogue:
            redaction_witness.shut_again(settings.audit_second_place, catalogue)


def _finish(place: Place, state: BackupState, settings: "ArchiveSettings | None") -> None:
    """Put the catalogue where it belongs, and make the folder an archive."""
    if settings and settings.database_url:
        if not place.mark.exists():
            hand_over(place.catalogue, settings.database_url.get_secret_value(), again=True)
        for file in place.root.glob("catalogue.*"):
            file.unlink()
    place.write_mark(state.archive)
