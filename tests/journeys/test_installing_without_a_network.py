"""A folder of wheels is all that a machine without a network needs: the page's own lines, run where there is none."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.journeys.laboratory import ROOT
from tests.test_docs import fenced

PAGE = ROOT / "docs/how-to/install-offline.md"
PLACE = "/srv/coverslip/venv"
ALONE = ("unshare", "--map-root-user", "--net")
"""Runs a command in a network of its own, in which there is nobody else."""

SOURCE = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE")


def run(lines: str, folder: Path, *before: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run lines of the page in a folder, with this interpreter."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("COVERSLIP_", "PYTHON"))}
    shown = {"PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    environment: Mapping[str, str] = own | shown | settings
    command = [*before, "bash", "-euo", "pipefail", "-c", lines.replace(PLACE, str(folder / "venv"))]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=500
    )


def absent(what: str) -> None:
    (pytest.fail if os.environ.get("COVERSLIP_TEST_REQUIRE") == "all" else pytest.skip)(what)


@pytest.fixture(scope="module", autouse=True)
def apart() -> None:
    """Need a network of one's own."""
    if shutil.which(ALONE[0]) is None or subprocess.run([*ALONE, "true"], capture_output=True, check=False).returncode:
        absent("a network of its own cannot be had here: apt-get install util-linux, and allow user namespaces")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Copy the source into a folder, and name this interpreter as the page does."""
    for name in SOURCE:
        shutil.copy(ROOT / name, tmp_path)
    for package in ("archive", "ingest"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("node_modules", "__pycache__")
        )
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tmp_path / "bin" / "python3").chmod(0o755)
    return tmp_path


def test_what_was_gathered_with_a_network_is_installed_and_works_without_one(source: Path) -> None:
    gather, install = fenced(PAGE, "sh")
    gathered = run(gather, source)
    if gathered.returncode:
        absent("the wheels cannot be gathered here; a package index must be reachable: pip download pip")
    installed = run(install, source, *ALONE, HOME=str(source), PIP_CONFIG_FILE=os.devnull)
    assert "coverslip" in installed.stdout, installed.stderr
    assert "error" not in installed.stderr.lower()
    demo = run(f"{PLACE}/bin/coverslip demo", source, *ALONE, HOME=str(source), COVERSLIP_DEMO_EXIT="1")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "All is well" in demo.stdout


def test_a_network_of_its_own_reaches_nobody() -> None:
    reach = "import socket; socket.create_connection(('127.0.0.1', 22), 5)"
    result = subprocess.run([*ALONE, sys.executable, "-c", reach], capture_output=True, text=True, check=False)
    assert "unreachable" in result.stderr
