"""Broken MIRAX slides, in their index and data files: places, lengths and pictures that are not what they should be.

The index begins with its version and the slide's number. Two pointers lead to tables of pointers, one of levels and one
of records; each leads to a zero and a pointer to a page, which lists pictures or one record.
"""

import io
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from tests.slides import jpegs
from tests.slides.imitated.mirax import INI, MIRAX
from tests.slides.imitated.spoiling import Imitation, Slide, Sound, Spoil, cut, without, word
from tests.slides.mirax import make_mirax
from tests.slides.tissue import tissue

INDEX = "slide/Index.dat"
LEVELS, RECORDS = 37, 41
"""Where the two pointers stand, behind five letters and 32."""

ACROSS = 6
MACRO, LABEL, THUMBNAIL, PLACES = 1, 2, 3, 5
"""Records, in the order in which the text names them."""

_OFFSET, _SIZE, _FILE = 4, 8, 12
"""Of a picture in its entry, of a record behind its two zeros."""

_SMALL = MIRAX.options
PNG = Sound(make_mirax, "slide.mrxs", {**_SMALL, "coding": "PNG"})
BMP = Sound(make_mirax, "slide.mrxs", {**_SMALL, "coding": "BMP24"})
COMPRESSED = Sound(make_mirax, "slide.mrxs", {**_SMALL, "places": "compressed"})


class Index:
    """An index that is about to be changed."""

    def __init__(self, data: bytearray) -> None:
        self.data = data

    def get(self, at: int) -> int:
        return int(struct.unpack_from("<i", self.data, at)[0])

    def put(self, at: int, *values: int) -> None:
        struct.pack_into(f"<{len(values)}i", self.data, at, *values)

    def table(self, root: int, number: int) -> int:
        """Tell where the pointer to a level or record stands."""
        return self.get(root) + 4 * number

    def head(self, root: int, number: int) -> int:
        return self.get(self.table(root, number))

    def page(self, root: int, number: int) -> int:
        return self.get(self.head(root, number) + 4)

    def entry(self, level: int, number: int = 0) -> int:
        """Tell where a picture of a level is listed."""
        return self.page(LEVELS, level) + 8 + 16 * number

    def record(self, number: int) -> int:
        """Tell where the second zero of a record stands, before its place."""
        return self.page(RECORDS, number) + 12

    def end_with(self, pointer: int, *values: int) -> None:
        """Let a pointer lead to the end of the file, where only these numbers follow."""
        at = len(self.data)
        self.data += struct.pack(f"<{len(values)}i", *values)
        self.put(pointer, at)


def index(change: Callable[[Index], object]) -> Spoil:
    def spoil(slide: Slide) -> None:
        with slide.open(INDEX) as data:
            change(Index(data))

    return spoil


def _number(at: Callable[[Index], int], value: int) -> Spoil:
    """Write a number at a place in the index."""
    return index(lambda file: file.put(at(file), value))


def _ends(at: Callable[[Index], int], *values: int) -> Spoil:
    """Let a pointer lead to the end, where too few numbers stand."""
    return index(lambda file: file.end_with(at(file), *values))


def _picture(change: Callable[[bytes], bytes], level: int | None = 0, record: int = 0) -> Spoil:
    """Put other bytes in the place of a level's first picture, or of a record."""

    def spoil(slide: Slide) -> None:
        with slide.open(INDEX) as data:
            file = Index(data)
            at = file.record(record) if level is None else file.entry(level)
            offset, size, number = (file.get(at + step) for step in (_OFFSET, _SIZE, _FILE))
            name = f"slide/Data{number:04}.dat"
            new = change(slide[name][offset : offset + size])
            file.put(at + _OFFSET, len(slide[name]), len(new))
            slide[name] += new

    return spoil


def _write_over(at: int, raw: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data[:at] + raw + data[at + len(raw) :]


def _jpeg(width: int, height: int) -> Callable[[bytes], bytes]:
    return lambda _: jpegs.encode(tissue(width, height), sampling="444")


def _another(kind: str, width: int, height: int, mode: str = "RGB") -> Callable[[bytes], bytes]:
    """Draw a picture of another size or kind, written as Pillow does."""
    written = io.BytesIO()
    Image.fromarray(tissue(width, height)).convert(mode).save(written, kind)
    return lambda _: written.getvalue()


def _shorter_places(slide: Slide) -> None:
    with slide.open(INDEX) as data:
        file = Index(data)
        at = file.record(PLACES) + _SIZE
        file.put(at, file.get(at) - 9)


def _truncated(level: int | None, record: int = 0) -> Spoil:
    """End the data file of a level's last picture, or of a record, within it."""

    def spoil(slide: Slide) -> None:
        file = Index(bytearray(slide[INDEX]))
        at = file.record(record) if level is None else file.entry(level)
        name = f"slide/Data{file.get(at + _FILE):04}.dat"
        slide[name] = slide[name][: file.get(at + _OFFSET) + file.get(at + _SIZE) - 1]

    return spoil


def _lost(level: int | None, record: int = 0) -> Spoil:
    """Take the data file of a level or record away."""

    def spoil(slide: Slide) -> None:
        file = Index(bytearray(slide[INDEX]))
        at = file.record(record) if level is None else file.entry(level)
        del slide.files[f"slide/Data{file.get(at + _FILE):04}.dat"]

    return spoil


def _places(change: Callable[[bytes], bytes]) -> Spoil:
    return _picture(change, None, PLACES)


def _checksum(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def _unpacked(change: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Change what is compressed."""
    return lambda data: zlib.compress(change(zlib.decompress(data)))


INDEX_CASES: dict[str, Spoil] = {
    "bad-nonhier-table-base": _number(lambda file: RECORDS, -5),
    "bad-slide-id": word("0123456789ABCDEF", "0123456789ABCDEX", INDEX),
    "bad-version": word("01.02", "01.03", INDEX),
    "hier-bad-fileno": _number(lambda file: file.entry(0) + _FILE, 4864),
    "hier-bad-initial-data-page-pointer": _number(lambda file: file.head(LEVELS, 0) + 4, -5),
    "hier-bad-initial-page-item-count": _number(lambda file: file.head(LEVELS, 0), 1),
    "hier-bad-level-pointer": _number(lambda file: file.table(LEVELS, 0), -5),
    "hier-image-x-bad-multiple": _number(lambda file: file.entry(1), 1),
    "hier-image-y-bad-multiple": _number(lambda file: file.entry(1), ACROSS),
    "hier-image-y-too-large": _number(lambda file: file.entry(0), 1000 * ACROSS),
    "hier-negative-fileno": _number(lambda file: file.entry(0) + _FILE, -1),
    "hier-negative-image-index": _number(lambda file: file.entry(0), -1),
    "hier-negative-length": _number(lambda file: file.entry(0) + _SIZE, -1),
    "hier-negative-offset": _number(lambda file: file.entry(0) + _OFFSET, -1),
    "hier-no-initial-page-pointer": _ends(lambda file: file.table(LEVELS, 0), 0),
    "hier-no-next-pointer": _ends(lambda file: file.head(LEVELS, 0) + 4, 1),
    "hier-no-page-length": _ends(lambda file: file.head(LEVELS, 0) + 4),
    "missing": without(INDEX),
    "negative-hier-root": _number(lambda file: LEVELS, -5),
    "no-hier-table": _ends(lambda file: LEVELS),
    "no-nonhier-root": cut(RECORDS, INDEX),
    "no-nonhier-table": _ends(lambda file: RECORDS),
    "no-slide-id": cut(5, INDEX),
    "no-version": cut(3, INDEX),
    "nonhier-associated-bad-offset": _number(lambda file: file.record(MACRO) + _OFFSET, -5),
    "nonhier-bad-fileno": _number(lambda file: file.record(PLACES) + _FILE, 4864),
    "nonhier-bad-initial-data-page-pointer": _number(lambda file: file.head(RECORDS, MACRO) + 4, -5),
    "nonhier-bad-initial-page-item-count": _number(lambda file: file.head(RECORDS, MACRO), 1),
    "nonhier-bad-length-2": _number(lambda file: file.page(RECORDS, LABEL), 0),
    "nonhier-bad-second-0": _number(lambda file: file.page(RECORDS, MACRO) + 8, 1),
    "nonhier-bad-table-entry": _number(lambda file: file.table(RECORDS, MACRO), -5),
    "nonhier-bad-third-0": _number(lambda file: file.page(RECORDS, MACRO) + 12, 1),
    "nonhier-negative-fileno": _number(lambda file: file.record(MACRO) + _FILE, -5),
    "nonhier-no-fileno": _ends(lambda file: file.head(RECORDS, MACRO) + 4, 1, 0, 0, 0, 300, 40),
    "nonhier-no-initial-page-pointer": _ends(lambda file: file.table(RECORDS, MACRO), 0),
    "nonhier-no-position": _ends(lambda file: file.head(RECORDS, LABEL) + 4, 1, 0, 0, 0),
    "nonhier-no-size": _ends(lambda file: file.head(RECORDS, MACRO) + 4, 1, 0, 0, 0, 300),
}
DATA_CASES: dict[str, Imitation] = {
    "associated-bad-label": Imitation(MIRAX, _picture(_write_over(0, b"\xff\xd9"), None, LABEL)),
    "associated-bad-macro": Imitation(MIRAX, _picture(_write_over(0, b"\xff\xd9"), None, MACRO)),
    "associated-bad-thumbnail": Imitation(MIRAX, _picture(lambda data: data[:300], None, THUMBNAIL)),
    "bmp-bad-depth": Imitation(BMP, _picture(_write_over(28, b"\x20\0"))),
    "bmp-bad-height": Imitation(BMP, _picture(_another("BMP", 64, 32))),
    "bmp-bad-image": Imitation(BMP, _picture(_write_over(0, b"BN"))),
    "bmp-bad-image-format": Imitation(BMP, _picture(_jpeg(64, 48))),
    "bmp-missing-file": Imitation(BMP, _lost(0)),
    "bmp-truncated-image": Imitation(BMP, _picture(lambda data: data[:-94])),
    "data-no-top-level": Imitation(MIRAX, _lost(2)),
    "data-truncated-top-level": Imitation(MIRAX, _truncated(2)),
    "jpeg-bad-height": Imitation(MIRAX, _picture(_jpeg(64, 32))),
    "jpeg-bad-image": Imitation(MIRAX, _picture(_write_over(0, b"\xfe"))),
    "jpeg-missing-file": Imitation(MIRAX, _lost(0)),
    "mrxs-missing": Imitation(MIRAX, without("")),
    "png-bad-color-type": Imitation(PNG, _picture(_another("PNG", 64, 48, "RGBA"))),
    "png-bad-height": Imitation(PNG, _picture(_another("PNG", 64, 32))),
    "png-bad-image": Imitation(PNG, _picture(_write_over(12, b"IHDZ"))),
    "png-bad-width": Imitation(PNG, _picture(_write_over(16, bytes(4)))),
    "png-missing-file": Imitation(PNG, _lost(0)),
    "png-truncated-image": Imitation(PNG, _picture(lambda data: data[: len(data) // 2])),
    "slidedat-missing": Imitation(MIRAX, without(INI)),
    "slidepos-bad-position": Imitation(MIRAX, _number(lambda file: file.record(PLACES) + _OFFSET, -5)),
    "slidepos-bad-size": Imitation(MIRAX, _shorter_places),
    "slidepos-missing": Imitation(MIRAX, _lost(None, PLACES)),
    "slidepos-truncated": Imitation(MIRAX, _truncated(None, PLACES)),
    "slidepos-unknown-z": Imitation(MIRAX, _places(_write_over(0, b"\x60"))),
    "slidepos-zlib-bad-stream": Imitation(COMPRESSED, _places(_checksum)),
    "slidepos-zlib-long-stream": Imitation(
        COMPRESSED, _places(lambda data: zlib.compress(zlib.decompress(data) + b"\0" * 9))
    ),
    "slidepos-zlib-short-stream": Imitation(
        COMPRESSED, _places(lambda data: zlib.compress(zlib.decompress(data)[:20]))
    ),
}

CASES = {
    **{f"mirax-index-{name}": Imitation(MIRAX, spoil) for name, spoil in INDEX_CASES.items()},
    **{f"mirax-{name}": one for name, one in DATA_CASES.items()},
}
