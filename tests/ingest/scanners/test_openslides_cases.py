"""OpenSlide's own broken slides, imitated: what it must not open is refused here, too, and what it opens is read.

Each case has the name that OpenSlide's tests give it; it is made by changing a word in a sound slide, or taking a file
away. Where this differs from OpenSlide, it is said.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from ingest.errors import SlideRefused
from ingest.precheck import precheck
from ingest.scanners.opening import open_scan
from tests.slides.bif import make_bif
from tests.slides.made import MadeSlide
from tests.slides.mirax import make_mirax
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms


class Edit(NamedTuple):
    """Put one word in the place of another, once, in a file of the slide; its main file unless one is named."""

    old: bytes
    new: bytes
    file: str = ""


INI, INDEX = "slide/Slidedat.ini", "slide/Index.dat"


def ini(old: str, new: str) -> Edit:
    return Edit(old.encode(), new.encode(), INI)


MIRAX_REFUSED = {
    "bad-datafile-count": ini("FILE_COUNT = 5", "FILE_COUNT = 0"),
    "bad-image-concat-factor": ini("IMAGE_CONCAT_FACTOR = 1", "IMAGE_CONCAT_FACTOR = x"),
    "bad-image-fill-color": ini("IMAGE_FILL_COLOR_BGR = 16777215", "IMAGE_FILL_COLOR_BGR = x"),
    "bad-image-format": ini("IMAGE_FORMAT = JPEG", "IMAGE_FORMAT = TGA"),
    "bad-image-height": ini("DIGITIZER_HEIGHT = 96", "DIGITIZER_HEIGHT = x"),
    "bad-image-height-2": ini("DIGITIZER_HEIGHT = 96", "DIGITIZER_HEIGHT = 0"),
    "bad-image-width": ini("DIGITIZER_WIDTH = 128", "DIGITIZER_WIDTH = x"),
    "bad-image-width-2": ini("DIGITIZER_WIDTH = 128", "DIGITIZER_WIDTH = 0"),
    "bad-imagedivisions": ini("CameraImageDivisionsPerSide = 2", "CameraImageDivisionsPerSide = -1"),
    "bad-imagenumber-x": ini("IMAGENUMBER_X = 12", "IMAGENUMBER_X = x"),
    "bad-imagenumber-x-2": ini("IMAGENUMBER_X = 12", "IMAGENUMBER_X = 0"),
    "bad-imagenumber-y": ini("IMAGENUMBER_Y = 8", "IMAGENUMBER_Y = x"),
    "bad-imagenumber-y-2": ini("IMAGENUMBER_Y = 8", "IMAGENUMBER_Y = 0"),
    "bad-layer-0-concat-factor": ini("IMAGE_CONCAT_FACTOR = 0", "IMAGE_CONCAT_FACTOR = -1"),
    "bad-layer-n-concat-factor": ini("IMAGE_CONCAT_FACTOR = 1", "IMAGE_CONCAT_FACTOR = 0"),
    "bad-macro-format": ini("THUMBNAIL_IMAGE_TYPE = JPEG", "THUMBNAIL_IMAGE_TYPE = FOO"),
    "bad-zoom-level-count": ini("HIER_0_COUNT = 3", "HIER_0_COUNT = 0"),
    "garbage": ini("[GENERAL]", "garbage\r\n[GENERAL]"),
    "large-image-concat-factor": ini("IMAGE_CONCAT_FACTOR = 1", "IMAGE_CONCAT_FACTOR = 70"),
    "negative-nonhier-count": ini("NONHIER_COUNT = 2", "NONHIER_COUNT = -1"),
    "no-datafile-count": ini("FILE_COUNT", "FILES_COUNT"),
    "no-datafile-name": ini("FILE_3 ", "FILES_3 "),
    "no-datafile": ini("[DATAFILE]", "[DATAFILES]"),
    "no-general": ini("[GENERAL]", "[COMMON]"),
    "no-hier-count": ini("\nHIER_COUNT", "\nHIERS_COUNT"),
    "no-hier-name": ini("\nHIER_0_NAME", "\nHIERS_0_NAME"),
    "no-hier-val-section": ini("HIER_0_VAL_2_SECTION", "HIER_0_VAL_2_SECTIONS"),
    "no-hierarchical": ini("[HIERARCHICAL]", "[FLAT]"),
    "no-image-format": ini("IMAGE_FORMAT", "IMAGE_FORMATS"),
    "no-index-filename": ini("INDEXFILE", "INDEXFILES"),
    "no-nonhier-count": ini("NONHIER_COUNT", "NONHIERS_COUNT"),
    "no-nonhier-name": ini("NONHIER_0_NAME", "NONHIERS_0_NAME"),
    "no-nonhier-key": ini("NONHIER_0_VAL_2 ", "NONHIERS_0_VAL_2 "),
    "no-nonhier-val-count": ini("NONHIER_0_COUNT", "NONHIERS_0_COUNT"),
    "no-overlap-x": ini("OVERLAP_X", "OVERLAPS_X"),
    "no-overlap-y": ini("OVERLAP_Y", "OVERLAPS_Y"),
    "no-slide-id": ini("SLIDE_ID", "SLIDES_ID"),
    "no-slide-zoom-level": ini("Slide zoom level", "Slide level"),
    "no-zoom-level-count": ini("\nHIER_0_COUNT", "\nHIERS_0_COUNT"),
    "no-zoom-level-section": ini("[LAYER_0_LEVEL_2_SECTION]", "[ELSEWHERE]"),
    "zero-hier-count": ini("\nHIER_COUNT = 1", "\nHIER_COUNT = 0"),
    "index-bad-slide-id": Edit(b"0123456789ABCDEF", b"0123456789ABCDEX", INDEX),
    "index-bad-version": Edit(b"01.02", b"01.03", INDEX),
}
MIRAX_READ = {
    "empty-objective-magnification": ini("OBJECTIVE_MAGNIFICATION = 20", "OBJECTIVE_MAGNIFICATION ="),
    "no-objective-magnification": ini("OBJECTIVE_MAGNIFICATION", "OBJECTIVES_MAGNIFICATION"),
    "objective-magnification-trailing-x": ini("OBJECTIVE_MAGNIFICATION = 20", "OBJECTIVE_MAGNIFICATION = 20x"),
}
MIRAX_MISSING = {"index-missing": "Index.dat", "slidedat-missing": "Slidedat.ini", "data-no-top-level": "Data0003.dat"}

VMS_REFUSED = {
    "vms-bad-group": Edit(b"[Virtual Microscope", b"[Virtuous Microscope"),
    "vms-bad-image-coordinate": Edit(b"ImageFile(1,0)", b"ImageFile(1z,0)"),
    "vms-bad-image-coordinates": Edit(b"ImageFile(1,0)", b"ImageFile(1,0,0,0,0)"),
    "vms-bad-rows": Edit(b"NoJpegRows=2", b"NoJpegRows=0"),
    "vms-blank-mapfile": Edit(b"MapFile=slide_map2.jpg", b"MapFile="),
    "vms-invalid-row": Edit(b"ImageFile(1,0)", b"ImageFile(2,0)"),
    "vms-missing-jpeg": Edit(b"ImageFile(1,1)", b"ImagesFile(1,1)"),
    "vms-no-cols": Edit(b"NoJpegColumns", b"NoJpegsColumns"),
    "vms-no-mapfile": Edit(b"MapFile", b"MapsFile"),
    "vms-rows-cols-overflow": Edit(b"NoJpegRows=2", b"NoJpegRows=1073741824"),
    "jpeg-bad-marker": Edit(b"\xff\xc0", b"\xfe\xc0", "slide_picture(1,0).jpg"),
    "jpeg-no-sof": Edit(b"\xff\xc0", b"\xff\xe1", "slide_picture(1,0).jpg"),
    "jpeg-restart-none": Edit(b"\xff\xdd\x00\x04", b"\xff\xfe\x00\x04", "slide_picture(1,0).jpg"),
    "macro-bad": Edit(b"\xff\xd8", b"\xff\xd9", "slide_macro.jpg"),
}
VMS_READ = {
    "vms-blank-macro": Edit(b"MacroImage=slide_macro.jpg", b"MacroImage="),
    "vms-no-optimisationfile": Edit(b"OptimisationFile", b"OptimisationsFile"),
    "vms-no-physicalwidth": Edit(b"PhysicalWidth", b"PhysicalWide"),
}
VMS_MISSING = {
    "jpeg-missing": "slide_picture(1,0).jpg",
    "map-missing": "slide_map2.jpg",
    "macro-missing": "slide_macro.jpg",  # OpenSlide opens it: here a slide that names its macro is not whole without
    "optimisation-missing": "slide.opt",  # as above
}

VENTANA_REFUSED = {
    "aoiorigin-bad-origin-x": Edit(b'OriginX="0"', b'OriginX="7"'),
    "bad-root-tag": Edit(b"<EncodeInfo", b"<EncodedInf"),
    "bad-xml": Edit(b"</SlideStitchInfo>", b"</SlideStitchInfx>"),
    "imageinfo-bad-height": Edit(b'Height="256"', b'Height="250"'),
    "imageinfo-negative-rows": Edit(b'NumRows="4"', b'NumRows="-"'),
    "imageinfo-no-numcols": Edit(b"NumCols", b"NumColz"),
    "imageinfo-no-width": Edit(b'" Width="256"', b'" Wodth="256"'),
    "joint-bad-direction": Edit(b'"RIGHT"', b'"ANGLE"'),
    "joint-bad-tile-adjacency": Edit(b'Tile2="19"', b'Tile2="11"'),
    "joint-no-overlap-x": Edit(b"OverlapX", b"OverlapZ"),
    "joint-no-tile": Edit(b"Tile2", b"Tile3"),
    "no-aoiorigin": Edit(b"<AoiOrigin><AOI0", b"<AoiOrigon><AOI0"),
    "levelinfo-bad-level": Edit(b"level=1", b"level=x"),
    "levelinfo-bad-magnification": Edit(b"mag=20", b"mag=xx"),
    "levelinfo-bad-magnification-2": Edit(b"level=1 mag=10", b"level=1 mag=40"),
    "levelinfo-missing": Edit(b"level=1 ", b"level=2 "),
    "levelinfo-no-magnification": Edit(b"mag=20", b"mug=20"),
}

MAKERS: dict[str, tuple[Callable[..., MadeSlide], str]] = {
    "mirax": (make_mirax, "slide.mrxs"),
    "hamamatsu-vms": (make_vms, "slide.vms"),
    "ventana": (make_bif, "slide.bif"),
    "trestle": (make_trestle, "slide.tif"),
}
REFUSED = {"mirax": MIRAX_REFUSED, "hamamatsu-vms": VMS_REFUSED, "ventana": VENTANA_REFUSED}
READ = {
    "mirax": MIRAX_READ,
    "hamamatsu-vms": VMS_READ,
    "trestle": {"imagedescription-property-empty": Edit(b"JPEG Quality=85", b"JPEG Quality=  ")},
}
MISSING = {"mirax": MIRAX_MISSING, "hamamatsu-vms": VMS_MISSING}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Make a sound slide of each maker, in a folder of its own."""
    folders = {maker: tmp_path_factory.mktemp(maker) for maker in MAKERS}
    for maker, (make, name) in MAKERS.items():
        make(folders[maker] / name)
    return folders


@pytest.fixture
def copied(sound: dict[str, Path], tmp_path: Path) -> Callable[[str], Path]:
    """Give a copy of a maker's sound slide, to be spoilt."""

    def copy(maker: str) -> Path:
        return shutil.copytree(sound[maker], tmp_path / "delivery") / MAKERS[maker][1]

    return copy


def named(cases: Mapping[str, Mapping[str, object]]) -> list[tuple[str, str]]:
    return [(maker, case) for maker in cases for case in cases[maker]]


def read_all(path: Path) -> int:
    """Read a slide to its last pixel, as ingest does; gives the number of tiles."""
    precheck(path)
    with open_scan(path) as reader:
        return sum(1 for level in reader.scan().levels for _ in level.decoded_tiles())


def spoil(path: Path, edit: Edit) -> None:
    file = path.parent / edit.file if edit.file else path
    content = file.read_bytes()
    assert edit.old in content
    file.write_bytes(content.replace(edit.old, edit.new, 1))


@pytest.mark.parametrize(("maker", "case"), named(REFUSED))
def test_what_openslide_must_not_open_is_refused(copied: Callable[[str], Path], maker: str, case: str) -> None:
    path = copied(maker)
    spoil(path, REFUSED[maker][case])
    with pytest.raises(SlideRefused) as refused:
        read_all(path)
    assert str(path.parent) not in str(refused.value)


@pytest.mark.parametrize(("maker", "case"), named(READ))
def test_what_openslide_must_open_is_read(copied: Callable[[str], Path], maker: str, case: str) -> None:
    path = copied(maker)
    spoil(path, READ[maker][case])
    assert read_all(path) > 1


@pytest.mark.parametrize(("maker", "case"), named(MISSING))
def test_a_slide_without_one_of_its_files_is_refused(copied: Callable[[str], Path], maker: str, case: str) -> None:
    path = copied(maker)
    next(path.parent.rglob(MISSING[maker][case])).unlink()
    with pytest.raises(SlideRefused):
        read_all(path)
