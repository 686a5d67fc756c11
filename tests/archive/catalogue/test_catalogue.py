"""Transactions: whole or not at all, audited or nothing, one writer at a time, seen by everybody at once."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from archive import auditchain
from archive.auditchain import Entry, FaultCode, Head
from archive.catalogue import Catalogue, audit, slides
from archive.errors import CatalogueUnavailable, FreeTextRefused
from archive.records import CaseRecord, ScanRecord, SlideRecord

Chain = tuple[CaseRecord, SlideRecord, ScanRecord]


def entries(catalogue: Catalogue) -> list[Entry]:
    with catalogue.reading() as connection:
        return list(audit.entries(connection))


def faults(catalogue: Catalogue, *heads: Head) -> set[FaultCode]:
    with catalogue.reading() as connection:
        first = audit.first_head(connection)
        return {fault.code for fault in auditchain.verify(audit.entries(connection), first, heads)}


def test_an_act_and_its_audit_entry_are_committed_together(
    catalogue: Catalogue, make_chain: Callable[[], Chain]
) -> None:
    case, slide, scan = make_chain()
    with catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
        slides.add_slide(writing.connection, slide)
        slides.add_scan(writing.connection, scan)
        writing.tell("commit", scans=1)
    with catalogue.reading() as connection:
        assert slides.find_case(connection, case.key) == case
        assert slides.find_slide(connection, slide.key) == slide
        assert slides.find_scan(connection, scan.key) == scan
        assert slides.scan_keys(connection) == {scan.key}
    assert [entry.number for entry in entries(catalogue)] == [1]
    assert '"act":"commit"' in entries(catalogue)[0].text


def test_an_act_that_tells_nothing_changes_nothing(catalogue: Catalogue, make_chain: Callable[[], Chain]) -> None:
    case, _, _ = make_chain()
    before = catalogue.change_count()
    with catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
    with catalogue.reading() as connection:
        assert slides.find_case(connection, case.key) is None
    assert catalogue.change_count() == before


def test_an_act_that_fails_changes_nothing(catalogue: Catalogue, make_chain: Callable[[], Chain]) -> None:
    case, _, _ = make_chain()
    with pytest.raises(ZeroDivisionError), catalogue.writing() as writing:  # noqa: PT012 (what is raised is the point)
        slides.add_case(writing.connection, case)
        writing.tell("commit")
        raise ZeroDivisionError
    with catalogue.reading() as connection:
        assert slides.find_case(connection, case.key) is None
    assert entries(catalogue) == []


def test_a_reason_that_looks_like_an_identifier_is_refused_and_nothing_is_changed(catalogue: Catalogue) -> None:
    with pytest.raises(FreeTextRefused), catalogue.writing() as writing:
        writing.tell("withdraw", reason="see S25-10432")
    assert entries(catalogue) == []


def test_a_row_needs_what_it_refers_to(catalogue: Catalogue, make_chain: Callable[[], Chain]) -> None:
    _, slide, scan = make_chain()
    with pytest.raises(CatalogueUnavailable) as failure, catalogue.writing() as writing:
        slides.add_scan(writing.connection, scan)
    assert slide.key not in str(failure.value)
    assert scan.key not in str(failure.value)


def test_every_change_is_seen_by_every_other_connection(open_catalogue: Callable[..., Catalogue]) -> None:
    one, other, reader = open_catalogue(), open_catalogue(), open_catalogue(read_only=True)
    for _ in range(3):
        before = [catalogue.change_count() for catalogue in (one, other, reader)]
        assert before == [catalogue.change_count() for catalogue in (one, other, reader)]
        with one.writing() as writing:
            writing.tell("act")
        after = [catalogue.change_count() for catalogue in (one, other, reader)]
        assert all(old != new for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_change_from_outside_is_seen_in_sqlite(catalogue: Catalogue, tamper: Callable[[str], None]) -> None:
    before = catalogue.change_count()
    tamper("UPDATE projects SET name = 'renamed'")
    assert catalogue.change_count() != before


def test_writers_take_turns_and_the_chain_stays_whole(open_catalogue: Callable[..., Catalogue]) -> None:
    def write(catalogue: Catalogue) -> None:
        for _ in range(15):
            with catalogue.writing() as writing:
                writing.tell("act")

    shared = open_catalogue()
    writers = [threading.Thread(target=write, args=[catalogue]) for catalogue in (shared, shared, open_catalogue())]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [entry.number for entry in entries(shared)] == list(range(1, 46))
    assert faults(shared) == set()


def test_a_reader_can_change_nothing(open_catalogue: Callable[..., Catalogue]) -> None:
    open_catalogue()
    reader = open_catalogue(read_only=True)
    with pytest.raises(CatalogueUnavailable, match="reading only"), reader.writing():
        pass
    with pytest.raises(CatalogueUnavailable), reader.reading() as connection:
        connection.execute(text("UPDATE archive SET changes = 7"))


def test_a_reader_does_not_make_a_catalogue(open_catalogue: Callable[..., Catalogue], place: Path | str) -> None:
    with pytest.raises(CatalogueUnavailable):
        open_catalogue(read_only=True)
    assert not isinstance(place, Path) or not place.exists()


def test_the_heads_are_announced_in_order(open_catalogue: Callable[..., Catalogue]) -> None:
    heads: list[Head] = []
    catalogue = open_catalogue(announce=heads.append)
    for _ in range(3):
        with catalogue.writing() as writing:
            writing.tell("act")
    assert heads == [entry.head for entry in entries(catalogue)]


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE audit SET text = replace(text, 'local', 'nobody') WHERE number = 3", FaultCode.CHANGED),
        ("DELETE FROM audit WHERE number = 3", FaultCode.MISSING),
        ("DELETE FROM audit WHERE number > 4", FaultCode.TRUNCATED),
        ("UPDATE audit SET number = 9 WHERE number = 3", FaultCode.MISSING),
        ("UPDATE archive SET id = '00000000000000000000000000000000'", FaultCode.CHANGED),
    ],
    ids=["edit", "delete", "truncate", "reorder", "transplant"],
)
def test_tampering_in_the_database_is_found(
    catalogue: Catalogue, tamper: Callable[[str], None], tampering: str, found: FaultCode
) -> None:
    for _ in range(6):
        with catalogue.writing() as writing:
            writing.tell("act")
    head = entries(catalogue)[-1].head
    assert faults(catalogue, head) == set()
    tamper(tampering)
    assert found in faults(catalogue, head)


def test_a_damaged_row_opens_nothing(
    catalogue: Catalogue, make_chain: Callable[[], Chain], tamper: Callable[[str], None]
) -> None:
    case, slide, scan = make_chain()
    with catalogue.writing() as writing:
        slides.add_case(writing.connection, case)
        slides.add_slide(writing.connection, slide)
        slides.add_scan(writing.connection, scan)
        writing.tell("commit")
        writing.connection.execute(text('UPDATE cases SET facts = \'{"source": "whatever"}\''))
        writing.connection.execute(text("UPDATE scans SET might_identify = 'certainly not'"))
    with catalogue.reading() as connection:
        with pytest.raises(CatalogueUnavailable, match="impossible value"):
            slides.find_case(connection, case.key)
        with pytest.raises(CatalogueUnavailable, match="impossible value"):
            slides.find_scan(connection, scan.key)


def test_a_catalogue_that_belongs_to_no_archive_is_refused(catalogue: Catalogue, tamper: Callable[[str], None]) -> None:
    tamper("DELETE FROM archive")
    with pytest.raises(CatalogueUnavailable, match="which archive"), catalogue.reading() as connection:
        audit.first_head(connection)
    with pytest.raises(CatalogueUnavailable):
        _ = catalogue.identity


def test_a_sound_file_has_no_fault_and_a_damaged_one_has(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.sqlite"
    catalogue = Catalogue.open(file)
    for _ in range(200):
        with catalogue.writing() as writing:
            writing.tell("act", filling="x" * 200)
    assert catalogue.faults() == ()
    catalogue.close()
    content = bytearray(file.read_bytes())
    content[-4096 * 3 : -4096 * 2] = os.urandom(4096)
    file.write_bytes(content)
    damaged = Catalogue.open(file, read_only=True)
    try:
        assert damaged.faults()
    except CatalogueUnavailable:
        pass
    finally:
        damaged.close()


def test_a_file_that_is_no_database_is_refused_in_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "catalogue.sqlite"
    file.write_bytes(b"not a database, not a database, not a database" * 20)
    with pytest.raises(CatalogueUnavailable, match=r"cannot be used now \(SQLITE_NOTADB\)"):
        Catalogue.open(file)
