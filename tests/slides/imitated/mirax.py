"""Broken MIRAX slides, in their text: a key that is missing, or a value that no slide has.

Broken indexes and data files are in a module of their own.
"""

from tests.slides.imitated.spoiling import Imitation, Sound, word, words
from tests.slides.mirax import make_mirax

INI = "slide/Slidedat.ini"
MIRAX = Sound(make_mirax, "slide.mrxs", {"photographs": (3, 2), "side": (64, 48), "left_out": frozenset(), "levels": 3})

_WORDS = {
    "slidedat-bad-datafile-count": ("FILE_COUNT = 5", "FILE_COUNT = 0"),
    "slidedat-bad-image-concat-factor": ("IMAGE_CONCAT_FACTOR = 1", "IMAGE_CONCAT_FACTOR = x"),
    "slidedat-bad-image-fill-color": ("IMAGE_FILL_COLOR_BGR = 16777215", "IMAGE_FILL_COLOR_BGR = x"),
    "slidedat-bad-image-format": ("IMAGE_FORMAT = JPEG", "IMAGE_FORMAT = TGA"),
    "slidedat-bad-image-height": ("DIGITIZER_HEIGHT = 48", "DIGITIZER_HEIGHT = x"),
    "slidedat-bad-image-height-2": ("DIGITIZER_HEIGHT = 48", "DIGITIZER_HEIGHT = 0"),
    "slidedat-bad-image-width": ("DIGITIZER_WIDTH = 64", "DIGITIZER_WIDTH = x"),
    "slidedat-bad-image-width-2": ("DIGITIZER_WIDTH = 64", "DIGITIZER_WIDTH = 0"),
    "slidedat-bad-imagedivisions": ("CameraImageDivisionsPerSide = 2", "CameraImageDivisionsPerSide = -1"),
    "slidedat-bad-imagenumber-x": ("IMAGENUMBER_X = 6", "IMAGENUMBER_X = x"),
    "slidedat-bad-imagenumber-x-2": ("IMAGENUMBER_X = 6", "IMAGENUMBER_X = 0"),
    "slidedat-bad-imagenumber-y": ("IMAGENUMBER_Y = 4", "IMAGENUMBER_Y = x"),
    "slidedat-bad-imagenumber-y-2": ("IMAGENUMBER_Y = 4", "IMAGENUMBER_Y = 0"),
    "slidedat-bad-layer-0-concat-factor": ("IMAGE_CONCAT_FACTOR = 0", "IMAGE_CONCAT_FACTOR = -1"),
    "slidedat-bad-layer-n-concat-factor": ("IMAGE_CONCAT_FACTOR = 1", "IMAGE_CONCAT_FACTOR = 0"),
    "slidedat-bad-macro-format": ("THUMBNAIL_IMAGE_TYPE = JPEG", "THUMBNAIL_IMAGE_TYPE = FOO"),
    "slidedat-bad-zoom-level-count": ("HIER_0_COUNT = 3", "HIER_0_COUNT = 0"),
    "slidedat-garbage": ("[GENERAL]", "garbage\r\n[GENERAL]"),
    "slidedat-large-image-concat-factor": ("IMAGE_CONCAT_FACTOR = 1", "IMAGE_CONCAT_FACTOR = 70"),
    "slidedat-negative-nonhier-count": ("NONHIER_COUNT = 2", "NONHIER_COUNT = -1"),
    "slidedat-no-datafile-count": ("FILE_COUNT", "FILES_COUNT"),
    "slidedat-no-datafile-name": ("FILE_3 ", "FILES_3 "),
    "slidedat-no-datafile": ("[DATAFILE]", "[DATAFILES]"),
    "slidedat-no-general": ("[GENERAL]", "[COMMON]"),
    "slidedat-no-hier-count": ("\nHIER_COUNT", "\nHIERS_COUNT"),
    "slidedat-no-hier-name": ("\nHIER_0_NAME", "\nHIERS_0_NAME"),
    "slidedat-no-hier-val-section": ("HIER_0_VAL_2_SECTION", "HIER_0_VAL_2_SECTIONS"),
    "slidedat-no-hierarchical": ("[HIERARCHICAL]", "[FLAT]"),
    "slidedat-no-image-format": ("IMAGE_FORMAT", "IMAGE_FORMATS"),
    "slidedat-no-index-filename": ("INDEXFILE", "INDEXFILES"),
    "slidedat-no-nonhier-count": ("NONHIER_COUNT", "NONHIERS_COUNT"),
    "slidedat-no-nonhier-name": ("NONHIER_0_NAME", "NONHIERS_0_NAME"),
    "slidedat-no-nonhier-key": ("NONHIER_0_VAL_2 ", "NONHIERS_0_VAL_2 "),
    "slidedat-no-nonhier-val-count": ("NONHIER_0_COUNT", "NONHIERS_0_COUNT"),
    "slidedat-no-overlap-x": ("OVERLAP_X", "OVERLAPS_X"),
    "slidedat-no-overlap-y": ("OVERLAP_Y", "OVERLAPS_Y"),
    "slidedat-no-slide-id": ("SLIDE_ID", "SLIDES_ID"),
    "slidedat-no-slide-zoom-level": ("Slide zoom level", "Slide level"),
    "slidedat-no-zoom-level-count": ("\nHIER_0_COUNT", "\nHIERS_0_COUNT"),
    "slidedat-no-zoom-level-section": ("[LAYER_0_LEVEL_2_SECTION]", "[ELSEWHERE]"),
    "slidedat-zero-hier-count": ("\nHIER_COUNT = 1", "\nHIER_COUNT = 0"),
}
"""What stands in the text of the sound slide, and what in its place, by the name of the case."""

_TWO_HIERARCHIES = (
    ("\nHIER_COUNT = 1", "\nHIER_COUNT = 2"),
    ("HIER_0_NAME = Slide zoom level", "HIER_0_NAME = Slide filter level"),
    ("NONHIER_0_NAME", "HIER_1_NAME = Slide zoom level\r\nHIER_1_COUNT = 3\r\nNONHIER_0_NAME"),
)

CASES: dict[str, Imitation] = {
    **{f"mirax-{name}": Imitation(MIRAX, word(old, new, INI)) for name, (old, new) in _WORDS.items()},
    "mirax-slidedat-slide-zoom-level-not-hier-0": Imitation(MIRAX, words(*_TWO_HIERARCHIES, file=INI)),
}
