"""Whoever may write in the second place cannot put another head there: each statement is signed (Ed25519).

The private key lies with the person who signs, never with what serves. The public key tells nothing and is copied
wherever somebody wants to verify.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from archive.errors import InvalidValue

_PUBLIC = re.compile(rb"ed25519 ([0-9a-f]{64})\n")
_FOR = b"coverslip audit statement\0"
"""Opens what is signed, so that no signature made for something else fits."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What a signature is verified with: 32 bytes, in hexadecimal digits."""

    digits: str

    def __post_init__(self) -> None:
        if not _PUBLIC.fullmatch(bytes(self)):
            raise InvalidValue("this is no public key of an audit trail: one line, ed25519 and 64 hexadecimal digits")

    def __bytes__(self) -> bytes:
        return f"ed25519 {self.digits}\n".encode()

    @classmethod
    def parse(cls, content: bytes) -> "PublicKey":
        """Read what ``bytes`` wrote; not one byte may differ."""
        found = _PUBLIC.fullmatch(content)
        return cls(found[1].decode() if found else "")

    def verifies(self, signature: str, text: str) -> bool:
        """Tell whether a text was signed with the private key."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.digits))
            key.verify(bytes.fromhex(signature), _FOR + text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; its text form shows nothing."""

    private: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def create(cls, file: Path) -> "SigningKey":
        """Make a key in a new file that only its owner can read.

        Raises
        ------
        OSError
            If there is such a file already, or it cannot be written.
        """
        key = Ed25519PrivateKey.generate()
        content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
            written.write(content)
            written.flush()
            os.fsync(written.fileno())
        return cls(key)

    @classmethod
    def read(cls, file: Path) -> "SigningKey":
        """Read a key from its file.

        Raises
        ------
        InvalidValue
            If it holds no such key.
        OSError
            If it cannot be read.
        """
        try:
            key = load_pem_private_key(file.read_bytes(), password=None)
        except (ValueError, TypeError):
            key = None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidValue("the file of the signing key holds no such key; name the right one")
        return cls(key)

    @property
    def public(self) -> PublicKey:
        """The key that its signatures are verified with."""
        return PublicKey(self.private.public_key().public_bytes_raw().hex())

    def sign(self, text: str) -> str:
        """Sign a text: 64 bytes, in hexadecimal digits."""
        return self.private.sign(_FOR + text.encode()).hex()
