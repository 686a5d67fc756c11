"""DICOM whole-slide images, of any maker: one file a level, told to belong together by the number of their series.

A file holds its level as frames of one size, in the order of their places (TILED_FULL) or each with its place
(TILED_SPARSE). A level that is too large for one file is a concatenation. Label, overview and thumbnail are files of
their own, told by ImageType. Frames of JPEG baseline are copied; those of other transfer syntaxes are decoded.

- `elements`, `header`, `words`: what a file says of itself
- `instance`, `series`: what that means, of one file and of all that belong together
- `frames`, `decoding`, `colours`, `level`: where its pixels are, and what they are
"""

from ingest.scanners.dicom.reader import DicomReader

__all__ = ["DicomReader"]
