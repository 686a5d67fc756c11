"""The viewer comes with the package where npm is there, and the package comes without it where it is not."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[3]
VIEWER = ROOT / "archive" / "viewer"
SOURCES = ("pyproject.toml", "hatch_build.py", "LICENSE", "README.md", ".gitignore", "archive", "ingest")

RECORDING_NPM = """#!/bin/sh
echo "$@" >> "{calls}"
if [ "$1" = run ]; then mkdir -p ../server/static && echo "// built" > ../server/static/viewer.js; fi
exit {code}
"""


def absent(what: str, install: str) -> None:
    """Skip, or fail where everything is required."""
    require_all = os.environ.get("COVERSLIP_TEST_REQUIRE") == "all"
    (pytest.fail if require_all else pytest.skip)(f"{what} is missing: {install}")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Copy what a wheel is built from, without anything that was built before."""
    made = tmp_path / "tree"
    made.mkdir()
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("node_modules", "static", "__pycache__")
            shutil.copytree(source, made / name, ignore=ignored)
        elif source.is_file():
            shutil.copy(source, made / name)
    (made / "README.md").touch()
    return made


def put_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, code: int = 0) -> Path:
    """Put an npm on the PATH that records what it is asked, builds one file, and ends with ``code``."""
    calls = folder / "calls.txt"
    program = folder / "programs" / "npm"
    program.parent.mkdir()
    program.write_text(RECORDING_NPM.format(calls=calls, code=code))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    return calls


def built(tree: Path) -> set[str]:
    """Build a wheel and list what is in it."""
    wheel = next(WheelBuilder(str(tree)).build(directory=str(tree.parent / "dist"), versions=["standard"]))
    with zipfile.ZipFile(wheel) as content:
        return set(content.namelist())


def test_without_npm_the_package_is_built_and_says_what_is_missing(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tree / "no-programs-here"))
    content = built(tree)
    assert "archive/server/app.py" in content
    assert "archive/server/templates/slide.html" in content
    assert not any(name.startswith("archive/server/static/") for name in content)
    told = "".join(capsys.readouterr())
    assert "WITHOUT ITS VIEWER: npm was not found" in told
    assert "install Node.js" in told


def test_with_npm_the_viewer_is_in_the_package_and_its_sources_are_not(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = put_npm(tmp_path, monkeypatch)
    content = built(tree)
    assert calls.read_text().splitlines() == ["ci --omit=dev --ignore-scripts", "run build"]
    assert "archive/server/static/viewer.js" in content
    assert not any(name.startswith("archive/viewer/") for name in content)


def test_an_editable_install_builds_the_viewer_in_place(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_npm(tmp_path, monkeypatch)
    for hook in WheelBuilder(str(tree)).get_build_hooks(str(tmp_path)).values():
        hook.initialize("editable", {})
    assert (tree / "archive" / "server" / "static" / "viewer.js").is_file()


def test_the_viewer_is_built_again_only_when_its_sources_change(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = put_npm(tmp_path, monkeypatch)
    built(tree)
    built(tree)
    assert len(calls.read_text().splitlines()) == 2
    with (tree / "archive" / "viewer" / "src" / "main.ts").open("a") as source:
        source.write("// changed\n")
    built(tree)
    assert len(calls.read_text().splitlines()) == 4


def test_a_failing_npm_does_not_fail_the_package(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_npm(tmp_path, monkeypatch, code=1)
    assert "archive/server/app.py" in built(tree)
    assert "npm ci failed" in "".join(capsys.readouterr())


def test_a_release_is_not_built_without_its_viewer(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tree / "no-programs-here"))
    monkeypatch.setenv("COVERSLIP_VIEWER", "required")
    with pytest.raises(RuntimeError, match="npm was not found"):
        built(tree)


def test_the_lock_file_names_contents_and_no_place_to_fetch_them_from() -> None:
    text = (VIEWER / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in package for name, package in packages.items() if name)


@pytest.fixture
def viewer(tree: Path) -> Path:
    """Copy the viewer's sources and fetch what its lock file names, the tools of its tests included."""
    if not shutil.which("npm"):
        absent("npm", "apt-get install npm, or nodejs.org")
    folder = tree / "archive" / "viewer"
    fetched = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=240)
    if fetched.returncode != 0:
        absent("the npm registry", "connect to it; npm said: " + fetched.stderr[-300:])
    return folder


@pytest.mark.timeout(300)
def test_the_viewers_own_tests_and_types_pass(viewer: Path) -> None:
    for command in (["run", "test"], ["run", "check"]):
        done = subprocess.run(["npm", *command], cwd=viewer, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)
def test_the_real_viewer_is_built_from_its_lock_file(viewer: Path, tree: Path) -> None:
    code = "import sys, hatch_build, pathlib; sys.exit(hatch_build.build(pathlib.Path('archive/viewer')))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    static = tree / "archive" / "server" / "static"
    assert (static / "viewer.js").stat().st_size > 100_000
    assert (static / "viewer.css").stat().st_size > 1_000
    assert "openseadragon" in (static / "licences.md").read_text()
