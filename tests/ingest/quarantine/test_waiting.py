"""What waits is written down once, sealed in the vault, and ends when the file is taken in or a person says so."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import InvalidValue, UnknownCode
from ingest.errors import Reason
from ingest.keyvault import KeyVault
from ingest.quarantine.judging import JUDGED_BY_A_PERSON
from ingest.quarantine.moment import moment_of
from ingest.quarantine.telling import contradiction, differences
from ingest.quarantine.waiting import Quarantine

NAME = "S25-10432 DOE JANE.svs"


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[KeyVault]:
    (tmp_path / "key").mkdir()
    with KeyVault.create(tmp_path / "vault", tmp_path / "key" / "vault.key") as opened:
        yield opened


def test_a_file_waits_with_its_reason_until_it_is_taken_in(vault: KeyVault, tmp_path: Path) -> None:
    quarantine = Quarantine(vault)
    entry = quarantine.set_aside(tmp_path / NAME, Reason.NO_ROW)
    assert quarantine.entries() == (entry,)
    assert entry.reason is Reason.NO_ROW
    assert entry.path == tmp_path / NAME
    vault.register.note(tmp_path / NAME, "known", moment=entry.moment)
    assert quarantine.entries() == ()


def test_a_second_refusal_is_the_same_entry_with_the_newest_reason(vault: KeyVault, tmp_path: Path) -> None:
    quarantine = Quarantine(vault)
    first = quarantine.set_aside(tmp_path / NAME, Reason.NO_ROW)
    assert quarantine.set_aside(tmp_path / NAME, Reason.NO_ROW) == first
    second = quarantine.set_aside(tmp_path / NAME, Reason.TRUNCATED)
    assert second.number == first.number
    assert [entry.reason for entry in quarantine.entries()] == [Reason.TRUNCATED]


def test_the_longest_waiting_comes_first(vault: KeyVault, tmp_path: Path) -> None:
    quarantine = Quarantine(vault)
    numbers = [quarantine.set_aside(tmp_path / f"{i}.svs", Reason.NO_ROW).number for i in range(3)]
    assert {entry.number for entry in quarantine.entries()} == set(numbers)
    since = [entry.since for entry in quarantine.entries()]
    assert since == sorted(since)


def test_where_a_file_lies_is_nowhere_in_clear(vault: KeyVault, tmp_path: Path) -> None:
    entry = Quarantine(vault).set_aside(tmp_path / NAME, Reason.NO_ROW)
    for file in (tmp_path / "vault").rglob("*"):
        if file.is_file():
            assert b"S25-10432" not in file.read_bytes()
    assert "S25-10432" not in repr(entry)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / NAME
    path.write_bytes(b"a slide")
    return path


def test_the_register_knows_a_file_by_path_size_and_time(vault: KeyVault, file: Path) -> None:
    entry = Quarantine(vault).set_aside(file, Reason.WRONG_BARCODE)
    assert entry.moment == (7, file.stat().st_mtime_ns) == moment_of(file)
    assert moment_of(file.with_name("gone")) == (0, 0)


def test_what_a_person_overruled_is_overruled_for_exactly_this_file(vault: KeyVault, file: Path) -> None:
    quarantine = Quarantine(vault)
    number = quarantine.set_aside(file, Reason.WRONG_BARCODE).number
    assert quarantine.overruled(file) == frozenset()
    quarantine.release_by_hand(number, "a.clinician", "the label was printed twice")
    assert quarantine.overruled(file) == {Reason.WRONG_BARCODE}
    assert (quarantine.entries(), [entry.number for entry in quarantine.released()]) == ((), [number])
    file.write_bytes(b"another slide")
    assert quarantine.overruled(file) == frozenset()
    assert quarantine.overruled(file.with_name("other.svs")) == frozenset()


@pytest.mark.parametrize("reason", sorted(set(Reason) - JUDGED_BY_A_PERSON))
def test_what_no_person_can_judge_is_not_released_but_answered_with_what_to_do(
    vault: KeyVault, file: Path, reason: Reason
) -> None:
    quarantine = Quarantine(vault)
    entry = quarantine.set_aside(file, reason)
    with pytest.raises(InvalidValue) as refused:
        quarantine.release_by_hand(entry.number, "a.clinician", "please")
    assert reason.sentence in str(refused.value)
    assert quarantine.entries() == (entry,)


def state_of(file: Path, quarantine: Quarantine) -> str | None:
    entry = quarantine.standing(file)
    return entry.state if entry else None


def test_a_file_that_a_person_refused_is_not_taken_until_it_changes_or_that_is_taken_back(
    vault: KeyVault, file: Path
) -> None:
    quarantine = Quarantine(vault)
    number = quarantine.set_aside(file, Reason.TRUNCATED).number
    quarantine.refuse(number, "a.clinician", "not ours")
    assert state_of(file, quarantine) == "refused"
    assert (quarantine.entries(), [entry.number for entry in quarantine.refused()]) == ((), [number])
    quarantine.release_by_hand(number, "a.clinician", "it is ours after all")
    assert state_of(file, quarantine) == "released"
    assert quarantine.overruled(file) == frozenset()  # what it waited for before is to be judged again
    quarantine.refuse(number, "a.clinician", "no, not ours")
    file.write_bytes(b"another slide")
    assert state_of(file, quarantine) is None


def test_nobody_judges_a_file_that_is_not_the_one_that_was_set_aside(vault: KeyVault, file: Path) -> None:
    quarantine = Quarantine(vault)
    number = quarantine.set_aside(file, Reason.WRONG_BARCODE).number
    file.write_bytes(b"another slide")
    with pytest.raises(InvalidValue, match="ingest it again"):
        quarantine.release_by_hand(number, "a.clinician", "the label is right")
    with pytest.raises(InvalidValue, match="ingest it again"):
        quarantine.refuse(number, "a.clinician", "not ours")
    file.unlink()
    with pytest.raises(InvalidValue, match="gone"):
        quarantine.release_by_hand(number, "a.clinician", "the label is right")
    assert quarantine.refuse(number, "a.clinician", "it is gone").state == "refused"


def test_to_judge_twice_is_to_judge_once(vault: KeyVault, file: Path) -> None:
    quarantine = Quarantine(vault)
    number = quarantine.set_aside(file, Reason.WRONG_BARCODE).number
    first = quarantine.release_by_hand(number, "a.clinician", "the label is right")
    assert quarantine.release_by_hand(number.upper(), "b.clinician", "the label is right") == first
    refused = quarantine.refuse(number, "a.clinician", "not ours")
    assert quarantine.refuse(number, "b.clinician", "not ours") == refused
    assert len(vault.trail()) == 2


def test_what_was_taken_in_or_never_waited_is_not_judged(vault: KeyVault, file: Path) -> None:
    entry = vault.register.note(file, "known", moment=moment_of(file))
    for judge in (Quarantine(vault).release_by_hand, Quarantine(vault).refuse):
        with pytest.raises(InvalidValue, match="taken in"):
            judge(entry.number, "a.clinician", "the label is right")
        with pytest.raises(UnknownCode):
            judge("00000000", "a.clinician", "the label is right")


def test_what_list_and_file_say_is_kept_side_by_side(vault: KeyVault, file: Path) -> None:
    told = contradiction({"case": "S25-1", "block": "A1"}, {"case": "S25-2"}) | {"as": "0" * 64}
    entry = Quarantine(vault).set_aside(file, Reason.WRONG_BARCODE, told)
    assert [(d.what, d.listed, d.found) for d in differences(entry)] == [
        ("case", "S25-1", "S25-2"),
        ("block", "A1", ""),
    ]
    assert "S25" not in repr(differences(entry))
