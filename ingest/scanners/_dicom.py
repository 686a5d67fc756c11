"""Why OpenSlide does not open a DICOM file: what kind of instance it is, told from its header."""

from pathlib import Path

import pydicom
from pydicom.errors import InvalidDicomError

from ingest.errors import Reason

NOT_THE_SLIDE = {"LABEL", "OVERVIEW", "THUMBNAIL"}
"""Third value of ImageType of the instances that accompany a slide (PS3.3 C.8.12.4.1.1)."""


def why_unreadable(path: Path) -> Reason:
    """Tell why a DICOM file that was recognised cannot be opened."""
    try:
        header = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["ImageType", "BitsAllocated"])
    except (InvalidDicomError, OSError, ValueError, KeyError, AttributeError):
        return Reason.UNREADABLE_PIXELS
    if NOT_THE_SLIDE & {str(value) for value in header.get("ImageType", ())}:
        return Reason.NOT_A_WHOLE_SLIDE
    return Reason.UNSUPPORTED_PIXELS
