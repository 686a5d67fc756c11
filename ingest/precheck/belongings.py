"""What lies beside a slide and is no slide by itself belongs to it, even where the slide is not whole.

A MIRAX slide of which one data file is missing is one refusal that says so. If its other files were looked at by
themselves, there would be a refusal for each of them. What is a slide by itself belongs to no other, whoever names it:
it would never be looked at.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from ingest.errors import SlideRefused
from ingest.precheck.companions import parts_of, plain_names
from ingest.precheck.families import Family, family_of
from ingest.precheck.source import Source
from ingest.precheck.trestle import is_beside, is_trestle, overview_of


def belongings(path: Path) -> tuple[Path, ...]:
    """Name the files that belong to a slide and are not its main file, as far as they are there.

    Of whatever is no slide, or names files elsewhere, nothing is told.
    """
    try:
        with Source.open(path) as source:
            return tuple(dict.fromkeys(_belongings(source)))
    except SlideRefused:
        return ()


def _belongings(source: Source) -> Iterator[Path]:
    family = family_of(source)
    if family is Family.DICOM:
        with suppress(SlideRefused):  # it is refused in its turn, with the reason
            yield from parts_of(source, family)[1:]
        return
    for file in _beside(source, family):
        if file.is_file() and not _is_slide(file):
            yield file


def _beside(source: Source, family: Family) -> Iterator[Path]:
    path = source.path
    if family is Family.MIRAX:
        yield from _in_folder(path.with_suffix(""))
    elif family is Family.VSI:
        yield from _in_folder(path.with_name(f"_{path.stem}_"))
    elif family is Family.VMS:
        yield from (path.parent / name for name in plain_names(source))
    elif family is Family.TIFF and is_trestle(source):
        yield from (path.parent / name for name in sorted(os.listdir(path.parent)) if is_beside(name, path.name))
        yield overview_of(path)


def _in_folder(folder: Path) -> Iterator[Path]:
    """Name the files of a folder that is a slide's own; a link to one is nobody's."""
    if not folder.is_symlink():
        yield from sorted(folder.rglob("*"))


def _is_slide(path: Path) -> bool:
    try:
        with Source.open(path) as source:
            return family_of(source).refusal is None
    except SlideRefused:
        return False
