"""A DICOM data set may name anybody in any element: all its texts are told to the auditor, and few facts are read.

Keys are those that OpenSlide uses: keywords of the standard, with the number of an item or a value in brackets. An
element that the standard does not list has its tag for a key.
"""

import warnings
from collections.abc import Iterator
from typing import Any, Final

import pydicom
from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from ingest.scanners.base import MAX_PROPERTIES
from ingest.scanners.dicom.header import MALFORMED

MAX_BYTES: Final = 4096
"""Of a value that is no text: what is longer is a picture, a profile or a table."""

_NO_WORDS: Final = {"ICCProfile", "PixelData"}


def words_of(dataset: pydicom.Dataset) -> dict[str, str]:
    """Gather what a file says in its elements, its meta information and the bytes before them."""
    found = {"dicom.preamble": (getattr(dataset, "preamble", b"") or b"").strip(b"\0").decode("latin-1")}
    with warnings.catch_warnings(action="ignore"):
        for part in (dataset.file_meta, dataset):
            for key, text in _words(part, "dicom"):
                if len(found) >= MAX_PROPERTIES:
                    return found
                found[key] = text
    return {key: text for key, text in found.items() if text}


def _words(dataset: pydicom.Dataset, prefix: str) -> Iterator[tuple[str, str]]:
    for tag in list(dataset.keys()):
        keyword = keyword_for_tag(tag) or f"({tag.group:04X},{tag.element:04X})"
        if keyword not in _NO_WORDS:
            yield from _said(_value(dataset, tag), f"{prefix}.{keyword}")


def _value(dataset: pydicom.Dataset, tag: Any) -> Any:
    """Give an element's value, or its bytes where it is not what its type says."""
    try:
        return dataset[tag].value
    except MALFORMED:
        return getattr(dataset.get_item(tag), "value", b"")


def _said(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Sequence):
        for number, item in enumerate(value):
            yield from _words(item, f"{key}[{number}]")
    elif isinstance(value, MultiValue | list | tuple):
        for number, one in enumerate(value):
            yield from _said(one, f"{key}[{number}]")
    elif isinstance(value, bytes | bytearray):
        yield key, bytes(value[:MAX_BYTES]).decode("latin-1")
    elif value is not None:
        yield key, str(value)
