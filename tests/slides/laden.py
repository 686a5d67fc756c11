"""A JPEG picture can say a name in segments that no viewer shows, and behind its end, where no decoder looks."""

import numpy as np
from PIL import Image

from tests.slides import jpegs
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tissue import Picture

_SEGMENTS = (
    ("COM", jpegs.COM, b""),
    ("APP1", jpegs.APP1, b"Exif\0\0"),
    ("APP13", jpegs.APP13, b"Photoshop 3.0\0"),
)


def laden(stream: bytes, plant: Plant, where: str) -> bytes:
    """Hide tokens in a complete JPEG's comment, in two of its application segments, and behind its end."""
    extra = (jpegs.segment(code, lead + plant(f"{name} in {where}").encode()) for name, code, lead in _SEGMENTS)
    return jpegs.insert(stream, *extra) + plant(f"behind the end of {where}").encode()


def label_of_a_patient() -> Picture:
    """Draw a slide's label with a name, (463, 387, 3) uint8."""
    return label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E")


def macro_of(whole: Picture) -> Picture:
    """Draw a whole glass: its label on the left and the tissue on the right, (300, 900, 3) uint8."""
    macro = np.full((300, 900, 3), 235, np.uint8)
    macro[:, :250] = np.asarray(Image.fromarray(label_of_a_patient()).resize((250, 300)))
    macro[20:280, 300:860] = np.asarray(Image.fromarray(whole).resize((560, 260)))
    return macro
