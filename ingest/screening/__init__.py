"""A name may stand in the pixels themselves: written on the glass, printed on a label's edge, stuck on as a code.

So the stored pixels are looked at before a slide is kept: the whole slide in four orientations, its borders more
closely, and every place that might be writing more closely still. Lines of text, barcodes and stickers are findings
about which a person decides; pen marks are told to whoever looks before a slide is made public.

It happens in one process that lives for many slides, because its models take half a second to load. It gets pixels,
and neither files nor names: it can open no slide, write nothing, ask nobody, and tells places and no text. What was
read never leaves it, not even to be compared with the slide's own identifiers: any line that can be read is a
finding, whoever it names, and the person who judges it sees the picture.
"""

from ingest.screening.screener import Screener
from ingest.screening.shared import shared
from ingest.screening.verdict import VERSION, Finding, Kind, Place, Screening
from ingest.screening.views import Look, Pixels, SlideLevel, View, draw, overview

__all__ = [
    "VERSION",
    "Finding",
    "Kind",
    "Look",
    "Pixels",
    "Place",
    "Screener",
    "Screening",
    "SlideLevel",
    "View",
    "draw",
    "overview",
    "shared",
]
