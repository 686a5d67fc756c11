"""Passwords are hard to guess and kept as argon2id; the slow parts are tested as they are used."""

import time
from statistics import median

import pytest

from archive.accounts import passwords
from archive.errors import InvalidValue

GOOD = "violin grape umbrella"


def test_a_password_is_kept_as_argon2id_with_64_mebibytes() -> None:
    kept = passwords.hashed(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert "violin" not in kept
    assert passwords.fits(kept, GOOD)
    assert not passwords.fits(kept, GOOD + " ")
    assert not passwords.is_outdated(kept)


def test_that_there_is_no_such_account_takes_as_long_to_say_as_that_the_password_is_wrong() -> None:
    kept = passwords.hashed(GOOD)
    passwords.fits(None, "warm")

    def seconds(of: str | None) -> float:
        began = time.process_time()
        passwords.fits(of, "wrong")
        return time.process_time() - began

    known, unknown = (median(seconds(of) for _ in range(5)) for of in (kept, None))
    assert unknown > 0.5 * known
    assert known > 0.5 * unknown


@pytest.mark.parametrize(
    "password", ["", "short", "x" * 300, "aaaaaaaaaaaaaaaa", "password1234", "qwertyuiop12", "carol carol carol"]
)
def test_a_password_that_would_be_guessed_is_refused_and_not_repeated(quick_hashes: None, password: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        passwords.hashed(password, "carol")
    assert not password or password not in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "again"),
    [
        ("vi\u00f6lin grape umbrella", "vio\u0308lin grape umbrella"),
        ("\ufb01ddle grape umbrella", "fiddle grape umbrella"),
    ],
)
def test_every_keyboard_gives_the_same_password(quick_hashes: None, typed: str, again: str) -> None:
    assert passwords.fits(passwords.hashed(typed), again)


def test_a_long_password_counts_to_its_end(quick_hashes: None) -> None:
    long = "violin grape umbrella " * 11
    kept = passwords.hashed(long)
    assert passwords.fits(kept, long)
    assert not passwords.fits(kept, long[:-1])
    assert not passwords.fits(kept, long * 3)


@pytest.mark.parametrize("kept", ["", "no hash", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$", None])
def test_a_damaged_hash_fits_no_password(quick_hashes: None, kept: str | None) -> None:
    assert not passwords.fits(kept, GOOD)
