"""A restoration that is killed leaves no archive that lets everybody in, and ends when it is run again."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.accounts import AccountStore
from archive.accounts.copying import back_up_accounts
from archive.errors import HoldingsUnavailable
from archive.holdings import Archive
from archive.holdings.backup import back_up
from archive.server.app import create_app
from archive.settings import ArchiveSettings
from ingest.cli.main import app
from tests.archive.holdings.committing import commit_one

KILLED = """
import os, signal, sys
from archive.holdings import restoring
from ingest.cli.main import app
setattr(restoring, sys.argv[1], lambda *words: os.kill(os.getpid(), signal.SIGKILL))
app()(["restore", sys.argv[2], "--archive", sys.argv[3]])
"""


@pytest.mark.parametrize(("killed_at", "is_archive"), [("copy_scan", False), ("_finish", False), ("heads_of", True)])
def test_a_killed_restoration_lets_nobody_in_without_an_account(
    tmp_path: Path, killed_at: str, is_archive: bool
) -> None:
    root, folder, again = tmp_path / "archive", tmp_path / "backup", tmp_path / "again"
    with Archive.create(root) as archive:
        commit_one(archive)
        AccountStore.found(root, "carol", "four plain words here")
        back_up(archive, folder)
    back_up_accounts(root, folder)
    command = [sys.executable, "-c", KILLED, killed_at, str(folder), str(again)]
    assert subprocess.run(command, capture_output=True, timeout=60).returncode == -signal.SIGKILL
    assert AccountStore.exists(again)
    settings = ArchiveSettings(archive=again)
    if is_archive:
        create_app(settings, accounts=True).close()
    else:
        with pytest.raises(HoldingsUnavailable, match="there is no archive"):
            create_app(settings)
    ended = CliRunner().invoke(app("restore"), ["restore", str(folder), "--archive", str(again)])
    assert ended.exit_code == 0, ended.output
    assert "1 account is in place" in ended.output
    with Archive.open(again) as archive:
        assert len(archive.slides()) == 1
