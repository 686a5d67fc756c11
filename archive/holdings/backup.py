"""A second copy that was never read back is a hope; this one is digested as it is written and read again afterwards.

::

    backup.json           which archive this is a copy of, and the state of the newest finished copy
    catalogue.sqlite      SQLite's own copy of the catalogue; where that is in PostgreSQL, the journal carries it
    journal/              the journal up to the same act
    heads                 the heads of the audit trail, a line for each finished backup
    scans/<xx>/<key>/     the scans, as in the archive; each is copied once, and once more after a blacking out
    staging/, aside/      copies on their way, and copies that were found damaged

A backup is of one state: the catalogue as it was at one act, the journal up to that act, and every scan of it. Slides
may come in meanwhile. What was removed from the archive stays in the backup unless it is said otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Connection

from archive import auditchain, fixity
from archive.auditchain import Head
from archive.catalogue import Catalogue, audit, redactions, slides
from archive.codes import InternalKey, new_handle
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.holdings.archive import Archive
from archive.holdings.backup_state import MARK, BackupState, copy_journal, heads_of
from archive.holdings.commit import remove
from archive.holdings.copying import CopyFault, Wrote, chosen, copy_file, copy_scan, set_aside, verify_copy
from archive.holdings.known_backups import note_backup
from archive.holdings.new_version import remove_copies_aside, version_of
from archive.holdings.place import Claim, Place, disk_errors

SAMPLE_SHARE, SAMPLE_LEAST = 0.01, 20
"""How many copies are read again where not all are; each backup chooses others."""


Begun = Callable[[str, int], None]
"""Called with what begins, such as ``copying``, and how many bytes it is about."""


class Verify(StrEnum):
    """How much of the copy is read again."""

    SAMPLE = "sample"
    FULL = "full"


@dataclass
class BackedUp:
    """What a backup did: scans and bytes copied, scans that were there, copies read again, and what was wrong.

    ``faults`` are of scans that are not in the copy now; ``renewed`` counts copies that were found damaged and made
    again. ``removed`` counts scans that the archive has no longer; they were taken out of the copy if that was asked.
    ``blacked_out`` counts copies of a version on which something was made black since; they were replaced and deleted.
    """

    copied: int = 0
    copied_bytes: int = 0
    there: int = 0
    verified: int = 0
    renewed: int = 0
    removed: int = 0
    blacked_out: int = 0
    faults: list[CopyFault] = field(default_factory=list)


def second_copy_has(folder: Path, scan: InternalKey) -> bool:
    """Tell whether a backup has a scan, whose copy was verified when it was made; cheap."""
    return (folder / MARK).is_file() and (Place(folder).of_scan(scan) / fixity.MANIFEST).is_file()


def back_up(
    archive: Archive,
    folder: Path,
    *,
    verify: Verify = Verify.SAMPLE,
    mirror_removals: bool = False,
    begun: Begun = lambda what, total_bytes: None,
    wrote: Wrote = lambda count: None,
) -> BackedUp:
    """Bring a backup up to the archive's state; what is there already is not copied again.

    Parameters
    ----------
    archive
        What is copied. Others may write to it meanwhile.
    folder
        The backup's, empty or not there at first; never within the archive.
    verify
        How many copies are read again at the end.
    mirror_removals
        Remove from the backup what the archive has no row of any more.
    begun, wrote
        Told how many bytes there are to copy or to read again, and then how far it is.

    Raises
    ------
    InvalidValue
        If the folder holds something else, or another archive's backup.
    HoldingsUnavailable, CatalogueUnavailable
        If a disk or the database cannot be used, another backup is being made in this folder, or the archive's audit
        trail is not a continuation of the one that was backed up.
    """
    target = Place(folder)
    with disk_errors():
        state = _prepare(archive, target)
        claim = Claim.take(folder)
        if claim is None:
            raise HoldingsUnavailable("another backup is being made in this folder; wait for it to end")
        try:
            return _carry_out(archive, target, state, verify, mirror_removals, begun, wrote)
        finally:
            claim.release()


def _prepare(archive: Archive, target: Place) -> BackupState:
    identity, root, folder = archive.catalogue.identity, archive.place.root.resolve(), target.root.resolve()
    if folder.is_relative_to(root) or root.is_relative_to(folder):
        raise InvalidValue("a backup lies outside the archive, best on another disk; name another folder")
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    if not (folder / MARK).exists():
        if any(left.name != f"{MARK}.new" for left in folder.iterdir()):
            raise InvalidValue("a backup begins in an empty folder; name another one")
        BackupState(identity).write(folder)
    state = BackupState.read(folder)
    if state.archive != identity:
        raise InvalidValue("this folder holds the backup of another archive; name another one")
    for part in (target.staging, target.scans, target.journal):
        part.mkdir(mode=0o750, exist_ok=True)
    fixity.flush_one(folder)
    return state


def _carry_out(
    archive: Archive,
    target: Place,
    state: BackupState,
    verify: Verify,
    mirror_removals: bool,
    begun: Begun,
    wrote: Wrote,
) -> BackedUp:
    _sweep(target)  # what a backup left that was killed
    note_backup(archive.place, target.root, acts=0)  # first: also one that is never finished has copies
    copy = target.staging / "catalogue.sqlite"
    is_sqlite = archive.catalogue.copy_to(copy)
    rows, replaced, acts, head = _state_of(archive, copy if is_sqlite else None, target)
    done = BackedUp()
    there = set(target.kept_keys())
    old = {key: rows[key] for key in replaced.keys() & there if version_of(target.of_scan(key)) != rows[key][0]}
    for scan in replaced:
        remove_copies_aside(target, scan)
    _copy_all(archive.place, target, {scan: rows[scan] for scan in rows.keys() - there}, done, begun, wrote)
    done.there = len(rows.keys() & there)
    _remove_gone(target, there - rows.keys(), done, mirror_removals)
    _verify(archive.place, target, {scan: rows[scan] for scan in rows.keys() - old.keys()}, done, verify, begun, wrote)
    if is_sqlite:
        copy_file(copy, target.catalogue)
    copy_journal(archive.place.journal, target.journal, acts)
    _replace(archive.place, target, old, done, begun, wrote)  # last, so that the catalogue there knows of each version
    with (target.root / "heads").open("a", encoding="ascii") as heads:
        heads.write(f"{head}\n")
    fixity.flush_one(target.root / "heads")
    BackupState(state.archive, datetime.now(UTC), acts, head).write(target.root)
    if not done.faults:
        note_backup(archive.place, target.root, acts)
    _sweep(target)
    return done


def _sweep(target: Place) -> None:
    for left in target.staging.iterdir():
        remove(left) if left.is_dir() else left.unlink()


Rows = dict[InternalKey, tuple[str, int]]
"""Digest of the manifest and stored bytes of each scan."""


Versions = Mapping[InternalKey, frozenset[str]]
"""Of each scan the digests of the manifests of versions that were replaced, because something is black now."""


def _state_of(archive: Archive, copy: Path | None, target: Place) -> tuple[Rows, Versions, int, Head]:
    """Read the state that is being copied, and see that its trail goes on from the one that was copied before."""
    with closing(Catalogue.open(copy, read_only=True)) if copy else nullcontext(archive.catalogue) as catalogue:
        if catalogue.faults():
            raise HoldingsUnavailable("SQLite finds the catalogue damaged; run: coverslip rebuild-catalogue")
        with catalogue.reading() as connection:
            head = audit.head(connection)
            heads = heads_of(target.root)
            faults = auditchain.verify(audit.entries(connection), audit.first_head(connection), heads)
        acts = catalogue.acts
        with catalogue.reading() as connection:  # last, so that no act is copied without its scan
            rows = slides.manifests(connection)
            replaced = _replaced(connection, rows)
    if faults:
        raise HoldingsUnavailable(
            f"the audit trail does not go on from the last backup's ({faults[0].code} at entry {faults[0].number}), as "
            "if the archive were put back to an old state; nothing was copied, so that the backup stays good"
        )
    return rows, replaced, acts, head


def _replaced(connection: Connection, rows: Rows) -> Versions:
    """Give the versions that no copy is to have; the one that is catalogued is none, as long as it is not black yet."""
    return {scan: found - {rows[scan][0]} for scan, found in redactions.replaced(connection).items() if scan in rows}


def _copy_all(source: Place, target: Place, rows: Rows, done: BackedUp, begun: Begun, wrote: Wrote) -> None:
    begun("copying", sum(stored_bytes for _, stored_bytes in rows.values()))

    def copied(scan: InternalKey) -> CopyFault | None:
        return copy_scan(source, target, scan, rows[scan][0], wrote)

    with ThreadPoolExecutor(fixity.READERS) as copiers:
        try:
            for scan, fault in zip(rows, copiers.map(copied, rows), strict=True):
                if fault is not None:
                    done.faults.append(fault)
                    continue
                done.copied += 1
                done.copied_bytes += rows[scan][1]
        except BaseException:
            copiers.shutdown(cancel_futures=True)  # what is being copied is finished, and nothing more is begun
            raise


def _remove_gone(target: Place, gone: Iterable[InternalKey], done: BackedUp, remove_them: bool) -> None:
    for scan in gone:
        done.removed += 1
        if remove_them:
            aside = target.staging / new_handle()
            target.of_scan(scan).rename(aside)
            remove(aside)


def _replace(source: Place, target: Place, old: Rows, done: BackedUp, begun: Begun, wrote: Wrote) -> None:
    """Put the version that is black in the place of each older one, which is deleted."""
    if old:
        begun("blacking out", sum(stored_bytes for _, stored_bytes in old.values()))
    for scan, (manifest, _) in old.items():
        fault = copy_scan(source, target, scan, manifest, wrote) or verify_copy(target, scan, manifest)
        done.blacked_out += fault is None
        done.faults += [fault] if fault else []


def _verify(
    source: Place, target: Place, rows: Rows, done: BackedUp, verify: Verify, begun: Begun, wrote: Wrote
) -> None:
    """Read copies again; one that is not right is set aside and made again at once."""
    copies = sorted(rows.keys() & set(target.kept_keys()))
    wanted = copies if verify is Verify.FULL else chosen(copies, SAMPLE_LEAST, SAMPLE_SHARE)
    begun("reading again", sum(rows[scan][1] for scan in wanted))
    for scan in wanted:
        if verify_copy(target, scan, rows[scan][0]) is not None:
            set_aside(target, scan)
            fault = copy_scan(source, target, scan, rows[scan][0], lambda count: None)
            done.renewed += fault is None
            done.faults += [fault] if fault else []
        done.verified += 1
        wrote(rows[scan][1])
