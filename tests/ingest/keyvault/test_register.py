"""What became of a file is found by its path alone, told to nobody without the key, and gone with its patient."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import InvalidValue, UnknownCode
from ingest.errors import Reason, VaultUnavailable
from ingest.keyvault import Expected, Keys, KeyVault, State
from tests.ingest.keyvault.conftest import JANE, JOHN, Place

Scanned = Callable[..., tuple[Keys, InternalKey]]
SLIDE = Path("/delivered/S26-0012345 DOE JANE.svs")
COPY = Path("/delivered/again/S26-0012345.svs")
MOMENT = (20_000_000, 1_700_000_000_123_456_789)
TODAY = date.today


def test_what_is_noted_is_found_by_its_path_and_its_number(place: Place, vault: KeyVault) -> None:
    told = {"list case": "S26-0012345", "file case": "S26-0054321"}
    entry = vault.register.note(
        SLIDE, "waits", moment=MOMENT, reason="wrong-barcode", source_bytes=7, feed="surgical", told=told
    )
    vault.close()
    with place.open() as again:
        assert again.register.find(SLIDE) == entry
        assert again.register.entry(entry.number) == entry
        assert again.register.waiting() == (entry,)
    assert (entry.state, entry.reason, entry.moment) == (State.WAITS, Reason.WRONG_BARCODE, MOMENT)
    assert (entry.source_bytes, entry.feed, entry.told) == (7, "surgical", told)


def test_what_nobody_noted_is_not_found(vault: KeyVault) -> None:
    assert vault.register.find(SLIDE) is None
    with pytest.raises(UnknownCode):
        vault.register.entry("00000000")
    with pytest.raises(UnknownCode):
        vault.register.note(SLIDE, "kept", moment=MOMENT, scan=new_key())
    assert vault.register.find(SLIDE) is None


def test_a_name_that_is_no_utf_8_is_found_again(vault: KeyVault) -> None:
    path = Path("/delivered/M\udcfcller.svs")
    vault.register.note(path, "waits", moment=MOMENT, reason="no-row")
    found = vault.register.find(path)
    assert found is not None
    assert found.path == path


def test_the_text_form_of_an_entry_and_its_event_shows_no_name(vault: KeyVault) -> None:
    entry = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row", told={"list patient": "DOE"})
    shown = repr((entry, list(vault.register.day(TODAY())), vault.register.awaited(TODAY())))
    assert "DOE" not in shown
    assert "S26" not in shown


def test_the_same_again_is_no_second_event(vault: KeyVault, scanned: Scanned) -> None:
    _, scan = scanned()
    for _ in range(3):
        vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row")
    for _ in range(3):
        vault.register.note(SLIDE, "kept", moment=MOMENT, scan=scan, stored_bytes=5)
    events = list(vault.register.day(TODAY()))
    assert [(event.state, event.reason, event.is_first) for event in events] == [
        (State.WAITS, Reason.NO_ROW, True),
        (State.KEPT, None, False),
    ]
    assert [event.stored_bytes for event in events] == [0, 5]
    assert vault.register.waiting() == ()


def test_how_long_a_file_waits_is_counted_from_when_its_reason_arose(vault: KeyVault) -> None:
    first = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row")
    time.sleep(0.002)
    copied_anew = vault.register.note(SLIDE, "waits", moment=(1, 2), reason="no-row")
    assert (copied_anew.since, copied_anew.moment) == (first.since, (1, 2))
    for_another = vault.register.note(SLIDE, "waits", moment=(1, 2), reason="truncated")
    assert for_another.since > first.since
    assert for_another.number == first.number


def test_a_second_file_of_the_same_content_is_known_and_the_first_stays_kept(vault: KeyVault, scanned: Scanned) -> None:
    _, scan = scanned()
    vault.register.note(SLIDE, "kept", moment=MOMENT, scan=scan, stored_bytes=5)
    vault.register.note(COPY, "known", moment=MOMENT, scan=scan, stored_bytes=5)
    again = vault.register.note(SLIDE, "known", moment=(1, 2), scan=scan, stored_bytes=5)
    events = list(vault.register.day(TODAY()))
    assert again.state is State.KEPT
    assert [event.is_duplicate for event in events] == [False, True]
    assert [event.stored_bytes for event in events] == [5, 0]


def test_the_source_of_a_killed_ingest_is_kept_and_not_a_duplicate(vault: KeyVault, scanned: Scanned) -> None:
    _, scan = scanned()
    assert vault.register.note(SLIDE, "known", moment=MOMENT, scan=scan, stored_bytes=5).state is State.KEPT
    assert vault.register.note(COPY, "known", moment=MOMENT, scan=scan, stored_bytes=5).state is State.KNOWN


def test_what_a_person_refused_stays_refused_until_the_file_changes(vault: KeyVault) -> None:
    number = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row").number
    refused = vault.register.judge(number, State.REFUSED, "a.clinician", "not ours")
    assert (refused.state, refused.reason, refused.because) == (State.REFUSED, Reason.REFUSED_BY_HAND, "not ours")
    assert vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row") == refused
    assert vault.register.note(SLIDE, "waits", moment=(1, 2), reason="no-row").state is State.WAITS


def test_what_a_person_overruled_stays_overruled_until_the_file_changes(vault: KeyVault) -> None:
    number = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="wrong-barcode").number
    vault.register.judge(number, State.RELEASED, "a.clinician", "label is right", [(0, Reason.WRONG_BARCODE)])
    again = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="truncated")
    assert again.overruled == {(0, Reason.WRONG_BARCODE)}
    assert vault.register.note(SLIDE, "waits", moment=(1, 2), reason="truncated").overruled == frozenset()


def test_who_judged_and_why_is_in_the_trail_and_nothing_else_is(vault: KeyVault) -> None:
    number = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row").number
    vault.register.judge(number, State.REFUSED, "a.clinician", "not ours: DOE")
    vault.register.looked_at(number, "b.clinician")
    refused, looked = vault.trail()
    assert (refused.act, refused.who, refused.subject, refused.reason) == (
        "refused file",
        "a.clinician",
        number,
        "not ours: DOE",
    )
    assert (looked.act, looked.who, looked.subject) == ("looked at file", "b.clinician", number)
    assert vault.verify_trail() == ()


@pytest.mark.parametrize(("who", "why"), [("", "not ours"), ("a.clinician", " "), ("a b", "not ours")])
def test_nothing_is_judged_without_an_account_and_a_reason(vault: KeyVault, who: str, why: str) -> None:
    entry = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row")
    with pytest.raises(InvalidValue):
        vault.register.judge(entry.number, State.REFUSED, who, why)
    assert vault.register.find(SLIDE) == entry
    assert vault.trail() == ()


def test_a_person_cannot_say_that_a_file_was_kept(vault: KeyVault) -> None:
    number = vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row").number
    with pytest.raises(InvalidValue):
        vault.register.judge(number, State.KEPT, "a.clinician", "I say so")


def test_a_row_is_awaited_until_its_file_comes(vault: KeyVault) -> None:
    rows = [Expected(2, ("a.svs", "S26-1"), True), Expected(3, ("b.svs", "S26-2"), False)]
    vault.register.expect(rows, list_name="monday.csv", feed="surgical")
    vault.register.expect(rows, list_name="monday.csv", feed="surgical")
    came, missing = vault.register.awaited(TODAY())
    assert (came.row, came.arrived is None, missing.row, missing.arrived) == (2, False, 3, None)
    assert (missing.list_name, missing.feed) == ("monday.csv", "surgical")
    assert [row.row for row in vault.register.awaited(TODAY() + timedelta(1))] == [3]
    assert vault.register.awaited(TODAY() - timedelta(1)) == ()
    vault.register.expect([Expected(7, ("b.svs", "S26-2"), True)], list_name="tuesday.csv")
    assert [row.arrived is None for row in vault.register.awaited(TODAY())] == [False, False]
    assert vault.check() == ()


def test_a_row_whose_file_was_taken_is_known_by_its_words(vault: KeyVault) -> None:
    words, never = ("a.svs", "S26-1"), ("c.svs", "S26-3")
    vault.register.expect([Expected(2, words, False)], list_name="monday.csv")
    first = vault.register.expected(words)
    assert first is not None
    assert (first.row, first.arrived, first.taken) == (2, None, None)
    vault.register.expect([Expected(2, words, True)], list_name="monday.csv")
    vault.register.take([words, never])
    taken = vault.register.expected(words)
    vault.register.take([words])
    assert taken is not None
    assert taken.arrived is not None
    assert taken.taken is not None
    assert vault.register.expected(words) == taken
    assert vault.register.expected(never) is None
    assert vault.check() == ()


def test_days_on_which_something_was_stored_are_added_up(vault: KeyVault, scanned: Scanned) -> None:
    for number in range(3):
        _, scan = scanned(case=f"S26-{number}", file_name=f"{number}.svs")
        vault.register.note(Path(f"/{number}.svs"), "kept", moment=MOMENT, scan=scan, stored_bytes=10)
    assert vault.register.stored_by_day(TODAY(), 14) == {TODAY(): 30}
    assert vault.register.stored_by_day(TODAY() - timedelta(1), 14) == {}


def test_an_erased_patients_files_are_forgotten_and_the_day_still_counts_them(
    place: Place, vault: KeyVault, scanned: Scanned
) -> None:
    keys, scan = scanned(JANE, file_name="jane.svs")
    _, johns = scanned(JOHN, file_name="john.svs")
    vault.register.note(SLIDE, "kept", moment=MOMENT, scan=scan, stored_bytes=5)
    vault.register.note(COPY, "kept", moment=MOMENT, scan=johns, stored_bytes=5)
    (sealed,) = place.change("SELECT content FROM intake WHERE scan = ?", scan)
    vault.erase(keys.patient, "a.clinician", "request 18")
    assert vault.register.find(SLIDE) is None
    assert vault.register.find(COPY) is not None
    assert len(list(vault.register.day(TODAY()))) == 2
    assert vault.check() == ()
    columns = ("number", "look_up", "state", "reason", "since", "scan", "patient", "source_bytes", "content")
    place.change(
        f"INSERT INTO intake ({', '.join(columns)}) VALUES ('00', x'00', 'kept', '', 0, ?, ?, 0, ?)",
        *(scan, keys.patient, sealed[0]),
    )
    assert [fault.table for fault in vault.check()] == ["intake"]  # an old copy of the row says nothing


def test_a_changed_entry_is_refused(place: Place, vault: KeyVault) -> None:
    vault.register.note(SLIDE, "waits", moment=MOMENT, reason="no-row")
    place.change("UPDATE intake SET state = 'kept'")
    with pytest.raises(VaultUnavailable):
        vault.register.find(SLIDE)
    assert [str(fault) for fault in vault.check()] == ["field-damaged: intake, row 1"]


def test_one_file_is_found_among_many_without_opening_the_others(place: Place, vault: KeyVault) -> None:
    for number in range(300):
        vault.register.note(Path(f"/delivered/{number}.svs"), "waits", moment=MOMENT, reason="no-row")
    place.change(
        "UPDATE intake SET content = x'00' WHERE number != ?", vault.register.find(Path("/delivered/7.svs")).number
    )  # type: ignore[union-attr]
    assert vault.register.find(Path("/delivered/7.svs")) is not None
    (plan,) = place.change("EXPLAIN QUERY PLAN SELECT * FROM intake WHERE look_up = x'00'")
    assert "USING INDEX" in str(plan)
    (plan,) = place.change("EXPLAIN QUERY PLAN SELECT * FROM intake WHERE state IN ('waits') ORDER BY since")
    assert "ix_intake_state_since" in str(plan)
    (plan,) = place.change("EXPLAIN QUERY PLAN SELECT * FROM intake WHERE scan = 'a' AND state = 'kept'")
    assert "ix_intake_scan_state" in str(plan)
