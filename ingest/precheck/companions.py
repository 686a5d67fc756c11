"""Some slides are many files, and a text file among them names the others; a name could lead to another patient.

OpenSlide joins folder and name and looks no further: a key file with ``MacroImage=../other/label.jpg`` gave back the
other patient's label. So every name in a key file must be a plain name, and that file must lie in the slide's own
folder. Every line is looked at, not only the one that wins where a key stands twice.

- Hamamatsu VMS and VMU: a key file names JPEG pictures (or raw ones) beside it.
- DICOM: the levels of a slide are files of one series in one folder, found by looking into each.
- 3DHISTECH MIRAX: ``Name.mrxs``, and a folder ``Name`` with ``Slidedat.ini``, which names index and data files.
- Trestle: a TIFF; the picture of the whole glass is ``Name.Full`` beside it, where there is one.

A part that is missing is told by its role, never by the name that the file gives it: those of VMS slides begin with
the slide's, which may be a patient's.

Source: GLib's key file format, as OpenSlide reads it; OpenSlide's descriptions of these formats.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingest.errors import Reason, SlideRefused
from ingest.precheck.dicom import files_of_series
from ingest.precheck.families import Family
from ingest.precheck.source import Source
from ingest.precheck.trestle import is_trestle, overview_of

MAX_KEY_FILE_BYTES: Final = 1 << 20
"""OpenSlide's own limit for Slidedat.ini; a VMS file is about a kilobyte."""

MAX_PARTS: Final = 4096
"""MIRAX slides have some tens of data files, VMS slides a few pictures."""

_VMS_KEYS: Final = re.compile(rb"ImageFile(\([0-9, ]*\))?|MapFile|OptimisationFile|MacroImage")
_VMS_REQUIRED: Final = frozenset({b"ImageFile", b"MapFile"})
_MIRAX_KEYS: Final = re.compile(rb"INDEXFILE|FILE_[0-9]+")
_MIRAX_REQUIRED: Final = frozenset({b"INDEXFILE", b"FILE_0"})
_WHITE: Final = b" \t\r\v\f"

_ROLES: Final = {
    b"INDEXFILE": "Index.dat",
    b"ImageFile": "the first picture (ImageFile)",
    b"MapFile": "the map (MapFile)",
    b"OptimisationFile": "the list of restart markers (OptimisationFile)",
    b"MacroImage": "the picture of the whole glass (MacroImage)",
}
_NUMBERED: Final = re.compile(rb"FILE_0*([0-9]{1,4})")
_PLACED: Final = re.compile(rb"ImageFile\(([0-9]{1,3}(?:, ?[0-9]{1,3}){0,2})\)")
"""Longer numbers than any real slide's are not repeated: they could be anything."""


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
        with _open_part(folder / "Slidedat.ini", "Slidedat.ini") as key_file:
            names = _names(key_file, _MIRAX_KEYS, _MIRAX_REQUIRED)
            return (source.path, key_file.path, *_present(folder, names))
    if family is Family.DICOM:
        return (source.path, *files_of_series(source))
    if family is Family.TIFF and is_trestle(source):
        overview = overview_of(source.path)
        if os.path.lexists(overview):
            _open_part(overview, "the picture of the whole glass (.Full)").close()
            return (source.path, overview)
    return (source.path,)


def plain_names(key_file: Source) -> Iterator[str]:
    """Give the names of a VMS key file that lead nowhere else, whatever the others do.

    Raises
    ------
    SlideRefused
        If the file is no key file.
    """
    for _, value in _entries(key_file, _VMS_KEYS):
        with suppress(SlideRefused):
            yield _plain(value)


def role_of(key: bytes) -> str:
    """Say what a part is, in our words and by a number or two, from the key that names it."""
    if numbered := _NUMBERED.fullmatch(key):
        return f"Data{int(numbered[1]):04}.dat"
    if placed := _PLACED.fullmatch(key):
        return f"picture ({placed[1].decode()})"
    return _ROLES.get(key, "one of its pictures" if key.startswith(b"ImageFile") else "a data file")


def missing(role: str) -> SlideRefused:
    """Make the refusal of a slide of whose parts one is not there."""
    sentence = f"a part of this multi-file slide is missing: {role}; deliver all its parts together"
    return SlideRefused(Reason.MISSING_COMPANION, sentence)


def _names(key_file: Source, keys: re.Pattern[bytes], required: frozenset[bytes]) -> dict[str, bytes]:
    """Read the file names that a key file gives, with the key of each; they are plain names, and each is told once."""
    found: dict[str, bytes] = {}
    missing_keys = set(required)
    for key, value in _entries(key_file, keys):
        missing_keys.discard(key)
        found.setdefault(_plain(value), key)
    if missing_keys:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    if len(found) > MAX_PARTS:
        raise SlideRefused(Reason.TOO_LARGE)
    return found


def _entries(key_file: Source, keys: re.Pattern[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Give key and value of every line whose key is one of these."""
    if key_file.size > MAX_KEY_FILE_BYTES:
        raise SlideRefused(Reason.TOO_LARGE)
    text = key_file.read(0, key_file.size)
    if b"\0" in text:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    for line in text.split(b"\n"):
        key, equals, value = line.partition(b"=")
        key, value = key.strip(_WHITE), value.strip(_WHITE)
        if equals and value and keys.fullmatch(key):
            yield key, value


def _plain(value: bytes) -> str:
    """Return a name if it is one; a backslash is a way out on Windows and hides characters in a key file."""
    if value in {b".", b".."} or any(mark in value for mark in (b"/", b"\\", b":")):
        raise SlideRefused(Reason.OUTSIDE_REFERENCE)
    return os.fsdecode(value)


def _folder(path: Path) -> Path:
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        mode = 0
    if stat.S_ISLNK(mode):
        raise SlideRefused(Reason.OUTSIDE_REFERENCE)
    if not stat.S_ISDIR(mode):
        raise missing("the folder of the same name beside the .mrxs file")
    return path


def _present(folder: Path, names: dict[str, bytes]) -> list[Path]:
    """Look for every part; each must be an ordinary file that can be opened."""
    paths = []
    for name, key in names.items():
        paths.append(folder / name)
        _open_part(paths[-1], role_of(key)).close()
    return paths


def _open_part(path: Path, role: str) -> Source:
    try:
        return Source.open(path)
    except SlideRefused as refused:
        if refused.reason is Reason.OUTSIDE_REFERENCE:
            raise
        raise missing(role) from None
