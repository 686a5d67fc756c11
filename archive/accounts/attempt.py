"""Whoever sets out to sign in elsewhere must be the one who comes back, and only their own browser can show that."""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from archive.errors import NotVouchedFor

_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One browser's attempt to sign in. All its values come from one secret that this browser keeps.

    So nothing is stored here, any worker can end what another began, and what a browser brings back is only of use to
    the browser that set out: state, nonce and the verifier of PKCE are made anew from the secret that comes with it.

    Raises
    ------
    NotVouchedFor
        If no attempt has such a secret.
    """

    secret: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _SECRET.fullmatch(self.secret):
            raise NotVouchedFor("the browser came back without the attempt that it set out with")

    @classmethod
    def new(cls) -> "Attempt":
        """Begin one."""
        return cls(secrets.token_urlsafe(32))

    @property
    def state(self) -> str:
        """What the provider sends back through the browser."""
        return self._made_for("state")

    @property
    def nonce(self) -> str:
        """What the provider writes into its token."""
        return self._made_for("nonce")

    @property
    def verifier(self) -> str:
        """What only the archive sends along with a code."""
        return self._made_for("verifier")

    @property
    def challenge(self) -> str:
        """The verifier's SHA-256, which the provider is told at the start (RFC 7636, 4.2)."""
        return _text(sha256(self.verifier.encode()).digest())

    def _made_for(self, use: str) -> str:
        return _text(hmac.digest(self.secret.encode(), use.encode(), "sha256"))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
