"""What nobody here can read is refused by its format's name, and what is not whole by the part that is missing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.journeys.laboratory import Laboratory, Said, row_of, write_list
from tests.slides.mirax import make_mirax
from tests.slides.planted import Plant
from tests.slides.sakura import make_sakura
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms


def czi(path: Path) -> None:
    path.write_bytes(b"ZISRAWFILE" + bytes(1000))


def isyntax(path: Path) -> None:
    path.write_bytes(b'<DataObject ObjectType="DPUfsImport">' + bytes(1000))


def vsi(path: Path) -> None:
    make_trestle(path, beside=False)
    folder = path.with_name(f"_{path.stem}_") / "stack1"
    folder.mkdir(parents=True)
    (folder / "frame_t.ets").write_bytes(b"SIS\0" + bytes(1000))


def mirax_without_data(path: Path) -> None:
    make_mirax(path)
    (path.with_suffix("") / "Data0003.dat").unlink()


def mirax_without_folder(path: Path) -> None:
    make_mirax(path)
    shutil.rmtree(path.with_suffix(""))


def vms_without_map(path: Path) -> None:
    make_vms(path, name=path.stem)
    path.with_name(f"{path.stem}_map2.jpg").unlink()


def vms_that_leads_out(path: Path) -> None:
    make_vms(path, name=path.stem)
    path.write_bytes(path.read_bytes().replace(b"MacroImage=", b"MacroImage=../other/"))


def kfb(path: Path) -> None:
    path.write_bytes(b"\0\0\0\0KFB\0" + bytes(1000))


CASES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    ".czi": (
        czi,
        "unsupported-format",
        "Zeiss CZI cannot be read here; export the slide from ZEN as DICOM or OME-TIFF",
    ),
    ".isyntax": (
        isyntax,
        "unsupported-format",
        "Philips iSyntax cannot be read here; "
        "export the slide from Philips's Image Management System as DICOM or Philips TIFF",
    ),
    ".vsi": (
        vsi,
        "unsupported-format",
        "Olympus VSI cannot be read here; export the slide from the scanner's own software as DICOM or OME-TIFF",
    ),
    ".kfb": (
        kfb,
        "unsupported-format",
        "KFBio KFB cannot be read here; ask the scanner's maker for its converter and deliver DICOM, SVS or TIFF",
    ),
    ".mrxs": (
        mirax_without_data,
        "missing-companion",
        "a part of this multi-file slide is missing: Data0003.dat; deliver all its parts together",
    ),
    "-alone.mrxs": (
        mirax_without_folder,
        "missing-companion",
        "a part of this multi-file slide is missing: the folder of the same name beside the .mrxs file; "
        "deliver all its parts together",
    ),
    ".vms": (
        vms_without_map,
        "missing-companion",
        "a part of this multi-file slide is missing: the map (MapFile); deliver all its parts together",
    ),
    "-out.vms": (
        vms_that_leads_out,
        "outside-reference",
        "the file refers to files outside its own folder; deliver all parts of the slide together",
    ),
}
"""How each file's name ends, how it is made, and what must be said of it."""


@dataclass(frozen=True)
class Delivery:
    """What was delivered, what was said, and the laboratory where it waits."""

    laboratory: Laboratory
    folder: Path
    paths: dict[str, Path]
    plant: Plant
    said: Said


@pytest.fixture(scope="module")
def delivery(tmp_path_factory: pytest.TempPathFactory) -> Delivery:
    """Deliver a sound slide among those that cannot be taken, all called after patients."""
    home = tmp_path_factory.mktemp("refused")
    plant = Plant()
    paths = {}
    for ending, (make, _, _) in CASES.items():
        folder = home / "delivery" / plant(f"folder of {ending}")
        folder.mkdir(parents=True)
        paths[ending] = folder / f"{plant(f'name of {ending}')}{ending}"
        make(paths[ending])
    sound = make_sakura(home / "delivery" / "sound.svslide", levels=1).path
    laboratory = Laboratory(home / "laboratory")
    laboratory.home.mkdir()
    laboratory.declare_feed()
    rows = [row_of(path, f"S26-{number:06}", slide=str(number)) for number, path in enumerate([*paths.values(), sound])]
    said = laboratory.take_in(home / "delivery", write_list(home / "list.csv", *rows), ends=3)
    return Delivery(laboratory, home / "delivery", paths, plant, said)


def test_each_is_refused_once_and_the_sound_slide_beside_them_is_kept(delivery: Delivery) -> None:
    reasons = [reason for _, reason, _ in CASES.values()]
    in_rows = {f"row {number + 2}": reason for number, reason in enumerate(reasons)}
    macro_that_no_slide_names = {"a file without a row": "no-row"}
    assert delivery.said.refused == in_rows | macro_that_no_slide_names
    assert f"{len(CASES) + 1} refused" in delivery.said.out
    assert list(delivery.said.slides) == [len(CASES) + 2]


@pytest.mark.parametrize("ending", CASES)
def test_one_sentence_says_what_it_is_or_lacks_and_what_to_do(delivery: Delivery, ending: str) -> None:
    _, reason, sentence = CASES[ending]
    assert f"{reason}: {sentence}; its number is " in delivery.said.out
    looked = delivery.laboratory.run("inspect", delivery.paths[ending], ends=1)
    assert " ".join(looked.err.split()) == f"coverslip: {reason}: {sentence}"


def test_quarantine_says_the_same(delivery: Delivery) -> None:
    listed = json.loads(delivery.laboratory.run("quarantine", "list", "--json").out)
    told = {(entry["reason"], entry["sentence"]) for entry in listed}
    assert told >= {(reason, sentence) for _, reason, sentence in CASES.values()}
    czi_entry = next(entry for entry in listed if "CZI" in entry["sentence"])
    shown = delivery.laboratory.run("quarantine", "show", czi_entry["number"]).out
    assert CASES[".czi"][2] in " ".join(shown.split())


def test_nobody_is_named(delivery: Delivery) -> None:
    for said in delivery.laboratory.said:
        assert delivery.plant.survivors(said.everything.encode()) == []
    assert delivery.plant.survivors_under(delivery.laboratory.archive) == []
