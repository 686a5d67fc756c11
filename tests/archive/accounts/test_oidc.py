"""The hospital's own sign-in vouches for whoever signed in there, in this browser, just now, and for nobody else."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from archive.accounts.attempt import Attempt
from archive.accounts.oidc import ProviderSignIn
from archive.accounts.provider import Provider
from archive.errors import NotVouchedFor, ProviderUnavailable
from tests.archive.accounts.hospital import FORM_SECRET, SECRET, hospital, visit

BACK = "http://127.0.0.1:8765/sign-in/openid/return"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with hospital(BACK) as name:
        yield name


@pytest.fixture(scope="module")
def reticent() -> Iterator[str]:
    """Run a provider whose tokens say no more than they must."""
    with hospital(BACK, claims="userinfo") as name:
        yield name


def known_to(issuer: str, client: str = "coverslip", secret: str | None = SECRET, **more: str) -> ProviderSignIn:
    return ProviderSignIn(Provider(issuer, client, None if secret is None else SecretStr(secret), **more))


def signed_in(through: ProviderSignIn, login: str) -> tuple[Attempt, dict[str, str]]:
    """Set out and sign in at the provider; gives what the browser comes back with."""
    attempt = Attempt.new()
    return attempt, dict(visit(through.begin(attempt, BACK), BACK, login).params)


def test_who_signs_in_there_is_vouched_for(issuer: str) -> None:
    through = known_to(issuer)
    attempt, brought = signed_in(through, "j.marsh")
    assert through.finish(attempt, BACK, brought).name == "j.marsh"


def test_who_it_is_is_told_apart_from_what_they_are_called(issuer: str) -> None:
    through, came = known_to(issuer), []
    for login in ("j.marsh", "j.marsh~2", "j.marsh"):
        attempt, brought = signed_in(through, login)
        came.append(through.finish(attempt, BACK, brought))
    assert {vouched.name for vouched in came} == {"j.marsh"}
    assert [vouched.subject for vouched in came] == ["j.marsh", "j.marsh~2", "j.marsh"]
    assert came[0].person == came[2].person != came[1].person


def test_any_worker_can_end_what_another_began(issuer: str) -> None:
    attempt, brought = signed_in(known_to(issuer), "j.marsh")
    assert known_to(issuer).finish(Attempt(attempt.secret), BACK, brought).name == "j.marsh"


def test_a_name_that_is_not_in_the_token_is_asked_for(reticent: str) -> None:
    through = known_to(reticent)
    attempt, brought = signed_in(through, "a.okoro")
    assert through.finish(attempt, BACK, brought).name == "a.okoro"


@pytest.mark.parametrize(("client", "secret"), [("coverslip-form", FORM_SECRET), ("coverslip-public", None)])
def test_other_ways_for_the_archive_to_show_who_it_is(issuer: str, client: str, secret: str | None) -> None:
    through = known_to(issuer, client, secret)
    attempt, brought = signed_in(through, "j.marsh")
    assert through.finish(attempt, BACK, brought).name == "j.marsh"


def test_a_code_counts_once(issuer: str) -> None:
    through = known_to(issuer)
    attempt, brought = signed_in(through, "j.marsh")
    through.finish(attempt, BACK, brought)
    with pytest.raises(NotVouchedFor, match="was used"):
        through.finish(attempt, BACK, brought)


def test_a_stolen_code_is_of_no_use_to_another_browser(issuer: str) -> None:
    through, thief = known_to(issuer), Attempt.new()
    _, brought = signed_in(through, "j.marsh")
    with pytest.raises(NotVouchedFor, match="does not know the code"):
        through.finish(thief, BACK, {**brought, "state": thief.state})


def test_a_browser_that_did_not_set_out_is_not_let_in(issuer: str) -> None:
    through = known_to(issuer)
    _, brought = signed_in(through, "j.marsh")
    with pytest.raises(NotVouchedFor, match="another attempt"):
        through.finish(Attempt.new(), BACK, brought)


@pytest.mark.parametrize("without", ["state", "code", "iss"])
def test_nothing_may_be_missing_from_what_comes_back(issuer: str, without: str) -> None:
    through = known_to(issuer)
    attempt, brought = signed_in(through, "j.marsh")
    del brought[without]
    with pytest.raises(NotVouchedFor):
        through.finish(attempt, BACK, brought)


def test_an_answer_in_another_providers_name_is_refused(issuer: str, reticent: str) -> None:
    through = known_to(issuer)
    attempt, brought = signed_in(through, "j.marsh")
    with pytest.raises(NotVouchedFor, match="another sign-in provider"):
        through.finish(attempt, BACK, {**brought, "iss": reticent})


def test_whoever_gives_up_there_is_not_let_in(issuer: str) -> None:
    through, attempt = known_to(issuer), Attempt.new()
    with httpx.Client(follow_redirects=True) as browser:
        page = browser.get(through.begin(attempt, BACK))
        gone = browser.get(f"{page.url}/abort", follow_redirects=False)
        while not gone.headers["location"].startswith(BACK):
            gone = browser.get(gone.headers["location"], follow_redirects=False)
    brought = dict(httpx.URL(gone.headers["location"]).params)
    assert brought["error"] == "access_denied"
    with pytest.raises(NotVouchedFor, match="signed nobody in"):
        through.finish(attempt, BACK, brought)


def test_a_claim_that_is_no_name_names_no_account(issuer: str) -> None:
    through = known_to(issuer, claim="shifts")
    attempt, brought = signed_in(through, "j.marsh")
    with pytest.raises(NotVouchedFor, match="does not give the claim"):
        through.finish(attempt, BACK, brought)


def test_a_claim_that_nobody_has_names_no_account(reticent: str) -> None:
    through = known_to(reticent, claim="payroll_number")
    attempt, brought = signed_in(through, "j.marsh")
    with pytest.raises(NotVouchedFor, match="does not give the claim"):
        through.finish(attempt, BACK, brought)


def test_a_wrong_client_secret_is_whoever_runs_the_archives_to_mend(issuer: str) -> None:
    attempt, brought = signed_in(known_to(issuer), "j.marsh")
    with pytest.raises(ProviderUnavailable, match="401.*client secret"):
        known_to(issuer, secret="not this one").finish(attempt, BACK, brought)


def test_a_provider_that_went_away_is_told_from_one_that_refuses() -> None:
    with hospital(BACK) as gone:
        through = known_to(gone)
        attempt, brought = signed_in(through, "j.marsh")
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        through.finish(attempt, BACK, brought)
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        known_to(gone).begin(attempt, BACK)


def test_the_address_to_set_out_to_tells_no_secret(issuer: str) -> None:
    attempt = Attempt.new()
    address = known_to(issuer).begin(attempt, BACK)
    asked = httpx.URL(address).params
    assert asked["code_challenge_method"] == "S256"
    assert not [secret for secret in (attempt.secret, attempt.verifier, SECRET) if secret in address]
    assert len({attempt.state, attempt.nonce, attempt.verifier, attempt.secret}) == 4


@pytest.mark.parametrize("secret", ["", "short", "x" * 44, "ü" * 43, "x" * 42 + "\n"])
def test_only_a_whole_secret_is_an_attempt(secret: str) -> None:
    with pytest.raises(NotVouchedFor):
        Attempt(secret)


def test_two_attempts_have_nothing_in_common() -> None:
    one, other = Attempt.new(), Attempt.new()
    assert not {one.state, one.nonce, one.verifier} & {other.state, other.nonce, other.verifier}
