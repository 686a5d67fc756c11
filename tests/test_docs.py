"""What the pages say is so: commands exist, links lead somewhere, Python runs, and CI runs what the README shows."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from ingest.cli.demo_slide import draw_demo_slide
from ingest.cli.main import app

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^( *)```(\w*)[^\n]*\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SAID = re.compile(r"(?:^|[\s/(&|])coverslip ((?:[^\s#|&>`]+ ?)+)")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fenced(page: Path, language: str) -> list[str]:
    return [body for _, name, body in FENCED.findall(page.read_text()) if name == language]


def said_commands() -> Iterator[tuple[str, list[str]]]:
    """Yield page and words of every ``coverslip ...`` in a page's code."""
    for page in PAGES:
        text = page.read_text()
        code = [*(body for _, _, body in FENCED.findall(text)), *INLINE.findall(FENCED.sub("", text))]
        for snippet in code:
            for line in snippet.splitlines():
                for words in SAID.findall(line):
                    yield named(page), words.split()


def leaf_of(words: list[str]) -> Any:
    """Walk down the tree of commands; fails where a word is no command."""
    command: Any = typer.main.get_command(app())
    for word in words:
        if not isinstance(command, TyperGroup) or word.startswith("-"):
            break
        assert word in command.commands, f"there is no command {word!r} in {command.name}"
        command = command.commands[word]
    return command


SAID_COMMANDS = sorted({(page, " ".join(words)) for page, words in said_commands()})


def test_the_pages_name_commands_at_all() -> None:
    said = {words.split()[0] for _, words in SAID_COMMANDS}
    assert {"demo", "init", "ingest", "inspect", "delivery", "feed", "teach", "serve", "explain"} <= said


@pytest.mark.parametrize(("page", "line"), SAID_COMMANDS)
def test_every_command_on_a_page_exists_with_the_options_shown(page: str, line: str) -> None:
    words = line.split()
    command = leaf_of(words)
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    shown = {word.split("=")[0] for word in words if word.startswith("--")}
    assert shown <= known, f"{page}: {command.name} has no option {shown - known}"


def advised_commands() -> Iterator[tuple[str, str]]:
    """Yield module and words of every ``coverslip ...`` in a text of the program, which people are told to type."""
    advice = re.compile(r"\bcoverslip ((?:[a-z][a-z-]* ?)+)")
    for module in sorted([*(ROOT / "archive").rglob("*.py"), *(ROOT / "ingest").rglob("*.py")]):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from ((named(module), words.strip()) for words in advice.findall(node.value))


ADVISED_COMMANDS = sorted(set(advised_commands()))


def test_the_program_advises_commands_at_all() -> None:
    assert len(ADVISED_COMMANDS) > 40


@pytest.mark.parametrize(("module", "line"), ADVISED_COMMANDS)
def test_every_command_that_the_program_advises_exists(module: str, line: str) -> None:
    leaf_of(line.split())


def test_every_command_has_help_that_says_what_it_does() -> None:
    def below(command: Any) -> Iterator[Any]:
        yield command
        if isinstance(command, TyperGroup):
            for child in command.commands.values():
                yield from below(child)

    commands = list(below(typer.main.get_command(app())))
    assert len(commands) > 10
    for command in commands:
        assert command.help, f"{command.name} has no help text"


def test_help_is_printed_by_the_installed_program() -> None:
    result = subprocess.run([sys.executable, "-m", "ingest", "--help"], capture_output=True, text=True, check=True)
    assert "ingest" in result.stdout


def test_the_readme_has_two_commands_and_ci_runs_them_and_the_checks() -> None:
    listed = subprocess.run(["bash", ".ci/run", "--list"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    readme, checks = fenced(ROOT / "README.md", "sh"), fenced(ROOT / "CONTRIBUTING.md", "sh")
    assert len(readme) == 2
    assert listed == "".join([*readme, *checks])
    script = (ROOT / ".ci/run").read_text()
    assert "pip install" not in script
    assert "pytest" not in script


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_to_files_lead_to_files(page: Path) -> None:
    links = [link for link in LINK.findall(FENCED.sub("", page.read_text())) if "://" not in link]
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


@pytest.fixture(scope="session")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which someone has tried the demonstration, with a small slide of their own."""
    folder = tmp_path_factory.mktemp("tried")
    draw_demo_slide(folder / "mine.svs", width=2500, height=2100)
    subprocess.run(
        [sys.executable, "-m", "ingest", "demo", "mine.svs"],
        cwd=folder,
        env=os.environ | {"COVERSLIP_DEMO_EXIT": "1", "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
    )
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if fenced(page, "python")], ids=named)
def test_python_on_a_page_runs(page: Path, tried: Path) -> None:
    program = "\n".join(fenced(page, "python"))
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tried,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


MAKERS = sorted(path for path in (ROOT / "docs/scanners").glob("*.md") if path.stem not in {"index", "not-readable"})


@pytest.mark.parametrize("page", MAKERS, ids=lambda page: page.stem)
def test_a_page_about_a_maker_says_what_is_in_its_files_what_is_kept_where_names_hide_and_what_was_tried(
    page: Path,
) -> None:
    headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
    for beginning in ("What is in the file", "What is kept", "Where names hide", "What was tried"):
        assert any(heading.startswith(beginning) for heading in headings), beginning
    assert f"]({page.name})" in (page.parent / "index.md").read_text()
