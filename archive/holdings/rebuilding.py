"""A catalogue that was lost is made again from what lies on the disk: the journal, and a record beside each scan.

A whole journal gives the same catalogue, table by table. Where acts are missing, a withdrawal may be among them: every
scan that they may have touched is *unreviewed* from then on and opened for nothing until somebody has looked. Scans
that no line tells of are catalogued from their own records, unreviewed as well, and so are scans that come in before
somebody has said that the refusals were entered again. Identities are in the key vault and
have no part in this.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from archive import auditchain, fixity
from archive.catalogue import Catalogue, audit, doubt, slides
from archive.catalogue.journal_reading import Fault, FaultCode, mend
from archive.catalogue.journal_replay import Replayed, hand_over, identity_of, replay, require_unused
from archive.codes import InternalKey, new_key
from archive.errors import HoldingsUnavailable, InvalidValue
from archive.holdings import redaction_witness, witness
from archive.holdings.archive import Archive
from archive.holdings.backup_state import BackupState, heads_of
from archive.holdings.checking.databases import DatabaseFile
from archive.holdings.checking.rounds import Rounds
from archive.holdings.place import Place, claimed, disk_errors
from archive.holdings.reviewing import catalogue_unreviewed, mark_unreviewed
from archive.records import ScanStatus

if TYPE_CHECKING:
    from archive.settings import ArchiveSettings

Progress = Callable[[int, int], None]
"""Called with how many scans were looked at, and of how many."""

_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True)
class Rebuilt:
    """What a rebuilding found: counts, and what is not as it should be.

    ``unreviewed`` counts scans that somebody must look at, ``from_records`` those among them that no line of the
    journal told of. ``unreadable`` counts folders that do not say what they hold, ``missing`` scans without a folder,
    ``differing`` scans whose manifest is not the catalogued one. ``set_aside`` is where the old catalogue lies now.
    """

    acts: int
    slides: int
    scans: int
    journal_faults: tuple[Fault, ...]
    audit_faults: tuple[auditchain.Fault, ...]
    unreviewed: int
    from_records: int
    unreadable: int
    missing: int
    differing: int
    set_aside: Path | None

    @property
    def complete(self) -> bool:
        """Whether the catalogue is what it was, as far as anything on the disk can tell."""
        return not (self.journal_faults or self.audit_faults or self.unreviewed or self.unreadable)


@dataclass
class _Looked:
    """What lies in the folders of the scans, held against the rows."""

    without_row: list[InternalKey]
    missing: int = 0
    differing: int = 0


def rebuild_catalogue(
    root: Path,
    settings: "ArchiveSettings | None" = None,
    *,
    replace: bool = False,
    identity: InternalKey | None = None,
    backup: Path | None = None,
    progress: Progress | None = None,
) -> Rebuilt:
    """Make an archive's catalogue again; no other program may have the archive open meanwhile.

    Killed at any instant, it leaves the old catalogue or the new one, or is run again.

    Parameters
    ----------
    root
        The archive's folder.
    settings
        As for `Archive.open`; a PostgreSQL database must be empty.
    replace
        Set a catalogue that is there aside; without this it is an error that there is one.
    backup
        The archive's backup, whose copy of the journal makes good what is damaged or missing in the archive's own.
    identity
        Which archive this is, where neither its mark nor its journal may be left to tell.
    progress
        Told how far it is.

    Raises
    ------
    InvalidValue
        If there is a catalogue, and it was not said that it may be replaced.
    HoldingsUnavailable, CatalogueUnavailable
        If the disk or the database cannot be used, or another program uses the catalogue.
    """
    place = Place(root)
    identity = identity or _identity(place)
    made = place.root / "catalogue.rebuilding.sqlite"
    with disk_errors(), claimed(root), _as_sqlite(made):
        _require_replaceable(place, settings, replace)
        lost = _mend_journal(place, backup, identity) if backup is not None else None
        replayed = replay(place.journal, identity, made)
        for fault in filter(None, (lost, _cut_off(made, _heads(settings, backup)))):
            replayed = replayed.with_fault(fault)
        looked = _look(place, made, progress or (lambda done, of: None))
        from_records, unreadable = 0, 0
        with closing(Catalogue.open(made, actor="rebuild")) as catalogue:
            unreviewed = _doubt(catalogue, replayed)
            if replayed.faults:
                from_records, unreadable = catalogue_unreviewed(place, catalogue, looked.without_row)
            redaction_witness.shut_again(settings.audit_second_place if settings else None, catalogue)
        set_aside = _put_in_place(place, settings, made)
        if not place.mark.exists():
            place.write_mark(identity)
    with Archive.open(root, settings=settings) as archive:  # which begins the journal anew where it was damaged
        with archive.catalogue.reading() as connection:
            slide_count, scan_count = slides.count(connection)
        rebuilt = Rebuilt(
            acts=replayed.number,
            slides=slide_count,
            scans=scan_count,
            journal_faults=replayed.faults,
            audit_faults=_audit_faults(archive, _heads(settings, backup)),
            unreviewed=unreviewed + from_records,
            from_records=from_records,
            unreadable=unreadable,
            missing=looked.missing,
            differing=looked.differing,
            set_aside=set_aside,
        )
    if place.checks.exists() and place.catalogue.exists():
        rounds = Rounds(place.checks)
        with rounds.alone():  # a check would take the new file for an old one that was put back
            DatabaseFile(place.catalogue, rounds).seal()
    return rebuilt


def _identity(place: Place) -> InternalKey:
    """Tell which archive this is, by its mark or, where that is lost as well, by its journal."""
    try:
        return place.identity()
    except HoldingsUnavailable:
        found = identity_of(place.journal)
        if found is None or not place.scans.is_dir():
            raise
        return found


def _mend_journal(place: Place, backup: Path, identity: InternalKey) -> Fault | None:
    if BackupState.read(backup).archive != identity:
        raise InvalidValue("this folder holds the backup of another archive; name another one")
    return mend(place.journal, Place(backup).journal)


def _cut_off(made: Path, heads: tuple[auditchain.Head, ...]) -> Fault | None:
    """Tell whether heads in another place know of acts after the last one that the journal tells of."""
    with closing(Catalogue.open(made, read_only=True)) as catalogue, catalogue.reading() as connection:
        head = audit.head(connection)
    newest = max((one.number for one in heads), default=0)
    if newest <= head.number:
        return None
    return Fault("journal", FaultCode.MISSING, f"entry {newest} of the audit trail", f"entry {head.number}")


def _heads(settings: "ArchiveSettings | None", backup: Path | None) -> tuple[auditchain.Head, ...]:
    """Give the heads that were kept elsewhere; a second place that is gone with the rest shows nothing."""
    second = settings.audit_second_place if settings else None
    seen = witness.heads(second) if second is not None and second.exists() else ()
    return seen + (heads_of(backup) if backup is not None else ())


def _require_replaceable(place: Place, settings: "ArchiveSettings | None", replace: bool) -> None:
    if (settings and settings.database_url) or not place.catalogue.exists():
        return
    if not replace:
        raise InvalidValue("this archive has a catalogue; say --yes to set it aside and make it again")
    require_unused(place.catalogue)


def _look(place: Place, made: Path, progress: Progress) -> _Looked:
    """Hold the folders of the scans against the rows."""
    with closing(Catalogue.open(made, read_only=True)) as catalogue, catalogue.reading() as connection:
        rows = slides.manifests(connection)
    looked = _Looked([])
    folders = list(place.kept_keys())
    for count, key in enumerate(folders, start=1):
        row = rows.pop(key, None)
        if row is None:
            looked.without_row.append(key)
        elif _manifest_digest(place.of_scan(key)) != row[0]:
            looked.differing += 1
        progress(count, len(folders))
    looked.missing = len(rows)
    return looked


def _doubt(catalogue: Catalogue, replayed: Replayed) -> int:
    """Mark every scan of which the journal does not tell for certain what is recorded now, and what its patient said.

    A patient is certain who came after the last fault; whatever comes in later is in doubt until the loss is settled.
    """
    if not replayed.faults:
        return 0
    with catalogue.writing() as writing:
        doubt.record_loss(writing.connection)
        writing.tell("acts were lost", faults=len(replayed.faults))
    with catalogue.reading() as connection:
        links = slides.links_of_scans(connection, but=ScanStatus.WITHDRAWN)
    doubted = [
        scan
        for scan, slide, case, patient in links
        if not replayed.is_certain(("scans", scan), ("slides", slide), ("cases", case), ("patients", patient))
    ]
    mark_unreviewed(catalogue, doubted)
    return len(doubted)


def _put_in_place(place: Place, settings: "ArchiveSettings | None", made: Path) -> Path | None:
    """Give the archive its new catalogue; the old one is set aside whole."""
    if settings and settings.database_url:
        hand_over(made, settings.database_url.get_secret_value())
        return None
    old = [file for ending in _FILES if (file := _with(place.catalogue, ending)).exists()]
    aside = place.aside / f"catalogue-{new_key()[:8]}" if old else None
    if aside is not None:
        aside.mkdir(mode=0o750, parents=True)
        for file in reversed(old):  # the log first: beside a new catalogue it would be taken for that one's
            file.rename(aside / file.name)
        fixity.flush(aside)
        fixity.flush_one(place.aside)
    fixity.flush_one(made)
    made.replace(place.catalogue)
    fixity.flush_one(place.root)
    return aside


def _manifest_digest(folder: Path) -> str | None:
    try:
        return hashlib.sha256((folder / fixity.MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return None


@contextmanager
def _as_sqlite(file: Path) -> Iterator[None]:
    """See that nothing is in the place of a file at the start, and nothing is left of it at the end."""
    for ending in _FILES:
        _with(file, ending).unlink(missing_ok=True)
    try:
        yield
    finally:
        for ending in _FILES:
            _with(file, ending).unlink(missing_ok=True)


def _with(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _audit_faults(archive: Archive, heads: tuple[auditchain.Head, ...]) -> tuple[auditchain.Fault, ...]:
    with archive.catalogue.reading() as connection:
        return auditchain.verify(audit.entries(connection), audit.first_head(connection), heads)
