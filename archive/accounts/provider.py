"""A hospital signs its staff in at one place, which has a name, some addresses, and a name for each program it serves.

What is set of it is checked when a server starts, and what it publishes of itself when it is first asked: whoever could
answer in its place could be anybody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from archive.errors import InvalidValue
from archive.settings import ArchiveSettings

DESCRIPTION: Final = "/.well-known/openid-configuration"
"""Where a provider describes itself, behind its name."""

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")
_BASIC: Final = "client_secret_basic"


def _require_safe(address: object) -> str:
    """Give an address of the provider's, if nobody on the way to it can listen or answer in its place."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
    except ValueError:
        parts = urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.username is not None or parts.fragment:
        raise InvalidValue("the sign-in provider's addresses begin with https:// and hold no password and no #")
    return str(address)


@dataclass(frozen=True, slots=True)
class Provider:
    """Whom the archive believes, and what it is called there.

    ``issuer`` is the provider's own name, an address. ``claim`` is what the provider calls the account's name;
    it must be one that people cannot choose themselves. Without ``client_secret`` the archive is a public client.
    """

    issuer: str
    client_id: str
    client_secret: SecretStr | None = None
    claim: str = "preferred_username"

    def __post_init__(self) -> None:
        _require_safe(self.issuer)
        if urlsplit(self.issuer).query:
            raise InvalidValue("the sign-in provider's issuer is an address without a ?")
        if not self.client_id or not self.claim:
            raise InvalidValue("a sign-in provider needs a client id and a claim that gives the account's name")


def provider_of(settings: ArchiveSettings, *, accounts: bool) -> Provider | None:
    """Give the provider that settings name; None if they name none.

    Raises
    ------
    InvalidValue
        If what they say of it cannot be, or if there are no accounts that it could vouch for.
    """
    if settings.oidc_issuer is None:
        return None
    if not accounts:
        raise InvalidValue(
            "a sign-in provider vouches for accounts and makes none, so accounts are needed first; make them with: "
            "coverslip setup"
        )
    secret = settings.oidc_client_secret
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret, settings.oidc_claim)


@dataclass(frozen=True, slots=True)
class Description:
    """What a provider publishes about itself, as far as it is used (OpenID Connect Discovery 1.0, section 3).

    ``basic`` tells whether it takes a client's secret in a header, and not only in the form; ``names_itself`` whether
    it says who it is when it sends a browser back (RFC 9207).
    """

    authorisation: str
    token: str
    keys: str
    user_info: str | None
    basic: bool
    names_itself: bool

    @classmethod
    def of(cls, published: Mapping[str, Any], issuer: str) -> "Description":
        """Read it.

        Raises
        ------
        InvalidValue
            If it is another provider's, or if its addresses are not safe.
        """
        if published.get("issuer") != issuer:
            raise InvalidValue("the sign-in provider describes itself under another name than the issuer that is set")
        user_info = published.get("userinfo_endpoint")
        return cls(
            authorisation=_require_safe(published.get("authorization_endpoint")),
            token=_require_safe(published.get("token_endpoint")),
            keys=_require_safe(published.get("jwks_uri")),
            user_info=None if user_info is None else _require_safe(user_info),
            basic=_BASIC in published.get("token_endpoint_auth_methods_supported", (_BASIC,)),
            names_itself=published.get("authorization_response_iss_parameter_supported") is True,
        )
