"""OpenSlide's own broken slides, imitated: each is a sound slide made here in which one thing is changed.

The names are those that OpenSlide's tests give to the cases. What cannot be imitated is told with the reason.
"""

from collections.abc import Mapping

from tests.slides.imitated import dicom, hamamatsu, leica, mirax, mirax_data, plain, ventana
from tests.slides.imitated.spoiling import Imitation, Sound

IMITATED: Mapping[str, Imitation] = {
    name: imitation
    for module in (plain, hamamatsu, leica, mirax, mirax_data, ventana, dicom)
    for name, imitation in module.CASES.items()
}

SOUND: tuple[Sound, ...] = (
    *(plain.SVS, plain.JPEG2000, plain.TIFF, plain.STRIPS, plain.HURON, plain.TRESTLE, plain.PHILIPS, plain.ARGOS),
    *(hamamatsu.NDPI, hamamatsu.VMS, leica.SCN, ventana.BIF, ventana.WRAPPED, dicom.DICOM),
    *(mirax.MIRAX, mirax_data.PNG, mirax_data.BMP, mirax_data.COMPRESSED),
)
"""Slides of which the broken ones are made."""

NOT_IMITATED: Mapping[str, str] = {
    "debug-help": "it is about a variable of OpenSlide's environment, and no slide",
    "synthetic-disabled": "it is about a slide that OpenSlide draws by itself, and no file",
    "zeiss-czi-uncompressed-bad-subblock-dimensions": "no CZI is read here: every one is refused by its name",
}
