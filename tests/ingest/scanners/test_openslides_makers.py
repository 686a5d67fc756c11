"""Slides of the makers that OpenSlide reads are read, or refused with a reason that says what is missing."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import openslide
import pytest

from ingest.errors import Reason, SlideRefused
from ingest.pipeline.batch import find_files
from ingest.precheck import parts, precheck
from ingest.scanners.base import AssociatedKind
from ingest.scanners.opening import open_scan
from ingest.scanners.through_openslide import OpenSlideReader
from tests.slides.bif import make_bif
from tests.slides.made import MadeSlide
from tests.slides.mirax import HALF, make_mirax
from tests.slides.sakura import make_sakura
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms

MAKERS: dict[str, tuple[Callable[..., MadeSlide], str]] = {
    "mirax": (make_mirax, "slide.mrxs"),
    "ventana": (make_bif, "slide.bif"),
    "trestle": (make_trestle, "slide.tif"),
    "sakura": (make_sakura, "slide.svslide"),
    "hamamatsu": (make_vms, "slide.vms"),
}
PATIENT = "Doe^Jane 00123456"
"""What a careless technician calls files by; no sentence may repeat it."""


def refused(path: Path) -> SlideRefused:
    with pytest.raises(SlideRefused) as caught:
        precheck(path)
    return caught.value


def change(path: Path, old: str, new: str) -> None:
    text = path.read_bytes()
    assert old.encode() in text
    path.write_bytes(text.replace(old.encode(), new.encode()))


@pytest.mark.parametrize("vendor", MAKERS)
def test_the_reader_is_openslide_and_every_whole_level_is_kept(tmp_path: Path, vendor: str) -> None:
    make, name = MAKERS[vendor]
    made = make(tmp_path / name)
    with open_scan(made.path) as reader, openslide.OpenSlide(made.path) as slide:
        assert isinstance(reader, OpenSlideReader)
        scan = reader.scan()
        assert scan.maker == vendor
        assert [(level.size.width, level.size.height) for level in scan.levels] == list(slide.level_dimensions)
        assert {str(image.kind) for image in scan.associated} == set(slide.associated_images)
        (macro,) = reader.pictures(AssociatedKind.MACRO)
        assert macro.shape == made.associated["macro"].shape
        assert np.abs(macro.astype(int) - made.associated["macro"]).mean() < 5


@pytest.mark.parametrize("vendor", MAKERS)
def test_all_that_lies_beside_a_slide_is_one_delivery_with_it(tmp_path: Path, vendor: str) -> None:
    make, name = MAKERS[vendor]
    made = make(tmp_path / name)
    assert find_files([tmp_path]) == [made.path]


class TestMirax:
    @pytest.mark.parametrize("role", ["Data0003.dat", "Index.dat", "Slidedat.ini"])
    def test_a_missing_part_is_named(self, tmp_path: Path, role: str) -> None:
        made = make_mirax(tmp_path / f"{PATIENT}.mrxs")
        (made.path.with_suffix("") / role).unlink()
        why = refused(made.path)
        assert why.reason is Reason.MISSING_COMPANION
        assert why.sentence == f"a part of this multi-file slide is missing: {role}; deliver all its parts together"
        assert find_files([tmp_path]) == [made.path]  # one refusal, and not one for each file of the folder

    def test_a_missing_part_of_another_name_is_told_by_its_number(self, tmp_path: Path) -> None:
        made = make_mirax(tmp_path / "slide.mrxs")
        change(made.path.with_suffix("") / "Slidedat.ini", "Data0002.dat", f"{PATIENT}.dat")
        assert "missing: Data0002.dat;" in refused(made.path).sentence

    def test_a_number_that_could_be_a_patients_is_not_repeated(self, tmp_path: Path) -> None:
        made = make_mirax(tmp_path / "slide.mrxs")
        change(made.path.with_suffix("") / "Slidedat.ini", "[DATAFILE]", "[DATAFILE]\r\nFILE_9434765919 = x.dat")
        assert "missing: a data file;" in refused(made.path).sentence

    def test_a_missing_folder_is_named_without_its_name(self, tmp_path: Path) -> None:
        made = make_mirax(tmp_path / f"{PATIENT}.mrxs")
        shutil.rmtree(made.path.with_suffix(""))
        assert "missing: the folder of the same name beside the .mrxs file;" in refused(made.path).sentence

    @pytest.mark.parametrize("name", ["../other/Data0000.dat", "/etc/passwd", "..\\Data0000.dat"])
    def test_a_part_elsewhere_is_refused(self, tmp_path: Path, name: str) -> None:
        made = make_mirax(tmp_path / "slide.mrxs")
        change(made.path.with_suffix("") / "Slidedat.ini", "Data0002.dat", name)
        assert refused(made.path).reason is Reason.OUTSIDE_REFERENCE

    def test_tiles_where_nothing_was_photographed_are_left_out(self, tmp_path: Path) -> None:
        made = make_mirax(tmp_path / "slide.mrxs", left_out=HALF)
        with open_scan(made.path) as reader:
            addresses = {(column, row) for column, row, _ in reader.scan().levels[0].decoded_tiles()}
        assert addresses == {(column, row) for column in range(3) for row in range(2)} - {(1, 0)}

    def test_a_slide_without_a_single_photograph_is_refused(self, tmp_path: Path) -> None:
        everywhere = frozenset((column, row) for column in range(6) for row in range(4))
        made = make_mirax(tmp_path / "slide.mrxs", left_out=everywhere)
        with open_scan(made.path) as reader, pytest.raises(SlideRefused) as caught:
            list(reader.scan().levels[0].decoded_tiles())
        assert caught.value.reason is Reason.UNREADABLE_PIXELS

    def test_an_index_of_another_slide_is_refused(self, tmp_path: Path) -> None:
        made, other = make_mirax(tmp_path / "a.mrxs"), make_mirax(tmp_path / "b.mrxs")
        change(other.path.with_suffix("") / "Index.dat", "0123456789ABCDEF0123", "FEDCBA98765432100123")
        shutil.copy(tmp_path / "b" / "Index.dat", tmp_path / "a" / "Index.dat")
        with pytest.raises(SlideRefused):
            open_scan(made.path)


class TestVms:
    @pytest.mark.parametrize(
        ("what", "role"),
        [
            ("picture", "the first picture (ImageFile)"),
            ("picture(1,0)", "picture (1,0)"),
            ("map2", "the map (MapFile)"),
            ("macro", "the picture of the whole glass (MacroImage)"),
        ],
    )
    def test_a_missing_part_is_named_by_what_it_is(self, tmp_path: Path, what: str, role: str) -> None:
        made = make_vms(tmp_path / "slide.vms", name=PATIENT)
        (tmp_path / f"{PATIENT}_{what}.jpg").unlink()
        why = refused(made.path)
        assert why.reason is Reason.MISSING_COMPANION
        assert f"missing: {role};" in why.sentence
        assert find_files([tmp_path]) == [made.path]

    def test_another_slide_that_it_names_is_not_hidden(self, tmp_path: Path) -> None:
        """Whoever writes a text that names another patient's slide must not make it vanish from the delivery."""
        made, other = make_vms(tmp_path / "slide.vms"), make_bif(tmp_path / "other.bif")
        change(made.path, "slide_macro.jpg", "other.bif")
        assert set(find_files([tmp_path])) >= {made.path, other.path}

    def test_a_map_elsewhere_is_refused(self, tmp_path: Path) -> None:
        made = make_vms(tmp_path / "slide.vms")
        change(made.path, "slide_map2.jpg", "../slide_map2.jpg")
        assert refused(made.path).reason is Reason.OUTSIDE_REFERENCE


class TestTrestle:
    def test_the_picture_of_the_glass_is_a_part_where_there_is_one(self, tmp_path: Path) -> None:
        made = make_trestle(tmp_path / "slide.tif")
        assert parts(made.path) == (made.path, tmp_path / "slide.Full")
        alone = make_trestle(tmp_path / "alone.tif", beside=False)
        assert parts(alone.path) == (alone.path,)
        with open_scan(alone.path) as reader:
            assert reader.scan().associated == ()

    def test_a_link_in_its_place_is_refused(self, tmp_path: Path) -> None:
        made = make_trestle(tmp_path / "slide.tif", beside=False)
        (tmp_path / "slide.Full").symlink_to(tmp_path / "elsewhere.jpg")
        assert refused(made.path).reason is Reason.OUTSIDE_REFERENCE

    def test_other_tiffs_have_no_parts(self, tmp_path: Path) -> None:
        made = make_bif(tmp_path / "slide.tif")
        (tmp_path / "slide.Full").write_bytes(b"\xff\xd8\xff")
        assert parts(made.path) == (made.path,)


class TestVentana:
    @pytest.mark.parametrize("name", ["Label_Image", "Label Image"])
    def test_the_label_and_the_glass_are_a_macro(self, tmp_path: Path, name: str) -> None:
        with open_scan(make_bif(tmp_path / "slide.bif", macro=name).path) as reader:
            assert {str(image.kind) for image in reader.scan().associated} == {"macro", "thumbnail"}

    def test_a_label_by_any_other_name_is_no_level(self, tmp_path: Path) -> None:
        """OpenSlide takes only directories for levels whose description says that they are."""
        with open_scan(make_bif(tmp_path / "slide.bif", macro="Etikett").path) as reader:
            scan = reader.scan()
            assert [level.size.width for level in scan.levels] == [1216, 608, 304]
            assert {str(image.kind) for image in scan.associated} == {"thumbnail"}


class TestSakura:
    def test_the_middle_plane_is_shown(self, tmp_path: Path) -> None:
        made = make_sakura(tmp_path / "slide.svslide", planes=3)
        with open_scan(made.path) as reader:
            column, row, pixels = next(reader.scan().levels[0].decoded_tiles())
        assert (column, row) == (0, 0)
        assert np.array_equal(pixels, made.levels[0].pixels[:512, :512])

    def test_a_slide_whose_plane_is_not_there_is_refused_and_not_kept_white(self, tmp_path: Path) -> None:
        made = make_sakura(tmp_path / "slide.svslide", planes=3)
        with closing(sqlite3.connect(made.path)) as file, file:
            file.execute("DELETE FROM SVGigaPixelImageTable WHERE id LIKE 'T;%;1'")
        with open_scan(made.path) as reader, pytest.raises(SlideRefused) as caught:
            list(reader.scan().levels[0].decoded_tiles())
        assert caught.value.reason is Reason.UNREADABLE_PIXELS

    def test_another_database_is_no_slide(self, tmp_path: Path) -> None:
        path = tmp_path / "laboratory.svslide"
        with closing(sqlite3.connect(path)) as file, file:
            file.execute("CREATE TABLE patients (name TEXT)")
        precheck(path)
        with pytest.raises(SlideRefused) as caught:
            open_scan(path)
        assert caught.value.reason is Reason.NOT_A_SLIDE
