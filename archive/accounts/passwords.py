"""A password is kept as argon2id and asked to be hard to guess, which length does and rules about signs do not.

Source: RFC 9106 (argon2id; argon2-cffi's defaults are its second recommendation: 64 MiB, 3 passes, 4 lanes), and
NIST SP 800-63B section 3.1.1 (length over composition, no hints, compare with what is commonly used).
"""

import functools
import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from archive.errors import InvalidValue

SHORTEST = 12
"""Characters."""

LONGEST = 256
"""Characters; a longer one would only cost time."""

LEAST_SCORE = 3
"""Of zxcvbn's 0 to 4: more than 10^8 guesses, where the lock-out lets an attacker make 480 a day."""

_JUDGED = 72
"""Characters that zxcvbn takes."""

_HASHER = PasswordHasher()
_TURNS = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB: a crowd at the door must wait, and not take the server's memory."""


def require_hard_to_guess(password: str, *not_like: str) -> str:
    """Give a new password in the form that is hashed.

    Parameters
    ----------
    password
        As it was typed; brought into one Unicode form, so that every keyboard gives the same.
    not_like
        Words that it may not be made of, such as the account's name.

    Raises
    ------
    InvalidValue
        If it is too short, too long or easy to guess. The sentence does not repeat it.
    """
    plain = _normal(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise InvalidValue(f"a password has {SHORTEST} to {LONGEST} characters; a few words in a row are easy to keep")
    if _score(plain[:_JUDGED], not_like) < LEAST_SCORE:
        raise InvalidValue("this password would be guessed soon; take a few words that do not belong together")
    return plain


def hashed(password: str, *not_like: str) -> str:
    """Hash a new password; raises InvalidValue as `require_hard_to_guess` does."""
    plain = require_hard_to_guess(password, *not_like)
    with _TURNS:
        return _HASHER.hash(plain)


def fits(kept: str | None, password: str) -> bool:
    """Tell whether a password is the one that was kept; takes as long where none was kept."""
    plain = _normal(password)[:LONGEST]
    with _TURNS:
        try:
            return _HASHER.verify(_nobodys() if kept is None else kept, plain) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(kept: str) -> bool:
    """Tell whether a hash was made with weaker parameters than are used now."""
    return _HASHER.check_needs_rehash(kept)


def rehashed(password: str) -> str:
    """Hash a password that fitted anew, with the parameters that are used now."""
    with _TURNS:
        return _HASHER.hash(_normal(password)[:LONGEST])


@functools.cache
def _nobodys() -> str:
    """Give a hash that no password fits."""
    return _HASHER.hash(secrets.token_urlsafe(32))


def _normal(password: str) -> str:
    return unicodedata.normalize("NFKC", password)


def _score(plain: str, not_like: tuple[str, ...]) -> int:
    from zxcvbn import zxcvbn  # word lists of a megabyte, which only a new password needs

    return int(zxcvbn(plain, user_inputs=["coverslip", *not_like])["score"])
