"""What cannot be done is answered with a sentence and an exit code: no traceback, no name, and nothing half done.

People mistype paths and codes, name the wrong vault, and lose key files; disks are read-only and ports taken.
"""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.desk import Desk, set_up
from tests.journeys.laboratory import Laboratory, row_of, write_list
from tests.slides.svs import make_svs


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return set_up(tmp_path_factory.mktemp("desk"))


WRONG_CALLS = {
    "list not there": ("ingest {slide} --delivery {folder}/{name}.csv", "found no file that can be read"),
    "list is a slide": ("ingest {slide} --delivery {slide}", "the delivery list has 1 fault"),
    "slide not there": ("ingest {folder}/{name}.svs --delivery {list}", "path 1 of 1 is not there"),
    "no such feed": ("ingest {slide} --delivery {list} --feed {name}", "there is no feed of that name"),
    "mapping not there": ("ingest {slide} --delivery {list} --mapping {folder}/{name}", "expected a TOML file"),
    "receipts nowhere": ("ingest {slide} --delivery {list} --receipts {folder}/{name}/r", "the file of receipts"),
    "wrong vault": (
        "ingest {slide} --delivery {list} --vault {other_vault} --vault-key {other_key}",
        "this key vault belongs to another archive",
    ),
    "vault not there": ("ingest {slide} --delivery {list} --vault {folder}/{name}", "no key vault where it should be"),
    "key not there": ("quarantine list --vault-key {folder}/{name}", "the key file is missing or cannot be read"),
    "another key": ("feed list --vault-key {other_key}", "key"),
    "key is a slide": ("feed list --vault-key {slide}", "key"),
    "unknown code": ("show {unknown}", "there is nothing of that code or handle"),
    "typo in a code": ("show {typo}", "typing error: its check character does not fit"),
    "no code at all": ("show {name}", "such as S-7K3QF-2M9XT"),
    "code of a case": ("show {case}", "this is the code of a case; give that of a slide"),
    "nothing to teach": ("teach Colon {unknown}", "there is nothing of that code or handle"),
    "identifier in a name": ("teach S26-0123 {code}", "seems to hold a laboratory's case number"),
    "no slide to inspect": ("inspect {folder}/{name}", "unreadable-file: the file cannot be opened"),
    "folder to inspect": ("inspect {folder}", "not-a-slide"),
    "pattern of everything": (
        "feed add all --source living --jurisdiction England --attested-by A --post-mortems *",
        "a pattern has at most 40",
    ),
    "feed that would pass post-mortems": (
        "feed add all --source living --jurisdiction England --attested-by A",
        "Aborted.",
    ),
    "open to the world": ("serve --host 0.0.0.0", "this machine only (127.0.0.1, ::1 or localhost)"),
}
"""What was typed, and a part of the answer; each could not be done, and ends with 1."""


@pytest.mark.parametrize("wrong", WRONG_CALLS)
def test_a_wrong_call_is_answered_with_a_sentence(desk: Desk, wrong: str) -> None:
    call, answer = WRONG_CALLS[wrong]
    said = desk.laboratory.run(*desk.calls(call), ends=1)
    assert answer in said.err
    assert said.err.startswith("coverslip: ") or answer == "Aborted."
    assert len(said.err.splitlines()) <= 2
    assert desk.silent_about_names()


@pytest.mark.parametrize(
    "call",
    [
        *("nonsense", "show", "explain {code} --purpose fun --to class", "serve --port 99999", "teach Colon"),
        *("ingest {slide}", "feed add all --source martian", "list --colour"),
    ],
)
def test_what_is_no_call_at_all_ends_with_2_and_points_to_the_help(desk: Desk, call: str) -> None:
    said = desk.laboratory.run(*desk.calls(call), ends=2)
    assert "--help" in said.err
    assert desk.silent_about_names()


@pytest.mark.parametrize("call", ["list", "teach Colon {code}", "quarantine list", "serve"])
def test_a_missing_archive_is_missed_by_every_command_and_made_by_none(desk: Desk, tmp_path: Path, call: str) -> None:
    settings = {"COVERSLIP_ARCHIVE": str(tmp_path / "none")}
    said = desk.laboratory.run(*desk.calls(call), ends=1, settings=settings)
    assert said.err == "coverslip: there is no archive in this folder; check the path, or that its disk is mounted\n"
    assert list(tmp_path.iterdir()) == []


def test_a_list_with_faults_makes_no_archive(desk: Desk, tmp_path: Path) -> None:
    settings = {"COVERSLIP_ARCHIVE": str(tmp_path / "new")}
    bad = write_list(tmp_path / "list.csv", row_of(desk.slide, ""))
    desk.laboratory.run("ingest", desk.slide, "--delivery", bad, ends=1, settings=settings)
    assert [path.name for path in tmp_path.iterdir()] == ["list.csv"]


def test_a_folder_with_other_things_becomes_no_archive_and_gets_no_vault(desk: Desk, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    shutil.copytree(desk.folder, taken)
    before = sorted(path.name for path in taken.iterdir())
    said = desk.laboratory.run("init", ends=1, settings={"COVERSLIP_ARCHIVE": str(taken)})
    assert "an archive is made in an empty folder" in said.err
    assert sorted(path.name for path in taken.iterdir()) == before
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_taken_port_is_said_to_be_taken(desk: Desk) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = desk.laboratory.run_archive("serve", "--port", port, ends=1)
    assert said.err == f"coverslip: port {port} of this machine is taken; choose another one with --port\n"


def test_a_setting_that_cannot_be_is_named(desk: Desk) -> None:
    said = desk.laboratory.run_archive("serve", ends=1, settings={"COVERSLIP_TILE_CACHE_BYTES": "-1"})
    assert said.err.startswith("coverslip: the setting COVERSLIP_TILE_CACHE_BYTES cannot have this value")
    said = desk.laboratory.run_archive("serve", ends=2, settings={"COVERSLIP_PORT": "many"})
    assert "COVERSLIP_PORT" in said.err


@pytest.fixture
def unwritable(desk: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Give a copy of the laboratory whose archive may be read and not written."""
    shutil.copytree(desk.laboratory.home, tmp_path / "laboratory")
    laboratory = Laboratory(tmp_path / "laboratory")
    everything = [laboratory.archive, *laboratory.archive.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield Desk(laboratory, desk.names, desk.slide, desk.listed, desk.code, desk.case_code)
    for path in everything:
        path.chmod(0o755)


def test_an_archive_that_may_not_be_written_is_left_as_it_is(unwritable: Desk) -> None:
    laboratory = unwritable.laboratory
    new = make_svs(unwritable.folder / "new.svs", width=300, height=260, factors=(1,), seed=9).path
    listed = write_list(new.with_suffix(".csv"), row_of(new, "S26-0009"))
    names = sorted(str(path) for path in laboratory.archive.rglob("*"))
    for call in (("ingest", new, "--delivery", listed), ("teach", "Colon", unwritable.code)):
        said = laboratory.run_unprivileged(*call, ends=1)
        assert "cannot be used now" in said.err
        assert len(said.err.splitlines()) == 1
        assert unwritable.silent_about_names()
    assert sorted(str(path) for path in laboratory.archive.rglob("*")) == names
