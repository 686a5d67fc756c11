"""A project asks for slides and gets those that consent allows, under codes of its own that lead to no other project's.

Every scan is decided each time the query is run, so a cohort is never out of date: what consent no longer allows is not
in it. What is refused is counted by the row that refuses it, and never listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from archive.catalogue import LABORATORY, codes, counting
from archive.catalogue.counting import Found
from archive.catalogue.searching import in_parts
from archive.codes import Code, InternalKey, Kind
from archive.cohorts.asking import Asking, Rules
from archive.cohorts.counts import Counts, checked, counts_of, tell
from archive.cohorts.query import Query
from archive.cohorts.rows import CohortRow, write_csv, write_parquet
from archive.consent import Purpose, Recipient
from archive.errors import ConsentRefused, InvalidValue
from archive.holdings import Archive

if TYPE_CHECKING:
    from archive.pyramid.reader import Pyramid


AT_ONCE = 10_000
"""Codes that are made in one act, in about a second."""


@dataclass(frozen=True)
class Cohort:
    """The scans that a project may use, in the order of its codes, which tells nothing."""

    archive: Archive = field(repr=False)
    project: str
    purpose: Purpose
    recipient: Recipient
    counts: Counts
    rows: tuple[CohortRow, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[CohortRow]:
        return iter(self.rows)

    def open(self, row: "CohortRow | str") -> "Pyramid":
        """Open the pixels of a scan, by its row or its code; decided once more.

        Raises
        ------
        UnknownCode
            If the project has no such scan, or it may not be opened any more.
        ConsentRefused
            If the rules do not allow it any more.
        DamagedPyramid
            If it is not on the disk as it was stored.
        """
        code = row if isinstance(row, str) else row.scan
        return open_scan(self.archive, code, self.project, purpose=self.purpose, recipient=self.recipient)

    def to_csv(self, path: Path) -> None:
        """Write the rows as CSV with a header; a file of that name is replaced once the new one is complete."""
        write_csv(self.rows, path)

    def to_parquet(self, path: Path) -> None:
        """Write the rows as Parquet, which needs pyarrow; a file of that name is replaced.

        Raises
        ------
        ArchiveError
            If pyarrow is not installed.
        """
        write_parquet(self.rows, path)


def cohort(
    archive: Archive,
    query: Query | str,
    *,
    project: str,
    purpose: Purpose = Purpose.RESEARCH,
    recipient: Recipient = Recipient.PROJECT,
) -> Cohort:
    """Give the scans that a query fits and that consent allows, under the project's codes.

    Parameters
    ----------
    archive
        Open for writing: codes are made on first use, and the audit trail is told of every query.
    query
        What is wanted, as `archive.cohorts.parse` reads it.
    project
        The name of a project that was opened with `add_project`.
    purpose, recipient
        What for, and by whom.

    Raises
    ------
    QueryRefused
        If the query has faults; all are told.
    UnknownCode
        If there is no such project.
    InvalidValue
        If the purpose is none of a project, or the project is the laboratory itself.
    """
    query = checked(query, purpose, recipient)
    if project == LABORATORY:
        raise InvalidValue(
            "the laboratory's own codes are not given to a project; open one: coverslip project add NAME"
        )
    with archive.catalogue.reading() as connection:
        number = codes.project_number(connection, project)
        asking = Asking(connection, query, Rules.ask(connection, purpose, recipient))
        found = list(counting.found(connection, asking.where(asking.rules.allowed)))
        counts = counts_of(asking)
    rows = _coded(archive, project, number, found)
    with archive.catalogue.writing() as writing:
        tell(writing, query, purpose, recipient, project=project, scans=len(rows))
    return Cohort(archive, project, purpose, recipient, counts, rows)


def open_scan(
    archive: Archive,
    scan: Code | str,
    project: str,
    *,
    purpose: Purpose = Purpose.RESEARCH,
    recipient: Recipient = Recipient.PROJECT,
) -> "Pyramid":
    """Open the pixels of a scan by its code in a project; errors are those of `Cohort.open`."""
    key = archive.key_of(scan, Kind.SCAN, project)
    held = archive.scan(key)
    slide = key if held is None else held.record.slide  # what is not there is refused in the next line
    decision = archive.decide(slide, purpose, recipient, scan=key)
    if not decision.allowed:
        raise ConsentRefused(decision.sentence, row=decision.row, paragraph=decision.paragraph)
    return archive.open_pyramid(key)


def _coded(archive: Archive, project: str, number: int, found: list[Found]) -> tuple[CohortRow, ...]:
    """Give rows under a project's codes, which are made on first use; in the order of these, which is random."""
    patients, cases, slides, scans = (
        _codes(archive, project, number, kind, keys)
        for kind, keys in (
            (Kind.PATIENT, {one.patient for one in found}),
            (Kind.CASE, {one.slide.case for one in found}),
            (Kind.SLIDE, {one.slide.key for one in found}),
            (Kind.SCAN, {one.scan.key for one in found}),
        )
    )
    rows = (
        CohortRow(
            patient=patients[one.patient],
            case=cases[one.slide.case],
            slide=slides[one.slide.key],
            scan=scans[one.scan.key],
            stain=_text(one.slide.stain),
            organ=_text(one.slide.organ),
            diagnosis=_text(one.slide.diagnosis),
            width_px=one.scan.size.width,
            height_px=one.scan.size.height,
            mpp_um=one.scan.mpp.x if one.scan.mpp else None,
            objective_power=one.scan.objective_power,
            scanner=one.scan.scanner_model or one.scan.scanner_maker,
            fidelity=str(one.scan.fidelity),
        )
        for one in found
    )
    return tuple(sorted(rows, key=lambda row: (row.patient, row.case, row.slide, row.scan)))


def _codes(archive: Archive, project: str, number: int, kind: Kind, keys: set[InternalKey]) -> dict[str, str]:
    """Give the codes of things in a project; new ones are made some at a time, so that no other writer waits long."""
    with archive.catalogue.reading() as connection:
        known = codes.codes_of(connection, number, kind, keys)
    for some in in_parts(sorted(keys - known.keys()), AT_ONCE):
        with archive.catalogue.writing() as writing:
            known |= codes.add_codes(writing.connection, number, kind, some)
            writing.tell("make codes", project=project, kind=kind.name.lower(), number=len(some))
    return known


def _text(value: object | None) -> str | None:
    return None if value is None else str(value)
