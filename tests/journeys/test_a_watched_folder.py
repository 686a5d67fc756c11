"""A folder is watched: each slide is taken when it is whole and has a row, once, whatever happens meanwhile."""

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.journeys.laboratory import row_of, write_list
from tests.journeys.watching import SETTLE, Watching
from tests.slides.many import make_dicom_series, make_vms
from tests.slides.svs import make_svs


@pytest.fixture
def watching(tmp_path: Path) -> Watching:
    return Watching.set_up(tmp_path)


@pytest.fixture
def slides(tmp_path: Path) -> list[Path]:
    """Give six slides that lie elsewhere."""
    folder = tmp_path / "scanner"
    folder.mkdir()
    return [make_svs(folder / f"{n}.svs", width=600, height=500, factors=(1, 4), seed=n).path for n in range(6)]


def list_of(watching: Watching, *paths: Path, name: str = "list.csv", **more: object) -> Path:
    """Put a list into the folder at once, as whoever renames it into place does."""
    hidden = watching.folder / f".{name}"
    write_list(hidden, *(row_of(path, f"S26-{path.stem}") | more for path in paths))
    return hidden.rename(watching.folder / name)


def test_a_slow_copy_is_taken_only_when_it_is_whole(watching: Watching, slides: list[Path]) -> None:
    list_of(watching, slides[0])
    with watching.watch() as watch:
        watch.wait_for("list 1: 1 row")
        copier = watching.copy_slowly(slides[0], watching.folder / "0.svs", pieces=10, pause=SETTLE / 6)
        while copier.poll() is None:
            assert "kept" not in watch.said
            time.sleep(0.05)
        assert copier.returncode == 0
        whole = time.monotonic()
        watch.wait_for("kept +row 2: S-")
        assert time.monotonic() - whole < SETTLE + 20
    assert "refused" not in watch.said
    assert watching.waiting == {}
    assert watching.scans == 1


def test_a_copy_that_stalls_is_taken_in_the_end(watching: Watching, slides: list[Path]) -> None:
    list_of(watching, slides[0])
    whole = slides[0].read_bytes()
    with watching.watch() as watch, (watching.folder / "0.svs").open("wb", buffering=0) as copy:
        copy.write(whole[: len(whole) // 2])
        watch.wait_for("refused +row 2: ")
        assert watching.scans == 0
        copy.write(whole[len(whole) // 2 :])
        watch.wait_for("kept +row 2: S-")
    assert watching.waiting == {}
    assert watching.scans == 1


def test_a_file_that_is_renamed_into_place_is_taken(watching: Watching, slides: list[Path]) -> None:
    list_of(watching, slides[0])
    part = watching.folder / "0.svs.part"
    shutil.copy(slides[0], part)
    with watching.watch() as watch:
        watch.wait_for("1 row waiting for its file")
        time.sleep(2 * SETTLE)
        assert "kept" not in watch.said
        part.rename(watching.folder / "0.svs")
        watch.wait_for("kept +row 2: S-")


def test_slides_wait_for_their_list_and_rows_for_their_slide(watching: Watching, slides: list[Path]) -> None:
    for slide in slides[:2]:
        shutil.copy(slide, watching.folder)
    with watching.watch() as watch:
        watch.wait_for("2 slides waiting for a row")
        assert watching.scans == 0
        list_of(watching, *slides[1:3])
        watch.wait_for("kept +row 2: S-")
        watch.wait_for("1 slide waiting for a row, 1 row waiting for its file")
        list_of(watching, slides[0], name="later.csv")
        watch.wait_for("kept +row 2: S-", 2)
        shutil.copy(slides[2], watching.folder)
        watch.wait_for("kept +row 3: S-")
        watch.wait_for("nothing waits")
    assert watching.scans == 3
    assert not any(slide.name in watch.said for slide in slides)


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to_and_says_what_waits(
    watching: Watching, slides: list[Path], ends: signal.Signals
) -> None:
    list_of(watching, slides[0])
    shutil.copy(slides[1], watching.folder)
    with watching.watch() as watch:
        watch.wait_for("1 slide waiting for a row, 1 row waiting for its file")
        assert watch.end(ends) == 0
    assert "row 2 of list 1" in watch.said.splitlines()[-1]


def test_a_watch_that_is_killed_again_and_again_takes_each_slide_once(watching: Watching, slides: list[Path]) -> None:
    list_of(watching, *slides)
    for slide in slides:
        shutil.copy(slide, watching.folder)
    kept = 0
    while kept < len(slides):
        with watching.watch(settle=0.2) as watch:
            watch.wait_for("kept +row")
            time.sleep(0.1 * (len(watching.watches) % 3))
            watch.kill()
            kept += watch.said.count("kept ") + watch.said.count("known ")
        assert watching.scans <= len(slides)
        assert len(watching.watches) <= len(slides)
    with watching.watch("--once") as watch:
        assert watch.process.wait(60) == 0
    assert "kept" not in watch.said
    assert watching.scans == len(slides)
    assert watching.waiting == {}
    taken = [line for one in watching.watches for line in one.said.splitlines() if line.startswith("kept ")]
    assert len(taken) == len(set(taken))


def test_a_slide_of_many_files_is_taken_only_when_all_are_there(watching: Watching, tmp_path: Path) -> None:
    key_file, *pictures = make_vms(tmp_path / "scanner")
    list_of(watching, key_file)
    shutil.copy(key_file, watching.folder)
    with watching.watch() as watch:
        watch.wait_for("1 slide waiting for other files of it")
        shutil.copy(pictures[1], watching.folder)
        copier = watching.copy_slowly(pictures[0], watching.folder / pictures[0].name, pieces=10, pause=SETTLE / 6)
        while copier.poll() is None:
            assert "kept" not in watch.said
            time.sleep(0.05)
        watch.wait_for("kept +row 2: S-")
    assert "refused" not in watch.said
    assert watching.scans == 1


@pytest.mark.parametrize("told", [True, False])
def test_a_dicom_series_is_one_slide_and_whole_when_it_says_so(watching: Watching, tmp_path: Path, told: bool) -> None:
    first, second = make_dicom_series(tmp_path / "scanner", told=told)
    list_of(watching, first)
    with watching.watch() as watch:
        shutil.copy(first, watching.folder)
        if told:
            watch.wait_for("1 slide waiting for other files of it")
        watching.copy_slowly(second, watching.folder / second.name, pieces=10, pause=SETTLE / 6).wait()
        watch.wait_for("kept +row 2: S-")
        watch.wait_for("nothing waits")
    assert "refused" not in watch.said
    assert watching.scans == 1


def test_a_row_that_had_its_file_takes_no_other_one(watching: Watching, slides: list[Path]) -> None:
    list_of(watching, slides[0])
    shutil.copy(slides[0], watching.folder)
    with watching.watch() as watch:
        watch.wait_for("kept +row 2: S-")
        (watching.folder / "0.svs").unlink()
        later = watching.folder / "another day"
        later.mkdir()
        shutil.copy(slides[1], later / "0.svs")
        watch.wait_for("1 slide waiting for another list")
        assert watching.scans == 1
        list_of(watching, slides[0], name="tuesday.csv", file="another day/0.svs", case="S26-TUE")
        watch.wait_for("kept +row 2: S-", 2)
    assert watching.scans == 2


def test_a_slide_that_was_refused_is_tried_again_only_when_something_changed(
    watching: Watching, slides: list[Path]
) -> None:
    list_of(watching, slides[0], tissue="post-mortem")
    shutil.copy(slides[0], watching.folder)
    with watching.watch("--once") as watch:
        assert watch.process.wait(60) == 3
    assert watching.waiting == {"0.svs": "unknown-authority"}
    with watching.watch("--once") as watch:
        assert watch.process.wait(60) == 0
    assert "refused  row" not in watch.said
    assert "slide in quarantine" in watch.said
    more = {"authority": "hospital", "recorded": "examination", "consent": "with the post-mortem", "covers": "teaching"}
    list_of(watching, slides[0], tissue="post-mortem", **more)
    with watching.watch("--once") as watch:
        assert watch.process.wait(60) == 0
    assert watching.waiting == {}
    assert watching.scans == 1


def test_a_list_with_faults_is_told_and_taken_when_it_is_corrected(watching: Watching, slides: list[Path]) -> None:
    shutil.copy(slides[0], watching.folder)
    write_list(watching.folder / "list.csv", {**row_of(slides[0], "S26-1"), "stain": "Planted"})
    with watching.watch() as watch:
        watch.wait_for("list 1: row 2, stain: found 7 characters; expected a stain")
        watch.wait_for("1 slide waiting for a row, 1 list with faults")
        list_of(watching, slides[0])
        watch.wait_for("kept +row 2: S-")
    assert "Planted" not in watch.said


def test_a_row_without_a_file_finds_its_slide_by_the_label(tmp_path: Path) -> None:
    watching = Watching.set_up(tmp_path, "--barcode", "{case};{block}")
    for case in ("S26-1", "S26-2"):
        make_svs(watching.folder / f"{case[-1]}.svs", width=500, height=400, factors=(1,), barcode=f"{case};A1")
    columns = {"patient": "P1", "block": "A1", "stain": "PAS"}
    write_list(watching.folder / "list.csv", {**columns, "case": "s26-2"}, {**columns, "case": "S26-3"})
    with watching.watch() as watch:
        watch.wait_for("kept +row 2: S-")
        watch.wait_for("1 slide waiting for a row, 1 row waiting for its file")
    assert watching.scans == 1


def test_a_label_that_names_another_row_is_a_possible_wrong_patient(watching: Watching) -> None:
    paths = [
        make_svs(watching.folder / f"{n}.svs", width=500, height=400, factors=(1,), barcode=f"S26-{1 - n}/A1").path
        for n in range(2)
    ]
    list_of(watching, *paths)
    with watching.watch() as watch:
        watch.wait_for("refused +row [23]: wrong-barcode", 2)
        watch.wait_for("2 slides in quarantine or refused")
    assert watching.scans == 0
    assert set(watching.waiting.values()) == {"wrong-barcode"}
    assert "S26-" not in watch.said


def test_nobody_watches_a_folder_twice(watching: Watching) -> None:
    with watching.watch() as watch:
        watch.wait_for("nothing waits")
        said = watching.laboratory.run("watch", watching.folder, "--once", ends=1)
    assert "this folder is watched already" in said.err


def test_what_is_no_folder_is_not_repeated(watching: Watching, slides: list[Path]) -> None:
    named = watching.laboratory.home / "DOE JANE.svs"
    shutil.copy(slides[0], named)
    for typed in (named, named.with_name("DOE JANE")):
        said = watching.laboratory.run("watch", typed, "--once", ends=1)
        assert "is not there, or is a file" in said.err
        assert "DOE" not in said.everything


def test_a_folder_that_goes_away_is_waited_for(watching: Watching, slides: list[Path]) -> None:
    list_of(watching, slides[0])
    with watching.watch() as watch:
        watch.wait_for("1 row waiting for its file")
        away = watching.folder.rename(watching.folder.with_name("away"))
        watch.wait_for("The folder cannot be read")
        shutil.copy(slides[0], away)
        away.rename(watching.folder)
        watch.wait_for("kept +row 2: S-")
