"""Broken Ventana slides: XML about the slide or its tiles that lacks something or contradicts the directories."""

from tests.slides.bif import make_bif
from tests.slides.imitated.spoiling import Imitation, Slide, Sound, Spoil, Tiff, tag, tiff, word

BIF = Sound(make_bif, "slide.bif")
WRAPPED = Sound(make_bif, "slide.bif", {"wrapped": True})
MACRO, THUMBNAIL, LEVEL_0, LEVEL_2 = 0, 1, 2, 4
"""Directories, in the order in which they stand."""


_ORIGIN = '<AOI0 OriginX="0" OriginY="0"/>'


def _everywhere(old: str, new: str) -> Spoil:
    def spoil(slide: Slide) -> None:
        slide[""] = slide[""].replace(old.encode(), new.encode())

    return spoil


def _no_levels(slide: Slide) -> None:
    """Let no directory say that it is a level."""
    _everywhere("level=", "lavel=")(slide)


def _strips(file: Tiff, number: int = LEVEL_2) -> None:
    """Let tiles be strips: their sides become rows a strip and a number of no meaning."""
    for code, other in ((322, 278), (324, 273), (325, 279)):
        file.call(number, code, other)
    file.call(number, 323, 283)


CASES: dict[str, Imitation] = {
    "bad-compression": Imitation(BIF, tag(LEVEL_0, 259, 240)),
    "bad-tile-width": Imitation(BIF, tag(LEVEL_2, 322, 320)),
    "encodeinfo-aoiorigin-bad-origin-x": Imitation(BIF, word('OriginX="0"', 'OriginX="7"')),
    "encodeinfo-bad-region-data": Imitation(BIF, word(_ORIGIN, "<A/><A/><A/>".ljust(len(_ORIGIN)))),
    "encodeinfo-bad-root-tag": Imitation(BIF, word("<EncodeInfo", "<EncodedInf")),
    "encodeinfo-bad-tiff-type": Imitation(BIF, tiff(lambda file: file.retype(LEVEL_0, 700, 4))),
    "encodeinfo-bad-xml": Imitation(BIF, word("</SlideStitchInfo>", "</SlideStitchInfx>")),
    "encodeinfo-imageinfo-bad-height": Imitation(BIF, word('Height="256"', 'Height="250"')),
    "encodeinfo-imageinfo-negative-rows": Imitation(BIF, word('NumRows="4"', 'NumRows="-"')),
    "encodeinfo-imageinfo-no-numcols": Imitation(BIF, word("NumCols", "NumColz")),
    "encodeinfo-imageinfo-no-width": Imitation(BIF, word('" Width="256"', '" Wodth="256"')),
    "encodeinfo-joint-bad-direction": Imitation(BIF, word('"RIGHT"', '"ANGLE"')),
    "encodeinfo-joint-bad-tile": Imitation(BIF, word('Tile2="19"', 'Tile2="98"')),
    "encodeinfo-joint-bad-tile-adjacency": Imitation(BIF, word('Tile2="19"', 'Tile2="11"')),
    "encodeinfo-joint-no-overlap-x": Imitation(BIF, word("OverlapX", "OverlapZ")),
    "encodeinfo-joint-no-tile": Imitation(BIF, word("Tile2", "Tile3")),
    "encodeinfo-no-aoiorigin": Imitation(BIF, word("<AoiOrigin><AOI0", "<AoiOrigon><AOI0")),
    "encodeinfo-no-imageinfo": Imitation(BIF, _everywhere("ImageInfo", "ImageInfa")),
    "encodeinfo-no-joint": Imitation(BIF, _everywhere("<TileJointInfo", "<TileJointInfa")),
    "initialxml-bad-root-element": Imitation(WRAPPED, _everywhere("Metadata>", "Metabata>")),
    "initialxml-bad-xml": Imitation(WRAPPED, word("</Metadata>", "</Metadatx>")),
    "initialxml-metadata-root-no-iscan": Imitation(WRAPPED, _everywhere("iScan", "iScam")),
    "initialxml-no-magic": Imitation(BIF, _everywhere("iScan", "iScam")),
    "levelinfo-bad-level": Imitation(BIF, word("level=1", "level=x")),
    "levelinfo-bad-magnification": Imitation(BIF, word("mag=20", "mag=xx")),
    "levelinfo-bad-magnification-2": Imitation(BIF, word("level=1 mag=10", "level=1 mag=40")),
    "levelinfo-missing": Imitation(BIF, word("level=1 ", "level=2 ")),
    "levelinfo-no-magnification": Imitation(BIF, word("mag=20", "mug=20")),
    "macro-bad-compression": Imitation(BIF, tag(MACRO, 259, 240)),
    "no-levels": Imitation(BIF, _no_levels),
    "thumbnail-bad-compression": Imitation(BIF, tag(THUMBNAIL, 259, 240)),
    "truncated-top-level": Imitation(BIF, tiff(lambda file: file.put(LEVEL_2, 324, len(file.data) + 1000))),
    "untiled-level": Imitation(BIF, tiff(_strips)),
}
CASES = {f"ventana-{name}": one for name, one in CASES.items()}
