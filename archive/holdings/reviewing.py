"""A scan whose past was lost is opened for nothing until a person has looked and says what holds.

The person looks up in the laboratory's own records whether anything was withdrawn; only then is the scan kept again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from archive import fixity
from archive.catalogue import LABORATORY, Catalogue, Writing, codes, doubt, redactions, slides
from archive.codes import Code, InternalKey, Kind
from archive.errors import CatalogueUnavailable, InvalidValue, UnknownCode
from archive.fixity import Manifest
from archive.holdings.archive import Archive
from archive.holdings.commit import Chain, chain_from
from archive.holdings.deciding import facts_of_copy, require_keeping
from archive.holdings.place import RECORD, Place
from archive.records import ScanStatus

AT_ONCE = 500
"""Scans that are entered in one act."""


def unreviewed(archive: Archive) -> tuple[Code, ...]:
    """List the slides of which a scan must be looked at, by their codes."""
    return tuple(
        slide.code
        for slide in archive.slides()
        if any(scan.record.status is ScanStatus.UNREVIEWED for scan in slide.scans)
    )


def review(archive: Archive, slide: Code | str, *, keep: bool, reason: str) -> int:
    """Say what holds for the scans of a slide that were unreviewed, and give their number.

    Parameters
    ----------
    archive
        Open for writing.
    slide
        The slide's code in the laboratory.
    keep
        Whether they are kept again; otherwise they are withdrawn.
    reason
        On what the answer rests, without anything that could identify a patient.

    Raises
    ------
    UnknownCode
        If there is no such slide, or none of its scans is unreviewed.
    ConsentRefused
        If what is recorded of the case does not let the laboratory keep the slide.
    """
    key = archive.key_of(slide, Kind.SLIDE)
    status = ScanStatus.KEPT if keep else ScanStatus.WITHDRAWN
    with archive.catalogue.writing() as writing:
        found = [scan for scan in slides.scans_of(writing.connection, key) if scan.status is ScanStatus.UNREVIEWED]
        case = slides.case_of(writing.connection, key)
        if not found or case is None:
            raise UnknownCode("no scan of this slide waits to be reviewed")
        for scan in found:
            if keep:
                require_keeping(facts_of_copy(case.facts, scan))
            slides.set_status(writing.connection, scan.key, status)
        writing.tell("review", reason=reason, slide=str(Code.parse(str(slide))), status=str(status), scans=len(found))
    return len(found)


def loss_is_settled(archive: Archive) -> bool:
    """Tell whether slides come in as usual: nothing was lost, or it was entered again."""
    with archive.catalogue.reading() as connection:
        return not doubt.unsettled(connection)


def settle_loss(archive: Archive, *, reason: str) -> None:
    """Say that what patients had refused or withdrawn was entered again, so that slides come in as usual.

    Raises
    ------
    InvalidValue
        If nothing was lost, or that was said already.
    FreeTextRefused
        If the reason looks as if it held an identifier.
    """
    with archive.catalogue.writing() as writing:
        if not doubt.unsettled(writing.connection):
            raise InvalidValue("no act of this archive is lost that was not entered again; nothing was changed")
        doubt.settle(writing.connection)
        writing.tell("loss settled", reason=reason)


def mark_unreviewed(catalogue: Catalogue, scans: Sequence[InternalKey]) -> None:
    """Mark scans to be looked at."""
    for start in range(0, len(scans), AT_ONCE):
        some = scans[start : start + AT_ONCE]
        with catalogue.writing() as writing:
            for key in some:
                slides.set_status(writing.connection, key, ScanStatus.UNREVIEWED)
            writing.tell("mark unreviewed", scans=len(some))


def catalogue_unreviewed(place: Place, catalogue: Catalogue, scans: Iterable[InternalKey]) -> tuple[int, int]:
    """Catalogue scans from what lies beside their pixels, unreviewed.

    Returns
    -------
    tuple
        How many were catalogued, and how many folders do not say what they hold.
    """
    entered, unreadable = 0, 0
    waiting = list(scans)
    for start in range(0, len(waiting), AT_ONCE):
        told = [_told(place.of_scan(key), key) for key in waiting[start : start + AT_ONCE]]
        chains = [chain for chain in told if chain is not None]
        unreadable += len(told) - len(chains)
        if chains:
            with catalogue.writing() as writing:
                for chain in chains:
                    _enter(writing, chain)
                writing.tell("catalogue from records", scans=len(chains))
            entered += len(chains)
    return entered, unreadable


def _told(folder: Path, key: InternalKey) -> Chain | None:
    """Read what a folder says of itself; None if its manifest or its record is not what was written."""
    try:
        manifest = Manifest.from_bytes((folder / fixity.MANIFEST).read_bytes())
        record = next(file for file in manifest.files if file.path == RECORD)
        if fixity.check(folder, record) is not None:
            return None
        chain = chain_from((folder / RECORD).read_bytes())
        scan = replace(
            chain.scan,
            status=ScanStatus.UNREVIEWED,
            stored_bytes=manifest.stored_bytes,
            manifest_sha256=manifest.sha256,
        )
        chain = replace(chain, scan=scan)
    except (OSError, ValueError, TypeError, KeyError, StopIteration, InvalidValue, CatalogueUnavailable):
        return None
    return chain if scan.key == key else None


def _enter(writing: Writing, chain: Chain) -> None:
    """Put a scan in; what the catalogue knows of its slide and case already is newer than their records."""
    connection = writing.connection
    slide = slides.find_slide(connection, chain.slide.key) or chain.slide
    case = slides.find_case(connection, slide.case)
    if case is None:
        case = chain.case
        slides.add_case(connection, case)
    if slides.find_slide(connection, slide.key) is None:
        slides.add_slide(connection, slide)
    slides.add_scan(connection, chain.scan)
    redactions.add(connection, chain.scan.key, chain.redactions, act=0, done=True)
    project = codes.project_number(connection, LABORATORY)
    for kind, key in (
        (Kind.PATIENT, case.patient),
        (Kind.CASE, case.key),
        (Kind.SLIDE, slide.key),
        (Kind.SCAN, chain.scan.key),
    ):
        codes.add_code(connection, project, kind, key)
