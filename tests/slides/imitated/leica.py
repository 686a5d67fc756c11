"""Broken Leica slides: XML that lacks something, or that contradicts itself or the directories.

The XML of the macro stands before that of the scanned regions.
"""

import struct
from dataclasses import replace

from tests.slides.imitated.spoiling import Imitation, Slide, Sound, Spoil, Tiff, nothing, tag, tiff
from tests.slides.scn import Tissue, make_scn

_REGION = Tissue(width=300, height=260, factors=(1, 2))
_OPTIONS = {"regions": (_REGION,), "tile": 128}
SCN = Sound(make_scn, "slide.scn", _OPTIONS)
_LATER = "http://www.leica-microsystems.com/scn/2013/03/10"
_OTHER = replace(_REGION, left=12_000_000)


def _made(**options: object) -> Sound:
    return Sound(make_scn, "slide.scn", {**_OPTIONS, **options})


def _said(element: str, key: str, value: str) -> Sound:
    """Make a slide whose XML says something else of its view, its collection or its regions' levels."""
    return _made(attributes={(element, key): value})


def _xml(old: str, new: str, *, last: bool = False) -> Spoil:
    """Put words of the same length in the place of others, in the macro's XML or the last region's."""
    before, after = old.encode(), new.encode()

    def spoil(slide: Slide) -> None:
        assert len(before) == len(after)
        data = slide[""]
        at = data.rindex(before) if last else data.index(before)
        slide[""] = data[:at] + after + data[at + len(before) :]

    return spoil


def _without_levels(slide: Slide, *, last: bool) -> None:
    """Call the levels of an image otherwise."""
    data = slide[""]
    at = data.rindex(b"<pixels>") if last else data.index(b"<pixels>")
    end = data.index(b"</pixels>", at)
    slide[""] = data[:at] + data[at:end].replace(b"<dimension ", b"<dimensiom ") + data[end:]


def _without_images(slide: Slide) -> None:
    slide[""] = slide[""].replace(b"<image ", b"<imagf ").replace(b"</image>", b"</imagf>")


def _without_pixels(slide: Slide, *, last: bool) -> None:
    for old, new in (("<pixels>", "<pixelz>"), ("</pixels>", "</pixelz>")):
        _xml(old, new, last=last)(slide)


def _two_views(slide: Slide) -> None:
    """Let the objective's element be another view."""
    data = slide[""]
    at = data.rindex(b"<scanSettings>")
    old = data[at : data.index(b"</scanSettings>", at) + len(b"</scanSettings>")]
    slide[""] = (
        data[:at] + b'<view sizeX="1" sizeY="1" offsetX="0" offsetY="0"/>'.ljust(len(old)) + data[at + len(old) :]
    )


def _value_count(file: Tiff) -> None:
    struct.pack_into(file.entry(0, 270).form, file.data, file.entry(0, 270).count_at, 1 << 62)


def _first_directory(file: Tiff) -> None:
    struct.pack_into("<Q", file.data, 8, len(file.data) + 10_000)


_TRUNCATED = tiff(lambda file: file.put(len(file.chain) - 1, 324, len(file.data) + 100))

_A_SCAN_EACH = "each region is a scan of its own here"

CASES: dict[str, Imitation] = {
    "leica-associated-bad-compression": Imitation(SCN, tag(0, 259, 252)),
    "leica-main-bad-compression": Imitation(SCN, tag(1, 259, 42)),
    "leica-tiff-bad-value-count": Imitation(SCN, tiff(_value_count)),
    "leica-tiff-directory-bad-offset": Imitation(SCN, tiff(_first_directory)),
    "leica-truncated-top-level": Imitation(SCN, _TRUNCATED),
    "leica-xml-bad-namespace-2": Imitation(
        _made(namespace="http://www.leica-microsystems.com/scn/2013/03/10"), nothing
    ),
    "leica-xml-collection-bad-height": Imitation(_said("collection", "sizeY", "high"), nothing),
    "leica-xml-collection-bad-width": Imitation(_said("collection", "sizeX", "wide"), nothing),
    "leica-xml-extra-collection": Imitation(_made(collections=2), nothing),
    "leica-xml-extra-view": Imitation(SCN, _two_views),
    "leica-xml-macro-dimension-bad-height": Imitation(SCN, _xml('sizeY="1168"', 'sizeY="116x"')),
    "leica-xml-macro-dimension-bad-ifd": Imitation(SCN, _xml('ifd="0"', 'ifx="0"')),
    "leica-xml-macro-dimension-bad-width": Imitation(SCN, _xml('sizeX="404"', 'sizeQ="404"')),
    "leica-xml-macro-dimension-large-ifd": Imitation(
        SCN, _xml('ifd="0"', 'ifd="9"'), read="the macro is left behind, wherever it is"
    ),
    "leica-xml-macro-no-dimension": Imitation(SCN, lambda slide: _without_levels(slide, last=False)),
    "leica-xml-macro-no-pixels": Imitation(SCN, lambda slide: _without_pixels(slide, last=False)),
    "leica-xml-main-dimension-bad-ifd": Imitation(_said("dimension", "ifd", "x"), nothing),
    "leica-xml-main-dimension-inconsistent-resolutions": Imitation(
        _made(regions=(_REGION, replace(_OTHER, factors=(1, 4)))), nothing, read=_A_SCAN_EACH
    ),
    "leica-xml-main-dimension-large-ifd": Imitation(_said("dimension", "ifd", "27"), nothing),
    "leica-xml-main-dissimilar": Imitation(
        _made(regions=(_REGION, replace(_OTHER, objective="40", nm=250))), nothing, read=_A_SCAN_EACH
    ),
    "leica-xml-main-no-dimension": Imitation(SCN, lambda slide: _without_levels(slide, last=True)),
    "leica-xml-main-no-pixels": Imitation(SCN, lambda slide: _without_pixels(slide, last=True)),
    "leica-xml-no-collection": Imitation(_made(collections=0), nothing),
    "leica-xml-no-image": Imitation(SCN, _without_images),
    "leica-xml-no-main-image": Imitation(_made(regions=()), nothing),
    "leica-xml-no-view": Imitation(SCN, _xml("<view ", "<viev ", last=True)),
    "leica-xml-view-bad-height": Imitation(SCN, _xml("<view sizeX", "<view sizeQ", last=True)),
    "leica-xml-view-bad-width": Imitation(_said("view", "sizeX", "wide"), nothing),
}
