"""Some slides are many files, and a text file among them names the others; a name could lead to another patient.

OpenSlide joins folder and name and looks no further: a key file with ``MacroImage=../other/label.jpg`` gave back the
other patient's label. So every name in a key file must be a plain name, and that file must lie in the slide's own
folder. Every line is looked at, not only the one that wins where a key stands twice.

- Hamamatsu VMS and VMU: a key file names JPEG pictures (or raw ones) beside it.
- DICOM: the levels of a slide are files of one series in one folder, found by looking into each.
- 3DHISTECH MIRAX: ``Name.mrxs``, and a folder ``Name`` with ``Slidedat.ini``, which names index and data files.

Source: GLib's key file format, as OpenSlide reads it; OpenSlide's descriptions of both formats.
"""

import os
import re
import stat
from pathlib import Path
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.precheck.dicom import files_of_series
from ingest.precheck.families import Family
from ingest.precheck.source import Source

MAX_KEY_FILE_BYTES: Final = 1 << 20
"""OpenSlide's own limit for Slidedat.ini; a VMS file is about a kilobyte."""

MAX_PARTS: Final = 4096
"""MIRAX slides have some tens of data files, VMS slides a few pictures."""

_VMS_KEYS: Final = re.compile(rb"ImageFile(\([0-9, ]*\))?|MapFile|OptimisationFile|MacroImage")
_VMS_REQUIRED: Final = frozenset({b"ImageFile", b"MapFile"})
_MIRAX_KEYS: Final = re.compile(rb"INDEXFILE|FILE_[0-9]+")
_MIRAX_REQUIRED: Final = frozenset({b"INDEXFILE", b"FILE_0"})
_WHITE: Final = b" \t\r\v\f"


def parts_of(source: Source, family: Family) -> tuple[Path, ...]:
    """Name every file of a slide, its main file first.

    Raises
    ------
    SlideRefused
        ``OUTSIDE_REFERENCE`` if a name is not plain or leads through a link, ``MISSING_COMPANION`` if a part is not
        there, ``DAMAGED_STRUCTURE`` if the key file cannot be read.
    """
    if family is Family.VMS:
        names = _names(source, _VMS_KEYS, _VMS_REQUIRED)
        return (source.path, *_present(source.path.parent, names))
    if family is Family.MIRAX:
        folder = _folder(source.path.with_suffix(""))
        with _open_part(folder / "Slidedat.ini") as key_file:
            names = _names(key_file, _MIRAX_KEYS, _MIRAX_REQUIRED)
            return (source.path, key_file.path, *_present(folder, names))
    if family is Family.DICOM:
        return (source.path, *files_of_series(source))
    return (source.path,)


def _names(key_file: Source, keys: re.Pattern[bytes], required: frozenset[bytes]) -> list[str]:
    """Read the file names that a key file gives, as plain names without repetition."""
    if key_file.size > MAX_KEY_FILE_BYTES:
        raise SlideRefused(Reason.TOO_LARGE)
    text = key_file.read(0, key_file.size)
    if b"\0" in text:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    found: dict[str, None] = {}
    missing = set(required)
    for line in text.split(b"\n"):
        key, equals, value = line.partition(b"=")
        key, value = key.strip(_WHITE), value.strip(_WHITE)
        if equals and value and keys.fullmatch(key):
            missing.discard(key)
            found[_plain(value)] = None
    if missing:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    if len(found) > MAX_PARTS:
        raise SlideRefused(Reason.TOO_LARGE)
    return list(found)


def _plain(value: bytes) -> str:
    """Return a name if it is one; a backslash is a way out on Windows and hides characters in a key file."""
    if value in {b".", b".."} or any(mark in value for mark in (b"/", b"\\", b":")):
        raise SlideRefused(Reason.OUTSIDE_REFERENCE)
    return os.fsdecode(value)


def _folder(path: Path) -> Path:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        raise SlideRefused(Reason.MISSING_COMPANION) from None
    if stat.S_ISLNK(mode):
        raise SlideRefused(Reason.OUTSIDE_REFERENCE)
    if not stat.S_ISDIR(mode):
        raise SlideRefused(Reason.MISSING_COMPANION)
    return path


def _present(folder: Path, names: list[str]) -> list[Path]:
    """Look for every part; each must be an ordinary file that can be opened."""
    paths = [folder / name for name in names]
    for path in paths:
        _open_part(path).close()
    return paths


def _open_part(path: Path) -> Source:
    try:
        return Source.open(path)
    except SlideRefused as refused:
        outside = refused.reason is Reason.OUTSIDE_REFERENCE
        raise SlideRefused(Reason.OUTSIDE_REFERENCE if outside else Reason.MISSING_COMPANION) from None
