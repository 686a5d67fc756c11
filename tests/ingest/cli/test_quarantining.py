"""What waits is listed by what is to be done, a path is never cut, and places beyond a slide are not ordered black."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ingest.cli.main import app
from ingest.cli.places import Places
from ingest.errors import Reason
from ingest.keyvault import KeyVault
from ingest.quarantine.waiting import Quarantine
from tests.slides.seen import HEIGHT, WIDTH, waiting


@dataclass(frozen=True)
class Bench:
    """A laboratory whose quarantine is looked after on the command line."""

    folder: Path
    vault: KeyVault

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self.vault)

    def set_aside(self, name: str, reason: Reason) -> str:
        """Have a file wait; gives its number."""
        path = self.folder / name
        path.write_bytes(b"II*\0")
        return self.quarantine.set_aside(path, reason).number

    def run(self, *words: str) -> Result:
        environment = {"COVERSLIP_ARCHIVE": str(self.folder / "archive")}
        return CliRunner().invoke(app("quarantine"), ["quarantine", *words], env=environment)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    places = Places.of(tmp_path / "archive")
    places.create()
    with places.opened() as (_, vault):
        yield Bench(tmp_path, vault)


def test_what_is_to_be_done_is_said_once_for_all_that_wait_for_it(bench: Bench) -> None:
    first, other, last = (
        bench.set_aside(name, reason)
        for name, reason in (("a", Reason.TRUNCATED), ("b", Reason.NO_ROW), ("c", Reason.TRUNCATED))
    )
    lines = [line.split("  ")[:2] for line in bench.run("list").stdout.splitlines()]
    said = [f"truncated: {Reason.TRUNCATED.sentence}"]
    assert lines[:4] == [said, ["", first], ["", last], [""]]
    assert lines[4] == [f"no-row: {Reason.NO_ROW.sentence}"]
    assert lines[5] == ["", other]
    assert lines[-1] == ["3 wait. To see which files: coverslip quarantine list --files"]


def test_a_path_is_told_on_one_line_however_long_it_is(bench: Bench) -> None:
    name = "slide of a long name " * 10
    bench.set_aside(name, Reason.TRUNCATED)
    said = bench.run("list", "--files").stdout
    assert f"  {bench.folder / name}\n" in said
    assert said.endswith("\n1 waits.\n")


def test_what_was_decided_is_told_with_what_comes_next(bench: Bench) -> None:
    black, refused = waiting(bench.vault, bench.folder / "a.svs"), bench.set_aside("b", Reason.TRUNCATED)
    bench.run("black-out", black.number, "--what-was-seen", "--reason", "a name on the glass")
    bench.run("refuse", refused, "--reason", "another hospital")
    listed = bench.run("list").stdout
    assert listed.startswith("released: ingest it again: it was released; places are made black then\n")
    assert "\n0 wait, 1 is released. " in listed
    gone = bench.run("list", "--refused").stdout
    assert "nothing; to take the refusal back: coverslip quarantine release NUMBER --reason WHY" in gone
    assert "\n1 is refused for good. To see which files: coverslip quarantine list --refused --files\n" in gone
    assert f"coverslip quarantine release {refused} --reason WHY" in " ".join(bench.run("show", refused).stdout.split())


def test_a_place_beyond_the_slide_is_no_place(bench: Bench) -> None:
    named = waiting(bench.vault, bench.folder / "a.svs")
    order = ("black-out", named.number, "--reason", "a name on the glass", "--rectangle")
    for beyond in (f"{WIDTH},0,10,10", f"0,{HEIGHT},10,10"):
        said = bench.run(*order, beyond)
        assert said.exit_code == 1
        assert f"{beyond} lies beyond the slide, which is {WIDTH} x {HEIGHT} px" in said.stderr
        assert bench.quarantine.entry(named.number).state == "waits"
    assert bench.run(*order, f"{WIDTH - 5},0,10,10").exit_code == 0, "a hand may draw beyond the edge"


def test_an_order_without_a_place_says_how_places_are_told(bench: Bench) -> None:
    named = waiting(bench.vault, bench.folder / "a.svs")
    said = bench.run("black-out", named.number, "--reason", "a name on the glass")
    assert said.exit_code == 1
    assert "--what-was-seen" in said.stderr
    assert "--rectangle X,Y,WIDTH,HEIGHT" in said.stderr
