"""What belongs together is one slide, and it is whole when all of it is there and at rest."""

from pathlib import Path

import pytest

from ingest.pipeline.watching import Settling
from ingest.pipeline.watching.gathering import Gathered, Gathering, Slide
from tests.slides.many import make_dicom_series, make_vms
from tests.slides.svs import make_svs


class Folder:
    """A folder in which everything settles from one look to the next, but what is held back."""

    def __init__(self, path: Path) -> None:
        self.path, self._settling, self._gathering = path, Settling(0), Gathering()

    def look(self, *arriving: Path, named: tuple[str, ...] = ()) -> Gathered:
        self._settling.look(self.path)
        for path in arriving:
            path.touch()
        self._settling.look(self.path)
        return self._gathering.gather(self._settling, named)

    def slides(self, *arriving: Path, named: tuple[str, ...] = ()) -> tuple[Slide, ...]:
        return self.look(*arriving, named=named).slides


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_slide_of_one_file_is_itself_and_other_files_are_counted(folder: Folder) -> None:
    made = make_svs(folder.path / "a.svs", width=300, height=200, factors=(1,)).path
    (folder.path / "Thumbs.db").write_bytes(b"nothing")
    (folder.path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (folder.path / "empty.svs").touch()
    found = folder.look()
    assert found.slides == (Slide((made,), settled=True),)
    assert (found.others, found.arriving) == (3, ())


def test_a_file_that_is_arriving_is_no_slide_yet(folder: Folder) -> None:
    made = make_svs(folder.path / "a.svs", width=300, height=200, factors=(1,)).path
    found = folder.look(made)
    assert (found.slides, found.arriving) == ((), (made,))


def test_a_vms_slide_lacks_what_it_names_until_it_is_there(folder: Folder) -> None:
    files = make_vms(folder.path)
    away = files[2].rename(folder.path / ".away")
    assert folder.slides() == (Slide((files[0],), settled=True, lacks_part=True),)
    away.rename(files[2])
    assert folder.slides(files[2]) == (Slide(files, settled=False),)
    assert folder.look() == Gathered((Slide(files, settled=True),), 0, ())


def test_the_folder_of_a_mirax_slide_is_its_own(folder: Folder) -> None:
    main, own = folder.path / "slide.mrxs", folder.path / "slide"
    own.mkdir()
    main.write_bytes(b"\xff\xd8\xff")
    for name in ("Index.dat", "Data0000.dat", "Data0001.dat"):
        (own / name).write_bytes(b"x")
    assert folder.look() == Gathered((Slide((main,), settled=True, lacks_part=True),), 0, ())
    (own / "Slidedat.ini").write_text("[H]\nINDEXFILE = Index.dat\nFILE_0 = Data0000.dat\nFILE_1 = Data0001.dat\n")
    (slide,) = folder.slides()
    assert (slide.path, len(slide.files), slide.settled, slide.lacks_part) == (main, 5, True, False)


def test_a_slide_that_names_files_elsewhere_is_for_ingest_to_refuse(folder: Folder) -> None:
    files = make_vms(folder.path)
    files[0].write_text(files[0].read_text() + "MacroImage=../label.jpg\n")
    (slide,) = folder.slides()
    assert slide == Slide((files[0],), settled=True)


def test_a_dicom_series_is_one_slide_called_by_the_file_that_a_list_names(folder: Folder) -> None:
    files = make_dicom_series(folder.path / "one", levels=3)
    other = make_dicom_series(folder.path / "two", seed=8)
    assert folder.slides() == (Slide(files, settled=True), Slide(other, settled=True))
    (slide, _) = folder.slides(named=("level-1.dcm",))
    assert slide.path == files[1]
    assert set(slide.files) == set(files)


@pytest.mark.parametrize("told", [True, False])
def test_a_dicom_series_is_whole_when_as_many_are_there_as_it_says(folder: Folder, told: bool) -> None:
    first, second = make_dicom_series(folder.path, told=told)
    away = second.rename(folder.path / ".away")
    assert folder.slides() == (Slide((first,), settled=True, lacks_part=told),)
    away.rename(second)
    assert folder.slides(second) == (Slide((first,), settled=False, lacks_part=told),)
    assert folder.slides() == (Slide((first, second), settled=True),)


def test_a_series_does_not_wait_for_what_cannot_be_of_it(folder: Folder) -> None:
    files = make_dicom_series(folder.path, told=False)
    slide = make_svs(folder.path / "a.svs", width=300, height=200, factors=(1,)).path
    other = make_dicom_series(folder.path / "other", seed=8)[0].rename(folder.path / "other.dcm")
    begun = folder.path / "begun.dcm"
    begun.write_bytes(bytes(128))
    assert Slide(files, settled=True) in folder.slides(slide, other)
    assert Slide(files, settled=False) in folder.slides(begun)


def test_a_file_is_opened_again_only_when_it_has_changed(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    make_svs(folder.path / "a.svs", width=300, height=200, factors=(1,))
    make_dicom_series(folder.path / "series")
    before = folder.slides()

    def opened(path: Path) -> None:
        raise AssertionError("it was opened")

    monkeypatch.setattr("ingest.pipeline.watching.gathering.sniff", opened)
    monkeypatch.setattr("ingest.pipeline.watching.gathering.instance", opened)
    assert folder.slides() == before
