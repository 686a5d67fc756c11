"""What lies in the second place was signed, in this order, or it is called a fault."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.auditchain import FaultCode, Head
from archive.auditchain.signing import PublicKey, SigningKey
from archive.auditchain.statement import NONE_BEFORE, Signed, Standing, Statement, verified
from archive.errors import InvalidValue

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
COUNT = 4


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.create(tmp_path_factory.mktemp("key") / "audit.key")


@pytest.fixture(scope="module")
def lines(key: SigningKey) -> list[str]:
    made: list[Signed] = []
    for number in range(1, COUNT + 1):
        standing = Standing(Head(number * 10, f"{number}" * 64), "a" * 64)
        before = made[-1].digest if made else NONE_BEFORE
        made.append(Signed.by(key, Statement(number, before, NOON, {"catalogue": standing, "vault": standing})))
    return [one.line for one in made]


def content(lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def test_what_was_signed_is_read_again(key: SigningKey, lines: list[str]) -> None:
    good, faults = verified(content(lines), key.public)
    assert faults == ()
    assert [one.line for one in good] == lines
    assert good[2].statement.trails["vault"].head.number == 30


def test_a_file_may_begin_after_one_that_was_lost(key: SigningKey, lines: list[str]) -> None:
    good, faults = verified(content(lines[2:]), key.public)
    assert (len(good), faults) == (2, ())


@given(data=st.data())
def test_every_changed_byte_is_found(key: SigningKey, lines: list[str], data: st.DataObject) -> None:
    whole = bytearray(content(lines))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    good, faults = verified(bytes(whole), key.public)
    assert faults
    assert len(good) < COUNT


@pytest.mark.parametrize("gone", [1, 2])
def test_a_statement_that_was_taken_out_is_missed(key: SigningKey, lines: list[str], gone: int) -> None:
    _, faults = verified(content(lines[:gone] + lines[gone + 1 :]), key.public)
    assert {fault.code for fault in faults} == {FaultCode.STATEMENT_MISSING}


def test_exchanged_and_repeated_statements_are_found(key: SigningKey, lines: list[str]) -> None:
    one, two, *rest = lines
    assert verified(content([two, one, *rest]), key.public)[1]
    assert verified(content([one, one, two, *rest]), key.public)[1]


def test_a_statement_of_another_key_is_none(lines: list[str], tmp_path: Path) -> None:
    other = SigningKey.create(tmp_path / "other.key")
    good, faults = verified(content(lines), other.public)
    assert (good, len(faults)) == ((), COUNT)


def test_a_signature_made_for_something_else_does_not_fit(key: SigningKey, lines: list[str]) -> None:
    text = lines[0].partition(" ")[2]
    assert not key.public.verifies(key.private.sign(text.encode()).hex(), text)
    assert key.public.verifies(key.sign(text), text)


def test_the_private_key_is_its_owners_alone_and_is_read_again(tmp_path: Path) -> None:
    made = SigningKey.create(tmp_path / "audit.key")
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600
    assert SigningKey.read(tmp_path / "audit.key").public == made.public
    assert made.private.private_bytes_raw().hex() not in repr(made)
    with pytest.raises(FileExistsError):
        SigningKey.create(tmp_path / "audit.key")


@pytest.mark.parametrize("wrong", [b"", b"ed25519 ", b"ed25519 " + b"g" * 64 + b"\n", b"ed25519 " + b"a" * 64])
def test_what_is_no_key_is_refused(wrong: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidValue, match="no public key"):
        PublicKey.parse(wrong)
    (tmp_path / "file").write_bytes(wrong)
    with pytest.raises(InvalidValue, match="holds no such key"):
        SigningKey.read(tmp_path / "file")


def test_a_public_key_is_read_byte_for_byte(key: SigningKey) -> None:
    assert PublicKey.parse(bytes(key.public)) == key.public
    with pytest.raises(InvalidValue):
        PublicKey.parse(bytes(key.public) + b"\n")
