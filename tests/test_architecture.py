"""The import contracts hold, they bite, and nothing in the repository tells where it was made."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
KEPT_TO_ITSELF = {
    "a folder of one machine": r"(?<![\w.*/])/(?:work|opt|root|Users|home/\w+)/",
    "a package registry": "|".join((r"pypi" + r"\.org", "python" + "hosted", "npm" + r"js\.", r"deb\." + "debian")),
    "a promise of later work": "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")),
}
"""What no file may hold, and why it is looked for. Split, so that this file may hold it."""

PICTURE = re.compile(r'"image/(?:png|jpeg)": "')
"""A notebook's picture is a line of letters, among which anything may occur."""


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    command = Path(sysconfig.get_path("scripts"), "lint-imports")
    return subprocess.run([command, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """Return a copy of the two packages and their contracts."""
    for package in ("archive", "ingest"):
        ignored = shutil.ignore_patterns("node_modules", "static", "__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_import_contracts_hold() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "line", "broken"),
    [
        ("archive/catalogue/tempted.py", "import ingest.keyvault", "the archive never looks back"),
        ("archive/codes.py", "import archive.holdings", "archive, from entry points down to value types"),
        ("archive/utils.py", "", "archive, from entry points down to value types"),
        ("ingest/precheck/tempted.py", "import ingest.keyvault", "ingest, the story of one slide"),
    ],
)
def test_the_import_contracts_bite(copied: Path, module: str, line: str, broken: str) -> None:
    with (copied / module).open("a") as file:
        file.write(f"\n{line}\n")
    result = lint_imports(copied)
    assert result.returncode != 0
    said = " ".join(result.stdout.split())
    assert re.search(rf"{re.escape(broken)}[^.]{{0,20}} BROKEN", said), result.stdout


@pytest.mark.parametrize("what", KEPT_TO_ITSELF)
def test_no_file_tells_where_it_was_made_or_promises_later_work(what: str) -> None:
    pattern = re.compile(KEPT_TO_ITSELF[what])
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in _ours()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if not PICTURE.search(line) and pattern.search(line)
    ]
    assert found == []


def test_the_interpreter_that_is_promised_is_the_one_that_is_checked_for() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    (required,) = re.findall(r'requires-python = ">=(\d+\.\d+)"', text)
    assert f'target-version = "py{required.replace(".", "")}"' in text
    assert f'python_version = "{required}"' in text
    assert sys.version_info >= tuple(map(int, required.split(".")))


def _ours() -> list[Path]:
    """Return the text files that belong to the repository: those git knows, or all but what is made."""
    made = {".git", ".venv", "node_modules", "static", "build", "dist", "site", "__pycache__", "coverslip-demo"}
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts)]
    paths = [path for path in paths if path.is_file() and path.suffix not in {".png", ".jpg", ".svs", ".tiff"}]
    assert len(paths) > 20
    return paths
