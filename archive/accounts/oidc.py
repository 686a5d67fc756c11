"""A hospital signs its staff in at one place; here that place may vouch for an account, and for nothing more.

The provider says who somebody is. Whether there is such an account, and what it may do, stays with the archive: nobody
gets an account or a role by being known elsewhere. The way there is OpenID Connect's authorisation code with PKCE
(OpenID Connect Core 1.0, 3.1 and 5.3; RFC 7636; RFC 9207). Only what reaches the archive over its own connection to
the provider is believed; of what a browser brings back, nothing but a code that is worth nothing elsewhere.
"""

import hmac
import ssl
import time
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote_plus, urlencode, urlsplit

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from archive.accounts.attempt import Attempt
from archive.accounts.provider import DESCRIPTION, Description, Provider
from archive.accounts.values import Vouched
from archive.errors import InvalidValue, NotVouchedFor, ProviderUnavailable

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512")
"""How a token may be signed: with a key that only the provider has. A shared secret would let others sign as well."""

SECONDS_TO_ANSWER: Final = 5.0
"""A provider that takes longer counts as away: somebody waits in front of the screen, and a thread with them."""

SECONDS_DESCRIBED: Final = 3600.0
"""How long what a provider says of itself is used: its addresses change once in years. Its keys are always asked."""

SKEW_SECONDS: Final = 60
"""By how much the clocks of two machines may differ."""


class ProviderSignIn:
    """Sends browsers to a provider, and learns from it whom they came back as. Safe to use from several threads.

    Parameters
    ----------
    provider : Provider
        Whom to believe.
    """

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        # The system's own list of authorities: that is where a hospital puts its own.
        self._trust = ssl.create_default_context()
        self._known: tuple[float, Description] | None = None

    def begin(self, attempt: Attempt, back: str) -> str:
        """Give the provider's address to send a browser to, from where it returns to `back`.

        Raises
        ------
        ProviderUnavailable
            If the provider does not describe itself.
        """
        query = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": back,
            "scope": "openid profile",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        address = self._description().authorisation
        return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(query)}"

    def finish(self, attempt: Attempt, back: str, brought: Mapping[str, str]) -> Vouched:
        """Give whom the provider vouches for.

        Parameters
        ----------
        attempt : Attempt
            The one that the browser set out with.
        back : str
            Address that it returned to, the same as at the start.
        brought : mapping
            The query that it brought back.

        Raises
        ------
        NotVouchedFor
            If the provider vouches for nobody, or not in answer to this attempt.
        ProviderUnavailable
            If the provider cannot be asked.
        """
        description = self._description()
        code = self._code(attempt, brought, description)
        tokens = self._tokens(attempt, back, code, description)
        claims = self._claims(attempt, str(tokens.get("id_token", "")), description)
        name = claims.get(self._provider.claim)
        if name is None and description.user_info is not None:
            name = self._told(claims["sub"], str(tokens.get("access_token", "")), description.user_info)
        if not isinstance(name, str) or not name.isascii():
            raise NotVouchedFor("the sign-in provider does not give the claim that names the account")
        return Vouched(name, self._provider.issuer, claims["sub"])

    def _description(self) -> Description:
        now = time.monotonic()
        if self._known is None or now >= self._known[0]:
            published = self._object(self._ask("GET", self._provider.issuer.rstrip("/") + DESCRIPTION))
            try:
                self._known = now + SECONDS_DESCRIBED, Description.of(published, self._provider.issuer)
            except InvalidValue as error:
                raise ProviderUnavailable(str(error)) from None
        return self._known[1]

    def _code(self, attempt: Attempt, brought: Mapping[str, str], description: Description) -> str:
        """Give the code that a browser brought, if it comes from its own attempt and from this provider."""
        if not hmac.compare_digest(brought.get("state", "").encode(), attempt.state.encode()):
            raise NotVouchedFor("the browser came back from another attempt than it set out with")
        issuer = brought.get("iss")
        if issuer != self._provider.issuer and (issuer is not None or description.names_itself):
            raise NotVouchedFor("the browser came back from another sign-in provider")
        if "error" in brought or not brought.get("code"):
            raise NotVouchedFor("the sign-in provider signed nobody in")
        return brought["code"]

    def _tokens(self, attempt: Attempt, back: str, code: str, description: Description) -> Mapping[str, Any]:
        """Exchange a code for what it stands for."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": attempt.verifier,
        }
        secret, auth = self._provider.client_secret, None
        if secret is not None and description.basic:
            auth = httpx.BasicAuth(quote_plus(self._provider.client_id), quote_plus(secret.get_secret_value()))
        else:
            form["client_id"] = self._provider.client_id
            if secret is not None:
                form["client_secret"] = secret.get_secret_value()
        answer = self._ask("POST", description.token, data=form, auth=auth)
        if answer.status_code == httpx.codes.BAD_REQUEST and self._is_spent(answer):
            raise NotVouchedFor("the sign-in provider does not know the code, or it was used or is too old")
        return self._object(answer)

    def _claims(self, attempt: Attempt, token: str, description: Description) -> Mapping[str, Any]:
        """Give what a token says, if the provider signed it, for this archive, in answer to this attempt, just now."""
        wanted = jwt.JWTClaimsRegistry(
            leeway=SKEW_SECONDS,
            iss={"essential": True, "value": self._provider.issuer},
            sub={"essential": True},
            aud={"essential": True, "value": self._provider.client_id},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": attempt.nonce},
            azp={"value": self._provider.client_id},
        )
        published = self._object(self._ask("GET", description.keys))
        try:
            keys = KeySet.import_key_set({"keys": published["keys"]})
            claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
            wanted.validate(claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise NotVouchedFor(f"the sign-in provider's token does not hold ({type(error).__name__})") from None
        if not isinstance(claims["sub"], str):
            raise NotVouchedFor("the sign-in provider's token does not say whom it is about")
        if claims["aud"] not in (self._provider.client_id, [self._provider.client_id]) and "azp" not in claims:
            raise NotVouchedFor("the sign-in provider's token is for several, and does not say for whom it was made")
        return claims

    def _told(self, subject: str, access: str, address: str) -> object:
        """Ask the provider for the claim; what it tells must be of the person that the token is about."""
        told = self._object(self._ask("GET", address, headers={"authorization": f"Bearer {access}"}))
        if told.get("sub") != subject:
            raise NotVouchedFor("the sign-in provider tells of another person than its token")
        return told.get(self._provider.claim)

    def _ask(self, method: str, address: str, **more: Any) -> httpx.Response:
        try:
            return httpx.request(method, address, verify=self._trust, timeout=SECONDS_TO_ANSWER, **more)
        except httpx.HTTPError as error:
            raise ProviderUnavailable(
                f"the sign-in provider cannot be reached ({type(error).__name__}); use a password, or try later"
            ) from None

    @staticmethod
    def _is_spent(answer: httpx.Response) -> bool:
        try:
            return bool(answer.json()["error"] == "invalid_grant")
        except (ValueError, KeyError, TypeError):
            return False

    @staticmethod
    def _object(answer: httpx.Response) -> Mapping[str, Any]:
        """Read what a provider answered."""
        try:
            told = answer.json() if answer.status_code == httpx.codes.OK else None
        except ValueError:
            told = None
        if not isinstance(told, dict):
            raise ProviderUnavailable(
                f"the sign-in provider answered with status {answer.status_code} and nothing that can be read; compare "
                "issuer, client id and client secret with what is registered there"
            )
        return told
