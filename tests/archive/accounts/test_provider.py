"""A sign-in provider is set up whole and safe, or the server does not start."""

import pytest
from pydantic import SecretStr

from archive.accounts.provider import Provider, provider_of
from archive.errors import InvalidValue
from archive.settings import ArchiveSettings

ISSUER = "https://login.hospital.example/realms/staff"


def test_no_provider_is_asked_unless_one_is_set() -> None:
    assert provider_of(ArchiveSettings(), accounts=False) is None
    assert provider_of(ArchiveSettings(), accounts=True) is None


def test_a_provider_needs_accounts_to_vouch_for() -> None:
    with pytest.raises(InvalidValue, match="accounts are needed first"):
        provider_of(ArchiveSettings(oidc_issuer=ISSUER), accounts=False)


def test_a_provider_is_set_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COVERSLIP_OIDC_ISSUER", ISSUER)
    monkeypatch.setenv("COVERSLIP_OIDC_CLIENT_SECRET", "hush")
    monkeypatch.setenv("COVERSLIP_OIDC_CLAIM", "uid")
    found = provider_of(ArchiveSettings(), accounts=True)
    assert found == Provider(ISSUER, "coverslip", SecretStr("hush"), "uid")
    assert "hush" not in repr(found)


@pytest.mark.parametrize(
    "issuer", [ISSUER, "https://login.hospital.example:8443", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_a_provider_is_reached_through_tls_or_on_this_machine(issuer: str) -> None:
    assert Provider(issuer, "coverslip").issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "login.hospital.example",
        "http://login.hospital.example",
        "http://localhost.elsewhere.example",
        "https://",
        "https://staff:secret@login.hospital.example",
        f"{ISSUER}?tenant=7",
        f"{ISSUER}#top",
        "file:///srv/provider",
        "https://[broken",
    ],
)
def test_any_other_provider_is_refused(issuer: str) -> None:
    with pytest.raises(InvalidValue, match="sign-in provider"):
        Provider(issuer, "coverslip")


@pytest.mark.parametrize(("client", "claim"), [("", "preferred_username"), ("coverslip", "")])
def test_a_provider_needs_a_client_and_a_claim(client: str, claim: str) -> None:
    with pytest.raises(InvalidValue, match="client id and a claim"):
        Provider(ISSUER, client, claim=claim)
