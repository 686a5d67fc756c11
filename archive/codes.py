"""Coded identifiers: how a code looks, and how a typing error in one is noticed.

A code is random (RULES section 3: a random number with a mapping table), written in Crockford's base 32 with a Luhn
check character over the same alphabet, which catches every single wrong character and nearly all swaps. It tells
neither order nor time. Internal keys stand for the same things inside the archive and the vault; they appear in no
URL, export, log or error.
"""

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from stdnum import luhn

from archive.errors import InvalidValue

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O or U, so that nothing is misread and no word is spelt."""

RANDOM_CHARACTERS = 9
"""45 random bits: in a project of a million slides a clash is rare, and the catalogue's unique index catches it."""

InternalKey = NewType("InternalKey", str)
"""32 hexadecimal digits, random. Never shown, logged or served."""


class Kind(StrEnum):
    """What a code stands for; its letter opens the code."""

    PATIENT = "P"
    CASE = "C"
    SLIDE = "S"
    SCAN = "N"


@dataclass(frozen=True, slots=True, order=True)
class Code:
    """A project code such as ``S-7K3QF-2M9XT``: kind, nine random characters and a check character."""

    kind: Kind
    body: str

    def __post_init__(self) -> None:
        if len(self.body) != RANDOM_CHARACTERS + 1 or any(c not in ALPHABET for c in self.body):
            raise InvalidValue("a code has a letter and ten characters, such as S-7K3QF-2M9XT")
        if luhn.checksum(self.body, ALPHABET):
            raise InvalidValue("this code has a typing error: its check character does not fit")

    def __str__(self) -> str:
        return f"{self.kind}-{self.body[:5]}-{self.body[5:]}"

    @classmethod
    def random(cls, kind: Kind) -> "Code":
        """Make a new code."""
        body = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_CHARACTERS))
        return cls(kind, body + luhn.calc_check_digit(body, ALPHABET))

    @classmethod
    def parse(cls, text: str) -> "Code":
        """Read a code as people type it: any case, with or without hyphens, O for 0 and I or L for 1.

        Raises
        ------
        InvalidValue
            If it is no code, or its check character shows a typing error.
        """
        plain = text.strip().upper().replace("-", "").replace(" ", "")
        if not plain or plain[0] not in list(Kind):
            raise InvalidValue("a code begins with P, C, S or N, such as S-7K3QF-2M9XT")
        return cls(Kind(plain[0]), plain[1:].translate(str.maketrans("OIL", "011")))


def new_key() -> InternalKey:
    """Make a random internal key."""
    return InternalKey(secrets.token_hex(16))


def new_handle() -> str:
    """Make a random handle for a URL: 128 bits, tells nothing."""
    return "".join(secrets.choice(ALPHABET) for _ in range(26)).lower()
