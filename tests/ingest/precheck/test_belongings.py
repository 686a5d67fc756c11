"""What lies beside a slide is counted as its own, and never anything that is a slide by itself."""

import os
from pathlib import Path

from ingest.precheck import belongings
from tests.ingest.precheck.spoilt import save
from tests.slides.many import make_dicom_series
from tests.slides.mirax import make_mirax
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms


def names(path: Path) -> set[str]:
    return {file.relative_to(path.parent).as_posix() for file in belongings(path)}


def test_a_slide_of_one_file_has_nothing_beside_it(tmp_path: Path) -> None:
    path = save(tmp_path / "slide.tif")
    (tmp_path / "slide.Full").touch()
    assert belongings(path) == ()


def test_all_that_is_in_a_mirax_slides_folder_is_its_own_even_if_parts_are_missing(tmp_path: Path) -> None:
    made = make_mirax(tmp_path / "slide.mrxs")
    (tmp_path / "slide" / "Index.dat").unlink()
    (tmp_path / "slide" / "notes.txt").write_text("seen")
    data = {f"slide/Data{number:04}.dat" for number in range(5)}
    assert names(made.path) == {"slide/Slidedat.ini", "slide/notes.txt", *data}


def test_another_slide_in_that_folder_is_not(tmp_path: Path) -> None:
    made = make_mirax(tmp_path / "slide.mrxs")
    save(tmp_path / "slide" / "another.svs")
    assert "slide/another.svs" not in names(made.path)


def test_a_folder_that_is_a_link_is_nobodys(tmp_path: Path) -> None:
    made = make_mirax(tmp_path / "slide.mrxs")
    (tmp_path / "slide").rename(tmp_path / "elsewhere")
    os.symlink("elsewhere", tmp_path / "slide")
    assert belongings(made.path) == ()


def test_of_a_vms_slide_that_names_a_file_elsewhere_the_others_are_its_own(tmp_path: Path) -> None:
    made = make_vms(tmp_path / "slide.vms", pictures=(1, 1))
    made.path.write_bytes(made.path.read_bytes().replace(b"=slide_macro", b"=../slide_macro"))
    assert names(made.path) == {"slide_picture.jpg", "slide_map2.jpg", "slide.opt"}


def test_beside_a_trestle_slide_its_overview_and_its_shifts_are_its_own(tmp_path: Path) -> None:
    made = make_trestle(tmp_path / "slide.tif")
    make_trestle(tmp_path / "slide.tif-2.tif", beside=False)
    (tmp_path / "slide.tif-notes.txt").write_text("seen")
    assert names(made.path) == {"slide.Full", "slide.tif-0b"}


def test_the_files_of_a_dicom_series_belong_together(tmp_path: Path) -> None:
    first, second = make_dicom_series(tmp_path)
    assert belongings(first) == (second,)


def test_nothing_belongs_to_what_is_not_there(tmp_path: Path) -> None:
    assert belongings(tmp_path / "slide.mrxs") == ()
