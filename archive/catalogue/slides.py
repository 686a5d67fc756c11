"""Cases, slides and scans: put in, described anew, found, listed. One function for each sentence.

Whatever adds or changes is called inside a writing transaction, where writers take turns, so looking first and adding
afterwards is safe.
"""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, func, insert, select, update

from archive.catalogue import consents, redactions, searching
from archive.catalogue.codes import codes_of
from archive.catalogue.rows import case_from, case_row, scan_from, scan_row, slide_from, slide_row
from archive.catalogue.schema import blocks, cases, codes, patients, scans, slides
from archive.codes import Code, InternalKey, Kind
from archive.consent import Facts, MightIdentify
from archive.consent.terms import Grade
from archive.errors import FactsConflict, InvalidValue
from archive.records import CaseRecord, HeldScan, HeldSlide, ScanRecord, ScanStatus, SlideRecord


def add_case(connection: Connection, case: CaseRecord) -> None:
    """Put a case and its patient in, if they are new.

    Raises
    ------
    FactsConflict
        If the case is known with other facts. A delivery never changes what is recorded about consent, or a list made
        before a withdrawal would undo it.
    InvalidValue
        If the case is known as another patient's.
    """
    known = find_case(connection, case.key)
    if known is None:
        _add_once(connection, patients, case.patient)
        connection.execute(insert(cases).values(case_row(case)))
        consents.derive(connection, case.key)  # the patient may have refused before the case came
    elif known.patient != case.patient:
        raise InvalidValue("this case is known as another patient's; correct the delivery list")
    elif known.told != case.told:
        raise FactsConflict(
            "what the delivery says about this case's tissue or consent differs from what is recorded; "
            "correct the list, or record the change first"
        )


def add_slide(connection: Connection, slide: SlideRecord) -> None:
    """Put a slide and its block in, or describe it anew: what the new record leaves out stays as it was.

    Raises
    ------
    InvalidValue
        If the slide is known as another case's.
    """
    known = find_slide(connection, slide.key)
    if known is not None and known.case != slide.case:
        raise InvalidValue("this slide is known as another case's; correct the delivery list")
    if slide.block is not None:
        _add_once(connection, blocks, slide.block, case_key=slide.case)
    if known is None:
        connection.execute(insert(slides).values(slide_row(slide)))
        return
    told = {name: value for name, value in slide_row(slide).items() if value is not None}
    connection.execute(update(slides).where(slides.c.key == slide.key).values(told))
    searching.describe_slides(connection, [slide.key])


def add_scan(connection: Connection, scan: ScanRecord) -> None:
    """Put a scan in, which is the moment from which it exists."""
    connection.execute(insert(scans).values(scan_row(scan)))
    searching.describe_slides(connection, [scan.slide])


def move_slide(connection: Connection, slide: SlideRecord) -> None:
    """Record anew where a known slide belongs and what is on it; what the record leaves out is not known any more."""
    if slide.block is not None:
        _add_once(connection, blocks, slide.block, case_key=slide.case)
        connection.execute(update(blocks).where(blocks.c.key == slide.block).values(case_key=slide.case))
    told = {name: value for name, value in slide_row(slide).items() if name != "key"}
    connection.execute(update(slides).where(slides.c.key == slide.key).values(told))
    searching.describe_slides(connection, [slide.key])


def move_case(connection: Connection, case: InternalKey, patient: InternalKey) -> None:
    """Record that a known case is of another patient, who may be new."""
    _add_once(connection, patients, patient)
    connection.execute(update(cases).where(cases.c.key == case).values(patient_key=patient))
    consents.derive(connection, case)
    searching.describe_case(connection, case)


def set_facts(connection: Connection, case: InternalKey, facts: Facts) -> None:
    """Replace what was told about a case's tissue and consent; what consent records say since stays."""
    consents.derive(connection, case, facts)
    searching.describe_case(connection, case)


def set_status(connection: Connection, scan: InternalKey, status: ScanStatus) -> None:
    """Record whether a scan may be opened at all; one on which something is not black yet that is to be, may not."""
    if status is ScanStatus.KEPT and redactions.waits(connection, scan):
        status = ScanStatus.REDACTING
    connection.execute(update(scans).where(scans.c.key == scan).values(status=str(status)))
    slide = connection.scalar(select(scans.c.slide_key).where(scans.c.key == scan))
    searching.describe_slides(connection, [] if slide is None else [InternalKey(slide)])


def set_grade(connection: Connection, scan: InternalKey, grade: MightIdentify, *, rescreen: bool) -> None:
    """Record whether a scan's picture might identify, and whether it is to be screened again."""
    told = {"might_identify": str(grade), "rescreen": rescreen}
    connection.execute(update(scans).where(scans.c.key == scan).values(told))
    slide = connection.scalar(select(scans.c.slide_key).where(scans.c.key == scan))
    searching.describe_slides(connection, [] if slide is None else [InternalKey(slide)])


def screen_again(connection: Connection, scan: InternalKey) -> None:
    """Have a scan screened again whose picture is another; what was seen on it counts until then, and nothing else."""
    record = find_scan(connection, scan)
    if record is not None:
        seen = record.might_identify.grade is Grade.YES
        set_grade(connection, scan, record.might_identify if seen else MightIdentify(), rescreen=True)


def set_version(connection: Connection, scan: InternalKey, manifest_sha256: str, stored_bytes: int) -> None:
    """Record which files a scan has now."""
    told = {"manifest_sha256": manifest_sha256, "stored_bytes": stored_bytes}
    connection.execute(update(scans).where(scans.c.key == scan).values(told))


def find_case(connection: Connection, key: InternalKey) -> CaseRecord | None:
    """Give a case, or None if there is none of that key."""
    row = _one(connection, cases, key)
    return None if row is None else case_from(row._mapping)


def find_slide(connection: Connection, key: InternalKey) -> SlideRecord | None:
    """Give a slide, or None if there is none of that key."""
    row = _one(connection, slides, key)
    return None if row is None else slide_from(row._mapping)


def find_scan(connection: Connection, key: InternalKey) -> ScanRecord | None:
    """Give a scan, or None if there is none of that key."""
    row = _one(connection, scans, key)
    return None if row is None else scan_from(row._mapping)


def case_of(connection: Connection, slide: InternalKey) -> CaseRecord | None:
    """Give the case that a slide belongs to, or None if there is no such slide."""
    row = connection.execute(
        select(cases).join(slides, slides.c.case_key == cases.c.key).where(slides.c.key == slide)
    ).one_or_none()
    return None if row is None else case_from(row._mapping)


def slides_of_case(connection: Connection, case: InternalKey) -> tuple[InternalKey, ...]:
    """Give the keys of the slides of a case, in an order that tells nothing."""
    found = connection.scalars(select(slides.c.key).where(slides.c.case_key == case))
    return tuple(sorted(InternalKey(key) for key in found))


def scans_of(connection: Connection, slide: InternalKey) -> tuple[ScanRecord, ...]:
    """Give the scans of a slide, the one with most pixels first."""
    rows = connection.execute(select(scans).where(scans.c.slide_key == slide))
    found = (scan_from(row._mapping) for row in rows)
    return tuple(sorted(found, key=lambda scan: (-scan.size.pixels, scan.key)))


def scan_keys(connection: Connection) -> frozenset[InternalKey]:
    """Give the keys of all scans."""
    return frozenset(InternalKey(key) for key in connection.scalars(select(scans.c.key)))


def scans_with_status(
    connection: Connection, status: ScanStatus, grade: MightIdentify | None = None
) -> tuple[InternalKey, ...]:
    """Give the keys of the scans of a status, or of those of one grade, in an order that tells nothing."""
    query = select(scans.c.key).where(scans.c.status == str(status)).order_by(scans.c.key)
    if grade is not None:
        query = query.where(scans.c.might_identify == str(grade))
    return tuple(map(InternalKey, connection.scalars(query)))


def manifests(connection: Connection) -> dict[InternalKey, tuple[str, int]]:
    """Give the digest of each scan's manifest, and the bytes that are stored of the scan."""
    rows = connection.execute(select(scans.c.key, scans.c.manifest_sha256, scans.c.stored_bytes))
    return {InternalKey(row.key): (row.manifest_sha256, row.stored_bytes) for row in rows}


def links_of_scans(connection: Connection, *, but: ScanStatus) -> list[tuple[InternalKey, ...]]:
    """Give each scan with its slide, its case and its patient, but not those of one status."""
    links = (
        select(scans.c.key, slides.c.key, cases.c.key, cases.c.patient_key)
        .join(slides, slides.c.key == scans.c.slide_key)
        .join(cases, cases.c.key == slides.c.case_key)
    )
    rows = connection.execute(links.where(scans.c.status != str(but)))
    return [tuple(map(InternalKey, row)) for row in rows]


def count(connection: Connection) -> tuple[int, int]:
    """Count the slides and the scans."""
    numbers = (connection.scalar(select(func.count()).select_from(table)) for table in (slides, scans))
    slide_count, scan_count = (number or 0 for number in numbers)
    return slide_count, scan_count


def held(
    connection: Connection,
    project: int,
    slide: InternalKey | None = None,
    *,
    after: Code | None = None,
    limit: int | None = None,
) -> tuple[HeldSlide, ...]:
    """Give the slides of a project, or one of them, with their codes and scans, in the order of the codes.

    Parameters
    ----------
    after, limit
        Give only slides whose codes come after this one, and no more than so many.
    """
    rows = connection.execute(_slides_with_codes(project, slide, after).limit(limit)).all()
    by_slide: dict[str, list[HeldScan]] = defaultdict(list)
    for some in searching.in_parts(rows, searching.AT_ONCE):
        # Codes apart: joined to the scans, they would all be read, as most of them are of one project and kind.
        found = connection.execute(select(scans).where(scans.c.slide_key.in_([one.key for one in some]))).all()
        coded = codes_of(connection, project, Kind.SCAN, [scan.key for scan in found])
        for scan in found:
            if scan.key in coded:
                by_slide[scan.slide_key].append(HeldScan(Code.parse(coded[scan.key]), scan_from(scan._mapping)))
    return tuple(
        HeldSlide(
            code=Code.parse(row.code),
            case_code=Code.parse(row.case_code),
            patient_code=Code.parse(row.patient_code),
            record=slide_from(row._mapping),
            scans=tuple(sorted(by_slide[row.key], key=lambda scan: scan.code)),
        )
        for row in rows
    )


def _slides_with_codes(project: int, slide: InternalKey | None, after: Code | None) -> Select[Any]:
    of_slide, of_case, of_patient = codes.alias(), codes.alias(), codes.alias()
    query = (
        select(slides, of_slide.c.code, of_case.c.code.label("case_code"), of_patient.c.code.label("patient_code"))
        .join(cases, cases.c.key == slides.c.case_key)
        .join(of_slide, (of_slide.c.key == slides.c.key) & (of_slide.c.kind == Kind.SLIDE.value))
        .join(of_case, (of_case.c.key == cases.c.key) & (of_case.c.kind == Kind.CASE.value))
        .join(of_patient, (of_patient.c.key == cases.c.patient_key) & (of_patient.c.kind == Kind.PATIENT.value))
        .where(of_slide.c.project == project, of_case.c.project == project, of_patient.c.project == project)
        .order_by(of_slide.c.code)
    )
    if slide is not None:
        return query.where(slides.c.key == slide)
    return query.where(of_slide.c.code > (Kind.SLIDE.value if after is None else str(after)))


def _one(connection: Connection, table: Table, key: InternalKey) -> Row[Any] | None:
    return connection.execute(select(table).where(table.c.key == key)).one_or_none()


def _add_once(connection: Connection, table: Table, key: InternalKey, **values: InternalKey) -> None:
    if _one(connection, table, key) is None:
        connection.execute(insert(table).values(key=key, **values))
