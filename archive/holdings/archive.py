"""One door to everything that is kept: the catalogue and the folders of the scans, always in step.

Outside the archive nobody opens a scan or asks the catalogue but through here, so that every opening can be decided
and every change is in the audit trail.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from archive import fixity
from archive.catalogue import LABORATORY, Catalogue, codes, slides
from archive.codes import InternalKey, Kind
from archive.consent import Facts, MightIdentify
from archive.errors import HoldingsUnavailable, InvalidValue, UnknownCode
from archive.geometry import Rectangle
from archive.holdings import redaction_witness, witness
from archive.holdings.commit import Chain, Committed, StagedScan, commit, stage
from archive.holdings.deciding import status_after
from archive.holdings.place import Place, claimed, disk_errors
from archive.holdings.reading import ReadingRoom
from archive.holdings.recovery import Recovered, recover, take_up
from archive.holdings.redaction_work import resume
from archive.records import CaseRecord, ScanRecord, ScanStatus, SlideRecord

if TYPE_CHECKING:
    from archive.settings import ArchiveSettings


def _no_step(name: str) -> None:
    """Nobody watches the steps of a commit, outside tests."""


def _no_look(folder: Path) -> None:
    """Nobody looks at what is committed, outside ingest."""


class Archive(ReadingRoom):
    """An archive, open for reading or for reading and writing.

    Safe to use from several threads; a forked process opens its own.
    """

    def __init__(
        self, place: Place, catalogue: Catalogue, second_place: Path | None, step: Callable[[str], None]
    ) -> None:
        super().__init__(place, catalogue, second_place)
        self.step = step

    @classmethod
    def create(cls, root: Path, settings: "ArchiveSettings | None" = None, *, actor: str = "local") -> "Archive":
        """Make a new archive in an empty folder and open it for writing.

        Creating that was interrupted may be tried again in the same folder.

        Raises
        ------
        InvalidValue
            If the folder is an archive already, or holds something else.
        CatalogueUnavailable, HoldingsUnavailable
            If the disk or the database cannot be used.
        """
        place = Place(root)
        folders = (place.staging, place.scans, place.aside)
        with disk_errors():
            root.mkdir(parents=True, exist_ok=True)
            with claimed(root):
                ours = {folder.name for folder in (*folders, place.journal)}
                if place.mark.exists():
                    raise InvalidValue("this folder is an archive already; open it instead")
                if any(entry.name not in ours and entry.name.split(".")[0] != "catalogue" for entry in root.iterdir()):
                    raise InvalidValue("an archive is made in an empty folder; name another one")
                for folder in folders:
                    folder.mkdir(mode=0o750, exist_ok=True)
                # Its journal is begun when it is opened: until here the database might be another archive's.
                catalogue = _open_catalogue(place, settings, journal=None, actor=actor)
                try:
                    if not catalogue.unused:
                        raise InvalidValue("this database belongs to another archive; name an empty one")
                    place.write_mark(catalogue.identity)
                    fixity.flush_one(root.absolute().parent)
                finally:
                    catalogue.close()
        return cls.open(root, settings=settings, actor=actor)

    @classmethod
    def open(
        cls,
        root: Path,
        *,
        read_only: bool = False,
        settings: "ArchiveSettings | None" = None,
        actor: str = "local",
        account: str | None = None,
        step: Callable[[str], None] = _no_step,
    ) -> "Archive":
        """Open an archive.

        Parameters
        ----------
        root
            The archive's folder.
        read_only
            Change nothing; what only serves opens the archive so.
        settings
            Where the catalogue is and where the audit trail's heads are written; None for the archive's own folder.
        actor
            The role that the audit trail names, such as ``ingest``; never a patient.
        account
            The account in that role, where the archive has accounts; it has proven who it is, and the trail names both.
        step
            Called with the name of each step of a commit, right after it was done.

        Raises
        ------
        CatalogueUnavailable, HoldingsUnavailable
            If it cannot be opened, may lose data, is from a newer version, or folder and catalogue do not belong
            together.
        """
        place = Place(root)
        identity = place.identity()
        if not (place.catalogue.exists() or (settings and settings.database_url)):
            raise HoldingsUnavailable(
                "the archive's catalogue is missing; check its disk, or run: coverslip rebuild-catalogue"
            )
        catalogue = _open_catalogue(
            place, settings, journal=place.journal, read_only=read_only, actor=actor, account=account
        )
        if catalogue.identity != identity:
            catalogue.close()
            raise HoldingsUnavailable("this folder and this catalogue belong to different archives; check both paths")
        return cls(place, catalogue, settings.audit_second_place if settings else None, step)

    def acting(self, actor: str, account: str) -> AbstractContextManager[None]:
        """Have the audit trail name an account in a role for what is done meanwhile; see `Catalogue.acting`."""
        return self.catalogue.acting(actor, account)

    # Putting in

    def stage(self) -> StagedScan:
        """Make a fresh folder for a scan; a ``with`` statement discards it unless it was committed.

        Raises
        ------
        HoldingsUnavailable
            If the disk cannot be used.
        """
        return stage(self.place, self.step)

    def commit(
        self,
        staged: StagedScan,
        case: CaseRecord,
        slide: SlideRecord,
        scan: ScanRecord,
        digests: Mapping[str, str] | None = None,
        inspect: Callable[[Path], object] = _no_look,
        redactions: Sequence[Rectangle] = (),
    ) -> Committed:
        """Make a staged scan part of the archive, whole and for good, or leave the archive as it was.

        Parameters
        ----------
        staged
            Nobody writes into it any more. It is used up, also if the commit fails.
        case, slide, scan
            What is to be catalogued. A known case keeps its facts, a known slide is described anew.
        digests
            SHA-256 of stored files that were digested as they were written, by path relative to ``staged.folder``.
        inspect
            Called with the folder when every file is in it, as it will be kept; what it raises ends the commit.
        redactions
            What was made black on it, to be made black again on whatever copy is made of it.

        Raises
        ------
        ConsentRefused
            If the table does not let the laboratory keep the slide.
        FactsConflict
            If something else is recorded about the case.
        InvalidValue
            If the scan is in the archive already, or the three do not belong together.
        CatalogueUnavailable, HoldingsUnavailable
            If the disk or the database fails.
        """
        chain = Chain(case, slide, scan, tuple(sorted(set(redactions))))
        if self.place.of_scan(scan.key).exists():
            take_up(self.place, self.catalogue, scan.key)
        return commit(self.place, self.catalogue, staged, chain, digests or {}, inspect, self.step)

    def discard(self, staged: StagedScan) -> None:
        """Remove a staged scan."""
        staged.discard()

    def recover(self) -> Recovered:
        """Put right what interrupted processes left; called once when a program that writes starts."""
        redaction_witness.catch_up(self.second_place, self.catalogue)
        resumed = resume(self.place, self.catalogue, self.step)  # first, so that none of their folders is missing
        shut = tuple(code for code, _ in resumed.shut)
        return recover(self.place, self.catalogue) + Recovered(
            removed=resumed.removed, redacted=tuple(one.scan for one in resumed.done), still_shut=shut
        )

    # Changing what is recorded

    def record_facts(self, case: InternalKey, facts: Facts, *, reason: str) -> None:
        """Record anew what was told about a case's tissue and consent; consent records since then stay in force.

        Raises
        ------
        UnknownCode
            If there is no such case.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        with self.catalogue.writing() as writing:
            known = slides.find_case(writing.connection, case)
            code = codes.code_of(
                writing.connection, codes.project_number(writing.connection, LABORATORY), Kind.CASE, case
            )
            if known is None or code is None:
                raise UnknownCode(codes.NOT_HERE)
            CaseRecord(case, known.patient, facts)  # refuses facts that a case cannot have
            slides.set_facts(writing.connection, case, facts)
            before, after = known.told.to_json(), facts.to_json()
            changed = sorted(name for name in after if before[name] != after[name])
            writing.tell("record facts", reason=reason, case=str(code), changed=changed)

    def set_status(self, scan: InternalKey, status: ScanStatus, *, reason: str) -> None:
        """Record whether a scan may be opened at all: withdrawn, found damaged, or kept again.

        It is kept again only if what is recorded of its case lets the laboratory keep it.

        Raises
        ------
        UnknownCode
            If there is no such scan.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        with self.catalogue.writing() as writing:
            code = codes.code_of(
                writing.connection, codes.project_number(writing.connection, LABORATORY), Kind.SCAN, scan
            )
            if code is None:
                raise UnknownCode(codes.NOT_HERE)
            status = _as_recorded(writing.connection, scan, status)
            slides.set_status(writing.connection, scan, status)
            writing.tell("set status", reason=reason, scan=str(code), status=str(status))

    def set_grade(
        self,
        scan: InternalKey,
        grade: MightIdentify,
        *,
        rescreen: bool,
        reason: str,
        looked_at: ScanRecord | None = None,
    ) -> bool:
        """Record whether a scan's picture might identify, as a screening or whoever looked at it says.

        Parameters
        ----------
        rescreen
            Whether it is to be screened again.
        looked_at
            The scan as it was when it was looked at; if it is another since, because something was made black or
            somebody judged it, nothing is recorded.

        Returns
        -------
        bool
            Whether it was recorded.

        Raises
        ------
        UnknownCode
            If there is no such scan.
        FreeTextRefused
            If the reason looks as if it held an identifier.
        """
        with self.catalogue.writing() as writing:
            code = codes.code_of(
                writing.connection, codes.project_number(writing.connection, LABORATORY), Kind.SCAN, scan
            )
            if code is None:
                raise UnknownCode(codes.NOT_HERE)
            if looked_at is not None and slides.find_scan(writing.connection, scan) != looked_at:
                return False
            slides.set_grade(writing.connection, scan, grade, rescreen=rescreen)
            writing.tell("set grade", reason=reason, scan=str(code), grade=str(grade))
        return True


def _as_recorded(connection: Connection, scan: InternalKey, status: ScanStatus) -> ScanStatus:
    """Say what follows for a scan that is to be kept from what was recorded of its case, maybe since it was not."""
    record = slides.find_scan(connection, scan)
    case = slides.case_of(connection, record.slide) if record else None
    if status is not ScanStatus.KEPT or record is None or case is None:
        return status
    return status_after(case, replace(record, status=ScanStatus.KEPT))


def _open_catalogue(
    place: Place,
    settings: "ArchiveSettings | None",
    *,
    journal: Path | None,
    actor: str,
    account: str | None = None,
    read_only: bool = False,
) -> Catalogue:
    url = settings.database_url if settings else None
    where = place.catalogue if url is None else url.get_secret_value()
    announce = partial(witness.add, settings.audit_second_place if settings else None)
    return Catalogue.open(where, read_only=read_only, actor=actor, account=account, announce=announce, journal=journal)
