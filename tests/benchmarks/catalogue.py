"""How fast a catalogue of a million slides answers: a case's slides, counts of cohorts, and a page of the list.

The catalogue is made in bulk, by no more than the tables' own form, with slides spread over patients, organs, stains
and scanners about as in a surgical department; the lines that cohorts are counted over are made by the program itself.
"""

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from stdnum import luhn

from archive.catalogue import LABORATORY, Catalogue, codes, searching, slides
from archive.catalogue.rows import case_row, scan_row, slide_row
from archive.catalogue.schema import metadata
from archive.codes import ALPHABET, RANDOM_CHARACTERS, InternalKey, Kind, new_key
from archive.cohorts.asking import Asking, Rules
from archive.cohorts.query import parse
from archive.consent import Facts, MightIdentify, Purpose, Recipient
from archive.consent.terms import Authority, Consent, Jurisdiction, Recorded, TissueSource, Vital
from archive.geometry import MicronsPerPixel, Size
from archive.records import CaseRecord, Concept, Fidelity, ScanRecord, Scheme, SlideRecord, Stain
from tests.benchmarks.report import Row

QUERIES = {
    "one field, organ = colon": ("organ = colon", 150),
    "one field, stain = HE": ("stain = HE", 150),
    "one field, diagnosis = adenocarcinoma": ("diagnosis = adenocarcinoma", 150),
    "one field, scanner = GT450": ("scanner = GT450", 150),
    "one field, objective = 40": ("objective = 40", 150),
    "one field, mpp < 0.26": ("mpp < 0.26", 150),
    "five fields, one of them an organ": (
        "organ = colon and stain = HE and mpp < 0.3 and scanner = GT450 and width > 30000",
        500,
    ),
    "five fields, each of them frequent": (
        "stain = HE and objective = 40 and mpp < 0.3 and fidelity = copied and width > 30000",
        500,
    ),
    "either of two, not a third": ("(organ = colon or organ = breast) and not stain = HE", 500),
}
"""What is counted, with the milliseconds that it may take."""

_LIVING = Facts(source=TissueSource.LIVING, jurisdiction=Jurisdiction.ENGLAND)
_CORONERS = Facts(
    source=TissueSource.POST_MORTEM, authority=Authority.CORONER, recorded=Recorded.AS_PART_OF_EXAMINATION
)
_FACTS = (
    *[_LIVING] * 92,
    replace(_LIVING, vital=Vital.DEAD),
    replace(_LIVING, vital=Vital.DEAD, consent=Consent.NOT_RECORDED),
    replace(_LIVING, consent=Consent.REFUSED),
    replace(_LIVING, consent=Consent.WITHDRAWN),
    _CORONERS,
    replace(_CORONERS, consent=Consent.NOT_FORESEEN),
    replace(_CORONERS, authority=Authority.HOSPITAL, consent=Consent.WITH_POST_MORTEM),
    Facts(),
)
_ORGANS = [Concept(Scheme.ICD_O_3, f"C{n}.{part}") for n in (16, 34, 44, 50, 61, 67, 73, 77) for part in (1, 4, 9)]
_ORGANS += [Concept(Scheme.ICD_O_3, f"C18.{part}") for part in (0, 2, 4, 7)]
_DIAGNOSES = [Concept(Scheme.ICD_O_3, f"{n}/3") for n in (8140, 8070, 8500, 8520, 8720, 8090, 8041, 8130)]
_STAINS = (*[Stain.HE] * 60, *list(Stain)[:40])
_SCANNERS = (("Aperio", "GT450", 0.2635), ("Aperio", "AT2", 0.5031), ("Hamamatsu", "S360", 0.2208))


def measure(count: int, folder: Path | None = None) -> list[Row]:
    """Make a catalogue of so many slides, and ask it."""
    with tempfile.TemporaryDirectory(dir=folder) as made:
        file = Path(made) / "catalogue.sqlite"
        start = time.perf_counter()
        some = fill(file, count)
        bulk = time.perf_counter() - start
        catalogue = Catalogue.open(file)
        with catalogue.writing() as writing:
            searching.describe_all(writing.connection)
            writing.tell("describe")
        described = time.perf_counter() - start - bulk
        print(f"made in {bulk:.0f} s, described in {described:.0f} s: {file.stat().st_size / 1e6:,.0f} MB")
        catalogue.close()
        catalogue = Catalogue.open(file, read_only=True)
        rows = [_row("a case's slides with their codes, by its key", 20, lambda: find(catalogue, some))]
        rows.append(_row("a page of 100 slides", 100, lambda: page(catalogue)))
        rows += [_row(what, most, lambda text=text: ask(catalogue, text)) for what, (text, most) in QUERIES.items()]
        with_refusals = "one field with what is refused by each row, organ = colon"
        rows.append(_row(with_refusals, 500, lambda: ask(catalogue, "organ = colon", refusals=True)))
        catalogue.close()
    return rows


def fill(file: Path, count: int) -> list[InternalKey]:
    """Make a catalogue of so many slides; give the keys of some cases."""
    Catalogue.open(file).close()
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=OFF")
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-400000")
    database.execute("PRAGMA foreign_keys=OFF")
    indexes = database.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        database.execute(f"DROP INDEX {name}")
    chance = random.Random(7)
    chains = _chains(chance, count)
    some: list[InternalKey] = []
    database.execute("BEGIN")
    while chunk := list(islice(chains, 20_000)):
        for table, rows in _by_table(chunk).items():
            names = [column.name for column in metadata.tables[table].columns]
            marks = ", ".join("?" * len(names))
            database.executemany(
                f"INSERT OR IGNORE INTO {table} VALUES ({marks})", ([r[n] for n in names] for r in rows)
            )
        some.append(chunk[0][0].key)
    for _, sql in indexes:
        database.execute(sql)
    database.execute("COMMIT")
    database.close()
    return some


def _chains(chance: random.Random, count: int) -> Iterator[tuple[CaseRecord, SlideRecord, list[ScanRecord]]]:
    """Make slides, about three of a case and six of a patient, and one of fifty scanned twice."""
    made = 0
    while made < count:
        patient = new_key()
        for _ in range(chance.choice((1, 1, 2, 3))):
            case = CaseRecord(new_key(), patient, chance.choice(_FACTS))
            organ, diagnosis = chance.choice(_ORGANS), chance.choice((None, *_DIAGNOSES))
            for _ in range(chance.choice((1, 2, 3, 3, 4, 6))):
                slide = SlideRecord(new_key(), case.key, None, chance.choice(_STAINS), organ, diagnosis)
                yield case, slide, [_scan(chance, slide.key) for _ in range(1 + (chance.random() < 0.02))]
                made += 1


def _scan(chance: random.Random, slide: InternalKey) -> ScanRecord:
    maker, model, mpp = chance.choice(_SCANNERS)
    return ScanRecord(
        key=new_key(),
        slide=slide,
        size=Size(chance.randrange(20_000, 150_000), chance.randrange(20_000, 90_000)),
        level_count=4,
        mpp=MicronsPerPixel(mpp, mpp),
        objective_power=20.0 if mpp > 0.4 else 40.0,
        scanner_maker=maker,
        scanner_model=model,
        fidelity=Fidelity.COPIED if chance.random() < 0.9 else Fidelity.LOSSLESS,
        might_identify=MightIdentify.screened("structure-1"),
        deidentified=True,
        stored_bytes=10**9,
        manifest_sha256="a" * 64,
    )


def _by_table(chains: Iterable[tuple[CaseRecord, SlideRecord, list[ScanRecord]]]) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in ("patients", "cases", "slides", "scans", "codes")}
    known: set[str] = set()

    def code(kind: Kind, key: InternalKey) -> None:
        body = "".join(random.choices(ALPHABET, k=RANDOM_CHARACTERS))
        body += luhn.calc_check_digit(body, ALPHABET)
        rows["codes"].append({"project": 1, "kind": kind, "key": key, "code": f"{kind}-{body[:5]}-{body[5:]}"})

    for case, slide, scans in chains:
        if case.patient not in known:
            known.add(case.patient)
            rows["patients"].append({"key": case.patient})
            code(Kind.PATIENT, case.patient)
        if case.key not in known:
            known.add(case.key)
            rows["cases"].append(case_row(case))
            code(Kind.CASE, case.key)
        rows["slides"].append(slide_row(slide))
        code(Kind.SLIDE, slide.key)
        for scan in scans:
            rows["scans"].append(scan_row(scan))
            code(Kind.SCAN, scan.key)
    return rows


def find(catalogue: Catalogue, cases: list[InternalKey]) -> int:
    """Find the slides of a case, as after its number was looked up in the vault."""
    with catalogue.reading() as connection:
        case = random.choice(cases)
        return sum(
            len(slides.held(connection, codes.project_number(connection, LABORATORY), slide))
            for slide in slides.slides_of_case(connection, case)
        )


def page(catalogue: Catalogue) -> int:
    """Read a page of the list."""
    with catalogue.reading() as connection:
        return len(slides.held(connection, 1, limit=100))


def ask(catalogue: Catalogue, text: str, *, refusals: bool = False) -> int:
    """Count a cohort, decided."""
    with catalogue.reading() as connection:
        asking = Asking(connection, parse(text), Rules.ask(connection, Purpose.RESEARCH, Recipient.PROJECT))
        if refusals:
            asking.refused()
        return asking.usable().patients


def _row(what: str, most_ms: int, act: Callable[[], int]) -> Row:
    act()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        act()
        times.append((time.perf_counter() - start) * 1e3)
    middle = sorted(times)[2]
    return Row(f"{what}, ms", middle, "limit", most_ms, middle / most_ms, "at most 1")
