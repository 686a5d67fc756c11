"""Some slides only a person can judge, and a person has to see them: label, macro and overview, never written down.

The label names the patient. What comes out of the jail is taken for a JPEG stream only after its header was parsed and
written anew, as for every tile that is stored.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive.holdings.pixels import HeaderReader, NotPlainJpeg, plain_header, scan_end
from ingest.errors import Reason, SlideRefused
from ingest.pipeline.answers import UNFIT
from ingest.pipeline.jailed import picture, zoom
from ingest.pipeline.seen import Seen
from ingest.pipeline.source import listed
from ingest.precheck import parts, precheck
from ingest.sandbox import Jail, Limits
from ingest.scanners import AssociatedKind

EOI = b"\xff\xd9"


def pictures_of(path: Path, *, keep_out: tuple[Path, ...] = (), limits_only: bool = False) -> dict[str, bytes]:
    """Draw what a slide's file shows of itself, in a jail that can write nothing.

    Parameters
    ----------
    path : Path
        The slide, or the main file of a multi-file slide.
    keep_out : tuple of Path
        Folders that its reader must have no way into: those of the vault and its key.
    limits_only : bool
        Whether it is trusted enough to be read where the system has no walls for its reader.

    Returns
    -------
    dict
        JPEG files by kind: ``thumbnail`` always, ``label``, ``macro`` and ``unknown`` where the file has them.

    Raises
    ------
    SlideRefused
        If the file cannot be read.
    """
    with _jail(path, keep_out, limits_only) as (jail, main):
        return pictures_from_json(jail.call(picture, main))


@dataclass(frozen=True)
class Closer:
    """JPEG files of a whole slide, as its pixels show it, and of some of its places."""

    whole: bytes = field(repr=False)
    places: tuple[bytes, ...] = field(repr=False)


def closer_of(path: Path, seen: Seen, *, keep_out: tuple[Path, ...] = (), limits_only: bool = False) -> Closer:
    """Draw a slide and the places at which something was seen on it, in a jail that can write nothing.

    Parameters
    ----------
    path, keep_out, limits_only
        As for `pictures_of`.
    seen : Seen
        What was seen, and where.

    Raises
    ------
    SlideRefused
        If the file cannot be read.
    """
    places = [list(spot.place.sides) for spot in seen.spots]
    with _jail(path, keep_out, limits_only) as (jail, main):
        told: Any = jail.call(zoom, main, seen.region, places)
    try:
        closer = Closer(_plain(told["whole"]), tuple(_plain(one) for one in told["places"]))
        if len(closer.places) != len(places):
            raise ValueError("a picture for each place")
    except UNFIT as error:
        raise SlideRefused(Reason.READER_CRASHED) from error
    return closer


@contextmanager
def _jail(path: Path, keep_out: tuple[Path, ...], limits_only: bool) -> Iterator[tuple[Jail, str]]:
    """Make a jail that may read a slide; gives it, and the name of the slide's main file."""
    family = precheck(path)
    files = [file.absolute() for file in parts(path)]  # the jail works in another folder
    try:
        limits = Limits.for_source(sum(file.stat().st_size for file in files))
    except OSError as error:
        raise SlideRefused(Reason.UNREADABLE_FILE) from error
    with Jail(
        read=files,
        list_names=listed(family, files[0]),
        limits=limits,
        keep_out=keep_out,
        allow_limits_only=limits_only,
    ) as jail:
        yield jail, str(files[0])


def pictures_from_json(value: Any) -> dict[str, bytes]:
    """Read the answer of `picture`.

    Raises
    ------
    SlideRefused
        If it does not fit.
    """
    if not isinstance(value, Mapping):
        raise SlideRefused(Reason.READER_CRASHED)
    try:
        return {AssociatedKind(kind).value: _plain(text) for kind, text in value.items()}
    except (ValueError, TypeError) as error:
        raise SlideRefused(Reason.READER_CRASHED) from error


def _plain(text: str) -> bytes:
    """Write a JPEG file anew from its parsed header and its pixels' data."""
    try:
        stream = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error
    header = HeaderReader().read(stream)
    if len(header.components) != 3:
        raise NotPlainJpeg("its pixels are not in colour")
    pixels = stream[header.length : scan_end(stream, header.length)]
    return plain_header(header, ycbcr=header.is_ycbcr(tag_says_ycbcr=True)) + pixels + EOI
