"""What runs at night proves who it is by a token, stands still when that ends, and comes back from a backup without."""

import shutil
from pathlib import Path

import pytest

from archive.accounts import AccountStore, Action, Grant, Role
from archive.catalogue import audit
from archive.holdings import Archive
from tests.journeys.laboratory import row_of, write_list
from tests.journeys.watching import Watching
from tests.slides.svs import make_svs

PATIENCE_SECONDS = 60


def token(watching: Watching, *actions: Action) -> Path:
    """Make a service's token, in a file as the service has it."""
    with AccountStore.open(watching.laboratory.archive) as store:
        made = store.new_token("nightly", Role.LABORATORY, actions=actions)
    file = watching.folder.parent / f"token-{made.number}"
    file.touch(mode=0o600)
    file.write_text(f"{made.secret}\n")
    return file


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    """Make a laboratory with accounts, of which one is a machine's, and a folder into which its scanner copies."""
    watching = Watching.set_up(tmp_path)
    AccountStore.found(watching.laboratory.archive, "carol", "violin grape umbrella")
    with AccountStore.open(watching.laboratory.archive) as store:
        store.add("nightly", None, [Grant(Role.LABORATORY)])
    for number in range(2):
        make_svs(tmp_path / f"{number}.svs", width=600, height=500, factors=(1, 4), seed=number)
    rows = [row_of(tmp_path / f"{number}.svs", f"S26-{number}") for number in range(2)]
    write_list(watching.folder / "list.csv", *rows)
    return watching


def test_a_watch_takes_slides_in_until_its_token_ends(watching: Watching, tmp_path: Path) -> None:
    watching.settings["COVERSLIP_TOKEN_FILE"] = str(token(watching, Action.INGEST))
    with watching.watch() as watch:
        shutil.copy(tmp_path / "0.svs", watching.folder)
        watch.wait_for("kept +row 2: S-")
        with AccountStore.open(watching.laboratory.archive) as store:
            store.end_token(1)
        shutil.copy(tmp_path / "1.svs", watching.folder)
        assert watch.process.wait(PATIENCE_SECONDS) == 1
    assert "may not do it any more" in " ".join(watch.said.split())
    assert watching.scans == 1
    with Archive.open(watching.laboratory.archive, read_only=True) as archive, archive.catalogue.reading() as catalogue:
        (taken,) = (entry.content for entry in audit.entries(catalogue) if entry.content["act"] == "commit")
    assert (taken["actor"], taken["role"]) == ("nightly", "laboratory")


def test_nights_pass_by_tokens_which_no_restoration_brings_back(watching: Watching, tmp_path: Path) -> None:
    laboratory = watching.laboratory
    shutil.copy(tmp_path / "0.svs", watching.folder)
    nightly = {"COVERSLIP_TOKEN_FILE": str(token(watching, Action.INGEST, Action.CHECK_ARCHIVE, Action.BACK_UP))}
    laboratory.run("watch", watching.folder, "--once", "--settle", "0.5", settings=nightly)
    assert "no fault" in laboratory.run("check", settings=nightly).out
    backup = tmp_path / "backup"
    assert "The accounts were copied." in laboratory.run("backup", backup, settings=nightly).out
    for words in (("watch", watching.folder, "--once"), ("check",), ("backup", backup), ("list",)):
        assert "name yours with --who" in laboratory.run(*words, ends=1).err
    laboratory.archive.rename(tmp_path / "lost")
    restored = laboratory.run("restore", backup, "--archive", laboratory.archive)
    assert "tokens must be made anew" in " ".join(restored.out.split())
    assert "not good any more" in laboratory.run("check", settings=nightly, ends=1).err
    anew = {"COVERSLIP_TOKEN_FILE": str(token(watching, Action.CHECK_ARCHIVE))}
    assert "no fault" in laboratory.run("check", settings=anew).out
