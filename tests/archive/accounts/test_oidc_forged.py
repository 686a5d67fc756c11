"""What a provider says is believed only if it is whole: signed by it, for this archive, for this attempt, and fresh."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey
from pydantic import SecretStr

from archive.accounts.attempt import Attempt
from archive.accounts.oidc import SKEW_SECONDS, ProviderSignIn
from archive.accounts.provider import DESCRIPTION, Provider
from archive.accounts.values import Vouched
from archive.errors import NotVouchedFor, ProviderUnavailable

BACK = "https://slides.hospital.example/sign-in/openid/return"
SECRET = "a-shared-secret-of-enough-bytes-for-any-digest"
KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "1", "use": "sig"})
ALGORITHMS = ["RS256", "ES256", "HS256"]


class Forger:
    """A provider that answers whatever a test puts there."""

    def __init__(self) -> None:
        answers: dict[str, tuple[int, Any]] = {}
        self.answers = answers

        class Answering(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                status, told = answers.get(self.path, (404, "nothing"))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(told.encode() if isinstance(told, str) else json.dumps(told).encode())

            do_POST = do_GET  # noqa: N815  the name is the base class's

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        answers[DESCRIPTION] = (
            200,
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorise",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                "userinfo_endpoint": f"{self.issuer}/me",
            },
        )
        answers["/keys"] = 200, {"keys": [KEY.as_dict(private=False)]}
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def describes(self, **otherwise: object) -> None:
        """Change what it says of itself."""
        described = {**self.answers[DESCRIPTION][1], **otherwise}
        self.answers[DESCRIPTION] = 200, {name: value for name, value in described.items() if value is not None}

    def gives(self, token: object) -> None:
        """Exchange every code for this token."""
        self.answers["/token"] = 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def forger() -> Iterator[Forger]:
    made = Forger()
    yield made
    made.close()


class Coming:
    """A browser that comes back from the forger to one attempt."""

    def __init__(self, forger: Forger) -> None:
        self.forger = forger
        self.attempt = Attempt.new()
        self.through = ProviderSignIn(Provider(forger.issuer, "coverslip", SecretStr(SECRET)))

    def claims(self, **otherwise: object) -> dict[str, object]:
        """Give the claims of a token that holds, but for what is said otherwise; None leaves one out."""
        now = int(time.time())
        right: dict[str, object] = {
            "iss": self.forger.issuer,
            "sub": "staff/7",
            "aud": "coverslip",
            "iat": now,
            "exp": now + 60,
            "nonce": self.attempt.nonce,
            "preferred_username": "j.marsh",
        }
        return {name: value for name, value in {**right, **otherwise}.items() if value is not None}

    def token(self, key: RSAKey | ECKey | OctKey = KEY, alg: str = "RS256", **otherwise: object) -> str:
        """Sign such a token."""
        return jwt.encode({"alg": alg, "kid": "1"}, self.claims(**otherwise), key, algorithms=ALGORITHMS)

    def finish(self) -> Vouched:
        return self.through.finish(self.attempt, BACK, {"code": "any", "state": self.attempt.state})


@pytest.fixture
def coming(forger: Forger) -> Coming:
    return Coming(forger)


def test_a_token_that_holds_is_believed(coming: Coming) -> None:
    coming.forger.gives(coming.token())
    assert coming.finish().name == "j.marsh"


def seconds_from_now(seconds: float) -> int:
    return int(time.time() + seconds)


WRONG: dict[str, Callable[[Coming], object]] = {
    "another issuer": lambda to: to.token(iss="https://login.elsewhere.example"),
    "a longer issuer": lambda to: to.token(iss=f"{to.forger.issuer}/"),
    "no issuer": lambda to: to.token(iss=None),
    "another archive": lambda to: to.token(aud="another"),
    "another archive, made for this one": lambda to: to.token(aud=["another"], azp="coverslip"),
    "nobody": lambda to: to.token(aud=None),
    "several, and not for whom": lambda to: to.token(aud=["coverslip", "another"]),
    "several, made for another": lambda to: to.token(aud=["coverslip", "another"], azp="another"),
    "made for another": lambda to: to.token(azp="another"),
    "another attempt": lambda to: to.token(nonce=Attempt.new().nonce),
    "no attempt": lambda to: to.token(nonce=None),
    "no person": lambda to: to.token(sub=None),
    "a person who is no text": lambda to: to.token(sub=7),
    "expired": lambda to: to.token(exp=seconds_from_now(-SKEW_SECONDS - 5)),
    "never expires": lambda to: to.token(exp=None),
    "expires at no number": lambda to: to.token(exp="tomorrow"),
    "made tomorrow": lambda to: to.token(iat=seconds_from_now(86_400), exp=seconds_from_now(90_000)),
    "made at no time": lambda to: to.token(iat=None),
    "not valid yet": lambda to: to.token(nbf=seconds_from_now(SKEW_SECONDS + 60)),
    "signed with another key": lambda to: to.token(OTHER_KEY),
    "signed with a key of another kind": lambda to: to.token(ECKey.generate_key("P-256"), "ES256"),
    "signed with the shared secret": lambda to: to.token(OctKey.import_key(SECRET), "HS256"),
    "signed with the public key as a secret": lambda to: to.token(OctKey.import_key(_modulus()), "HS256"),
    "not signed": lambda to: _unsigned(to.claims()),
    "changed": lambda to: _changed(to.token()),
    "cut": lambda to: to.token()[:-3],
    "no token": lambda to: "",
    "missing": lambda to: None,
    "a number": lambda to: 7,
    "not even encoded": lambda to: "a.b.c",
}


def _modulus() -> str:
    return str(KEY.as_dict(private=False)["n"])


def _unsigned(claims: dict[str, object]) -> str:
    """Write a token that says of itself that nobody signed it."""
    parts = (urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in ({"alg": "none"}, claims))
    return ".".join((*parts, ""))


def _changed(token: str) -> str:
    """Put another person's claims between a header and a signature."""
    header, claims, signature = token.split(".")
    return ".".join((header, claims[:-4] + claims[-4:].swapcase(), signature))


@pytest.mark.parametrize("how", WRONG)
def test_a_token_that_does_not_hold_lets_nobody_in(coming: Coming, how: str) -> None:
    coming.forger.gives(WRONG[how](coming))
    with pytest.raises(NotVouchedFor, match="does not hold|for several") as told:
        coming.finish()
    assert "marsh" not in str(told.value)


def test_a_token_for_several_counts_if_it_was_made_for_this_archive(coming: Coming) -> None:
    coming.forger.gives(coming.token(aud=["another", "coverslip"], azp="coverslip"))
    assert coming.finish().name == "j.marsh"


def test_clocks_may_differ_by_a_minute(coming: Coming) -> None:
    coming.forger.gives(coming.token(iat=seconds_from_now(SKEW_SECONDS - 20)))
    assert coming.finish().name == "j.marsh"


def test_new_keys_count_at_once(coming: Coming) -> None:
    new = ECKey.generate_key("P-256", {"kid": "1"})
    coming.forger.answers["/keys"] = 200, {"keys": [new.as_dict(private=False)]}
    coming.forger.gives(coming.token(new, "ES256"))
    assert coming.finish().name == "j.marsh"


def test_a_key_that_others_have_too_does_not_count_though_it_is_published(coming: Coming) -> None:
    shared = OctKey.import_key(SECRET, {"kid": "1"})
    coming.forger.answers["/keys"] = 200, {"keys": [shared.as_dict(private=True)]}
    coming.forger.gives(coming.token(shared, "HS256"))
    with pytest.raises(NotVouchedFor, match="does not hold"):
        coming.finish()


@pytest.mark.parametrize("name", [7, ["j.marsh"], {"j.marsh": 1}, "j.m\u00e4rsh", "\ud800"], ids=ascii)
def test_what_cannot_be_the_name_of_an_account_is_none(coming: Coming, name: object) -> None:
    coming.forger.gives(coming.token(preferred_username=None))
    coming.forger.answers["/me"] = 200, {"sub": "staff/7", "preferred_username": name}
    with pytest.raises(NotVouchedFor, match="does not give the claim"):
        coming.finish()


@pytest.mark.parametrize("keys", [{}, {"keys": []}, {"keys": "none"}, {"keys": [7]}, {"keys": [{"kty": "RSA"}]}])
def test_without_keys_nobody_is_let_in(coming: Coming, keys: object) -> None:
    coming.forger.gives(coming.token())
    coming.forger.answers["/keys"] = 200, keys
    with pytest.raises(NotVouchedFor):
        coming.finish()


def test_what_is_told_of_another_person_does_not_count(coming: Coming) -> None:
    coming.forger.gives(coming.token(preferred_username=None))
    coming.forger.answers["/me"] = 200, {"sub": "staff/8", "preferred_username": "a.okoro"}
    with pytest.raises(NotVouchedFor, match="another person"):
        coming.finish()


def test_a_provider_that_tells_no_more_than_its_token_names_nobody(coming: Coming) -> None:
    coming.forger.describes(userinfo_endpoint=None)
    coming.forger.gives(coming.token(preferred_username=None))
    with pytest.raises(NotVouchedFor, match="does not give the claim"):
        coming.finish()


@pytest.mark.parametrize(
    ("status", "told"),
    [(500, {}), (302, {}), (200, "<html>down for the night</html>"), (200, []), (400, "no"), (401, {"error": "x"})],
)
@pytest.mark.parametrize("where", [DESCRIPTION, "/token", "/keys", "/me"])
def test_a_provider_that_answers_nonsense_counts_as_away(coming: Coming, where: str, status: int, told: object) -> None:
    coming.forger.gives(coming.token(preferred_username=None))
    coming.forger.answers[where] = status, told
    with pytest.raises(ProviderUnavailable, match=f"status {status}"):
        coming.finish()


OTHERWISE = [
    {"issuer": "https://login.elsewhere.example"},
    {"issuer": None},
    {"token_endpoint": "http://login.hospital.example/token"},
    {"token_endpoint": None},
    {"jwks_uri": "file:///etc/passwd"},
    {"jwks_uri": "https://name:password@login.hospital.example/keys"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"authorization_endpoint": "https://[broken/"},
    {"userinfo_endpoint": 7},
]


@pytest.mark.parametrize("otherwise", OTHERWISE, ids=str)
def test_a_provider_that_describes_itself_wrongly_is_not_used(coming: Coming, otherwise: dict[str, object]) -> None:
    coming.forger.describes(**otherwise)
    with pytest.raises(ProviderUnavailable, match="sign-in provider"):
        coming.through.begin(coming.attempt, BACK)


def test_a_provider_is_asked_again_after_it_described_itself_wrongly(coming: Coming) -> None:
    coming.forger.describes(issuer="https://login.elsewhere.example")
    with pytest.raises(ProviderUnavailable):
        coming.through.begin(coming.attempt, BACK)
    coming.forger.describes(issuer=coming.forger.issuer)
    assert coming.through.begin(coming.attempt, BACK).startswith(f"{coming.forger.issuer}/authorise?response_type=code")


def test_an_address_with_a_query_keeps_it(coming: Coming) -> None:
    coming.forger.describes(authorization_endpoint=f"{coming.forger.issuer}/authorise?tenant=7")
    assert "/authorise?tenant=7&response_type=code&" in coming.through.begin(coming.attempt, BACK)
