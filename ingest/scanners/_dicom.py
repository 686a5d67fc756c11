"""What kind of instance a DICOM file is that OpenSlide does not open, told from its header."""

from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

NOT_THE_SLIDE = {"LABEL", "OVERVIEW", "THUMBNAIL"}
"""Third value of ImageType of the instances that accompany a slide (PS3.3 C.8.12.4.1.1)."""


def only_accompanies_a_slide(path: Path) -> bool:
    """Whether a file holds a label, an overview or a thumbnail; not so if its header cannot be read."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["ImageType"])
        return bool(NOT_THE_SLIDE & {str(value) for value in header.get("ImageType", ())})
    except (InvalidDicomError, OSError, ValueError, KeyError, AttributeError, TypeError):
        return False
