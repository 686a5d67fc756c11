"""A slide of many files may name plain files in its own folder, and all of them must be there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.errors import Reason
from ingest.precheck import Family, parts

Outcome = Callable[[Path], Family | Reason]
Make = Callable[..., Path]

VMS = "[Virtual Microscope Specimen]\r\nNoLayers=1\r\nImageFile=a.jpg\r\nImageFile(1,0)=b.jpg\r\nMapFile=m.jpg\r\n"
SLIDEDAT = (
    "\ufeff[GENERAL]\r\nSLIDE_ID = x\r\n[HIERARCHICAL]\r\nINDEXFILE = Index.dat\r\n[DATAFILE]\r\nFILE_COUNT = 2\r\n"
)
SLIDEDAT += "FILE_0 = Data0000.dat\r\nFILE_1 = Data0001.dat\r\n"


@pytest.fixture
def vms(tmp_path: Path) -> Make:
    def make(more: str = "", text: str = VMS) -> Path:
        folder = tmp_path / "delivery"
        folder.mkdir(exist_ok=True)
        for name in ("a.jpg", "b.jpg", "m.jpg"):
            (folder / name).write_bytes(b"\xff\xd8\xff")
        (tmp_path / "label.jpg").write_bytes(b"\xff\xd8\xff")
        path = folder / "slide.vms"
        path.write_bytes((text + more).encode())
        return path

    return make


@pytest.fixture
def mirax(tmp_path: Path) -> Make:
    def make(more: str = "", text: str = SLIDEDAT) -> Path:
        folder = tmp_path / "slide"
        folder.mkdir(exist_ok=True)
        for name in ("Index.dat", "Data0000.dat", "Data0001.dat"):
            (folder / name).write_bytes(b"x")
        (folder / "Slidedat.ini").write_bytes((text + more).encode())
        path = tmp_path / "slide.mrxs"
        path.write_bytes(b"\xff\xd8\xff")
        return path

    return make


def test_a_vms_slide_is_all_its_files(vms: Make, outcome: Outcome) -> None:
    path = vms("MacroImage=a.jpg\r\nReference=folder/name\r\n")
    assert outcome(path) is Family.VMS
    assert [part.name for part in parts(path)] == ["slide.vms", "a.jpg", "b.jpg", "m.jpg"]


def test_an_uncompressed_vms_slide_is_known_by_its_group(vms: Make, outcome: Outcome) -> None:
    assert outcome(vms(text="# made by\n[Uncompressed Virtual Microscope Specimen]\nImageFile=a.jpg\nMapFile=m.jpg\n"))


def test_a_mirax_slide_is_all_its_files(mirax: Make, outcome: Outcome) -> None:
    path = mirax()
    assert outcome(path) is Family.MIRAX
    names = [part.relative_to(path.parent).as_posix() for part in parts(path)]
    assert names == [
        "slide.mrxs",
        *(f"slide/{n}" for n in ("Slidedat.ini", "Index.dat", "Data0000.dat", "Data0001.dat")),
    ]


OUTSIDE = [
    "../label.jpg",
    "/etc/passwd",
    "sub/label.jpg",
    "..\\label.jpg",
    "C:label.jpg",
    "..",
    ".",
    "\\s../label.jpg",
    "a.jpg\r/../../label.jpg",
    "a.jpg\x0b/../../label.jpg",
    "a.jpg\x85../label.jpg",
    "a.jpg\u2028../label.jpg",
]


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("key", ["ImageFile", "ImageFile(7,0)", "ImageFile(0, 1, 2)", "MapFile", "MacroImage"])
def test_a_vms_slide_that_names_a_file_elsewhere_is_refused(vms: Make, outcome: Outcome, key: str, name: str) -> None:
    assert outcome(vms(f" {key}\t= {name}\n")) is Reason.OUTSIDE_REFERENCE


@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("key", ["INDEXFILE", "FILE_0", "FILE_77"])
def test_a_mirax_slide_that_names_a_file_elsewhere_is_refused(
    mirax: Make, outcome: Outcome, key: str, name: str
) -> None:
    assert outcome(mirax(f"{key} = {name}\r\n")) is Reason.OUTSIDE_REFERENCE


def test_a_missing_part_is_named_as_the_reason(vms: Make, mirax: Make, outcome: Outcome) -> None:
    assert outcome(vms("MacroImage=not-there.jpg\n")) is Reason.MISSING_COMPANION
    slide = mirax()
    (slide.with_suffix("") / "Data0001.dat").unlink()
    assert outcome(slide) is Reason.MISSING_COMPANION
    (slide.with_suffix("") / "Slidedat.ini").unlink()
    assert outcome(slide) is Reason.MISSING_COMPANION


def test_a_part_that_is_a_link_is_refused(vms: Make, mirax: Make, outcome: Outcome) -> None:
    slide = vms()
    (slide.parent / "b.jpg").unlink()
    (slide.parent / "b.jpg").symlink_to("../label.jpg")
    assert outcome(slide) is Reason.OUTSIDE_REFERENCE
    slide = mirax()
    folder = slide.with_suffix("")
    folder.rename(folder.with_name("elsewhere"))
    folder.symlink_to("elsewhere")
    assert outcome(slide) is Reason.OUTSIDE_REFERENCE


def test_a_mirax_file_without_its_folder_is_refused(tmp_path: Path, outcome: Outcome) -> None:
    path = tmp_path / "slide.MRXS"
    path.write_bytes(b"\xff\xd8\xff")
    assert outcome(path) is Reason.MISSING_COMPANION
    path.with_suffix("").touch()
    assert outcome(path) is Reason.MISSING_COMPANION


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ("\0", Reason.DAMAGED_STRUCTURE),
        ("x" * (1 << 20), Reason.TOO_LARGE),
        ("".join(f"ImageFile({n},0)=p{n}.jpg\n" for n in range(5000)), Reason.TOO_LARGE),
    ],
    ids=["a zero byte", "a megabyte", "five thousand parts"],
)
def test_a_key_file_that_is_none_is_refused(vms: Make, outcome: Outcome, more: str, reason: Reason) -> None:
    assert outcome(vms(more)) is reason


def test_a_key_file_that_names_no_pixels_is_refused(vms: Make, mirax: Make, outcome: Outcome) -> None:
    assert outcome(vms(text="[Virtual Microscope Specimen]\nNoLayers=1\n")) is Reason.DAMAGED_STRUCTURE
    assert outcome(mirax(text="[GENERAL]\n")) is Reason.DAMAGED_STRUCTURE


def test_a_slide_of_one_file_is_itself(tmp_path: Path) -> None:
    from tests.ingest.precheck.spoilt import save

    path = save(tmp_path / "slide.tif")
    assert parts(path) == (path,)
