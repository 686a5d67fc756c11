"""The journal says what the catalogue says, whatever happens in between, and tells what it has lost."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update

from archive.catalogue import LABORATORY, Catalogue, Writing, codes, collections, journal, journal_rows, slides
from archive.catalogue.journal import Journal, Line, segments
from archive.catalogue.journal_reading import FaultCode, read, verify
from archive.catalogue.journal_replay import Replayed, identity_of, replay
from archive.catalogue.schema import REVISION, metadata
from archive.catalogue.schema import cases as case_table
from archive.catalogue.schema import codes as code_table
from archive.catalogue.schema import scans as scan_table
from archive.codes import InternalKey, Kind, new_key
from archive.consent import Facts
from archive.consent.terms import Consent, TissueSource
from archive.errors import CatalogueUnavailable, InvalidValue
from archive.records import CaseRecord, ScanRecord, ScanStatus, SlideRecord

Chain = tuple[CaseRecord, SlideRecord, ScanRecord]
MakeChain = Callable[..., Chain]
Rows = dict[str, list[dict[str, Any]]]


def rows_of(catalogue: Catalogue) -> Rows:
    """Every row of every table that is not made from the others, in the order of the keys."""
    with catalogue.reading() as connection:
        return {
            table.name: [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]
            for table in metadata.sorted_tables
            if table.name == "archive" or journal_rows.is_told(table)
        }


def add(writing: Writing, chain: Chain) -> None:
    case, slide, scan = chain
    slides.add_case(writing.connection, case)
    slides.add_slide(writing.connection, slide)
    slides.add_scan(writing.connection, scan)
    for kind, key in ((Kind.PATIENT, case.patient), (Kind.CASE, case.key), (Kind.SLIDE, slide.key)):
        codes.add_code(writing.connection, codes.project_number(writing.connection, LABORATORY), kind, key)
    writing.tell("commit")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def kept(open_catalogue: Callable[..., Catalogue], folder: Path) -> Catalogue:
    """Open a catalogue that keeps a journal."""
    return open_catalogue(journal=folder)


@pytest.fixture
def replayed(folder: Path, tmp_path: Path) -> Callable[[], tuple[Replayed, Rows]]:
    """Make the catalogue again from its journal, and give every row of it."""

    def replaying() -> tuple[Replayed, Rows]:
        identity = identity_of(folder)
        assert identity is not None
        file = tmp_path / f"{new_key()}.sqlite"
        done = replay(folder, identity, file)
        made = Catalogue.open(file, read_only=True)
        rows = rows_of(made)
        made.close()
        return done, rows

    return replaying


def a_day(catalogue: Catalogue, make_chain: MakeChain) -> list[Chain]:
    """Take slides in, withdraw, correct, teach, and take back."""
    chains = [make_chain() for _ in range(5)]
    for chain in chains:
        with catalogue.writing() as writing:
            add(writing, chain)
    case, _, scan = chains[0]
    with catalogue.writing() as writing:
        slides.set_status(writing.connection, scan.key, ScanStatus.WITHDRAWN)
        slides.set_facts(writing.connection, case.key, replace(case.facts, consent=Consent.WITHDRAWN))
        writing.tell("withdraw", reason="a letter")
    with catalogue.writing() as writing:
        project = codes.add_project(writing.connection, "colon study")
        for _, other, _ in chains[1:]:
            codes.add_code(writing.connection, project, Kind.SLIDE, other.key)
        made = collections.add_collection(writing.connection, "Skin, week 3")
        places = [
            collections.add_place(writing.connection, made.handle, other.key, picture.key)
            for _, other, picture in chains[1:]
        ]
        writing.tell("compose")
    with catalogue.writing() as writing:
        collections.remove_place(writing.connection, places[1].handle)
        writing.connection.execute(delete(code_table).where(code_table.c.key == chains[2][1].key))
        writing.connection.execute(update(scan_table).values(rescreen=True))
        writing.tell("remove")
    return chains


def test_the_same_rows_come_back_in_every_table(
    kept: Catalogue, make_chain: MakeChain, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    a_day(kept, make_chain)
    done, rows = replayed()
    assert rows == rows_of(kept)
    assert len(rows["audit"]) == done.number == 8
    assert done.faults == ()
    assert len(rows["collection_slides"]) == 3


def test_a_journal_begun_late_tells_what_was_there_before(
    open_catalogue: Callable[..., Catalogue],
    folder: Path,
    make_chain: MakeChain,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    a_day(open_catalogue(), make_chain)
    late = open_catalogue(journal=folder)
    with late.writing() as writing:
        add(writing, make_chain())
    done, rows = replayed()
    assert rows == rows_of(late)
    assert done.number == 9


def test_acts_without_the_journal_are_made_good_when_it_is_opened_again(
    open_catalogue: Callable[..., Catalogue],
    folder: Path,
    make_chain: MakeChain,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    with open_catalogue(journal=folder).writing() as writing:
        add(writing, make_chain())
    a_day(open_catalogue(), make_chain)
    again = open_catalogue(journal=folder)
    assert replayed()[1] == rows_of(again)
    assert [segment.is_snapshot for segment in segments(folder)] == [True, False, True]
    assert again.keep_up_journal() is False


def test_rows_put_in_by_hundreds_come_back(
    kept: Catalogue, make_chain: MakeChain, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    patient, more = new_key(), [new_key() for _ in range(1_000)]
    with kept.writing() as writing:
        case, _, _ = make_chain()
        slides.add_case(writing.connection, replace(case, patient=patient))
        facts = Facts(source=TissueSource.LIVING).to_json()
        rows = [{"key": key, "patient_key": patient, "facts": json.dumps(facts)} for key in more]
        writing.connection.execute(insert(case_table), rows)
        writing.tell("many")
    with kept.writing() as writing:
        writing.connection.execute(delete(case_table).where(case_table.c.key.in_(more[:600])))
        writing.tell("fewer")
    assert replayed()[1] == rows_of(kept)
    assert len(replayed()[1]["cases"]) == 401


@pytest.mark.parametrize(
    "statement",
    [
        text("DELETE FROM scans"),
        update(case_table).values(key=new_key()),
        insert(case_table).from_select(["key", "patient_key", "facts"], select(case_table)),
        insert(case_table).values([{"key": new_key()}, {"key": new_key()}]),
    ],
    ids=["text", "a key", "a query", "several at once"],
)
def test_what_the_journal_could_not_tell_is_refused(
    kept: Catalogue, make_chain: MakeChain, statement: Any, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    before = rows_of(kept)
    with pytest.raises((InvalidValue, CatalogueUnavailable)), kept.writing() as writing:  # noqa: PT012
        slides.add_case(writing.connection, make_chain()[0])
        writing.connection.execute(statement)
        writing.tell("act")
    assert rows_of(kept) == before == replayed()[1]


def test_no_row_goes_because_another_goes() -> None:
    # The journal notes the rows that a statement names; rows that a database removed by itself would be missed.
    assert not [key for table in metadata.tables.values() for key in table.foreign_keys if key.ondelete or key.onupdate]


def test_an_act_that_fails_leaves_no_line(kept: Catalogue, make_chain: MakeChain, folder: Path) -> None:
    with kept.writing() as writing:
        add(writing, make_chain())
    before = segments(folder)[-1].path.read_bytes()
    with pytest.raises(ZeroDivisionError), kept.writing() as writing:  # noqa: PT012
        add(writing, make_chain())
        raise ZeroDivisionError
    with kept.writing() as writing:
        slides.add_case(writing.connection, make_chain()[0])  # and tells nothing
    assert segments(folder)[-1].path.read_bytes() == before


def test_a_line_whose_act_was_not_committed_is_made_void_by_the_next_act(
    kept: Catalogue, make_chain: MakeChain, folder: Path, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    a_day(kept, make_chain)
    lost = make_chain()[0].patient
    Journal(folder).append(9, {"put": {"patients": [{"key": lost}]}, "drop": {}})  # killed before its commit
    with kept.writing() as writing:
        add(writing, make_chain())
    done, rows = replayed()
    assert rows == rows_of(kept)
    assert lost not in {row["key"] for row in rows["patients"]}
    assert done.faults == ()


def test_a_line_whose_act_was_not_committed_is_made_void_when_the_catalogue_is_opened(
    open_catalogue: Callable[..., Catalogue],
    make_chain: MakeChain,
    folder: Path,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    with open_catalogue(journal=folder).writing() as writing:
        add(writing, make_chain())
    Journal(folder).append(2, {"put": {"patients": [{"key": new_key()}]}, "drop": {}})
    assert len(replayed()[1]["patients"]) == 2
    again = open_catalogue(journal=folder)
    assert replayed()[1] == rows_of(again)
    with again.writing() as writing:
        add(writing, make_chain())
    assert replayed()[1] == rows_of(again)
    assert verify(folder) == ()


@pytest.mark.parametrize("whole", [False, True])
def test_a_journal_that_is_taken_away_under_a_writer_is_missed_and_begun_anew(
    kept: Catalogue, open_catalogue: Callable[..., Catalogue], make_chain: MakeChain, folder: Path, whole: bool
) -> None:
    a_day(kept, make_chain)
    before = rows_of(kept)
    for file in folder.iterdir():
        file.unlink()
    if whole:
        folder.rmdir()
    with pytest.raises(CatalogueUnavailable, match="journal is gone"), kept.writing() as writing:
        add(writing, make_chain())
    assert rows_of(kept) == before
    with open_catalogue(journal=folder).writing() as writing:
        add(writing, make_chain())
    assert verify(folder) == ()


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_line_that_a_crash_cut_short_spoils_no_other(
    open_catalogue: Callable[..., Catalogue],
    make_chain: MakeChain,
    folder: Path,
    cut: int,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    with open_catalogue(journal=folder).writing() as writing:
        add(writing, make_chain())
    path = segments(folder)[-1].path
    line = Line(2, {"put": {"patients": [{"key": new_key()} for _ in range(20)]}, "drop": {}}).to_bytes()
    with path.open("ab") as file:
        file.write(line[:-cut])
    assert verify(folder) == ()
    again = open_catalogue(journal=folder)
    with again.writing() as writing:
        add(writing, make_chain())
    done, rows = replayed()
    assert rows == rows_of(again)
    assert done.faults == ()


def test_a_catalogue_that_is_older_than_its_journal_is_refused(
    open_catalogue: Callable[..., Catalogue], make_chain: MakeChain, folder: Path, tamper: Callable[[str], None]
) -> None:
    a_day(open_catalogue(journal=folder), make_chain)
    tamper("UPDATE archive SET changes = 5")  # as an old copy of the database would say
    with pytest.raises(CatalogueUnavailable, match="older than its journal"):
        open_catalogue(journal=folder)
    assert open_catalogue(read_only=True).identity


def test_the_journal_of_another_archive_is_refused(
    open_catalogue: Callable[..., Catalogue], folder: Path, tmp_path: Path
) -> None:
    Catalogue.open(tmp_path / "other.sqlite", journal=folder).close()
    with pytest.raises(CatalogueUnavailable, match="another archive's"):
        open_catalogue(journal=folder)
    with pytest.raises(CatalogueUnavailable, match="another archive's"):
        replay(folder, InternalKey(new_key()), tmp_path / "made.sqlite")


def test_segments_are_closed_when_they_are_large_and_not_touched_again(
    kept: Catalogue,
    make_chain: MakeChain,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 10_000)
    contents: dict[Path, bytes] = {}
    for _ in range(30):
        with kept.writing() as writing:
            add(writing, make_chain())
        closed = [segment.path for segment in segments(folder)[:-1]]
        for path in closed:
            assert contents.setdefault(path, path.read_bytes()) == path.read_bytes()
    assert len(contents) > 3
    assert max(map(len, contents.values())) < 10_000 + 5_000
    assert replayed()[1] == rows_of(kept)


def test_writers_take_turns_at_the_journal(
    open_catalogue: Callable[..., Catalogue],
    make_chain: MakeChain,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    monkeypatch.setattr(journal, "SEGMENT_BYTES", 20_000)
    catalogues = [open_catalogue(journal=folder) for _ in range(3)]

    def write(catalogue: Catalogue) -> None:
        for _ in range(10):
            with catalogue.writing() as writing:
                add(writing, make_chain())

    writers = [threading.Thread(target=write, args=[catalogue]) for catalogue in catalogues]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    done, rows = replayed()
    assert done.number == len(rows["scans"]) == 30
    assert rows == rows_of(catalogues[0])


def test_a_full_disk_changes_nothing_and_the_journal_stays_whole(
    kept: Catalogue, make_chain: MakeChain, folder: Path, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    with kept.writing() as writing:
        add(writing, make_chain())
    before = rows_of(kept)
    size = segments(folder)[-1].path.stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(CatalogueUnavailable, match="nothing was changed"), kept.writing() as writing:  # noqa: PT012
            writing.tell("act", filling="x" * 100_000)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 50_000, limits[1]))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert segments(folder)[-1].path.stat().st_size == size
    assert rows_of(kept) == before == replayed()[1]
    with kept.writing() as writing:
        add(writing, make_chain())
    assert replayed()[1] == rows_of(kept)


def test_every_flipped_bit_is_found_or_does_no_harm(
    kept: Catalogue, make_chain: MakeChain, folder: Path, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    a_day(kept, make_chain)
    right = rows_of(kept)
    paths = [segment.path for segment in segments(folder)]
    found = 0
    for number in range(120):
        path = paths[number % 2]
        content = path.read_bytes()
        place = (number * 7919) % (8 * len(content))
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << place % 8
        path.write_bytes(damaged)
        faults = verify(folder)
        found += bool(faults)
        if not faults:  # a bit of a header, of which there are others, or of the last line's end
            assert list(read(folder, lambda _: None)) or right
        path.write_bytes(content)
    assert found > 100
    assert replayed()[1] == right


def test_what_missing_acts_may_have_changed_is_in_doubt(
    kept: Catalogue, make_chain: MakeChain, folder: Path, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    chains = a_day(kept, make_chain)
    path = segments(folder)[-1].path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(b"6 ")))  # the withdrawal
    done, rows = replayed()
    assert [fault.code for fault in done.faults] == [FaultCode.MISSING]
    facts = next(row["facts"] for row in rows["cases"] if row["key"] == chains[0][0].key)
    assert Consent.WITHDRAWN not in json.loads(facts).values()  # as the journal still says, which is not to be believed
    told = {row["key"] for row in rows["scans"] if done.is_certain(("scans", row["key"]))}
    assert told == {scan.key for _, _, scan in chains}  # the act after it wrote every scan anew
    assert not any(done.is_certain(("cases", row["key"])) for row in rows["cases"])


def test_rows_that_hang_in_the_air_are_dropped(
    kept: Catalogue, make_chain: MakeChain, folder: Path, replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    chains = a_day(kept, make_chain)
    path = segments(folder)[-1].path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(line for line in lines if not line.startswith(b"2 ")))  # the second slide
    done, rows = replayed()
    assert [fault.code for fault in done.faults] == [FaultCode.MISSING]
    assert chains[1][1].key not in {row["key"] for row in rows["slides"]}
    assert chains[1][1].key not in {row["slide_key"] for row in rows["collection_slides"]}
    assert len(rows["slides"]) == 4


def test_a_snapshot_that_was_cut_short_is_not_taken_for_one(
    kept: Catalogue, make_chain: MakeChain, folder: Path
) -> None:
    a_day(kept, make_chain)
    snapshot = segments(folder)[0].path
    snapshot.write_bytes(snapshot.read_bytes().rsplit(b"\n", 2)[0] + b"\n")
    assert [fault.code for fault in verify(folder)] == [FaultCode.SNAPSHOT]
    snapshot.unlink()
    assert [fault.code for fault in verify(folder)] == [FaultCode.ABSENT]


def test_a_journal_of_another_revision_is_begun_anew(
    open_catalogue: Callable[..., Catalogue],
    make_chain: MakeChain,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    replayed: Callable[[], tuple[Replayed, Rows]],
) -> None:
    with monkeypatch.context() as older:
        older.setattr(journal, "REVISION", "0000")
        with open_catalogue(journal=folder).writing() as writing:
            add(writing, make_chain())
        with pytest.raises(CatalogueUnavailable, match="older version"):
            replayed()
    again = open_catalogue(journal=folder)
    assert segments(folder)[-1].header() == Line(1, {"archive": again.identity, "format": 1, "revision": REVISION})
    assert replayed()[1] == rows_of(again)


KILLED = """
import sys
from pathlib import Path
from archive.catalogue import Catalogue
catalogue = Catalogue.open(Path(sys.argv[1]), journal=Path(sys.argv[2]))
print("open", flush=True)
while True:
    with catalogue.writing() as writing:
        writing.tell("act", filling="x" * 500)
    print(writing.head.number, flush=True)
"""


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_killed_at_any_moment_journal_and_catalogue_say_the_same(
    place: Path, folder: Path, open_catalogue: Callable[..., Catalogue], replayed: Callable[[], tuple[Replayed, Rows]]
) -> None:
    for turn in range(6):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-c", KILLED, str(place), str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            for _ in range(3 + 5 * turn):
                told = process.stdout.readline()
            process.kill()
            told = (process.stdout.read().splitlines() or [told])[-1]
        catalogue = open_catalogue(journal=folder)
        done, rows = replayed()
        assert rows == rows_of(catalogue)
        assert done.faults == ()
        assert done.number >= int(told)
        catalogue.close()


def test_what_is_noted_is_read_again_in_small_parts() -> None:
    assert journal_rows.AT_ONCE + max(len(table.primary_key) for table in metadata.tables.values()) < 999
