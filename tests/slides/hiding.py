"""Where names hide, gathered: each of the thousands of planted words stands in one of these places.

The documentation says of each what becomes of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

HIDING: Final[Mapping[str, str]] = {
    "names of files and folders": r"name of (the|a) .*|folder( above)?|name of a file beside",
    "the delivery list and the feed": r"surname|born|ward|(case|patient|block|number|procedure) (of|for) the .*"
    r"|first name for the .*|who looked at the .*|name as a sentence|who attests it|statement",
    "files beside a slide": r"file beside, .*|.*in a zip archive|comment of a zip archive",
    "times of files": r"time of a file, .*",
    "extended attributes of files": r"extended attribute of a file",
    "comments of JPEG streams": r"COM (in|of) .*",
    "application segments of JPEG streams": r"(APP\d+|EXIF) (in|of) .*",
    "bytes behind a picture's end": r"(after EOI|after the end|behind the end) of .*|bytes behind the .*",
    "comments of JPEG 2000 streams": r"COM marker in .*",
    "boxes of JPEG 2000 files": r"(xml|uuid) box in .*",
    "texts of PNG and BMP pictures": r"text in picture .*",
    "colour profiles": r"ICC .*",
    "texts in TIFF tags": r"tag \d+( (?!Reference|barcode|kind of barcode|scan profile|serial number|channel).*)?"
    r"|version of level \d+",
    "Hamamatsu's own tags": r"tag \d+ (Reference|barcode|kind of barcode|scan profile|serial number|channel) of .*"
    r"|tag 65449, .*",
    "private tags": r"private tag in UTF-16( of .*)?",
    "XMP, IPTC, Photoshop, EXIF and GPS": r"XMP( of .*)?|IPTC|Photoshop|EXIF (UserComment|DateTimeOriginal)|GPS area",
    "descriptions of TIFF directories": r"description (key|of) (?!a directory outside).*|text before the first bar, .*"
    r"|behind an equals sign, .*|scan profile",
    "gaps between structures": r"slack behind .*",
    "bytes behind the last structure": r"bytes after the last structure|behind the last record of .*|behind the index",
    "directories that nothing leads to": r"description of a directory outside the chain|directory outside the chain",
    "Philips's barcode in Base64": r"PIM_DP_UFS_BARCODE in Base64",
    "Leica's XML": r"XML .*",
    "Ventana's XML": r"attribute .*|single-quoted attribute|element of the (slide|tiles)",
    "OME's XML": r"OME .*",
    "texts of MIRAX, VMS and VMU slides": r"SLIDE_ID|text, .*|comment in the text",
    "MIRAX's records": r"record (of|that) .*",
    "Sakura's tables": r"Creator|Date|Description|DiagnosisCode|FocussingMethod|Keywords|SlideId|Id of the .*"
    r"|row (of|that) .*|scan's .*|version",
    "parts of slides of several files": r"optimisation file|file of shifts|spare bytes of .*",
    "DICOM: preamble and file meta information": r"preamble of .*|(SourceApplicationEntityTitle|PrivateInformation"
    r"|ImplementationVersionName) of .*",
    "DICOM: attributes, nested ones too": r"tag [A-Z]\w+,? .*|tag issuer .*|AcquisitionDateTime of .*|FrameComments",
    "DICOM: private attributes": r"tag private .*|private bytes .*",
    "DICOM: numbers (UIDs)": r"UID .*",
    "DICOM: overlays and padding": r"overlay pixels of .*|trailing padding of .*",
}
"""Names of the places, and which of the planted words stand in each."""


def places_of(planted: Iterable[str]) -> dict[str, set[str]]:
    """Tell of each place in what kinds of slides it was planted, from names such as ``svs: XMP``.

    Raises
    ------
    ValueError
        If a word stands in none of the places, or in several.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for name in planted:
        kind, _, word = name.partition(": ")
        places = [place for place, pattern in HIDING.items() if re.fullmatch(pattern, word)]
        if len(places) != 1:
            raise ValueError(f"{name} stands in {places or 'no place that is known'}")
        found[places[0]].add(kind)
    return dict(found)
