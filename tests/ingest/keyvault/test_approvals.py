"""Nobody is told alone whose a code is, and whoever tries leaves an entry."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from archive.codes import InternalKey, new_key
from archive.errors import FreeTextRefused, InvalidValue, UnknownCode
from ingest.errors import LookUpRefused, VaultUnavailable
from ingest.keyvault import Keys, KeyVault, approvals
from ingest.keyvault.approvals import KEPT, SINGLES_A_DAY
from ingest.keyvault.requests import HOLDS, WAITS, RequestState
from tests.ingest.keyvault.conftest import JANE, JOHN, Place

Scanned = Callable[..., tuple[Keys, InternalKey]]
WHY = "request 17"


class Later(datetime):
    """A clock that can be put forward."""

    by = timedelta(0)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(UTC) + cls.by


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    monkeypatch.setattr(approvals, "datetime", Later)
    monkeypatch.setattr(Later, "by", timedelta(0))
    return lambda by: setattr(Later, "by", Later.by + by)


@pytest.fixture
def slide(scanned: Scanned) -> InternalKey:
    return scanned()[0].slide


def acts(vault: KeyVault, last: int) -> list[tuple[str, str]]:
    return [(entry.act, entry.who) for entry in vault.trail()[-last:]]


def test_one_asks_another_approves_and_the_first_is_told_once(vault: KeyVault, slide: InternalKey) -> None:
    request = vault.approvals.ask([slide], "asker", WHY)
    assert (request.state, [one.number for one in vault.approvals.waiting()]) == (RequestState.ASKED, [request.number])
    vault.approvals.decide(request.number.lower(), "second", "seen the letter", approve=True)
    assert vault.approvals.waiting() == ()
    (identity,) = vault.approvals.answer(request.number, "asker")
    assert identity is not None
    assert (identity.patient, identity.names) == (JANE.patient, (JANE.name,))
    assert acts(vault, 3) == [
        ("asked to identify", "asker"),
        ("approved to identify", "second"),
        ("identified", "asker"),
    ]
    told = vault.trail()[-1]
    assert told.subject == slide
    assert told.reason == f"{WHY}; request {request.number}, approved by second"
    with pytest.raises(LookUpRefused):
        vault.approvals.answer(request.number, "asker")
    assert acts(vault, 1) == [("not answered", "asker")]
    assert vault.verify_trail() == vault.check() == ()


def test_nobody_is_answered_who_was_not_approved(vault: KeyVault, slide: InternalKey) -> None:
    number = vault.approvals.ask([slide], "asker", WHY).number
    for who in ("asker", "second"):
        with pytest.raises(LookUpRefused):
            vault.approvals.answer(number, who)
        assert acts(vault, 1) == [("not answered", who)]
    vault.approvals.decide(number, "second", "seen", approve=True)
    with pytest.raises(LookUpRefused):
        vault.approvals.answer(number, "second")
    with pytest.raises(LookUpRefused):
        vault.approvals.answer("NOSUCH00", "asker")
    assert vault.approvals.answer(number, "asker")[0] is not None


def test_nobody_approves_their_own_request_and_the_try_is_an_event(vault: KeyVault, slide: InternalKey) -> None:
    number = vault.approvals.ask([slide], "asker", WHY).number
    with pytest.raises(LookUpRefused, match="another person"):
        vault.approvals.decide(number, "asker", "it is all right", approve=True)
    assert acts(vault, 1) == [("tried to approve own", "asker")]
    assert [one.number for one in vault.approvals.waiting()] == [number]


def test_a_refused_request_is_not_answered_and_may_be_asked_again(vault: KeyVault, slide: InternalKey) -> None:
    number = vault.approvals.ask([slide], "asker", WHY).number
    vault.approvals.decide(number, "second", "no letter", approve=False)
    with pytest.raises(LookUpRefused):
        vault.approvals.answer(number, "asker")
    with pytest.raises(UnknownCode):
        vault.approvals.decide(number, "second", "seen", approve=True)
    assert vault.approvals.ask([slide], "asker", WHY).number != number


def test_the_same_question_is_the_same_request_but_not_of_another_account(vault: KeyVault, slide: InternalKey) -> None:
    first = vault.approvals.ask([slide], "asker", WHY)
    assert vault.approvals.ask([slide], "asker", "asked again").number == first.number
    assert vault.approvals.ask([slide], "another", WHY).number != first.number
    assert vault.approvals.ask([slide], "asker", WHY, bulk=True).number != first.number


def test_requests_and_approvals_end(vault: KeyVault, slide: InternalKey, later: Callable[[timedelta], None]) -> None:
    late = vault.approvals.ask([slide], "asker", WHY).number
    later(WAITS)
    assert vault.approvals.waiting() == ()
    with pytest.raises(UnknownCode):
        vault.approvals.decide(late, "second", "seen", approve=True)
    number = vault.approvals.ask([slide], "asker", WHY).number
    vault.approvals.decide(number, "second", "seen", approve=True)
    later(HOLDS)
    with pytest.raises(LookUpRefused):
        vault.approvals.answer(number, "asker")


def test_a_clock_that_was_set_back_makes_nothing_good_that_was_approved_after_it(
    vault: KeyVault, slide: InternalKey, later: Callable[[timedelta], None]
) -> None:
    waiting = vault.approvals.ask([slide], "another", WHY).number
    number = vault.approvals.ask([slide], "asker", WHY).number
    vault.approvals.decide(number, "second", "seen", approve=True)
    later(-HOLDS)
    with pytest.raises(LookUpRefused):
        vault.approvals.answer(number, "asker")
    with pytest.raises(UnknownCode):
        vault.approvals.decide(waiting, "second", "seen", approve=True)


def test_old_requests_are_forgotten_and_stay_in_the_trail(
    vault: KeyVault, place: Place, slide: InternalKey, later: Callable[[timedelta], None]
) -> None:
    vault.approvals.ask([slide], "asker", WHY)
    later(KEPT + timedelta(seconds=1))
    vault.approvals.ask([slide], "asker", WHY)
    assert place.change("SELECT count(*) FROM lookup_request") == [(1,)]
    assert [act for act, _ in acts(vault, 2)] == ["asked to identify"] * 2


def test_many_are_asked_for_as_a_list_which_one_person_looks_at(vault: KeyVault, scanned: Scanned) -> None:
    jane, john = scanned()[0].slide, scanned(JOHN, "S26-2", file_name="other.svs")[0].slide
    with pytest.raises(InvalidValue, match="or for a list"):
        vault.approvals.ask([jane, john], "asker", WHY)
    vault.approvals.require_second_person(False, "head", "the head of department decided")
    request = vault.approvals.ask([jane, new_key(), john], "asker", WHY, bulk=True)
    assert request.state is RequestState.ASKED
    vault.approvals.decide(request.number, "second", "seen the list", approve=True)
    found = vault.approvals.answer(request.number, "asker")
    assert [one and one.patient for one in found] == [JANE.patient, None, JOHN.patient]
    assert [act for act, _ in acts(vault, 3)] == ["identified", "not identified", "identified"]


def test_too_many_single_requests_are_refused_and_written_down(vault: KeyVault, slide: InternalKey) -> None:
    for _ in range(SINGLES_A_DAY):
        vault.approvals.ask([new_key()], "asker", WHY)
    with pytest.raises(LookUpRefused, match="as a list"):
        vault.approvals.ask([slide], "asker", WHY)
    assert acts(vault, 1) == [("too many to identify", "asker")]
    assert len(vault.approvals.waiting()) == SINGLES_A_DAY
    assert vault.approvals.ask([slide], "another", WHY)


def test_a_laboratory_of_one_may_declare_that_it_has_no_second_person(vault: KeyVault, slide: InternalKey) -> None:
    assert vault.approvals.second_person
    vault.approvals.require_second_person(False, "head", "there is nobody else")
    assert acts(vault, 1) == [("second person not required", "head")]
    request = vault.approvals.ask([slide], "asker", WHY)
    assert vault.approvals.answer(request.number, "asker")[0] is not None
    told = vault.trail()[-1].reason
    assert told is not None
    assert told.endswith("no second person required")
    vault.approvals.require_second_person(True, "head", "somebody came")
    assert vault.approvals.ask([slide], "asker", WHY).state is RequestState.ASKED


def test_a_code_that_there_is_not_is_an_event(vault: KeyVault) -> None:
    vault.approvals.missed("asker", WHY)
    assert acts(vault, 1) == [("not identified", "asker")]


@pytest.mark.parametrize("reason", ["", "for 943 476 5919", "born 5 July 1948", "S26-0012345", "Planted^Jane"])
def test_a_reason_that_may_name_a_patient_is_refused_and_nothing_is_written(
    vault: KeyVault, slide: InternalKey, reason: str
) -> None:
    number = vault.approvals.ask([slide], "asker", WHY).number
    before = vault.trail_head()
    for act in (
        lambda: vault.approvals.ask([slide], "another", reason),
        lambda: vault.approvals.decide(number, "second", reason, approve=True),
        lambda: vault.approvals.missed("asker", reason),
        lambda: vault.approvals.require_second_person(False, "head", reason),
    ):
        with pytest.raises(FreeTextRefused):
            act()
    assert vault.trail_head() == before


def test_no_statement_in_the_database_approves_a_request(vault: KeyVault, place: Place, slide: InternalKey) -> None:
    first = vault.approvals.ask([slide], "asker", WHY).number
    vault.approvals.decide(first, "second", "seen", approve=True)
    other = vault.approvals.ask([slide], "another", WHY).number
    assert place.change("SELECT count(*) FROM pragma_table_info('lookup_request')") == [(2,)]
    place.change(
        "UPDATE lookup_request SET content = (SELECT content FROM lookup_request WHERE number = ?) WHERE number = ?",
        *(first, other),
    )
    with pytest.raises(VaultUnavailable):
        vault.approvals.answer(other, "another")
    assert [str(fault) for fault in vault.check()] == ["field-damaged: lookup_request, row 2"]


def test_an_erased_patient_is_named_to_nobody(vault: KeyVault, scanned: Scanned) -> None:
    keys, _ = scanned()
    number = vault.approvals.ask([keys.slide], "asker", WHY).number
    vault.approvals.decide(number, "second", "seen", approve=True)
    vault.erase(keys.patient, "head", "asked to be forgotten")
    assert vault.approvals.answer(number, "asker") == (None,)
    assert acts(vault, 1) == [("not identified", "asker")]
