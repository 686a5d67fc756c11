"""A crew takes slides in as one process does: the same is kept, the same is refused, and what is held is not read."""

import os
import time
from pathlib import Path

import pytest

from archive.consent import Facts
from archive.errors import ArchiveError, HoldingsUnavailable
from archive.holdings import PIXELS
from ingest.cli.places import Places
from ingest.errors import Reason
from ingest.pipeline.batch import Delivered, ingest_batch
from ingest.pipeline.seen import seen_on
from ingest.pipeline.slide import Intake
from ingest.quarantine.waiting import Quarantine
from ingest.scaleout.bench import LookOrder, Probe, Refusal, Unseen, look_at
from ingest.scaleout.crew import Crew
from ingest.scaleout.many import ingest_many
from ingest.screening import VERSION
from tests.ingest.scaleout.conftest import LIVING, Laboratory
from tests.slides.seen import slide_of, with_writing


def stored(laboratory: Laboratory) -> set[tuple[tuple[str, bytes], ...]]:
    """Give the stored pixels of every scan, whatever its key."""
    kept = set()
    for slide in laboratory.archive.slides():
        for scan in laboratory.archive.scans_of(slide.record.key):
            folder = laboratory.archive.place.of_scan(scan.key) / PIXELS
            files = sorted(file for file in folder.rglob("*") if file.is_file())
            kept.add(tuple((file.relative_to(folder).as_posix(), file.read_bytes()) for file in files))
    return kept


def test_a_crew_looks_at_the_pixels_and_makes_black_what_a_person_ordered(
    laboratory: Laboratory, crew: Crew, tmp_path: Path
) -> None:
    path = slide_of(tmp_path / "1.svs", with_writing().picture)
    intake = Intake(laboratory.archive, laboratory.vault, keep_out=laboratory.places.secret, screen=True)
    delivery = [laboratory.delivered(path, "1")]
    (outcome,) = ingest_many(delivery, intake, crew)
    assert outcome.reason is Reason.WRITING_IN_PICTURE
    assert laboratory.staging == []
    (entry,) = Quarantine(laboratory.vault).entries()
    seen = seen_on(entry)
    assert seen is not None
    Quarantine(laboratory.vault).black_out(entry.number, seen.places(12), "dr.curator", "seen at the desk")
    (outcome,) = ingest_many(delivery, intake, crew)
    assert outcome.receipt is not None
    assert outcome.receipt.scan is not None
    held = laboratory.archive.scan(outcome.receipt.scan)
    assert held is not None
    assert str(held.record.might_identify) == f"no (screened, {VERSION})"
    assert laboratory.archive.redactions_of(outcome.receipt.scan) == seen.places(12)
    laboratory.assert_whole(1)


def test_what_a_crew_keeps_is_what_one_process_keeps(laboratory: Laboratory, crew: Crew, tmp_path: Path) -> None:
    delivery = laboratory.deliver(5)
    outcomes = laboratory.take_in(crew, delivery)
    assert all(one.receipt and one.receipt.new and one.seconds > 0 for one in outcomes.values())
    assert {one.receipt.row_number for one in outcomes.values() if one.receipt} == {2, 3, 4, 5, 6}
    laboratory.assert_whole(5)

    places = Places.of(tmp_path / "other")
    places.create()
    with places.opened() as (archive, vault):
        alone = list(ingest_batch(delivery[:1], Intake(archive, vault)))
        other = Laboratory(tmp_path, places, archive, vault)
        assert stored(other) == stored(laboratory)
    crews = outcomes[delivery[0].path].receipt
    assert alone[0].receipt
    assert crews
    left_out = ("patient", "case", "slide", "scan")
    words = [{k: v for k, v in told.as_json().items() if k not in left_out} for told in (alone[0].receipt, crews)]
    assert words[0] == words[1]


def test_each_is_refused_for_its_own_reason_and_the_rest_is_kept(laboratory: Laboratory, crew: Crew) -> None:
    good, cut, twin, unlisted, unknown, gone = laboratory.deliver(6)
    cut.path.write_bytes(cut.path.read_bytes()[:4000])
    twin.path.write_bytes(good.path.read_bytes())
    gone.path.unlink()
    delivery = [
        *(good, cut, laboratory.delivered(twin.path, "000"), Delivered(unlisted.path, None)),
        *(laboratory.delivered(unknown.path, "004", Facts()), gone),
    ]
    outcomes = laboratory.take_in(crew, delivery)
    reasons = {path.stem: one.reason for path, one in outcomes.items() if one.reason}
    assert reasons == {
        "001": Reason.TRUNCATED,
        "003": Reason.NO_ROW,
        "004": Reason.UNKNOWN_SOURCE,
        "005": Reason.UNREADABLE_FILE,
    }
    receipts = [outcomes[one.path].receipt for one in (good, twin)]
    assert sorted(receipt.new for receipt in receipts if receipt) == [False, True]
    assert {entry.path for entry in Quarantine(laboratory.vault).entries()} == {
        one.path for one in (cut, unlisted, unknown, gone)
    }
    laboratory.assert_whole(1)


def test_the_same_file_under_another_patient_is_refused(laboratory: Laboratory, crew: Crew) -> None:
    good, twin = laboratory.deliver(2)
    twin.path.write_bytes(good.path.read_bytes())
    outcomes = laboratory.take_in(crew, [good, twin])
    assert sorted(one.reason.value if one.reason else "kept" for one in outcomes.values()) == [
        Reason.HELD_AS_ANOTHER.value,
        "kept",
    ]
    laboratory.assert_whole(1)


def test_what_is_held_is_not_read_again(laboratory: Laboratory, crew: Crew) -> None:
    delivery = laboratory.deliver(4)
    first = laboratory.take_in(crew, delivery)
    for one in delivery[:3]:
        status = one.path.stat()
        start = one.path.read_bytes()[:64]
        one.path.write_bytes(start.ljust(status.st_size, bytes(1)))  # no slide any more, for whoever reads on
        os.utime(one.path, ns=(status.st_atime_ns, status.st_mtime_ns))
    delivery[3].path.write_bytes(delivery[3].path.read_bytes()[:4000])
    again = laboratory.take_in(crew, delivery)
    for one in delivery[:3]:
        before, after = first[one.path].receipt, again[one.path].receipt
        assert before
        assert after
        assert not after.new
        assert (after.slide_code, after.scan_code, after.row_number) == (
            before.slide_code,
            before.scan_code,
            one.row and one.row.number,
        )
    assert again[delivery[3].path].reason is Reason.TRUNCATED


def test_what_is_held_is_looked_at_again_when_the_list_says_something_else(laboratory: Laboratory, crew: Crew) -> None:
    (good,) = laboratory.deliver(1)
    laboratory.take_in(crew, [good])
    corrected = laboratory.delivered(good.path, "7")
    assert laboratory.take_in(crew, [corrected])[good.path].reason is Reason.HELD_AS_ANOTHER
    assert laboratory.take_in(crew, [good])[good.path].receipt


def test_a_delivery_is_asked_for_no_more_than_can_be_worked_on(laboratory: Laboratory, crew: Crew) -> None:
    delivery, asked = laboratory.deliver(12), []

    def supply():  # type: ignore[no-untyped-def]
        for one in delivery:
            asked.append(one)
            yield one

    intake = Intake(laboratory.archive, laboratory.vault)
    outcomes = ingest_many(supply(), intake, crew)
    next(outcomes)
    assert len(asked) <= 2 * crew.size + 2
    assert len(list(outcomes)) == 11
    laboratory.assert_whole(12)


def test_who_stops_listening_leaves_nothing_half_made(laboratory: Laboratory, crew: Crew) -> None:
    outcomes = ingest_many(laboratory.deliver(8), Intake(laboratory.archive, laboratory.vault), crew)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 30
    while laboratory.staging and time.monotonic() < deadline:  # a worker may not know yet that nobody waits for it
        time.sleep(0.1)
        laboratory.archive.recover()
    assert laboratory.staging == []
    kept = len(laboratory.archive.slides())
    assert 1 <= kept < 8
    assert len([one for one in laboratory.take_in(crew, laboratory.deliver(1)).values() if one.receipt]) == 1


@pytest.mark.parametrize("is_here", [True, False], ids=["here", "elsewhere"])
def test_a_slide_that_lies_in_the_vault_ends_the_batch(laboratory: Laboratory, crew: Crew, is_here: bool) -> None:
    (one,) = laboratory.deliver(1)
    inside = laboratory.places.vault / "slide.svs"
    one.path.rename(inside)
    with pytest.raises(ArchiveError, match="move the vault"):
        laboratory.take_in(Crew(crew._client, is_here=is_here), [laboratory.delivered(inside, "0", LIVING)])
    assert laboratory.staging == []


def test_a_worker_without_the_archives_folder_is_told_of_in_one_sentence(crew: Crew, tmp_path: Path) -> None:
    with pytest.raises(HoldingsUnavailable, match="mount the archive on every worker at the path that it has here"):
        crew.get_ready(Probe(tmp_path / "elsewhere", "0" * 32))
    other = Probe.lay(tmp_path)
    with pytest.raises(HoldingsUnavailable, match="mount the archive"):
        crew.get_ready(Probe(tmp_path, "0" * 32))
    crew.get_ready(other)


def test_a_bench_answers_in_values_that_name_no_file(tmp_path: Path) -> None:
    missing = LookOrder(tmp_path / "Thistlewaite.svs")
    assert look_at(missing) == Unseen()
    empty = tmp_path / "Thistlewaite.tif"
    empty.touch()
    assert look_at(LookOrder(empty)) == Refusal(Reason.EMPTY_FILE, Reason.EMPTY_FILE.sentence)
    assert "Thistlewaite" not in repr(missing)
