"""Whatever is done to an audit chain afterwards shows."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import auditchain
from archive.auditchain import Entry, FaultCode, Head
from archive.errors import InvalidValue

FIRST = auditchain.start("test archive")
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
LENGTH = 12


def chain(length: int = LENGTH, first: Head = FIRST) -> list[Entry]:
    entries: list[Entry] = []
    head = first
    for number in range(length):
        entries.append(auditchain.seal(head, "commit", "ingest", NOON + timedelta(seconds=number), {"scans": number}))
        head = entries[-1].head
    return entries


def codes(entries: list[Entry], *heads: Head) -> set[FaultCode]:
    return {fault.code for fault in auditchain.verify(entries, FIRST, heads)}


def test_an_untouched_chain_has_no_fault() -> None:
    entries = chain()
    assert codes(entries, *(entry.head for entry in entries), FIRST) == set()


def test_an_empty_chain_has_no_fault() -> None:
    assert codes([]) == set()


def test_an_entry_is_canonical_json_in_utc() -> None:
    east = NOON.astimezone(timezone(timedelta(hours=5)))
    entry = auditchain.seal(FIRST, "compose", "local", east, {"b": ["x"], "a": None})
    assert entry.text == '{"a":null,"act":"compose","actor":"local","at":"2026-01-02T12:00:00+00:00","b":["x"]}'
    assert entry.number == 1


@pytest.mark.parametrize("details", [{"act": "other"}, {"size": float("nan")}, {"thing": object()}])
def test_details_that_cannot_be_sealed_are_refused(details: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        auditchain.seal(FIRST, "commit", "local", NOON, details)  # type: ignore[arg-type]


@given(position=st.integers(0, LENGTH - 1), data=st.data())
def test_an_edited_entry_is_found_where_it_stands(position: int, data: st.DataObject) -> None:
    entries = chain()
    content = json.loads(entries[position].text)
    content["scans"] = data.draw(st.integers().filter(lambda value: value != position))
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    entries[position] = Entry(position + 1, text, entries[position].digest)
    faults = auditchain.verify(entries, FIRST)
    assert [(fault.number, fault.code) for fault in faults] == [(position + 1, FaultCode.CHANGED)]


@given(position=st.integers(0, LENGTH - 2))
def test_an_edited_entry_with_a_new_digest_is_found_at_the_next(position: int) -> None:
    entries = chain()
    before = entries[position - 1].head if position else FIRST
    entries[position] = auditchain.seal(before, "commit", "somebody", NOON, {})
    assert [fault.number for fault in auditchain.verify(entries, FIRST)] == [position + 2]


@given(position=st.integers(0, LENGTH - 2))
def test_a_deleted_entry_is_found(position: int) -> None:
    entries = chain()
    del entries[position]
    assert codes(entries) == {FaultCode.MISSING}


@given(position=st.integers(0, LENGTH - 2))
def test_a_deleted_entry_is_found_even_if_the_rest_is_numbered_anew(position: int) -> None:
    entries = chain()
    del entries[position]
    entries = [Entry(number, entry.text, entry.digest) for number, entry in enumerate(entries, 1)]
    assert codes(entries) == {FaultCode.CHANGED}


@given(places=st.lists(st.integers(0, LENGTH - 1), min_size=2, max_size=2, unique=True))
def test_two_exchanged_entries_are_found(places: list[int]) -> None:
    entries = chain()
    one, other = places
    entries[one], entries[other] = entries[other], entries[one]
    assert codes(entries)


def test_a_repeated_entry_is_found() -> None:
    entries = chain()
    assert codes([*entries, entries[-1]]) == {FaultCode.OUT_OF_ORDER}


@given(kept=st.integers(0, LENGTH - 1))
def test_a_missing_end_is_found_by_a_head_in_a_second_place_and_only_by_it(kept: int) -> None:
    entries = chain()
    assert codes(entries[:kept], entries[-1].head) == {FaultCode.TRUNCATED}
    assert codes(entries[:kept]) == set()


def test_a_chain_made_anew_is_found_by_any_head_in_a_second_place() -> None:
    entries = chain()
    anew = chain()
    anew[0] = auditchain.seal(FIRST, "commit", "somebody", NOON, {})
    for position in range(1, LENGTH):
        anew[position] = auditchain.seal(anew[position - 1].head, "commit", "local", NOON, {})
    assert codes(anew) == set()
    assert codes(anew, entries[4].head) == {FaultCode.REPLACED}


def test_a_chain_of_another_archive_is_found() -> None:
    assert codes(chain(first=auditchain.start("another archive"))) == {FaultCode.CHANGED}


def test_two_heads_that_contradict_each_other_are_found() -> None:
    entries = chain()
    assert codes(entries, entries[3].head, Head(4, "0" * 64)) == {FaultCode.REPLACED}


@given(st.integers(0, 10**9), st.binary(min_size=32, max_size=32))
def test_a_head_survives_being_written_and_read(number: int, digest: bytes) -> None:
    head = Head(number, digest.hex())
    assert Head.parse(f"{head}\n") == head


@pytest.mark.parametrize("line", ["", "1", "x " + "0" * 64, "1 " + "g" * 64, "-1 " + "0" * 64, "1 " + "0" * 63])
def test_a_line_that_is_no_head_is_refused(line: str) -> None:
    with pytest.raises(InvalidValue):
        Head.parse(line)
