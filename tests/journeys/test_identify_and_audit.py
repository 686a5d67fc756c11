"""From a code back to a person, and from a person to everybody who looked: two people, and an entry for each step."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.accounts import AccountStore, Action, Actor, Grant, Role
from archive.cli.sentences import FAILED
from archive.codes import Code, Kind
from archive.cohorts import add_project, cohort
from archive.consent import Purpose
from archive.holdings import Archive
from archive.holdings.auditing import names_of
from archive.teaching import compose
from ingest.cli.identifying import WAITING
from ingest.cli.main import app
from tests.journeys.desk import Desk, set_up

PASSWORDS = {
    "c.one": "a long enough passphrase 1",
    "c.two": "a long enough passphrase 2",
    "a.uditor": "and a third one 333",
}


@dataclass
class Said:
    code: int
    out: str
    err: str


@dataclass
class Office:
    """A laboratory with two custodians, an auditor and a learner who looked at its slide."""

    desk: Desk
    handle: str

    def run(self, who: str, *words: object, ends: int = 0, then: str = "", password: str | None = None) -> Said:
        """Run a command as an account, which types its password."""
        typed = f"{PASSWORDS[who] if password is None else password}\n{then}"
        home = {"COVERSLIP_ARCHIVE": str(self.desk.laboratory.archive), "COVERSLIP_WHO": who}
        result = CliRunner().invoke(app(str(words[0])), [str(word) for word in words], input=typed, env=home)
        said = Said(result.exit_code, result.stdout, result.stderr)
        assert said.code == ends, (said.out, said.err, result.exception)
        return said

    def audit(self, *words: object) -> list[dict[str, object]]:
        """Search the trails as the auditor."""
        said = self.run("a.uditor", "audit", "search", "--reason", "yearly audit", "--json", *words)
        found: list[dict[str, object]] = json.loads(said.out)
        return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    desk = set_up(tmp_path_factory.mktemp("office"))
    archive = desk.laboratory.archive
    with Archive.open(archive, actor="educator") as holdings:
        composed = compose(holdings, "Skin, week 3", [desk.code])
        assert composed.collection is not None
        handle = composed.collection.places[0].handle
    with AccountStore.open(archive, create=True) as store:
        store.add("c.one", PASSWORDS["c.one"], [Grant(Role.CUSTODIAN)])
        store.add("c.two", PASSWORDS["c.two"], [Grant(Role.CUSTODIAN)])
        store.add("a.uditor", PASSWORDS["a.uditor"], [Grant(Role.AUDITOR)])
        store.add("l.earner", None, [Grant(Role.LEARNER)])
        store.note_opening(Actor("l.earner", Role.LEARNER), handle, purpose=str(Purpose.TEACHING))
    with Archive.open(archive, actor="researcher") as holdings:
        for project, query in (("staining", "stain = H&E"), ("elsewhere", "stain = PAS")):
            add_project(holdings, project)
            cohort(holdings, query, project=project)
    (desk.laboratory.home / "second").mkdir()
    return Office(desk, handle)


def test_a_code_is_identified_by_two_and_each_step_is_found_again(office: Office, tmp_path: Path) -> None:
    code, names = office.desk.code, office.desk.names
    asked = office.run("c.one", "identify", code, "--reason", "request 17", ends=WAITING)
    request = asked.out.split()[1]
    again = office.run("c.one", "identify", code, "--reason", "request 17", ends=WAITING)
    assert again.out == asked.out
    assert names.survivors(asked.out.encode()) == []

    own = office.run("c.one", "approve", request, "--reason", "it is urgent", ends=FAILED)
    assert "another person" in own.err
    listed = json.loads(office.run("c.two", "approve", "--json").out)
    assert [(one["request"], one["by"], one["codes"], one["reason"]) for one in listed] == [
        (request, "c.one", [code], "request 17")
    ]
    office.run("c.two", "approve", request, "--reason", "letter seen")
    told = json.loads(office.run("c.one", "identify", code, "--reason", "request 17", "--json").out)
    assert told["patient"] == names("patient")
    assert told["case"] == names("case")
    assert told["names"] == names("name")

    found = office.audit("--code", code)
    steps = ["asked to identify", "tried to approve own", "approved to identify", "identified"]
    assert [entry["act"] for entry in found if "identify" in str(entry["act"]) or entry["act"] in steps] == steps
    assert names.survivors(json.dumps(found).encode()) == []


def test_who_may_not_identify_learns_nothing_and_leaves_an_entry(office: Office) -> None:
    code = office.desk.code
    refused = office.run("a.uditor", "identify", code, "--reason", "curious", ends=FAILED)
    assert "no role of this account" in refused.err
    wrong = office.run("c.one", "identify", code, "--reason", "request 18", ends=FAILED, password="a wrong passphrase")
    assert wrong.out == refused.out == ""
    assert "sign in failed" in [entry["act"] for entry in office.audit("--by", "c.one")]
    unknown = Code.random(Kind.SLIDE)
    office.run("c.one", "identify", unknown, "--reason", "request 19", ends=FAILED)
    missed = office.audit("--act", "not identified")
    assert [(entry["actor"], entry["reason"]) for entry in missed] == [("c.one", "request 19")]


def test_reasons_that_may_name_somebody_are_refused_everywhere(office: Office) -> None:
    code, reason = office.desk.code, "asked by 943 476 5919"
    for words in (["identify", code], ["audit", "search"], ["audit", "subject"]):
        who = "a.uditor" if words == ["audit", "search"] else "c.one"
        said = office.run(who, *words, "--reason", reason, ends=FAILED)
        assert "943" not in said.err
        assert "leave out whatever could identify a patient" in said.err


def test_a_list_is_asked_for_apart_and_its_answer_is_in_a_file_of_ones_own(office: Office, tmp_path: Path) -> None:
    codes, answer = tmp_path / "codes.txt", tmp_path / "answer.csv"
    codes.write_text(f"{office.desk.code}\n{office.desk.case_code}\n")
    call = ("identify-list", codes, "--out", answer, "--reason", "recall of a batch")
    request = office.run("c.one", *call, ends=WAITING).out.split()[1]
    assert not answer.exists()
    office.run("c.two", "approve", request, "--reason", "the list was seen")
    said = office.run("c.one", *call)
    assert office.desk.names.survivors(said.out.encode()) == []
    assert answer.stat().st_mode & 0o777 == 0o600
    with answer.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["code"], row["case"]) for row in rows] == [
        (code, office.desk.names("case")) for code in (office.desk.code, office.desk.case_code)
    ]
    assert "is there already" in office.run("c.one", *call, ends=FAILED).err


def test_a_patient_is_told_who_opened_their_slides_when_and_why(office: Office) -> None:
    patient = office.desk.names("patient")
    office.run("c.two", "identify", office.desk.case_code, "--reason", "request 20", ends=WAITING)
    call = ("audit", "subject", "--reason", "subject access request 5", "--json")
    looked = json.loads(office.run("c.one", *call, then=f"{patient}\n").out)
    opened = [entry for entry in looked if entry["act"] == "open slide"]
    assert [(entry["actor"], entry["purpose"], entry["slide"]) for entry in opened] == [
        ("l.earner", "teaching", office.handle)
    ]
    told = {(entry["trail"], entry["act"]) for entry in looked}
    assert {("vault", "found case"), ("catalogue", "compose"), ("vault", "asked to identify")} <= told
    assert {entry["project"] for entry in looked if entry["act"] == "cohort"} == {"staining"}
    assert {entry["act"] for entry in looked} & {"coded", "commit", "open project", "sign in"} == set()
    assert [entry["at"] for entry in looked] == sorted(str(entry["at"]) for entry in looked)
    assert office.desk.names.survivors(json.dumps(looked).encode()) == []
    nobody = office.run("c.one", *call, then="H-nobody-1\n", ends=FAILED)
    assert "Nobody of this number" in nobody.out


def test_a_patient_of_whom_there_is_only_a_refusal_is_told_who_recorded_it(office: Office) -> None:
    refusal = ("consent", "record", "--patient", "--answer", "refused", "--from", "self", "--reason", "a letter came")
    office.run("c.one", *refusal, then="H-refused-1\n")
    call = ("audit", "subject", "--reason", "subject access request 6", "--json")
    told = json.loads(office.run("c.one", *call, then="H-refused-1\n").out)
    assert {(entry["trail"], entry["act"]) for entry in told} == {
        ("vault", "named in a consent"),
        ("catalogue", "record consent"),
    }
    assert "c.one" in {entry["actor"] for entry in told}


def test_trails_are_signed_verified_searched_and_exported_with_proof(office: Office, tmp_path: Path) -> None:
    second = office.desk.laboratory.home / "second"
    for count in (1, 2):
        assert f"Statement {count} is signed" in office.run("c.one", "audit", "sign", "--heads", second).out
    told = json.loads(office.run("c.one", "audit", "verify", "--heads", second, "--json").out)
    assert told["sound"]
    assert [(one["trail"], one["faults"]) for one in told["trails"]] == [
        ("catalogue", []),
        ("access", []),
        ("vault", []),
    ]
    with AccountStore.open(office.desk.laboratory.archive) as store:
        made = store.new_token("a.uditor", Role.AUDITOR, actions=[Action.VERIFY_AUDIT])
    token = tmp_path / "audit.token"
    token.touch(mode=0o600)
    token.write_text(made.secret)
    by_token = {"COVERSLIP_TOKEN_FILE": str(token)}
    on_archive = office.desk.laboratory.run_archive("audit", "verify", "--heads", second, "--json", settings=by_token)
    assert [one["trail"] for one in json.loads(on_archive.out)["trails"]] == ["catalogue", "access"]

    by_handle = [entry for entry in office.audit("--code", office.desk.code) if entry["trail"] == "access"]
    assert [entry["slide"] for entry in by_handle] == [office.handle]
    assert office.audit("--purpose", "TEACHING", "--act", "open slide") == by_handle
    assert office.audit("--since", "2999-01-01") == office.audit("--until", "1999-01-01") == []

    office.run("c.one", "audit", "sign", "--heads", second)
    out = tmp_path / "export.jsonl"
    office.run(
        "a.uditor", "audit", "export", out, "--heads", second, "--reason", "yearly audit", "--until", "2999-01-01"
    )
    key = ("--public-key", second / "audit-key.pub")
    read = office.desk.laboratory.run("audit", "read", out, *key)
    assert "are proved to stand in a signed trail" in read.out
    content = out.read_text()
    assert office.desk.names.survivors(content.encode()) == []
    with Archive.open(office.desk.laboratory.archive, read_only=True) as holdings:
        slide = holdings.key_of(office.desk.code, Kind.SLIDE)
        assert office.handle in names_of(holdings, Kind.SLIDE, slide)
    assert slide not in content

    lines = content.splitlines(keepends=True)
    place = next(at for at, line in enumerate(lines) if '"l.earner' in line.replace("\\", ""))
    out.write_text("".join([*lines[:place], lines[place].replace("l.earner", "l.earned"), *lines[place + 1 :]]))
    forged = office.desk.laboratory.run("audit", "read", out, *key, ends=FAILED)
    assert "is not what was sealed; do not trust it" in forged.err
