"""Every command says what one has to be allowed for it, or why nothing: in one table, which is the one on the page."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer
from argon2 import PasswordHasher
from typer.core import TyperGroup
from typer.testing import CliRunner

from archive.accounts import AccountStore, Action, Grant, Role, allowed, passwords
from archive.cli import COMMANDS as ARCHIVE_COMMANDS
from archive.cli.commands import Commands, build
from ingest.cli.main import COMMANDS
from ingest.cli.places import Places

PASSWORD = "violin grape umbrella"
PAGE = Path(__file__).resolve().parents[3] / "docs/reference/roles.md"
SLIDE, CASE, CASE_CODE, WHY = "S-7K3QF-2M9XT", "S26-04711", "C-7K3QF-2M9XT", "--reason ticket"

NEEDED: Mapping[str, Action | str] = {
    "demo": "makes an archive of its own, for the one who tries it",
    "setup": "makes the first account",
    "init": "makes an archive, which has no accounts yet",
    "inspect": "reads the file that it is given, and no archive",
    "ingest": Action.INGEST,
    "worker": "has no archive of its own; whoever ingests has proven who they are",
    "watch": Action.INGEST,
    "rescreen": Action.JUDGE_QUARANTINE,
    "redact": Action.JUDGE_QUARANTINE,
    "report": Action.INGEST,
    "desk": "people sign in there",
    "serve": "people sign in there",
    "find": Action.FIND_CASE,
    "identify": Action.IDENTIFY,
    "identify-list": Action.IDENTIFY,
    "approve": Action.APPROVE_IDENTIFY,
    "erase": Action.ERASE,
    "list": Action.LIST_SLIDES,
    "show": Action.LIST_SLIDES,
    "explain": Action.SEE_DECISION,
    "teach": Action.MAKE_COLLECTION,
    "cohort": Action.QUERY_COHORT,
    "check": Action.CHECK_ARCHIVE,
    "rebuild-catalogue": Action.CHECK_ARCHIVE,
    "review": Action.RECORD_CONSENT,
    "backup": Action.BACK_UP,
    "restore": "makes an archive, and its accounts, in an empty place",
    "doctor": "helps where accounts cannot be read; tells numbers and states, and no slide",
    "feed add": Action.INGEST,
    "feed list": Action.INGEST,
    "delivery template": "prints an empty list",
    "delivery check": "tells what is wrong with the list that it is given, and nothing that is kept",
    "quarantine list": Action.JUDGE_QUARANTINE,
    "quarantine show": Action.JUDGE_QUARANTINE,
    "quarantine release": Action.JUDGE_QUARANTINE,
    "quarantine black-out": Action.JUDGE_QUARANTINE,
    "quarantine refuse": Action.JUDGE_QUARANTINE,
    "correct slide": Action.CORRECT,
    "correct case": Action.CORRECT,
    "consent record": Action.RECORD_CONSENT,
    "consent show": Action.RECORD_CONSENT,
    "consent annul": Action.RECORD_CONSENT,
    "consent import": Action.RECORD_CONSENT,
    "consent withdraw": Action.WITHDRAW,
    "consent review": Action.REVIEW_RULES,
    "obligations list": Action.FULFIL_OBLIGATION,
    "obligations done": Action.FULFIL_OBLIGATION,
    "obligations reopen": Action.FULFIL_OBLIGATION,
    "project add": Action.MAKE_PROJECT,
    "project list": Action.MAKE_PROJECT,
    "account add": Action.MANAGE_ACCOUNTS,
    "account list": "tells staff logins and roles, so that one knows whom to ask",
    "account grant": Action.MANAGE_ACCOUNTS,
    "account revoke": Action.MANAGE_ACCOUNTS,
    "account disable": Action.MANAGE_ACCOUNTS,
    "account enable": Action.MANAGE_ACCOUNTS,
    "account unlock": Action.MANAGE_ACCOUNTS,
    "account untie": Action.MANAGE_ACCOUNTS,
    "account end": Action.MANAGE_ACCOUNTS,
    "account password": Action.MANAGE_ACCOUNTS,
    "account token make": Action.MANAGE_ACCOUNTS,
    "account token list": "tells numbers and days of tokens, and no secret",
    "account token end": "takes away and gives nothing: a token that leaked must end now",
    "audit verify": Action.VERIFY_AUDIT,
    "audit sign": Action.SIGN_AUDIT,
    "audit search": Action.READ_AUDIT,
    "audit export": Action.READ_AUDIT,
    "audit read": "reads the file that it is given, and no archive",
    "audit subject": Action.REPORT_SUBJECT,
}
"""Command -> what its account must be allowed, or why it needs none."""

WORDS = {
    "ingest": "HERE --delivery HERE/list.csv",
    "watch": "HERE --once",
    "find": f"{CASE} --purpose opinion",
    "identify": f"{SLIDE} {WHY}",
    "identify-list": f"HERE/codes --out HERE/new.csv {WHY}",
    "erase": f"H-1 {WHY}",
    "redact": "--owed",
    "show": SLIDE,
    "explain": f"{SLIDE} --purpose teaching --to class",
    "teach": f"Skin {SLIDE}",
    "cohort": "stain=HE",
    "review": f"--refusals-entered {WHY}",
    "backup": "HERE/backup",
    "feed add": "f --source living --jurisdiction England --attested-by A --post-mortems P*",
    "quarantine show": "00000000",
    "quarantine release": f"00000000 {WHY}",
    "quarantine black-out": f"00000000 --rectangle 0,0,9,9 {WHY}",
    "quarantine refuse": f"00000000 {WHY}",
    "correct slide": f"{SLIDE} --block A1 {WHY}",
    "correct case": f"{CASE} --set vital=alive {WHY}",
    "consent record": f"{CASE} --answer refused --from self {WHY}",
    "consent show": f"{CASE} {WHY}",
    "consent annul": f"1 {CASE} {WHY}",
    "consent import": f"HERE/opt-outs.csv {WHY}",
    "consent withdraw": f"{CASE} --from self {WHY}",
    "obligations done": f"{CASE_CODE} consultation {WHY}",
    "obligations reopen": f"{CASE_CODE} consultation {WHY}",
    "project add": "colon",
    "account add": "eve --role learner",
    "account grant": "lea auditor",
    "account revoke": "lea learner",
    "account disable": "carol",
    "account enable": "carol",
    "account unlock": "carol",
    "account untie": "carol",
    "account end": "carol",
    "account password": "carol",
    "account token make": "carol --role custodian --action verify-audit",
    "audit search": WHY,
    "audit export": f"HERE/out.jsonl {WHY}",
    "audit subject": f"H-1 {WHY}",
}
"""Command -> what it needs to be called with."""


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    if isinstance(command, TyperGroup):
        for name, below in command.commands.items():
            yield from leaves(below, (*path, name))
    else:
        yield " ".join(path)


def commands_of(table: Commands) -> list[str]:
    return list(leaves(typer.main.get_command(build("", table))))


PROVING = [
    pytest.param(table, name, id=f"{program} {name}")
    for program, table in (("coverslip", COMMANDS), ("archive", ARCHIVE_COMMANDS))
    for name in commands_of(table)
    if isinstance(NEEDED.get(name), Action)
    and (program == "coverslip" or table[name.split()[0]] != COMMANDS[name.split()[0]])
]
"""Every command that proves who acts; of the archive's own program those that are other ones there."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a laboratory with a custodian and with a learner, who may run no command."""
    home = tmp_path_factory.mktemp("laboratory")
    Places.of(home / "archive").create()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        AccountStore.found(home / "archive", "carol", PASSWORD)
        with AccountStore.open(home / "archive") as store:
            store.add("lea", PASSWORD, [Grant(Role.LEARNER)])
    (home / "here").mkdir()
    (home / "here" / "codes").write_text(f"{SLIDE}\n")
    (home / "here" / "opt-outs.csv").write_text("patient\nH-1\n")
    return home


@pytest.fixture
def home(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys.cache_clear()
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


def contents(folder: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith("accounts.sqlite") and not path.name.endswith(("-shm", "-wal"))
    }


def test_the_table_has_every_command_of_both_programs_and_no_other() -> None:
    assert set(commands_of(COMMANDS)) | set(commands_of(ARCHIVE_COMMANDS)) == set(NEEDED)


def test_there_is_a_role_for_every_command_and_none_for_learners() -> None:
    needed = {action for action in NEEDED.values() if isinstance(action, Action)}
    assert all(any(allowed(role, action) for role in Role) for action in needed)
    assert not any(allowed(Role.LEARNER, action) for action in needed)


@pytest.mark.parametrize(("table", "name"), PROVING)
def test_a_command_asks_whether_one_may_before_it_does_anything(home: Path, table: Commands, name: str) -> None:
    words = [word.replace("HERE", str(home / "here")) for word in WORDS.get(name, "").split()]
    if table is ARCHIVE_COMMANDS and name in ("audit search", "audit export"):
        words = [word for word in words if word not in WHY.split()]  # only the key vault's trail takes a reason
    words = [word.replace("verify-audit", str(Action.VERIFY_AUDIT)) for word in words]
    before = contents(home)
    result = CliRunner().invoke(
        build("", table, name.split()[0]),
        [*name.split(), *words],
        input=f"{PASSWORD}\n",
        env={"COVERSLIP_ARCHIVE": str(home / "archive"), "COVERSLIP_WHO": "lea"},
    )
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    assert "no role of this account may do this" in " ".join(result.stderr.split())
    assert contents(home) == before
    with AccountStore.open(home / "archive") as store, store.entries() as entries:
        *_, last = (json.loads(entry.text) for entry in entries)
    assert (last["act"], last["actor"], last["action"]) == ("not allowed", "lea", NEEDED[name])


def test_the_page_tells_the_same() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `coverslip ")]
    told = {cells[0].strip().strip("`").removeprefix("coverslip "): cells[1].strip() for cells in rows}
    assert told == {
        name: str(need) if isinstance(need, Action) else f"nothing: {need}" for name, need in NEEDED.items()
    }
