"""Every format that is taken in has a maker of slides here, which plants a word in each of its hiding places.

A format that is added here is in all that is proven of every format: no planted word survives, and whatever is changed
in its files ends in a reason.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.slides.bif import make_bif
from tests.slides.dicom import make_dicom
from tests.slides.generic import APERIO_JPEG2000, make_tiff
from tests.slides.laden import label_of_a_patient, macro_of
from tests.slides.made import MadeSlide
from tests.slides.mirax import make_mirax
from tests.slides.ndpi import make_ndpi
from tests.slides.ome import DAPI_AND_MORE, make_fluorescence_ome_tiff, make_ome_tiff
from tests.slides.philips import make_philips
from tests.slides.planted import Plant
from tests.slides.qptiff import make_qptiff
from tests.slides.sakura import make_sakura
from tests.slides.scn import Tissue, make_scn
from tests.slides.svs import make_svs
from tests.slides.tissue import tissue
from tests.slides.trestle import make_trestle
from tests.slides.vms import make_vms
from tests.slides.vmu import make_vmu


@dataclass(frozen=True)
class Format:
    """A maker of slides, how their names end (nothing where a slide is a folder), and how they are made small."""

    make: Callable[..., MadeSlide]
    ending: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def planted(self, folder: Path, name: str, plant: Plant) -> MadeSlide:
        """Write a slide of this name, with a word of the plant in each of its hiding places."""
        return self.make(folder / f"{name}{self.ending}", plant=plant, **self.options)


def ome_tiff_with_label_and_macro(path: Path, *, plant: Plant, **options: Any) -> MadeSlide:
    """Write an OME-TIFF as Bio-Formats converts a slide: label and macro are images like the slide itself."""
    pictures = {"label": label_of_a_patient(), "macro": macro_of(tissue(700, 530, 3))}
    made = make_ome_tiff(path, other_images=tuple(pictures.values()), plant=plant, **options)
    with path.open("ab") as file:
        file.write(plant("bytes after the last structure").encode())
    return replace(made, associated=pictures)


def fluorescence_with_words(path: Path, *, plant: Plant, **options: Any) -> MadeSlide:
    """Write an OME-TIFF in fluorescence, one of whose channels is called after somebody."""
    channels = (*DAPI_AND_MORE, (plant("OME name of a channel"), 0x00FF00FF))
    made = make_fluorescence_ome_tiff(path, channels, plant=plant, **options)
    with path.open("ab") as file:
        file.write(plant("bytes after the last structure").encode())
    return made


def qptiff_in_fluorescence(path: Path, *, plant: Plant, **options: Any) -> MadeSlide:
    """Write a QPTIFF in fluorescence, one of whose channels is called after somebody."""
    channels = (("DAPI", "0,0,255"), (plant("description key Name"), "255,0,0"))
    return make_qptiff(path, channels=channels, plant=plant, **options)


def called_alike(make: Callable[..., MadeSlide]) -> Callable[..., MadeSlide]:
    """Have all files of a slide begin with the slide's own name, as the scanner does."""
    return lambda path, **options: make(path, name=path.stem, **options)


_SMALL = {"width": 700, "height": 530, "factors": (1, 2)}

FORMATS: Mapping[str, Format] = {
    "svs": Format(make_svs, ".svs", _SMALL),
    "svs without words for label and macro": Format(make_svs, ".svs", {**_SMALL, "label": "jpeg", "described": False}),
    "svs in jpeg 2000": Format(
        make_tiff, ".svs", {**_SMALL, "coding": "jpeg2000", "description": APERIO_JPEG2000, "seed": 6}
    ),
    "jpeg tiff": Format(make_tiff, ".tif", {"coding": "jpeg"}),
    "lossless tiff": Format(make_tiff, ".tiff", {"coding": "deflate", "seed": 8}),
    "tiff in lzw strips": Format(make_tiff, ".tif", {**_SMALL, "coding": "lzw", "tile": None, "seed": 10}),
    "zstd tiff": Format(make_tiff, ".tif", {**_SMALL, "coding": "zstd", "big": True, "seed": 11}),
    "webp tiff": Format(make_tiff, ".tif", {**_SMALL, "coding": "webp", "seed": 12}),
    "jpeg 2000 tiff": Format(make_tiff, ".tif", {**_SMALL, "coding": "jpeg2000", "seed": 13}),
    "ome-tiff": Format(ome_tiff_with_label_and_macro, ".ome.tif", {"seed": 9}),
    "ome-tiff in fluorescence": Format(fluorescence_with_words, ".ome.tif", {"factors": (1, 2), "seed": 14}),
    "ndpi": Format(make_ndpi, ".ndpi"),
    "philips": Format(make_philips, ".tiff", {"factors": (1, 2), "where": "both"}),
    "scn": Format(make_scn, ".scn", {"regions": (Tissue(width=700, height=530, factors=(1, 2)),)}),
    "dicom": Format(make_dicom, "", {**_SMALL, "parts": 2}),
    "dicom in jpeg 2000": Format(make_dicom, "", {**_SMALL, "syntax": "jpeg2000", "factors": (1,)}),
    "qptiff": Format(make_qptiff, ".qptiff"),
    "qptiff in fluorescence": Format(qptiff_in_fluorescence, ".qptiff", {"factors": (1, 2), "seed": 15}),
    "mirax": Format(make_mirax, ".mrxs"),
    "mirax in png": Format(
        make_mirax, ".mrxs", {"coding": "PNG", "photographs": (3, 2), "left_out": frozenset(), "levels": 2, "seed": 17}
    ),
    "bif": Format(make_bif, ".bif"),
    "trestle": Format(make_trestle, ".tif"),
    "sakura": Format(make_sakura, ".svslide"),
    "vms": Format(called_alike(make_vms), ".vms"),
    "vmu": Format(called_alike(make_vmu), ".vmu", {"seed": 16}),
}
