"""An archive whose catalogue holds a known mixture of slides, on SQLite and on a real PostgreSQL."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from archive.catalogue import LABORATORY, codes, slides
from archive.codes import Code, InternalKey, Kind, new_key
from archive.consent import Facts, MightIdentify
from archive.consent.terms import TissueSource
from archive.geometry import MicronsPerPixel, Size
from archive.holdings import Archive
from archive.records import CaseRecord, Concept, Fidelity, ScanRecord, ScanStatus, Scheme, SlideRecord, Stain
from archive.settings import ArchiveSettings

COLON = Concept(Scheme.ICD_O_3, "C18.2")
LUNG = Concept(Scheme.SNOMED_CT, "39607008")
CANCER = Concept(Scheme.ICD_O_3, "8140/3")
LIVING = Facts(source=TissueSource.LIVING)
SCREENED = MightIdentify.screened("structure-1")

Put = Callable[..., list[InternalKey]]


@pytest.fixture(params=["sqlite", "postgresql"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    url = None
    if request.param == "postgresql":
        url = SecretStr(request.getfixturevalue("postgresql").emptied())
    settings = ArchiveSettings(archive=tmp_path / "archive", database_url=url)
    with Archive.create(tmp_path / "archive", settings) as made:
        yield made


@pytest.fixture
def put(archive: Archive) -> Put:
    """Put slides into the catalogue, each of a patient of its own unless told otherwise; gives their keys."""

    def putting(
        count: int = 1,
        *,
        facts: Facts = LIVING,
        stain: Stain | None = Stain.HE,
        organ: Concept | None = COLON,
        diagnosis: Concept | None = None,
        grade: MightIdentify = SCREENED,
        status: ScanStatus = ScanStatus.KEPT,
        mpp: float | None = 0.25,
        objective: float | None = 40.0,
        maker: str | None = "Aperio",
        model: str | None = "GT450",
        width: int = 40_000,
        fidelity: Fidelity = Fidelity.COPIED,
        scans: int = 1,
        patient: InternalKey | None = None,
    ) -> list[InternalKey]:
        keys = []
        with archive.catalogue.writing() as writing:
            connection = writing.connection
            laboratory = codes.project_number(connection, LABORATORY)
            for _ in range(count):
                case = CaseRecord(new_key(), patient or new_key(), facts)
                slide = SlideRecord(new_key(), case.key, None, stain, organ, diagnosis)
                slides.add_case(connection, case)
                slides.add_slide(connection, slide)
                for _ in range(scans):
                    scan = ScanRecord(
                        key=new_key(),
                        slide=slide.key,
                        size=Size(width, 30_000),
                        level_count=3,
                        mpp=None if mpp is None else MicronsPerPixel(mpp, mpp),
                        objective_power=objective,
                        scanner_maker=maker,
                        scanner_model=model,
                        fidelity=fidelity,
                        quality=90 if fidelity is Fidelity.LOSSY else None,
                        might_identify=grade,
                        deidentified=True,
                        status=status,
                        manifest_sha256="a" * 64,
                    )
                    slides.add_scan(connection, scan)
                    codes.add_code(connection, laboratory, Kind.SCAN, scan.key)
                for kind, key in ((Kind.PATIENT, case.patient), (Kind.CASE, case.key), (Kind.SLIDE, slide.key)):
                    codes.add_code(connection, laboratory, kind, key)
                keys.append(slide.key)
            writing.tell("commit")
        return keys

    return putting


@pytest.fixture
def slide_of(archive: Archive) -> Callable[[str, str], InternalKey]:
    """Find the slide that a project's code stands for."""

    def finding(code: str, project: str) -> InternalKey:
        with archive.catalogue.reading() as connection:
            return codes.key_of(connection, codes.project_number(connection, project), Code.parse(code))

    return finding
