"""A service proves who it is by a token in a file; a person by password; without accounts nobody is asked."""

import json
import os
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from archive.accounts import AccountStore, Action, Actor, Grant, Role, passwords
from archive.catalogue import audit
from archive.cli import COMMANDS
from archive.cli.commands import build
from archive.cli.proving import acting, actor_of, in_person, require_still, signed, system_user
from archive.cohorts.projects import add_project
from archive.errors import ArchiveError, InvalidValue, NotAllowed, TokenRefused
from archive.holdings import Archive
from tests.archive.holdings.committing import commit_one

PASSWORD = "violin grape umbrella"
TOKEN_FILE = "COVERSLIP_TOKEN_FILE"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an archive of one slide; its staff are named by number, as hospitals do."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    monkeypatch.delenv("COVERSLIP_WHO", raising=False)
    monkeypatch.delenv(TOKEN_FILE, raising=False)
    folder = tmp_path / "archive"
    with Archive.create(folder) as made:
        add_project(made, "melanoma")
        commit_one(made)
    AccountStore.found(folder, "carol", PASSWORD)
    with AccountStore.open(folder) as store:
        store.add("u1234567", PASSWORD, [Grant(Role.EDUCATOR), Grant(Role.RESEARCHER, "melanoma")])
        store.add("nightly", None, [Grant(Role.LABORATORY)])
    return folder


def token(archive: Path, *actions: Action, of: str = "nightly", role: Role = Role.LABORATORY) -> Path:
    """Make a token as a service has it; gives its file."""
    with AccountStore.open(archive) as store:
        made = store.new_token(of, role, actions=actions or None)
    file = archive.parent / "token"
    file.touch(mode=0o600)
    file.write_text(f"{made.secret}\n")
    return file


def run(archive: Path, *words: str, password: str = PASSWORD, **settings: str) -> Result:
    return CliRunner().invoke(
        build("", COMMANDS, words[0]),
        words,
        input=f"{password}\n",
        env={"COVERSLIP_ARCHIVE": str(archive), **settings},
    )


def newest_access(archive: Path) -> dict[str, object]:
    with AccountStore.open(archive) as store, store.entries() as entries:
        *_, last = entries
    return last.content


def newest_act(archive: Path) -> dict[str, object]:
    with Archive.open(archive, read_only=True) as holdings, holdings.catalogue.reading() as connection:
        *_, last = audit.entries(connection)
    return last.content


def slide_of(archive: Path) -> str:
    with Archive.open(archive, read_only=True) as holdings:
        return str(holdings.slides()[0].code)


def test_a_service_acts_by_the_token_in_its_file(archive: Path) -> None:
    file = token(archive, Action.CHECK_ARCHIVE)
    result = run(archive, "check", "--status", COVERSLIP_TOKEN_FILE=str(file))
    assert result.exit_code == 0, result.output
    told = newest_access(archive)
    assert (told["act"], told["actor"], told["role"], told["means"]) == ("act once", "nightly", "laboratory", "token")


def test_a_token_does_nothing_that_it_was_not_made_for(archive: Path) -> None:
    file = token(archive, Action.CHECK_ARCHIVE)
    for words in (("list",), ("show", slide_of(archive)), ("project", "list"), ("review",), ("audit", "verify")):
        result = run(archive, *words, COVERSLIP_TOKEN_FILE=str(file))
        assert (result.exit_code, result.stdout) == (1, ""), result.output
        assert "this token was not made for this" in result.stderr
        assert newest_access(archive)["act"] == "not allowed"


def test_a_token_that_ended_is_refused_and_written_down(archive: Path) -> None:
    file = token(archive, Action.CHECK_ARCHIVE)
    with AccountStore.open(archive) as store:
        store.end_token(1)
    result = run(archive, "check", "--status", COVERSLIP_TOKEN_FILE=str(file))
    assert result.exit_code == 1
    assert "not good any more" in result.stderr
    assert newest_access(archive)["act"] == "sign in refused"


def test_whoever_names_an_account_is_asked_for_its_password_also_beside_a_token(archive: Path) -> None:
    file = token(archive, Action.CHECK_ARCHIVE)
    words = ("list", "--who", "u1234567")
    assert run(archive, *words, COVERSLIP_TOKEN_FILE=str(file)).exit_code == 0
    assert run(archive, *words, password="wrong", COVERSLIP_TOKEN_FILE=str(file)).exit_code == 1
    wrongly = run(archive, "check", "--status", password="wrong", COVERSLIP_TOKEN_FILE=str(file), COVERSLIP_WHO="carol")
    assert wrongly.exit_code == 1


def test_a_token_is_neither_an_argument_nor_the_value_of_a_setting(archive: Path) -> None:
    secret = token(archive, Action.CHECK_ARCHIVE).read_text().strip()
    result = run(archive, "check", "--status", COVERSLIP_TOKEN_FILE=secret)
    assert result.exit_code == 1
    assert "cannot be read" in result.stderr
    assert secret not in result.output
    assert run(archive, "check", "--status", "--who", secret, password=secret).exit_code == 1


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (0o604, None, "everybody may read"),
        (0o600, b"", "not good"),
        (0o600, b"\xff\xfe\x00", "holds no token"),
        (0o600, b"x" * 10_000, "not good"),
    ],
)
def test_a_file_that_holds_no_secret_is_refused(archive: Path, mode: int, content: bytes | None, said: str) -> None:
    file = token(archive, Action.CHECK_ARCHIVE)
    file.chmod(mode)
    if content is not None:
        file.write_bytes(content)
    result = run(archive, "check", "--status", COVERSLIP_TOKEN_FILE=str(file))
    assert result.exit_code == 1
    assert said in result.stderr


def test_a_program_answers_for_nothing_in_person(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_FILE, str(token(archive, Action.INGEST)))
    program = actor_of(archive, None, Action.INGEST)
    with pytest.raises(NotAllowed, match="in person"):
        in_person(program)
    person = Actor("carol", Role.CUSTODIAN)
    assert in_person(person) is person
    assert in_person(None) is None


@pytest.mark.parametrize("ending", ["end_all", "disable", "revoke", "removed"])
def test_what_was_begun_ends_with_the_token_and_the_account(
    archive: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    file = token(archive, Action.INGEST)
    monkeypatch.setenv(TOKEN_FILE, str(file))
    actor = actor_of(archive, None, Action.INGEST)
    require_still(archive, actor, Action.INGEST)
    if ending == "removed":
        file.unlink()
    else:
        with AccountStore.open(archive) as store:
            getattr(store, ending)("nightly", *([Role.LABORATORY] if ending == "revoke" else []))
    with pytest.raises(ArchiveError, match="any more|cannot be read"):
        require_still(archive, actor, Action.INGEST)


def test_what_a_person_began_ends_with_their_role(archive: Path) -> None:
    with AccountStore.open(archive) as store:
        store.grant("u1234567", Role.LABORATORY)
    actor = Actor("u1234567", Role.LABORATORY)
    require_still(archive, actor, Action.INGEST)
    with AccountStore.open(archive) as store:
        store.revoke("u1234567", Role.LABORATORY)
    with pytest.raises(NotAllowed):
        require_still(archive, actor, Action.INGEST)


def test_a_lone_archive_asks_nobody_and_heeds_no_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Archive.create(tmp_path / "lone").close()
    monkeypatch.setenv(TOKEN_FILE, str(tmp_path / "nothing"))
    for action in Action:
        assert actor_of(tmp_path / "lone", "anybody", action) is None
    assert acting(tmp_path / "lone", "anybody", Action.INGEST) == "anybody"
    assert acting(tmp_path / "lone", None, Action.INGEST) == system_user()
    assert signed(None, "educator") == {"actor": "educator", "account": None}
    require_still(tmp_path / "lone", None, Action.INGEST)
    AccountStore.found(tmp_path / "lone", "carol", PASSWORD)
    with pytest.raises(NotAllowed, match="has accounts now"):
        require_still(tmp_path / "lone", None, Action.INGEST)


@pytest.mark.parametrize(
    ("words", "role"),
    [
        (("teach", "Skin", "SLIDE"), "educator"),
        (("cohort", "stain = HE", "--project", "melanoma"), "researcher"),
        (("cohort", "stain = HE", "--count", "--project", "melanoma"), "researcher"),
    ],
)
def test_the_catalogues_trail_names_the_account_and_its_role(archive: Path, words: tuple[str, ...], role: str) -> None:
    filled = [slide_of(archive) if word == "SLIDE" else word for word in words]
    run(archive, *filled, "--who", "u1234567")
    told = newest_act(archive)
    assert (told["act"], told["actor"], told["role"]) == (
        "compose" if role == "educator" else "cohort",
        "u1234567",
        role,
    )


def test_without_accounts_the_catalogues_trail_names_the_role_alone(tmp_path: Path) -> None:
    with Archive.create(tmp_path / "lone") as made:
        commit_one(made)
    for words, role in (
        (("teach", "Skin", slide_of(tmp_path / "lone")), "educator"),
        (("cohort", "stain=HE", "--count"), "researcher"),
        (("project", "add", "colon"), "researcher"),
    ):
        run(tmp_path / "lone", *words)
        told = newest_act(tmp_path / "lone")
        assert told["actor"] == role
        assert "role" not in told


def test_a_project_is_opened_in_its_custodians_name(archive: Path) -> None:
    assert run(archive, "project", "add", "colon", "--who", "carol").exit_code == 0
    told = newest_act(archive)
    assert (told["act"], told["actor"], told["role"]) == ("open project", "carol", "custodian")


def test_refused_tokens_are_errors_of_their_own(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_FILE, str(token(archive, Action.INGEST)))
    Path(os.environ[TOKEN_FILE]).write_text("coverslip_" + "A" * 43)
    with pytest.raises(TokenRefused):
        actor_of(archive, None, Action.INGEST)
    monkeypatch.setenv(TOKEN_FILE, str(archive.parent / "nothing"))
    with pytest.raises(InvalidValue, match="cannot be read"):
        actor_of(archive, None, Action.INGEST)
    assert "AAAA" not in json.dumps(newest_access(archive))
