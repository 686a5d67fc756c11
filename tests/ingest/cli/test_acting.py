"""Where there are accounts, a command that acts for somebody believes no name: it asks for password and role."""

import shutil
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from typer.testing import CliRunner, Result

from archive.accounts import AccountStore, Action, Grant, Role, passwords
from archive.catalogue import audit
from archive.cli.proving import acting, system_user
from archive.cohorts.projects import add_project
from archive.holdings import Archive
from ingest.cli.main import app
from ingest.cli.places import Places
from tests.journeys.laboratory import row_of, write_list

PASSWORD = "violin grape umbrella"
CASE, SLIDE, CASE_CODE = "S26-04711", "S-7K3QF-2M9XT", "C-7K3QF-2M9XT"
WHY = ("--reason", "ticket 17")

RESTATED = {
    ("find", CASE, "--purpose", "second opinion"): "custodian laboratory pathologist",
    ("correct", "slide", SLIDE, "--block", "A1", *WHY): "laboratory",
    ("correct", "case", CASE, "--set", "vital=alive", *WHY): "laboratory",
    ("consent", "record", CASE, "--answer", "refused", "--from", "self", *WHY): "custodian laboratory",
    ("consent", "show", CASE, *WHY): "custodian laboratory",
    ("consent", "annul", "1", CASE, *WHY): "custodian laboratory",
    ("consent", "import", "LIST", *WHY): "custodian laboratory",
    ("consent", "withdraw", CASE, "--from", "self", *WHY): "custodian laboratory",
    (
        "consent",
        "review",
    ): "custodian",
    ("obligations", "list"): "custodian laboratory",
    ("obligations", "done", CASE_CODE, "family consultation", *WHY): "custodian laboratory",
    ("obligations", "reopen", CASE_CODE, "family consultation", *WHY): "custodian laboratory",
    ("quarantine", "list"): "laboratory",
    ("quarantine", "show", "00000000"): "laboratory",
    ("quarantine", "release", "00000000", *WHY): "laboratory",
    ("quarantine", "black-out", "00000000", "--rectangle", "0,0,9,9", *WHY): "laboratory",
    ("quarantine", "refuse", "00000000", *WHY): "laboratory",
    ("teach", "Skin", SLIDE): "educator",
    ("cohort", "stain = HE", "--count"): "researcher",
    ("cohort", "stain = HE", "--project", "melanoma"): "researcher",
    ("cohort", "stain = HE", "--project", "other"): "",
    ("project", "add", "colon"): "custodian",
    (
        "feed",
        "add",
        "f",
        "--source",
        "living",
        "--jurisdiction",
        "England",
        "--attested-by",
        "A",
        "--post-mortems",
        "P*",
    ): "laboratory",
    ("ingest", "ATTESTED", "--delivery", "ATTESTED/list.csv"): "laboratory",
}
"""Which roles a command is for, by hand and from what the roles are there for."""

NO_ROLE = "no role of this account may do this"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an archive with one account in each role, named like it, and a list in which somebody attests something."""
    home = tmp_path_factory.mktemp("acting")
    Places.of(home / "archive").create()
    with Archive.open(home / "archive") as holdings:
        add_project(holdings, "melanoma")
        add_project(holdings, "other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        with AccountStore.open(home / "archive", create=True) as store:
            for role in Role:
                project = "melanoma" if role is Role.RESEARCHER else None
                store.add(str(role), PASSWORD, [Grant(role, project)])
    (home / "opt-outs.csv").write_text("patient\nH-1\n")
    delivered = home / "delivered"
    delivered.mkdir()
    file = delivered / "a.svs"
    file.write_bytes(b"no slide")
    told = {"tissue": "living", "might_identify": "no", "assessed_by": "Dr A. Curator"}
    write_list(delivered / "list.csv", {**row_of(file, CASE), **told})
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


def run(home: Path, who: str, *words: str, password: str = PASSWORD) -> Result:
    places = {"LIST": "opt-outs.csv", "ATTESTED": "delivered", "ATTESTED/list.csv": "delivered/list.csv"}
    filled = [str(home / places[word]) if word in places else word for word in words]
    environment = {"COVERSLIP_ARCHIVE": str(home / "archive"), "COVERSLIP_WHO": who}
    return CliRunner().invoke(app(words[0]), filled, input=f"{password}\n", env=environment)


def acts_of(home: Path) -> list[str]:
    with AccountStore.open(home / "archive") as store, store.entries() as entries:
        return [entry.text for entry in entries]


@pytest.mark.parametrize("words", RESTATED, ids=lambda words: " ".join(words[:2]))
def test_a_command_is_for_the_roles_that_it_is_for(home: Path, words: tuple[str, ...]) -> None:
    for role in Role:
        result = run(home, str(role), *words)
        said = " ".join(result.stderr.split())
        assert (NO_ROLE in said) is (str(role) not in RESTATED[words].split()), (role, said, result.stdout)
        if NO_ROLE in said:
            assert result.exit_code == 1
            assert said.startswith(f"Password: coverslip: {NO_ROLE}") or said.startswith(f"coverslip: {NO_ROLE}")
            assert result.stdout == ""


@pytest.mark.parametrize("words", RESTATED, ids=lambda words: " ".join(words[:2]))
def test_a_wrong_password_is_refused_and_written_down(home: Path, words: tuple[str, ...]) -> None:
    (who, *_) = RESTATED[words].split() or ["researcher"]
    result = run(home, who, *words, password="not this one at all")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "do not fit" in " ".join(result.stderr.split()) or "not let in" in result.stderr.lower()
    assert '"sign in failed"' in acts_of(home)[-1]


def test_whoever_proved_it_is_named_in_the_vaults_trail(home: Path) -> None:
    run(home, "pathologist", "find", CASE, "--purpose", "second opinion")
    with Places.of(home / "archive").opened() as (_, vault):
        assert [entry.who for entry in vault.trail()][-1] == "pathologist"


@pytest.mark.parametrize("who", ["custodian", "laboratory"])
def test_whoever_proved_it_is_named_in_the_catalogues_trail_with_their_role(home: Path, who: str) -> None:
    result = run(home, who, "consent", "record", "H-9", "--patient", "--answer", "refused", "--from", "self", *WHY)
    assert result.exit_code == 0, result.output
    with Archive.open(home / "archive", read_only=True) as holdings, holdings.catalogue.reading() as connection:
        *_, last = (entry.content for entry in audit.entries(connection))
    assert (last["act"], last["actor"], last["role"]) == ("record consent", who, who)


def test_a_list_does_not_bring_a_second_persons_word(home: Path) -> None:
    file = home / "delivered" / "a.svs"
    told = {"tissue": "living", "might_identify": "no", "assessed_by": "Dr A", "assessed_also_by": "Dr B"}
    write_list(home / "delivered" / "list.csv", {**row_of(file, CASE), **told})
    result = run(home, "laboratory", "ingest", "ATTESTED", "--delivery", "ATTESTED/list.csv")
    assert result.exit_code == 1
    assert "under an account of their own" in " ".join(result.stderr.split())


def test_a_correction_does_not_bring_a_second_persons_word(home: Path) -> None:
    words = ("--set", "might_identify=no", "--set", "assessed_by=A", "--set", "assessed_also_by=B")
    result = run(home, "laboratory", "correct", "case", CASE, *words, *WHY)
    assert result.exit_code == 1
    assert "under an account of their own" in " ".join(result.stderr.split())


def test_a_watched_folder_brings_nobodys_attestation(home: Path) -> None:
    result = run(home, "laboratory", "watch", "ATTESTED", "--once", "--settle", "0")
    assert "found somebody's attestation" in " ".join(result.output.split())
    with Places.of(home / "archive").opened() as (holdings, vault):
        assert not list(vault.register.waiting())
        assert not list(holdings.slides())


def test_without_accounts_whoever_is_named_is_believed(tmp_path: Path) -> None:
    Places.of(tmp_path / "archive").create()
    environment = {"COVERSLIP_ARCHIVE": str(tmp_path / "archive")}
    words = ["find", CASE, "--purpose", "second opinion", "--who", "j.curator"]
    result = CliRunner().invoke(app("find"), words, env=environment)
    assert result.exit_code == 1, result.output
    with Places.of(tmp_path / "archive").opened() as (_, vault):
        assert [entry.who for entry in vault.trail()][-1] == "j.curator"


def test_without_accounts_the_systems_user_acts_unless_somebody_is_named(tmp_path: Path) -> None:
    assert acting(tmp_path, None, Action.FIND_CASE) == system_user()
