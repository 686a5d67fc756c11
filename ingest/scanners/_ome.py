"""OME-XML in the first directory's description tells which page holds which channel, and how large a pixel is.

Only the first image is read: converters write label and overview as further ones. Channels may lie in any order of
pages (``TiffData``), and in several files, of which one alone is no slide.

Source: the OME data model, schema 2016-06; the specification of OME-TIFF.
"""

import math
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator

from archive.holdings.pixels import MAX_CHANNELS
from ingest.errors import Reason, SlideRefused
from ingest.scanners.base import SourceChannel

MAX_OME_XML_BYTES = 16 << 20

_COLOUR = re.compile(r"[+-]?\d{1,10}", re.ASCII)


def ome_pixels(description: str) -> ElementTree.Element | None:
    """Find what the first image of an OME-XML text says of its pixels; None where the text is none.

    Raises
    ------
    SlideRefused
        If the text breaks off.
    """
    if "<OME" not in description[:4096] or len(description) > MAX_OME_XML_BYTES:
        return None
    try:
        return ElementTree.fromstring(description).find(".//{*}Pixels")  # noqa: S314 - in the jail, expat is bounded
    except ElementTree.ParseError as error:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE) from error


def pixel_sizes(pixels: ElementTree.Element) -> dict[str, str]:
    """Tell the sizes of a pixel, as properties."""
    return {f"ome.{key}": value for key, value in pixels.attrib.items() if key.startswith("PhysicalSize")}


def plane_count(pixels: ElementTree.Element) -> int:
    """Count the grey planes of an image: its channels, at every depth and point in time.

    Raises
    ------
    SlideRefused
        If they are no numbers.
    """
    return math.prod(_number(pixels, f"Size{axis}", 1) for axis in "CZT")


def channels_of(pixels: ElementTree.Element) -> tuple[SourceChannel, ...]:
    """Tell what is said of each channel."""
    return tuple(
        SourceChannel(channel.get("Name", "") or channel.get("Fluor", ""), _colour(channel.get("Color", "")))
        for channel in pixels.findall("{*}Channel")
    )


def page_numbers(pixels: ElementTree.Element) -> list[int]:
    """Tell which page, counted from 0 along the chain, holds each channel.

    Raises
    ------
    SlideRefused
        If there are several depths or points in time, some planes lie in another file, or the text contradicts itself.
    """
    channels = plane_count(pixels)
    if channels != _number(pixels, "SizeC", 1) or channels > MAX_CHANNELS:
        raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
    if channels < 1:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    blocks = pixels.findall("{*}TiffData")
    if len({(uuid.text or "").strip() for block in blocks for uuid in block.findall("{*}UUID")}) > 1:
        raise SlideRefused(Reason.UNSUPPORTED_PIXELS)
    places = dict(place for block in blocks for place in _placed(block, channels)) or {n: n for n in range(channels)}
    if sorted(places) != list(range(channels)) or len(set(places.values())) != channels:
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return [places[channel] for channel in range(channels)]


def _placed(block: ElementTree.Element, channels: int) -> Iterator[tuple[int, int]]:
    """Give channel and page of each plane in a block; without a count it is one plane, or all if nothing is said."""
    first, page = _number(block, "FirstC", 0), _number(block, "IFD", 0)
    says_where = "IFD" in block.attrib or "FirstC" in block.attrib
    count = _number(block, "PlaneCount", 1 if says_where else channels)
    for step in range(min(count, channels)):
        yield first + step, page + step


def _number(element: ElementTree.Element, name: str, otherwise: int) -> int:
    text = element.get(name, str(otherwise))
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise SlideRefused(Reason.DAMAGED_STRUCTURE)
    return int(text)


def _colour(text: str) -> str | None:
    """Read a colour: red, green, blue and opacity as one number of 32 bits with a sign."""
    if not _COLOUR.fullmatch(text):
        return None
    return f"{int(text) >> 8 & 0xFFFFFF:06X}"
