"""A collection shows a class what consent allows now, under handles that lead nowhere else."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.catalogue import audit
from archive.codes import Code, Kind, new_handle, new_key
from archive.consent import RULES_VERSION, Facts, MightIdentify
from archive.consent.terms import Consent, Grade, TissueSource
from archive.errors import FreeTextRefused, InvalidValue, UnknownCode
from archive.geometry import Size
from archive.holdings import Archive
from archive.records import CaseRecord, ScanRecord, ScanStatus, SlideRecord
from archive.settings import ArchiveSettings
from archive.teaching import compose, find_collection, find_slide, remove, shown_collections
from tests.archive.holdings.committing import commit_one

LIVING = Facts(source=TissueSource.LIVING)
SCREENED = MightIdentify.screened("structure-1")

Keep = Callable[..., tuple[Code, SlideRecord]]


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    with Archive.create(tmp_path / "archive") as made:
        yield made


@pytest.fixture
def keep(
    archive: Archive, make_chain: Callable[..., tuple[CaseRecord, SlideRecord, ScanRecord]]
) -> Callable[..., tuple[Code, SlideRecord]]:
    """Put a slide into the archive, and give its code and record."""

    def keeping(facts: Facts = LIVING, *, sizes: tuple[int, ...] = (1000,)) -> tuple[Code, SlideRecord]:
        case, slide, scan = make_chain(facts)
        for width in sizes:
            one = dataclasses.replace(
                scan,
                key=new_key(),
                size=Size(width, 1000),
                might_identify=SCREENED,
                deidentified=True,
                manifest_sha256="",
            )
            with archive.stage() as staged:
                (staged.folder / "pixels").write_bytes(os.urandom(100))
                code = archive.commit(staged, case, slide, one).slide_code
        return code, slide

    return keeping


def withdraw(archive: Archive, slide: SlideRecord) -> None:
    archive.record_facts(slide.case, dataclasses.replace(LIVING, consent=Consent.WITHDRAWN), reason="a letter")


def test_slides_keep_the_teachers_order(archive: Archive, keep: Keep) -> None:
    kept = [keep() for _ in range(5)]
    composition = compose(archive, "Liver, autumn term", [code for code, _ in kept])
    assert composition.refusals == ()
    collection = composition.collection
    assert collection is not None
    assert collection.name == "Liver, autumn term"
    assert [place.number for place in collection.places] == [1, 2, 3, 4, 5]
    scans = [archive.scans_of(slide.key)[0].key for _, slide in kept]
    assert [place.scan for place in collection.places] == scans
    for place in collection.places:
        row, found = find_slide(archive, place.handle)
        assert found == place
        assert (row.handle, row.name) == (collection.handle, collection.name)


def test_a_refused_slide_is_left_out_and_says_why(archive: Archive, keep: Keep) -> None:
    (good, _), (bad, _) = keep(), keep(Facts(source=TissueSource.LIVING, consent=Consent.REFUSED))
    composition = compose(archive, "Mixed", [bad, good])
    assert composition.collection is not None
    assert len(composition.collection.places) == 1
    (refusal,) = composition.refusals
    assert (refusal.slide, refusal.decision.row) == (bad, "N1")
    assert refusal.decision.sentence


def test_a_collection_with_nothing_to_show_is_not_made(archive: Archive, keep: Keep) -> None:
    code, _ = keep(Facts(source=TissueSource.LIVING, consent=Consent.REFUSED))
    composition = compose(archive, "Nothing", [code])
    assert composition.collection is None
    assert len(composition.refusals) == 1
    assert shown_collections(archive) == ()


def test_composing_again_adds_to_the_collection_and_changes_no_handle(archive: Archive, keep: Keep) -> None:
    codes = [keep()[0] for _ in range(3)]
    first = compose(archive, "Lung", codes[:2]).collection
    second = compose(archive, "Lung", [codes[2], codes[0], codes[0]]).collection
    assert first is not None
    assert second is not None
    assert second.handle == first.handle
    assert second.places[:2] == first.places
    assert [place.number for place in second.places] == [1, 2, 3]


def test_the_same_slide_has_another_handle_in_each_collection(archive: Archive, keep: Keep) -> None:
    code, slide = keep()
    one, other = (compose(archive, name, [code]).collection for name in ("One", "Other"))
    assert one is not None
    assert other is not None
    handles = {one.handle, other.handle, one.places[0].handle, other.places[0].handle}
    assert len(handles) == 4
    assert all(len(handle) == 26 for handle in handles)
    secrets = {str(code), slide.key, slide.case, one.places[0].scan}
    assert not any(secret.lower() in handle for handle in handles for secret in secrets)


def test_a_withdrawn_slide_is_gone_from_every_look_up_and_looks_unknown(archive: Archive, keep: Keep) -> None:
    (staying, _), (going, slide) = keep(), keep()
    collection = compose(archive, "Kidney", [staying, going]).collection
    assert collection is not None
    withdraw(archive, slide)
    assert [place.number for place in find_collection(archive, collection.handle).places] == [1]
    with pytest.raises(UnknownCode) as forbidden:
        find_slide(archive, collection.places[1].handle)
    with pytest.raises(UnknownCode) as unknown:
        find_slide(archive, new_handle())
    assert str(forbidden.value) == str(unknown.value)


def test_a_collection_whose_slides_are_all_withdrawn_looks_unknown(archive: Archive, keep: Keep) -> None:
    code, slide = keep()
    collection = compose(archive, "Kidney", [code]).collection
    assert collection is not None
    withdraw(archive, slide)
    assert shown_collections(archive) == ()
    with pytest.raises(UnknownCode) as forbidden:
        find_collection(archive, collection.handle)
    with pytest.raises(UnknownCode) as unknown:
        find_collection(archive, new_handle())
    assert str(forbidden.value) == str(unknown.value)


@pytest.mark.parametrize("status", [ScanStatus.WITHDRAWN, ScanStatus.DAMAGED])
def test_a_scan_that_is_put_away_is_not_shown(archive: Archive, keep: Keep, status: ScanStatus) -> None:
    code, slide = keep()
    collection = compose(archive, "Skin", [code]).collection
    assert collection is not None
    archive.set_status(archive.scans_of(slide.key)[0].key, status, reason="a test")
    with pytest.raises(UnknownCode):
        find_slide(archive, collection.places[0].handle)
    archive.set_status(archive.scans_of(slide.key)[0].key, ScanStatus.KEPT, reason="a test")
    assert find_slide(archive, collection.places[0].handle)[1] == collection.places[0]


def test_a_changed_mind_is_honoured_both_ways(archive: Archive, keep: Keep) -> None:
    code, slide = keep()
    collection = compose(archive, "Skin", [code]).collection
    assert collection is not None
    withdraw(archive, slide)
    archive.record_facts(slide.case, LIVING, reason="the withdrawal was of another patient")
    assert find_collection(archive, collection.handle) == collection


def test_the_scan_with_most_pixels_that_may_be_shown_is_chosen(archive: Archive, keep: Keep) -> None:
    code, slide = keep(sizes=(500, 3000, 1000))
    largest, middle, _ = archive.scans_of(slide.key)
    assert (largest.size.width, middle.size.width) == (3000, 1000)
    archive.set_status(largest.key, ScanStatus.WITHDRAWN, reason="out of focus")
    collection = compose(archive, "Skin", [code]).collection
    assert collection is not None
    assert collection.places[0].scan == middle.key


def test_scans_of_a_slide_are_shown_side_by_side_if_they_are_named(archive: Archive, keep: Keep) -> None:
    code, slide = keep(sizes=(500, 3000, 1000))
    keys = [scan.key for scan in archive.scans_of(slide.key)]
    scans = [held.code for key in keys if (held := archive.scan(key))]
    collection = compose(archive, "Skin", [code, str(scans[2])]).collection
    assert collection is not None
    assert [place.scan for place in collection.places] == [keys[0], keys[2]]
    more = compose(archive, "Skin", [code, *scans]).collection
    assert more is not None
    assert more.places[:2] == collection.places
    assert [place.scan for place in more.places] == [keys[0], keys[2], keys[1]]
    remove(archive, "Skin", [scans[2]])
    assert [place.scan for place in find_collection(archive, more.handle).places] == [keys[0], keys[1]]
    withdraw(archive, slide)
    assert [refusal.slide for refusal in compose(archive, "Skin", [code, scans[1]]).refusals] == [code, scans[1]]
    with pytest.raises(UnknownCode):
        find_collection(archive, more.handle)


def test_a_slide_is_taken_out_with_all_its_scans(archive: Archive, keep: Keep) -> None:
    code, slide = keep(sizes=(500, 1000))
    scans = [held.code for scan in archive.scans_of(slide.key) if (held := archive.scan(scan.key))]
    other, _ = keep()
    collection = compose(archive, "Skin", [*scans, other]).collection
    assert collection is not None
    remove(archive, "Skin", [code])
    assert find_collection(archive, collection.handle).places == collection.places[2:]


def test_a_slide_is_taken_out_and_its_handle_leads_nowhere(archive: Archive, keep: Keep) -> None:
    codes = [keep()[0] for _ in range(3)]
    before = compose(archive, "Colon", codes).collection
    assert before is not None
    remove(archive, "Colon", [str(codes[1]).lower()])
    after = find_collection(archive, before.handle)
    assert after.places == (before.places[0], before.places[2])
    with pytest.raises(UnknownCode):
        find_slide(archive, before.places[1].handle)
    again = compose(archive, "Colon", [codes[1]]).collection
    assert again is not None
    assert again.places[2].handle != before.places[1].handle
    assert again.places[2].number == 4


def test_what_cannot_be_taken_out_changes_nothing(archive: Archive, keep: Keep) -> None:
    (inside, _), (outside, _) = keep(), keep()
    collection = compose(archive, "Colon", [inside]).collection
    assert collection is not None
    for name, codes in (("Colon", [inside, outside]), ("Another", [inside])):
        with pytest.raises(UnknownCode):
            remove(archive, name, codes)
    assert find_collection(archive, collection.handle) == collection


@pytest.mark.parametrize(
    ("slide", "error"),
    [(str(Code.random(Kind.SLIDE)), UnknownCode), (str(Code.random(Kind.CASE)), InvalidValue), ("x", InvalidValue)],
    ids=["unknown", "a case", "no code"],
)
def test_one_wrong_code_leaves_everything_as_it_was(
    archive: Archive, keep: Keep, slide: str, error: type[Exception]
) -> None:
    code, _ = keep()
    before = archive.change_count()
    with pytest.raises(error):
        compose(archive, "Colon", [code, slide])
    assert archive.change_count() == before


def test_a_collections_name_holds_no_identifier(archive: Archive, keep: Keep) -> None:
    code, _ = keep()
    with pytest.raises(FreeTextRefused):
        compose(archive, "Case S25-10432", [code])


def test_composing_is_audited_with_codes_and_rows(archive: Archive, keep: Keep) -> None:
    (good, _), (bad, _) = keep(), keep(Facts(source=TissueSource.LIVING, consent=Consent.REFUSED))
    collection = compose(archive, "Mixed", [good, bad]).collection
    assert collection is not None
    with archive.catalogue.reading() as connection:
        told = json.loads(list(audit.entries(connection))[-1].text)
    assert told["act"] == "compose"
    assert told["collection"] == collection.handle
    assert set(told["decisions"]) == {str(good), str(bad)}
    allowed, refused = told["decisions"][str(good)], told["decisions"][str(bad)]
    assert (allowed["verdict"], allowed["row"], allowed["rules"]) == ("allow", "L3", RULES_VERSION)
    assert (refused["verdict"], refused["row"], refused["facts"]["consent"]) == ("deny", "N1", "refused")
    assert (allowed["purpose"], allowed["recipient"]) == ("teaching", "class")


def test_a_picture_found_to_identify_is_refused(archive: Archive, keep: Keep) -> None:
    code, slide = keep()
    compose(archive, "Skin", [code])
    facts = dataclasses.replace(LIVING, might_identify=MightIdentify(Grade.YES))
    archive.record_facts(slide.case, facts, reason="a face was recognised")
    assert shown_collections(archive) == ()


def test_collections_are_the_same_in_postgresql(tmp_path: Path, postgresql: Any) -> None:
    with Archive.create(tmp_path / "archive", ArchiveSettings(database_url=postgresql.emptied())) as archive:
        codes = [commit_one(archive, 100).slide_code for _ in range(3)]
        collection = compose(archive, "Colon", codes).collection
        assert collection is not None
        remove(archive, "Colon", codes[:1])
        archive.set_status(collection.places[1].scan, ScanStatus.WITHDRAWN, reason="a test")
        assert find_collection(archive, collection.handle).places == collection.places[2:]
        assert find_slide(archive, collection.places[2].handle)[1] == collection.places[2]
        for place in collection.places[:2]:
            with pytest.raises(UnknownCode):
                find_slide(archive, place.handle)
        assert [shown.handle for shown in shown_collections(archive)] == [collection.handle]
        assert archive.audit_faults() == ()
