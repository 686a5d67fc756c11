"""On a terminal of 80 columns a list of slides has one line for each, and what is wrapped stays under its beginning."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from archive.cli import COMMANDS, sentences
from archive.cli.commands import build
from archive.geometry import Size
from tests.archive.server.taught import TaughtArchive
from tests.slides.tissue import tissue


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[TaughtArchive]:
    made = TaughtArchive(tmp_path / "archive")
    for _ in range(2):
        made.add([tissue(300, 200)], tile=Size(256, 256), mpp=None)
    yield made
    made.archive.close()


def listed(archive: TaughtArchive) -> list[str]:
    said = CliRunner().invoke(build("", COMMANDS, "list"), ["list"], env={"COVERSLIP_ARCHIVE": str(archive.root)})
    assert said.exit_code == 0, said.output
    return said.stdout.splitlines()


def test_a_slide_has_one_line_where_columns_are_few_and_all_is_told_where_they_are_many(
    archive: TaughtArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, *_, count = listed(archive)
    assert head.split() == ["slide", "case", "patient", "stain", "size", "in", "px", "stored", "scans", "scanner"]
    monkeypatch.setattr(sentences, "PIPED_WIDTH", 80)
    head, first, second, count = listed(archive)
    assert head.split() == ["slide", "case", "patient", "stain", "size", "in", "px", "stored"]
    assert "300 x 200" in first
    assert "300 x 200" in second
    assert count == "2 slides"


def test_what_is_wrapped_stays_under_its_beginning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "PIPED_WIDTH", 30)
    sentences.tell("On the way:\n  a sentence that is longer than a line", indent=2)
    assert capsys.readouterr().out == "  On the way:\n    a sentence that is longer\n    than a line\n"
