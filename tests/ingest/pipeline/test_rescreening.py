"""What is written on a slide that is held shuts it, what is clean gets its grade, and each slide is looked at once."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import tifffile
from typer.testing import CliRunner

from archive.consent import MightIdentify, Purpose, Recipient
from archive.consent.terms import Grade
from archive.errors import FreeTextRefused, InvalidValue
from archive.geometry import Rectangle
from archive.holdings.redacting import redact
from archive.records import ScanStatus
from ingest.cli.main import app
from ingest.pipeline.receipt import Receipt
from ingest.pipeline.rescreening import due, rescreen, take_back
from ingest.screening import VERSION, Kind, Screener, Screening
from tests.ingest.pipeline.conftest import Laboratory
from tests.slides.tissue import Picture, tissue
from tests.slides.written import written

CLEAN = MightIdentify.screened(VERSION)


@pytest.fixture(scope="module")
def screener() -> Iterator[Screener]:
    with Screener() as made:
        yield made


@pytest.fixture
def clean(tmp_path: Path, laboratory: Laboratory) -> Receipt:
    return laboratory.take_in(slide(tmp_path / "clean.tif", tissue(900, 700, seed=2)))


@pytest.fixture
def named(tmp_path: Path, laboratory: Laboratory) -> Receipt:
    return laboratory.take_in(slide(tmp_path / "named.tif", written(tissue(900, 700, seed=4), 3).picture))


def slide(path: Path, picture: Picture) -> Path:
    tifffile.imwrite(path, picture, tile=(256, 256), compression="zlib", photometric="rgb", metadata=None)
    return path


def grade_of(laboratory: Laboratory, receipt: Receipt) -> MightIdentify:
    assert receipt.scan is not None
    held = laboratory.archive.scan(receipt.scan)
    assert held is not None
    return held.record.might_identify


def may_teach(laboratory: Laboratory, receipt: Receipt) -> bool:
    slide_key = laboratory.archive.slide(receipt.slide_code).record.key
    return laboratory.archive.decide(slide_key, Purpose.TEACHING, Recipient.CLASS).allowed


def test_a_clean_slide_is_graded_and_a_written_one_is_shut_until_a_person_has_looked(
    laboratory: Laboratory, clean: Receipt, named: Receipt, screener: Screener
) -> None:
    for receipt in (clean, named):
        assert grade_of(laboratory, receipt).grade is Grade.UNASSESSED  # labels were left behind, and nobody looked
        assert not may_teach(laboratory, receipt)
    told = {one.scan: one for one in rescreen(laboratory.archive, screener)}
    assert (told[clean.scan_code].is_settled, told[named.scan_code].is_settled) == (True, False)
    assert grade_of(laboratory, clean) == CLEAN
    assert may_teach(laboratory, clean)
    assert grade_of(laboratory, named).grade is Grade.YES
    assert not may_teach(laboratory, named)
    assert not list(due(laboratory.archive))

    take_back(laboratory.archive, str(named.scan_code), reason="the head of the department looked")
    assert grade_of(laboratory, named).grade is Grade.UNASSESSED
    assert not may_teach(laboratory, named)
    assert not list(due(laboratory.archive))
    assert not laboratory.archive.audit_faults()


def test_what_was_made_black_is_not_taken_for_ink(laboratory: Laboratory, named: Receipt, screener: Screener) -> None:
    (told,) = [one for one in rescreen(laboratory.archive, screener) if one.scan == named.scan_code]
    redact(laboratory.archive, told.scan, told.to_black_out, reason="a name on the glass")
    assert laboratory.archive.scans_that_identify() == (), "no person is asked before it was looked at again"
    (again,) = rescreen(laboratory.archive, screener)
    assert again.screening is not None
    assert again.screening.findings == ()
    assert grade_of(laboratory, named) == CLEAN


def test_a_slide_of_an_older_screening_is_looked_at_again_and_one_that_may_not_be_opened_is_not(
    laboratory: Laboratory, clean: Receipt, named: Receipt
) -> None:
    assert clean.scan is not None
    assert named.scan is not None
    older = MightIdentify.screened("pixels-0")
    laboratory.archive.set_grade(clean.scan, older, rescreen=False, reason="an older program")
    laboratory.archive.set_status(named.scan, ScanStatus.WITHDRAWN, reason="a letter")
    assert [scan.code for scan in due(laboratory.archive)] == [clean.scan_code]


def test_a_slide_that_was_not_seen_whole_keeps_its_grade_and_stays_due(
    laboratory: Laboratory, clean: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clean.scan is not None
    before = MightIdentify.screened("structure-1")  # by a program that looked at labels alone
    laboratory.archive.set_grade(clean.scan, before, rescreen=True, reason="an older program")
    with Screener() as own:
        monkeypatch.setattr(own, "screen", lambda levels: Screening(complete=False))
        (one,) = rescreen(laboratory.archive, own)
    assert not one.is_settled
    assert grade_of(laboratory, clean) == before
    assert [scan.code for scan in due(laboratory.archive)] == [clean.scan_code]


def test_a_slide_that_is_blacked_out_while_it_is_looked_at_gets_no_grade_of_the_old_picture(
    laboratory: Laboratory, clean: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    def black_out(levels: object) -> Screening:
        redact(laboratory.archive, str(clean.scan_code), [Rectangle(0, 0, 20, 20)], reason="a face")
        return Screening(complete=True)

    with Screener() as own:
        monkeypatch.setattr(own, "screen", black_out)
        (one,) = rescreen(laboratory.archive, own)
    assert not one.is_settled
    assert grade_of(laboratory, clean).grade is Grade.UNASSESSED
    assert [scan.code for scan in due(laboratory.archive)] == [clean.scan_code]


def test_what_somebody_else_looked_at_meanwhile_is_not_looked_at_once_more(
    laboratory: Laboratory, clean: Receipt, named: Receipt, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Screener() as own, Screener() as other:
        monkeypatch.setattr(other, "screen", lambda levels: Screening(complete=True))

        def look(levels: object) -> Screening:
            assert len(list(rescreen(laboratory.archive, other))) == 2
            return Screening(complete=True)

        monkeypatch.setattr(own, "screen", look)
        (one,) = rescreen(laboratory.archive, own)
    assert not one.is_settled
    assert [grade_of(laboratory, receipt) for receipt in (clean, named)] == [CLEAN, CLEAN]


def test_a_grade_that_no_screening_gave_is_not_taken_back(laboratory: Laboratory, clean: Receipt) -> None:
    with pytest.raises(InvalidValue, match="no screening saw anything"):
        take_back(laboratory.archive, str(clean.scan_code), reason="looked")
    with pytest.raises(InvalidValue, match="--reason"):
        take_back(laboratory.archive, str(clean.scan_code), reason=" ")


def test_a_reason_that_may_name_somebody_takes_nothing_back(laboratory: Laboratory, named: Receipt) -> None:
    assert named.scan is not None
    laboratory.archive.set_grade(named.scan, MightIdentify(Grade.YES), rescreen=False, reason="seen")
    with pytest.raises(FreeTextRefused):
        take_back(laboratory.archive, str(named.scan_code), reason="it is patient 4857773456, born 05/07/1948")
    assert grade_of(laboratory, named).grade is Grade.YES


def test_the_command_tells_places_and_never_what_stands_there(laboratory: Laboratory, named: Receipt) -> None:
    text = written(tissue(900, 700, seed=4), 3).text
    environment = {"COVERSLIP_ARCHIVE": str(laboratory.archive.place.root)}
    done = CliRunner().invoke(app("rescreen"), ["rescreen", "--json"], env=environment)
    assert done.exit_code == 4, done.output
    (told,) = json.loads(done.stdout)
    assert (told["scan"], told["grade"]) == (str(named.scan_code), "yes")
    assert Kind.TEXT in {seen["kind"] for seen in told["seen"]}
    assert not any(word in done.output for word in text.split() if len(word) > 2)
    again = CliRunner().invoke(app("rescreen"), ["rescreen"], env=environment)
    assert again.exit_code == 0
    assert again.stdout.splitlines() == [
        "Every slide was looked at before; nothing was to be done.",
        "1 slide still waits for a person to look; where something was seen: coverslip rescreen --seen",
    ]
    once_more = CliRunner().invoke(app("rescreen"), ["rescreen", "--seen", "--json"], env=environment)
    assert once_more.exit_code == 4
    assert json.loads(once_more.stdout) == [told | {"before": "yes"}]
    assert grade_of(laboratory, named).grade is Grade.YES
    words = ["rescreen", "--looked-at", str(named.scan_code), "--reason", "a stain of ink"]
    both = CliRunner().invoke(app("rescreen"), [*words, "--seen"], env=environment)
    assert (both.exit_code, "give one of them" in both.output) == (1, True)
    assert CliRunner().invoke(app("rescreen"), words, env=environment).exit_code == 0
    nothing = CliRunner().invoke(app("rescreen"), ["rescreen", "--seen"], env=environment)
    assert (nothing.exit_code, nothing.stdout) == (0, "Nothing that was seen waits for a person.\n")


def test_what_it_says_to_do_can_be_typed_as_it_stands_and_covers_what_was_seen(
    laboratory: Laboratory, named: Receipt
) -> None:
    environment = {"COVERSLIP_ARCHIVE": str(laboratory.archive.place.root)}
    said = CliRunner().invoke(app("rescreen"), ["rescreen"], env=environment).stdout
    assert said.endswith("\n1 slide was looked at; 1 is to be looked at by a person or again.\n")
    place = re.search(r"^N-[-0-9A-Z]+: text at (\d+),(\d+),(\d+),(\d+)", said)
    command = re.search(r"coverslip (redact N-\S+ (?:--rectangle \S+ )+--reason) WHY", said)
    assert place
    assert command
    done = CliRunner().invoke(app("redact"), [*command[1].split(), "a name on the glass"], env=environment)
    assert (done.exit_code, "black now" in done.stdout) == (0, True), done.output
    assert named.scan is not None
    (black,) = laboratory.archive.redactions_of(named.scan)
    x, y, width, height = map(int, place.groups())
    assert black.x < x
    assert black.y < y
    assert black.right > x + width
    assert black.bottom > y + height


def test_who_blacks_out_is_told_of_the_slides_other_scans(
    laboratory: Laboratory, clean: Receipt, tmp_path: Path
) -> None:
    other = laboratory.take_in(
        slide(tmp_path / "again.tif", tissue(800, 600, seed=3)), patient="H-clean", case="S26-clean"
    )
    assert other.slide_code == clean.slide_code
    words = ["redact", str(clean.scan_code), "--rectangle", "0,0,20,20", "--reason", "a name on the glass"]
    done = CliRunner().invoke(
        app("redact"), words, env={"COVERSLIP_ARCHIVE": str(laboratory.archive.place.root), "COLUMNS": "200"}
    )
    assert done.exit_code == 0, done.output
    assert f"{other.scan_code} is another scan of the same slide" in done.stdout
