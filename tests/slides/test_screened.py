"""Where there are no real slides, tissue is drawn and called so; and a line counts as found only where it stands."""

from pathlib import Path

import pytest

from ingest.screening import Finding, Kind, Place, Screening
from tests.slides.screened import FIELD_PX, Ground, false_alarms, overlap, recall
from tests.slides.written import written


class Saw:
    """A screener that sees the same in every picture."""

    def __init__(self, *findings: Finding) -> None:
        self.screening = Screening(findings, complete=True)

    def screen(self, levels: object) -> Screening:
        return self.screening


@pytest.fixture(scope="module")
def drawn() -> Ground:
    return Ground.of(None)


def test_without_real_slides_tissue_is_drawn_and_called_so(drawn: Ground, tmp_path: Path) -> None:
    assert drawn.what == Ground.of(tmp_path).what == "drawn tissue, for there are no real slides here"
    assert any(min(picture.shape[:2]) >= FIELD_PX for picture in drawn.pictures)


def test_an_alarm_elsewhere_finds_no_line(drawn: Ground) -> None:
    x, y, width, height = written(drawn.pictures[0], 0).place
    here, elsewhere = Place(x, y, 5, 5), Place(x + width, y + height, 5, 5)
    assert overlap(here, (x, y, width, height))
    for place, found in ((here, 1), (elsewhere, 0)):
        counted = recall(Saw(Finding(Kind.TEXT, place, 0.9)), drawn, 1)  # type: ignore[arg-type]
        assert (counted.seen, len(counted.wrong)) == (found, 1 - found)


@pytest.mark.parametrize(("kind", "false"), [(Kind.TEXT, 2), (Kind.BARCODE, 2), (Kind.STICKER, 2), (Kind.PEN, 0)])
def test_whatever_a_person_would_have_to_judge_is_a_false_alarm(drawn: Ground, kind: Kind, false: int) -> None:
    counted = false_alarms(Saw(Finding(kind, Place(0, 0, 5, 5), 0.9)), drawn, 2)  # type: ignore[arg-type]
    assert (counted.pictures, counted.seen, counted.whole) == (2, false, 2)
