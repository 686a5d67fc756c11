"""Whoever edits, deletes, moves, inserts or cuts off entries of any trail, or signed statements about them, is seen."""

from collections.abc import Callable
from pathlib import Path

import pytest

from archive.auditchain import FaultCode
from archive.auditchain.signing import SigningKey
from archive.errors import AccountsUnavailable, ArchiveError, AuditFaulty, HoldingsUnavailable, InvalidValue
from archive.holdings.auditing import Verified, sign, verify
from archive.holdings.second_place import SecondPlace
from ingest.cli.auditing import laboratory_books
from ingest.cli.places import Places
from tests.journeys.tampering import FILES, TRAILS, Kept, resealed, tamper

TAMPERINGS = 100


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept.make(tmp_path_factory.mktemp("laboratory"))


@pytest.fixture
def kept(signed: Kept, tmp_path: Path) -> Kept:
    return signed.copied(tmp_path / "copy")


def found(kept: Kept) -> Verified:
    with laboratory_books(Places.of(kept.home / "archive")) as (books, _):
        return verify(books.trails, SecondPlace(kept.home / "second"), kept.public, books.must)


def sign_again(kept: Kept, second: str = "second", anew: str | None = None) -> None:
    with laboratory_books(Places.of(kept.home / "archive"), read_only=False) as (books, _):
        key = SigningKey.read(kept.home / "archive-key" / "audit.key")
        sign(books.holdings, books.trails, SecondPlace(kept.home / second), key, anew=anew)


def codes_of(kept: Kept) -> set[FaultCode]:
    told = found(kept)
    return {fault.code for one in told.trails for fault in one.faults} | {fault.code for fault in told.faults}


def test_what_nobody_tampered_with_is_sound(kept: Kept) -> None:
    told = found(kept)
    assert told.sound
    assert {one.name for one in told.trails} == set(TRAILS)
    assert all(one.standing.head.number == one.signed > 20 for one in told.trails)
    assert [one.statement.number for one in told.statements] == [1, 2, 3]
    sign_again(kept)
    assert kept.is_sound()


def test_every_random_tampering_is_seen(signed: Kept, tmp_path: Path) -> None:
    told = tamper(signed, TAMPERINGS, tmp_path)
    assert told.missed == []
    assert told.tried.total() == TAMPERINGS
    assert {what.split(":")[0] for what in told.tried} == {*TRAILS, *FILES}


@pytest.mark.parametrize("trail", TRAILS)
def test_a_trail_made_anew_by_somebody_who_knows_the_format_is_seen_only_by_what_was_signed(
    kept: Kept, trail: str
) -> None:
    rows = kept.rows(trail)
    rows[3] = (4, rows[3][1].replace("reason", "excuse", 1) + " ", "")
    new = resealed(rows, kept.firsts[trail])
    kept.put(trail, new, (new[-1][0], new[-1][2]))
    with laboratory_books(Places.of(kept.home / "archive")) as (books, _):
        assert verify(books.trails, None).sound
    assert codes_of(kept) >= {FaultCode.REPLACED, FaultCode.ROOT}


def test_accounts_that_were_taken_away_whole_are_missed(kept: Kept) -> None:
    (kept.home / "archive" / "accounts.sqlite").unlink()
    with pytest.raises(AccountsUnavailable, match="file is lost"):
        codes_of(kept)
    (kept.home / "archive" / "has-accounts").unlink()
    assert codes_of(kept) == {FaultCode.TRAIL_MISSING}


def test_a_statement_that_was_taken_out_of_the_second_place_is_missed(kept: Kept) -> None:
    file = kept.home / "second" / "audit-statements"
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    assert codes_of(kept) == {FaultCode.STATEMENT_MISSING}
    file.unlink()
    assert codes_of(kept) == {FaultCode.STATEMENT_MISSING}


def test_a_second_place_signed_with_another_key_is_seen_by_whoever_knows_the_right_one(kept: Kept) -> None:
    other = SigningKey.create(kept.home / "other.key")
    (kept.home / "second" / "audit-key.pub").write_bytes(bytes(other.public))
    assert not kept.is_sound()
    with pytest.raises(InvalidValue, match="another key"):
        sign_again(kept)


def test_a_trail_with_a_fault_is_not_signed_and_nothing_is_changed(kept: Kept) -> None:
    rows = kept.rows("vault")
    kept.put("vault", rows[:-1])
    before = (kept.home / "second" / "audit-statements").read_bytes()
    with pytest.raises(AuditFaulty, match="were not signed"):
        sign_again(kept)
    assert (kept.home / "second" / "audit-statements").read_bytes() == before


def test_a_lost_second_place_is_begun_anew_with_a_reason_and_counts_on(kept: Kept) -> None:
    for file in FILES:
        (kept.home / file).unlink()
    with pytest.raises(HoldingsUnavailable, match="signed into this second place yet"):
        found(kept)
    with pytest.raises(AuditFaulty):
        sign_again(kept)
    sign_again(kept, anew="its disk is broken")
    told = found(kept)
    assert told.sound
    assert [one.statement.number for one in told.statements] == [4]
    with pytest.raises(InvalidValue, match="in an empty folder"):
        sign_again(kept, anew="once more")
    sign_again(kept)
    assert [one.statement.number for one in found(kept).statements] == [4, 5]


def test_a_second_place_that_is_not_there_is_said(kept: Kept) -> None:
    for act in (lambda: verify((), SecondPlace(kept.home / "nowhere")), lambda: sign_again(kept, second="nowhere")):
        with pytest.raises(HoldingsUnavailable, match="second place is not there"):
            act()


@pytest.mark.parametrize("after", ["prepare", "commit"])
def test_a_signing_that_was_interrupted_is_no_fault_and_is_finished(
    kept: Kept, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: Callable[..., None] = SecondPlace.prepare

    class Interrupted(ArchiveError):
        pass

    def interrupt(*arguments: object) -> None:
        if after == "prepare":
            real(*arguments)
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(SecondPlace, "prepare" if after == "prepare" else "add", interrupt)
        with pytest.raises(Interrupted):
            sign_again(kept)
    assert found(kept).sound
    sign_again(kept)
    told = found(kept)
    assert told.sound
    assert len(told.statements) == (4 if after == "prepare" else 5)
