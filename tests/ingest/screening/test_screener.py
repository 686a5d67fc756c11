"""What is written on a slide is found where it stands, by a process that can reach nothing; tissue raises no alarm."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from archive.geometry import Size
from ingest.screening import Kind, Screener, Screening
from ingest.screening import screener as screening_process
from ingest.screening.screener import CPU_SECONDS, LIMITS, MOST_FINDINGS
from tests.slides.real_pictures import OneLevel, real_pictures
from tests.slides.screened import RECALL, Ground, false_alarms, overlap, recall
from tests.slides.tissue import Picture, tissue
from tests.slides.written import FONTS, HANDS, barcode_of, laid, written

COMPOSITES = 24
FIELDS = 4


@pytest.fixture(scope="module")
def screener() -> Iterator[Screener]:
    with Screener() as made:
        yield made


@pytest.fixture(scope="module")
def plain() -> Picture:
    """Tissue on which nothing is written."""
    return tissue(1100, 800, seed=11)


def _bytes(status: list[str], of: str) -> int:
    return next(int(line.split()[1]) << 10 for line in status if line.startswith(of))


def look(screener: Screener, picture: Picture) -> Screening:
    return screener.screen([OneLevel(picture)])


def kinds(screening: Screening) -> set[Kind]:
    return {finding.kind for finding in screening.findings}


def test_tissue_alone_raises_no_alarm_and_was_looked_at_whole(screener: Screener, plain: Picture) -> None:
    screening = look(screener, plain)
    assert screening.findings == ()
    assert screening.complete


@pytest.mark.parametrize("turns", range(4))
def test_a_line_is_found_where_it_stands_whichever_way_up_the_slide_lies(
    screener: Screener, plain: Picture, turns: int
) -> None:
    one = written(plain, 3)
    mark = np.zeros(plain.shape[:2], bool)
    x, y, width, height = one.place
    mark[y : y + height, x : x + width] = True
    rows, columns = np.nonzero(np.rot90(mark, turns))
    place = (int(columns.min()), int(rows.min()), int(np.ptp(columns)), int(np.ptp(rows)))
    found = look(screener, np.ascontiguousarray(np.rot90(one.picture, turns)))
    assert Kind.TEXT in kinds(found)
    assert all(overlap(finding.place, place) for finding in found.findings if finding.kind is Kind.TEXT)


@pytest.mark.parametrize("symbology", ["Code128", "Code39", "DataMatrix", "QRCode", "PDF417", "Aztec"])
def test_a_barcode_is_found(screener: Screener, plain: Picture, symbology: str) -> None:
    mask, rng = barcode_of("S23-10442", symbology, 80), np.random.default_rng(5)
    one = laid(plain, mask, "", 0.0, (0, 0, 0), (255, 255, 255), rng)
    found = [finding for finding in look(screener, one.picture).findings if finding.kind is Kind.BARCODE]
    assert found
    assert overlap(found[0].place, one.place)


def test_paper_is_a_sticker(screener: Screener, plain: Picture) -> None:
    picture = plain.copy()
    picture[100:400, 150:600] = (236, 222, 150)
    assert Kind.STICKER in kinds(look(screener, picture))


def test_a_markers_stroke_is_told_and_is_no_alarm(screener: Screener, plain: Picture) -> None:
    picture = cv2.ellipse(plain.copy(), (550, 400), (260, 170), 20, 0, 350, (20, 110, 60), 14, cv2.LINE_AA)
    screening = look(screener, np.asarray(picture, np.uint8))
    assert kinds(screening) == {Kind.PEN}
    assert not screening.alarms


def test_writing_of_twenty_fonts_and_hands_is_found(screener: Screener, slides: Path | None) -> None:
    assert len(FONTS) + len(HANDS) == 20
    assert recall(screener, Ground.of(slides), COMPOSITES).share >= RECALL


def test_real_slides_raise_no_alarm(screener: Screener, real_slides: Path) -> None:
    seen = {path.name: look(screener, picture) for path, picture in real_pictures(real_slides)}
    assert {name for name, screening in seen.items() if screening.alarms} == set()
    assert len(seen) > 5


def test_fields_cut_from_real_slides_raise_no_alarm(screener: Screener, real_slides: Path) -> None:
    assert false_alarms(screener, Ground.of(real_slides), FIELDS).wrong == ()


def test_a_real_label_that_the_scanner_caught_is_an_alarm(
    screener: Screener, plain: Picture, real_slides: Path
) -> None:
    labels = sorted((real_slides / "labels").iterdir())
    assert len(labels) > 3
    for path in labels:
        label = Image.open(path).convert("RGB")
        label.thumbnail((380, 380))
        picture = plain.copy()
        picture[40 : 40 + label.height, 60 : 60 + label.width] = np.asarray(label)
        assert look(screener, picture).alarms, path.name


def test_no_view_is_begun_when_the_time_of_a_slide_is_used_up(
    screener: Screener, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = tissue(2000, 1500, seed=5)
    monkeypatch.setattr(screening_process, "CPU_SECONDS", 0.01)
    screening = look(screener, large)
    assert (screening.complete, screening.views, screening.findings) == (False, 1, ())


def test_a_view_that_never_ends_is_ended(plain: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screening_process, "VIEW_CPU_SECONDS", 0.05)
    with Screener() as own:
        assert look(own, plain) == Screening()


def test_the_process_stays_within_its_limit_and_is_kept_for_the_next_slide(screener: Screener, plain: Picture) -> None:
    assert LIMITS.memory_bytes == 900 << 20
    look(screener, plain)
    process = screener.process
    assert look(screener, plain).cpu_seconds < CPU_SECONDS
    assert screener.process == process
    assert (screener.peak_rss_anon_bytes or 0) < LIMITS.memory_bytes


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell what a process has mapped")
def test_what_its_libraries_map_is_not_taken_from_its_memory(screener: Screener, plain: Picture) -> None:
    look(screener, plain)
    told = Path(f"/proc/{screener.process}/status").read_text().splitlines()
    mapped, own = (_bytes(told, of) for of in ("VmSize", "VmData"))
    assert mapped - own < LIMITS.library_bytes


def test_a_process_that_dies_is_made_anew(plain: Picture) -> None:
    with Screener() as own:
        look(own, plain)
        process = own.process
        assert process is not None
        os.kill(process, signal.SIGKILL)
        assert look(own, plain).complete
        assert own.process != process


def answering(monkeypatch: pytest.MonkeyPatch, *views: tuple[Kind, int], settled: tuple[Kind, ...] = ()) -> Screening:
    """Look at a slide on whose first views so many things of a kind are seen, and nothing on the others."""
    answers = iter([{kind: [[10 * number, 5, 4, 4, 0.5] for number in range(count)]} for kind, count in views])
    with Screener() as own:
        monkeypatch.setattr(
            own,
            "_call",
            lambda *_: {**{kind: [] for kind in (*Kind, "doubtful")}, "cpu_seconds": 0, **next(answers, {})},
        )
        return own.screen_drawn(Size(20_000, 20_000), lambda view: np.zeros((2, 2, 3), np.uint8), settled)


@pytest.mark.parametrize(("of", "settled"), [(Kind.PEN, ()), (Kind.TEXT, (Kind.TEXT,))])
def test_no_number_of_other_findings_crowds_out_what_a_person_must_judge(
    of: Kind, settled: tuple[Kind, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    screening = answering(monkeypatch, (of, MOST_FINDINGS), (Kind.BARCODE, 1), settled=settled)
    assert len(screening.findings) == MOST_FINDINGS
    assert Kind.BARCODE in {alarm.kind for alarm in screening.alarms}


def test_writing_that_a_person_judged_is_not_crowded_out_by_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or the slide would be graded as one on which nothing was seen."""
    screening = answering(monkeypatch, (Kind.PEN, MOST_FINDINGS), (Kind.TEXT, 1), settled=(Kind.TEXT,))
    assert {alarm.kind for alarm in screening.alarms} == {Kind.TEXT}


def test_an_answer_that_fits_no_picture_leaves_a_slide_unassessed(
    plain: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Screener() as own:
        monkeypatch.setattr(own, "_call", lambda *_: {"cpu_seconds": 0.1, "text": [[1, 2, 3]]})
        screening = look(own, plain)
    assert not screening.complete
    assert str(screening.grade) == "unassessed"
