"""What is counted before access tells of no small group, and nothing small can be found by subtraction."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.catalogue import audit, counting, searching
from archive.catalogue.counting import Tally
from archive.codes import InternalKey
from archive.cohorts import count, parse
from archive.cohorts.asking import Asking, Rules
from archive.cohorts.suppressing import FEWEST, STEP, side_by_side, told
from archive.consent import Purpose, Recipient
from archive.consent.terms import Consent
from archive.errors import InvalidValue
from archive.holdings import Archive
from archive.records import ScanStatus, Stain
from tests.archive.cohorts.conftest import LIVING, LUNG, Put


def test_a_count_is_rounded_and_a_small_one_is_not_told(archive: Archive, put: Put) -> None:
    put(12)
    put(7, organ=LUNG)
    usable = count(archive, "organ = colon").usable
    assert usable is not None
    assert (usable.patients, usable.slides, usable.scans) == (10, 10, 10)
    assert count(archive, "organ = lung") == replace(count(archive, "organ = breast"), query="organ = lung")
    assert count(archive, "organ = lung").usable is None


def test_patients_are_counted_and_not_slides(archive: Archive, put: Put) -> None:
    put(30, patient=InternalKey("c" * 32))
    assert count(archive, "organ = colon").usable is None
    put(9, patient=None, scans=2)
    usable = count(archive, "organ = colon").usable
    assert usable is not None
    assert (usable.patients, usable.slides, usable.scans) == (10, 40, 50)


def test_exact_figures_are_right_before_they_are_rounded(archive: Archive, put: Put) -> None:
    put(4, patient=InternalKey("c" * 32))
    put(3, scans=2)
    put(2, stain=Stain.PAS)
    put(5, status=ScanStatus.WITHDRAWN)
    with archive.catalogue.reading() as connection:
        asking = Asking(connection, parse("organ = colon"), Rules.ask(connection, Purpose.RESEARCH, Recipient.PROJECT))
        where = asking.where(asking.rules.allowed)
        assert asking.usable() == Tally(6, 9, 12)
        assert counting.tallies(connection, where, "stain") == {"H&E": Tally(4, 7, 10), "PAS": Tally(2, 2, 2)}
        assert searching.stale(connection) == 0


def test_what_is_refused_is_counted_by_row_and_never_where_it_is_little(archive: Archive, put: Put) -> None:
    put(10)
    put(9, facts=replace(LIVING, consent=Consent.REFUSED))
    put(3, facts=replace(LIVING, consent=Consent.WITHDRAWN))
    counts = count(archive, "organ = colon")
    assert counts.refused == {}  # what is left untold must not be found: the small figure takes the next one with it
    put(20, facts=replace(LIVING, consent=Consent.WITHDRAWN))
    counts = count(archive, "organ = colon")
    assert {row: part.patients for row, part in counts.refused.items()} == {"N1": 10, "N2": 25}
    assert counts.reasons.keys() == {"N1", "N2"}


def test_a_breakdown_leaves_out_what_is_small(archive: Archive, put: Put) -> None:
    put(20)
    put(5, stain=Stain.PAS)
    put(6, stain=Stain.KI67)
    put(9, stain=None)
    parts = count(archive, "organ = colon", by="stain").parts
    assert {value: part.patients for value, part in parts.items()} == {"H&E": 20}
    assert count(archive, "organ = colon", by="scanner").parts.keys() == {"gt450"}
    assert count(archive, "organ = colon", by="objective").parts.keys() == {"40"}
    with pytest.raises(InvalidValue):
        count(archive, "organ = colon", by="patient")


def test_a_count_is_in_the_audit_trail(archive: Archive, put: Put) -> None:
    put(2)
    count(archive, "organ = colon", by="stain")
    with archive.catalogue.reading() as connection:
        entry = list(audit.entries(connection))[-1]
    assert '"counted_by":"stain"' in entry.text
    assert '"query":"organ = colon"' in entry.text


@given(st.integers(0, 10_000))
def test_none_and_few_look_the_same_and_one_more_changes_little(patients: int) -> None:
    shown = told(Tally(patients, patients, patients))
    assert (shown is None) == (patients < FEWEST)
    if shown is not None:
        assert shown.patients % STEP == 0
        assert abs(shown.patients - patients) <= STEP / 2


@given(st.dictionaries(st.integers(), st.integers(0, 40), max_size=8))
def test_what_is_left_untold_side_by_side_is_nothing_or_more_than_few(patients: dict[int, int]) -> None:
    shown = side_by_side({key: Tally(number, number, number) for key, number in patients.items()})
    untold = [number for key, number in patients.items() if key not in shown]
    assert all(patients[key] >= FEWEST for key in shown)
    assert sum(untold) == 0 or sum(untold) >= FEWEST or not shown
