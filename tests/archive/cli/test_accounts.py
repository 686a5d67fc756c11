"""``coverslip account``: a custodian proves who they are, and every other person is refused with one sentence."""

import json
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from archive.accounts import AccountStore, Action, Actor, Grant, Role, passwords
from archive.cli.accounts import account_app
from archive.cohorts.projects import add_project
from archive.errors import SignInRefused
from archive.holdings import Archive

CAROL, ED, NEW = "violin grape umbrella", "turnip bassoon lake", "flute parsnip harbour"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an archive with a custodian, carol, and an educator, ed."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    folder = tmp_path / "archive"
    with Archive.create(folder) as made:
        add_project(made, "melanoma")
    AccountStore.found(folder, "carol", CAROL)
    with AccountStore.open(folder) as store:
        store.add("ed", ED, [Grant(Role.EDUCATOR)])
    return folder


def run(archive: Path, *words: str, typed: tuple[str, ...] = ()) -> Result:
    return CliRunner().invoke(
        account_app, [*words, "--archive", str(archive)], input="".join(f"{line}\n" for line in typed)
    )


def newest(archive: Path) -> dict[str, object]:
    with AccountStore.open(archive) as store, store.entries() as entries:
        *_, last = entries
    found: dict[str, object] = json.loads(last.text)
    return found


def roles(archive: Path, name: str) -> list[str]:
    with AccountStore.open(archive) as store:
        return [str(grant) for grant in store.account(name).grants]


def test_a_custodian_adds_an_account(archive: Path) -> None:
    words = ("add", "ros", "--role", "researcher", "--role", "learner", "--project", "melanoma", "--who", "carol")
    result = run(archive, *words, typed=(CAROL, NEW))
    assert result.exit_code == 0, result.output
    assert roles(archive, "ros") == ["learner", "researcher in melanoma"]
    assert (newest(archive)["act"], newest(archive)["actor"], newest(archive)["role"]) == (
        "add account",
        "carol",
        "custodian",
    )
    with AccountStore.open(archive) as store:
        assert store.sign_in("ros", NEW)


def test_an_account_that_is_vouched_for_has_no_password(archive: Path) -> None:
    result = run(archive, "add", "sso", "--role", "learner", "--vouched", "--who", "carol", typed=(CAROL,))
    assert result.exit_code == 0, result.output
    assert "hospital" in run(archive, "list").output


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (("grant", "ed", "learner"), ["educator", "learner"]),
        (("grant", "ed", "researcher", "--project", "melanoma"), ["educator", "researcher in melanoma"]),
        (("revoke", "ed", "educator"), []),
    ],
)
def test_a_custodian_gives_and_takes_roles(archive: Path, words: tuple[str, ...], changed: list[str]) -> None:
    assert run(archive, *words, "--who", "carol", typed=(CAROL,)).exit_code == 0
    assert roles(archive, "ed") == changed


MANAGING = {
    "add": ("add", "eve", "--role", "custodian"),
    "grant": ("grant", "ed", "custodian"),
    "revoke": ("revoke", "ed", "educator"),
    "disable": ("disable", "ed"),
    "enable": ("enable", "ed"),
    "unlock": ("unlock", "ed"),
    "end": ("end", "ed"),
    "password": ("password", "carol"),
}


@pytest.mark.parametrize("command", MANAGING)
@pytest.mark.parametrize(("who", "typed"), [("ed", ED), ("carol", "wrong"), ("nobody", CAROL), ("carol", "")])
def test_nobody_else_manages_accounts(archive: Path, command: str, who: str, typed: str) -> None:
    with AccountStore.open(archive) as store:
        before = store.accounts()
    result = run(archive, *MANAGING[command], "--who", who, typed=(typed, NEW))
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    with AccountStore.open(archive) as store:
        assert store.accounts() == before
        assert store.sign_in("carol", CAROL)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("grant", "ed", "researcher"), "project"),
        (("grant", "ed", "researcher", "--project", "naevus"), "no such project"),
        (("grant", "ed", "learner", "--project", "melanoma"), "only a researcher"),
        (("grant", "nobody", "learner"), "no such account"),
        (("disable", "carol"), "no custodian"),
        (("revoke", "carol", "custodian"), "no custodian"),
        (("add", "Ed", "--role", "learner"), "staff login"),
        (("add", "ed", "--role", "learner"), "already"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(archive: Path, words: tuple[str, ...], said: str) -> None:
    result = run(archive, *words, "--who", "carol", typed=(CAROL, NEW))
    assert result.exit_code == 1
    assert said in " ".join(result.output.split())


def test_a_role_that_there_is_not_is_a_wrong_call(archive: Path) -> None:
    assert run(archive, "grant", "ed", "visitor", "--who", "carol").exit_code == 2


def test_a_disabled_account_is_let_in_again_once_enabled(archive: Path) -> None:
    assert run(archive, "disable", "ed", "--who", "carol", typed=(CAROL,)).exit_code == 0
    assert "disabled" in run(archive, "list").output
    with AccountStore.open(archive) as store, pytest.raises(SignInRefused):
        store.sign_in("ed", ED)
    assert run(archive, "enable", "ed", "--who", "carol", typed=(CAROL,)).exit_code == 0
    with AccountStore.open(archive) as store:
        assert store.sign_in("ed", ED)


def test_a_locked_account_is_shown_and_unlocked(archive: Path) -> None:
    with AccountStore.open(archive) as store:
        for _ in range(5):
            with pytest.raises(SignInRefused):
                store.sign_in("ed", "wrong")
    assert "locked until" in run(archive, "list").output
    assert run(archive, "unlock", "ed", "--who", "carol", typed=(CAROL,)).exit_code == 0
    assert "locked" not in run(archive, "list").output


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("password", "ed"), (ED, NEW)),
        (("password", "ed", "--who", "ed"), (ED, NEW)),
        (("password", "ed", "--who", "carol"), (CAROL, NEW)),
    ],
)
def test_a_password_is_changed_by_its_owner_or_a_custodian(
    archive: Path, words: tuple[str, ...], typed: tuple[str, ...]
) -> None:
    result = run(archive, *words, typed=typed)
    assert result.exit_code == 0, result.output
    assert NEW not in result.output
    with AccountStore.open(archive) as store:
        assert store.sign_in("ed", NEW)


def test_a_custodian_is_rescued_by_whoever_may_write_the_archive(archive: Path) -> None:
    assert run(archive, "password", "carol", "--rescue", typed=(NEW,)).exit_code == 0
    assert newest(archive)["act"] == "rescue account"
    assert run(archive, "password", "ed", "--rescue", typed=(CAROL,)).exit_code == 1


def test_a_token_is_shown_once_and_acts_in_its_role(archive: Path) -> None:
    words = ("token", "make", "ed", "--role", "educator", "--action", "see collections", "--days", "2")
    result = run(archive, *words, typed=(ED,))
    assert result.exit_code == 0, result.output
    secret = result.output.splitlines()[0].removeprefix("Password of ed: ").strip()
    with AccountStore.open(archive) as store:
        assert store.actor_of_token(secret) == Actor("ed", Role.EDUCATOR, None, frozenset({Action.SEE_COLLECTIONS}))
    listed = run(archive, "token", "list", "ed").output
    assert "see collections" in listed
    assert secret not in listed
    assert run(archive, "token", "end", "1").exit_code == 0
    assert run(archive, "token", "end", "1").exit_code == 1
    with AccountStore.open(archive) as store:
        assert store.actor_of_token(secret) is None


@pytest.mark.parametrize(
    ("name", "role", "typed"), [("ed", "learner", ED), ("ed", "educator", "wrong"), ("carol", "custodian", CAROL)]
)
def test_a_token_beyond_ones_role_is_not_made(archive: Path, name: str, role: str, typed: str) -> None:
    result = run(archive, "token", "make", name, "--role", role, typed=(typed,))
    assert result.exit_code == 1
    assert "coverslip_" not in result.output


def test_an_archive_without_accounts_says_how_to_make_them(tmp_path: Path) -> None:
    result = run(tmp_path, "list")
    assert result.exit_code == 1
    assert "coverslip setup" in result.output


def test_a_custodian_lets_the_hospitals_sign_in_vouch_for_another_person(archive: Path) -> None:
    with AccountStore.open(archive) as store:
        session = store.sign_in_vouched("ed", "openid", "first")
    result = run(archive, "untie", "ed", "--who", "carol", typed=(CAROL,))
    assert result.exit_code == 0, result.output
    assert "vouched for next as ed" in result.output
    assert (newest(archive)["act"], newest(archive)["actor"], newest(archive)["account"]) == (
        "untie account",
        "carol",
        "ed",
    )
    with AccountStore.open(archive) as store:
        assert store.session(session.token) is None
        assert store.sign_in_vouched("ed", "openid", "second")


def test_only_a_custodian_unties_and_only_what_is_tied(archive: Path) -> None:
    result = run(archive, "untie", "ed", "--who", "carol", typed=(CAROL,))
    assert (result.exit_code, "vouched for nobody" in result.output) == (1, True)
    with AccountStore.open(archive) as store:
        store.sign_in_vouched("ed", "openid", "first")
    result = run(archive, "untie", "ed", "--who", "ed", typed=(ED,))
    assert result.exit_code == 1
    with AccountStore.open(archive) as store, pytest.raises(SignInRefused):
        store.sign_in_vouched("ed", "openid", "second")


def test_a_custodian_makes_a_services_token_into_a_file(archive: Path, tmp_path: Path) -> None:
    with AccountStore.open(archive) as store:
        store.add("nightly", None, [Grant(Role.LABORATORY)])
    file = tmp_path / "nightly.token"
    words = ("token", "make", "nightly", "--role", "laboratory", "--action", "ingest", "--to", str(file))
    result = run(archive, *words, "--who", "carol", typed=(CAROL,))
    assert result.exit_code == 0, result.output
    secret = file.read_text().strip()
    assert secret not in result.output
    assert file.stat().st_mode & 0o777 == 0o600
    with AccountStore.open(archive) as store:
        assert store.act_by_token(secret, Action.INGEST).account == "nightly"
    again = run(archive, *words, "--who", "carol", typed=(CAROL,))
    assert again.exit_code == 1
    assert "name a new file" in again.output
    assert file.read_text().strip() == secret
    with AccountStore.open(archive) as store:
        assert len(store.tokens("nightly")) == 1


@pytest.mark.parametrize("actions", [(), ("--action", "see collections"), ("--action", "see decision")])
def test_a_custodian_makes_no_token_to_act_in_anothers_name(archive: Path, actions: tuple[str, ...]) -> None:
    result = run(archive, "token", "make", "ed", "--role", "educator", *actions, "--who", "carol", typed=(CAROL,))
    assert result.exit_code == 1
    assert "in another's name" in " ".join(result.output.split())
    with AccountStore.open(archive) as store:
        assert store.tokens("ed") == ()


def test_nobody_else_makes_anothers_token(archive: Path) -> None:
    words = ("token", "make", "carol", "--role", "custodian", "--action", "sign audit", "--who", "ed")
    assert run(archive, *words, typed=(ED,)).exit_code == 1
    with AccountStore.open(archive) as store:
        assert store.tokens("carol") == ()
