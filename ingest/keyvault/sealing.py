"""A sealed field says nothing, fits one place only, and can be found again only by who holds the key.

AES-256-GCM seals; its additional data name the place (table, column, row, the row's other columns, key version),
so that a field moved to another row, column or parent does not open. A look-up is an HMAC-SHA-256, a *blind index*:
equal values give equal look-ups, and without the key they cannot be tried out. A name that was deleted from a database
file may still be in it; what was sealed under a key that no longer exists is gone.
"""

import hmac
import secrets
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from archive.errors import InvalidValue
from ingest.errors import VaultDamaged

KEY_BYTES = 64
"""32 to seal with and 32 to make look-ups with: two uses never share key material."""

KEY_VERSION = 1
"""Written before each sealed field, so that fields of a later kind of key can be told apart from today's."""

_NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class FieldKey:
    """A key of the vault: the laboratory's, the vault's own, or one patient's. Its text form shows nothing."""

    material: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.material) != KEY_BYTES:
            raise InvalidValue(f"a key of the vault has {KEY_BYTES} bytes")

    @classmethod
    def random(cls) -> "FieldKey":
        """Make a new key."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @property
    def name(self) -> str:
        """What tells this key from another without telling anything about it: 32 hexadecimal digits."""
        return self.look_up("name of a key").hex()[:32]

    def seal(self, plain: bytes, *place: str | bytes) -> bytes:
        """Seal a field for its place: key version, nonce, ciphertext with its tag."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return bytes([KEY_VERSION]) + nonce + AESGCM(self.material[:32]).encrypt(nonce, plain, _bound(place))

    def unseal(self, sealed: bytes, *place: str | bytes) -> bytes:
        """Open a field at its place.

        Raises
        ------
        VaultDamaged
            If the field, its place or the key is not the one it was sealed with.
        """
        if sealed[:1] != bytes([KEY_VERSION]):
            raise VaultDamaged()
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return AESGCM(self.material[:32]).decrypt(nonce, ciphertext, _bound(place))
        except (InvalidTag, ValueError):
            raise VaultDamaged() from None

    def look_up(self, *parts: str | bytes) -> bytes:
        """Make the blind index of a value: 32 bytes."""
        return hmac.digest(self.material[32:], _joined(parts), "sha256")


def _bound(place: tuple[str | bytes, ...]) -> bytes:
    return _joined((*place, str(KEY_VERSION)))


def _joined(parts: tuple[str | bytes, ...]) -> bytes:
    # Each with its length before it, so that no two lists of parts look the same whatever is in them.
    encoded = [part if isinstance(part, bytes) else part.encode() for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
