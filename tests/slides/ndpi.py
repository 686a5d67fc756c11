"""A NanoZoomer writes each level as one JPEG stream with restart markers, and lists where its pieces begin.

The file is a classic TIFF that counts past four gigabytes in its own way: places of directories have 64 bits, and
behind each directory lie the upper halves of its values. Every directory says again who scanned what and when.

Sources: OpenSlide's description of the format, tifffile, and what lies in a real file.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from PIL import Image

from tests.slides import jpegs
from tests.slides.made import MadeLevel, MadeSlide
from tests.slides.planted import Plant
from tests.slides.svs import label_picture
from tests.slides.tissue import Picture, reduced, tissue

SHORT, LONG, RATIONAL, ASCII, SIGNED, FLOAT, UNDEFINED = 3, 4, 5, 2, 9, 11, 7
_FORMATS = {SHORT: "H", LONG: "I", RATIONAL: "I", SIGNED: "i", FLOAT: "f"}
_COMMENT = b"Hamamatsu NanoZoomer Digital Pathology\0"
_ENDED = b"\xff\xd9"
_WIDEST = 65_500
"""Side of a picture that libjpeg encodes."""

_WORDS: Final = {
    **{270: "ImageDescription", 305: "Software", 306: "DateTime", 315: "Artist", 316: "HostComputer"},
    **{33432: "Copyright", 65427: "Reference", 65434: "channel", 65442: "serial number", 65468: "barcode"},
    **{65477: "scan profile", 65480: "kind of barcode"},
}
"""Tags of texts in which something was planted; the property map (65449) and XMP have a form of their own."""


@dataclass(frozen=True)
class Ndpi:
    """What the scanner was like.

    Parameters
    ----------
    intervals
        Width in pixels of a restart interval in each level, or None for a level without restart markers.
    sampling
        Subsampling of the colours across, or none; of that down and across OpenSlide cannot read intervals.
    gap
        Bytes of nothing before the first level, so that all lies beyond four gigabytes; sparse on the disk.
    listed
        Whether the scanner lists where the intervals begin; a ``wrong`` list is shifted, and one ``beyond`` has
        upper halves that make each four gigabytes too large.
    planes
        Focal planes of each level, of which the first is the one that is looked at.
    """

    width: int = 1024
    height: int = 768
    factors: tuple[int, ...] = (1, 2, 4)
    intervals: tuple[int | None, ...] = (512, 512, None)
    seed: int = 7
    sampling: Literal["444", "422"] = "444"
    quality: int = 80
    gap: int = 0
    listed: Literal[True, False, "wrong", "beyond"] = True
    planes: int = 1
    macro: bool = True
    map: bool = True
    mpp: float = 0.2274
    lens: float = 40.0
    plant: Plant | None = None


@dataclass
class _File:
    """Directories laid one after the other; what is written beyond a gap is held apart."""

    parts: list[tuple[int, bytes]] = field(default_factory=lambda: [(0, b"II*\0" + bytes(8))])
    end: int = 12
    link: int = 4

    def put(self, raw: bytes) -> int:
        self.end += self.end % 2
        at = self.end
        self.parts.append((at, raw))
        self.end += len(raw)
        return at

    def directory(self, tags: dict[int, tuple[int, Any]]) -> None:
        """Write a directory: its table, the place of the next, and the upper halves of its values."""
        table, upper = b"", b""
        for code, (kind, value) in sorted(tags.items()):
            raw, count = _packed(kind, value)
            if len(raw) > 4:
                place = self.put(raw)
                table += struct.pack("<HHII", code, kind, count, place & 0xFFFFFFFF)
                upper += struct.pack("<I", place >> 32)
            else:
                big = value[0] if kind == LONG and count == 1 else 0
                table += struct.pack("<HHI", code, kind, count) + raw.ljust(4, b"\0")
                upper += struct.pack("<I", big >> 32)
        at = self.put(struct.pack("<H", len(tags)) + table + bytes(8) + upper)
        self.parts.append((self.link, struct.pack("<Q", at)))
        self.link = at + 2 + len(table)

    def save(self, path: Path) -> Path:
        with path.open("wb") as file:
            for at, raw in self.parts:
                file.seek(at)
                file.write(raw)
        return path


def make_ndpi(path: Path, **options: Any) -> MadeSlide:
    """Write an NDPI as ``Ndpi(**options)`` says, and return it with its known pixels."""
    ndpi = Ndpi(**options)
    plant, file = ndpi.plant or Plant(), _File()
    file.end += ndpi.gap
    whole = tissue(ndpi.width, ndpi.height, ndpi.seed)
    levels = []
    for number, (factor, interval) in enumerate(zip(ndpi.factors, ndpi.intervals, strict=True)):
        pixels = whole if factor == 1 else reduced(whole, ndpi.width // factor, ndpi.height // factor)
        stream = _stream(ndpi, pixels, interval)
        levels.append(
            MadeLevel(shown(stream, interval, pixels.shape[1]), (interval or pixels.shape[1], 8), {(0, 0): stream})
        )
        for plane in range(ndpi.planes):
            other = stream if not plane else _stream(ndpi, np.ascontiguousarray(pixels[::-1]), interval)
            _append_level(file, ndpi, other, number, plane)
    pictures = _append_macro_and_map(file, ndpi, whole)
    if ndpi.plant:
        file.put(plant("bytes after the last structure").encode())
    return MadeSlide(
        file.save(path),
        tuple(levels),
        plant,
        associated={name: picture for name, (picture, _) in pictures.items()},
        associated_bytes={name: [raw] for name, (_, raw) in pictures.items()},
        mpp=ndpi.mpp,
        objective_power=ndpi.lens,
    )


def intervals_of(stream: bytes) -> list[bytes]:
    """Cut a scan's entropy-coded bytes at its restart markers, which belong to no piece."""
    coded, pieces, at = jpegs.scan_data(stream), [b""], 0
    while (ff := coded.find(b"\xff", at)) >= 0:
        pieces[-1] += coded[at:ff]
        if coded[ff + 1]:
            pieces.append(b"")
        else:
            pieces[-1] += b"\xff\0"
        at = ff + 2
    pieces[-1] += coded[at:]
    return pieces


def shown(stream: bytes, interval: int | None, width: int) -> Picture:
    """Decode a stream as OpenSlide does: each restart interval for itself, and so without neighbours."""
    if interval is None:
        return jpegs.decode(stream, "ycbcr")
    across = width // interval
    head = _with_size(stream[: len(stream) - len(jpegs.scan_data(stream)) - len(_ENDED)], interval, 8)
    pieces = [jpegs.decode(head + piece + _ENDED, "ycbcr") for piece in intervals_of(stream)]
    rows = [np.concatenate(pieces[k : k + across], 1) for k in range(0, len(pieces), across)]
    return np.concatenate(rows)


def _packed(kind: int, value: Any) -> tuple[bytes, int]:
    if isinstance(value, str):
        value = value.encode() + b"\0"
    if isinstance(value, bytes):
        return value, len(value)
    lower = [number & 0xFFFFFFFF if kind == LONG else number for number in value]
    raw = struct.pack(f"<{len(lower)}{_FORMATS[kind]}", *lower)
    return raw, len(lower) // 2 if kind == RATIONAL else len(lower)


def _with_size(stream: bytes, width: int, height: int) -> bytes:
    at = stream.index(b"\xff\xc0") + 5
    return stream[:at] + struct.pack(">HH", height, width) + stream[at + 4 :]


def _stream(ndpi: Ndpi, pixels: Picture, interval: int | None) -> bytes:
    mcu = 8 if ndpi.sampling == "444" else 16
    if interval and pixels.shape[1] > _WIDEST:
        return _too_wide_to_tell(ndpi, pixels, interval)
    stream = jpegs.encode(
        pixels, sampling=ndpi.sampling, quality=ndpi.quality, restart_every=interval // mcu if interval else 0
    )
    jfif = jpegs.segment(0xE0, b"JFIF\0\x01\0\0\0\x01\0\x01\0\0")
    return jpegs.insert(stream, jfif, jpegs.segment(jpegs.COM, _COMMENT))


def _too_wide_to_tell(ndpi: Ndpi, pixels: Picture, interval: int) -> bytes:
    """Encode interval by interval, which libjpeg does not do with so wide a picture; the frame tells no size."""
    places = [(x, y) for y in range(0, pixels.shape[0], 8) for x in range(0, pixels.shape[1], interval)]
    cuts = [np.ascontiguousarray(pixels[y : y + 8, x : x + interval]) for x, y in places]
    whole = [jpegs.encode(one, sampling="444", quality=ndpi.quality) for one in cuts]
    pieces = [jpegs.scan_data(stream) for stream in whole]
    head = _with_size(whole[0][: len(whole[0]) - len(pieces[0]) - len(_ENDED)], 0, 0)
    head = jpegs.insert(head, jpegs.segment(0xDD, struct.pack(">H", interval // 8)))
    markers = [bytes((0xFF, 0xD0 + number % 8)) for number in range(len(pieces) - 1)]
    return head + b"".join(map(bytes.__add__, pieces, [*markers, _ENDED]))


def _append_level(file: _File, ndpi: Ndpi, stream: bytes, number: int, plane: int) -> None:
    factor, interval = ndpi.factors[number], ndpi.intervals[number]
    width, height = ndpi.width // factor, ndpi.height // factor
    if ndpi.plant:
        stream = jpegs.insert(
            stream,
            jpegs.segment(jpegs.COM, ndpi.plant(f"COM of level {number}").encode()),
            jpegs.segment(jpegs.APP1, b"Exif\0\0" + ndpi.plant(f"EXIF of level {number}").encode()),
        )
    place = file.put(stream)
    if ndpi.plant:
        file.put(ndpi.plant(f"slack behind level {number}").encode())
    tags = _tags(ndpi, f"level {number}", width, height, 3, place, len(stream))
    tags |= {65421: (FLOAT, [ndpi.lens / factor]), 65424: (SIGNED, [1000 * plane]), 530: (SHORT, _subsampling(ndpi))}
    if interval and ndpi.listed:
        starts = _starts(stream)
        if ndpi.listed == "wrong":
            starts = [start + 3 for start in starts]
        tags[65426] = (LONG, starts)
        if ndpi.gap or ndpi.listed == "beyond":
            tags[65432] = (LONG, [int(ndpi.listed == "beyond")] * len(starts))
    file.directory(tags)


def _starts(stream: bytes) -> list[int]:
    """Where each interval begins, from the beginning of its stream."""
    pieces = intervals_of(stream)
    at = len(stream) - len(jpegs.scan_data(stream)) - len(_ENDED)
    starts = []
    for piece in pieces:
        starts.append(at)
        at += len(piece) + 2
    return starts


def _subsampling(ndpi: Ndpi) -> Sequence[int]:
    return {"444": (1, 1), "422": (2, 1)}[ndpi.sampling]


def _append_macro_and_map(file: _File, ndpi: Ndpi, whole: Picture) -> dict[str, tuple[Picture, bytes]]:
    label = label_picture("DOE, JANE", "MRN 00123456", "S25-10432 A3", "H&E")
    macro = np.full((404, 1192, 3), 235, np.uint8)
    macro[:, :340] = np.asarray(Image.fromarray(label).resize((340, 404)))
    macro[25:379, 430:1150] = np.asarray(Image.fromarray(whole).resize((720, 354)))
    found = {}
    if ndpi.macro:
        stream = jpegs.encode(macro, sampling="444")
        found["macro"] = jpegs.decode(stream, "ycbcr"), jpegs.scan_data(stream)
        if ndpi.plant:
            stream = jpegs.insert(stream, jpegs.segment(jpegs.COM, ndpi.plant("COM of the macro").encode()))
        tags = _tags(ndpi, "the macro", 1192, 404, 3, file.put(stream), len(stream))
        file.directory(tags | {65421: (FLOAT, [-1.0])})
    if ndpi.map:
        grey = np.ascontiguousarray(macro[::2, ::2, 0])
        tags = _tags(ndpi, "the map", grey.shape[1], grey.shape[0], 1, file.put(grey.tobytes()), grey.size)
        file.directory(tags | {259: (SHORT, [1]), 65421: (FLOAT, [-2.0])})
        found["map"] = grey, grey.tobytes()
    return found


def _tags(ndpi: Ndpi, where: str, width: int, height: int, samples: int, place: int, length: int) -> dict[int, Any]:
    """Give the tags that every directory has."""
    per_centimetre = [round(10_000_000 / ndpi.mpp), 1000]
    tags: dict[int, Any] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8] * samples),
        259: (SHORT, [7]),
        262: (SHORT, [6 if samples == 3 else 1]),
        271: (ASCII, "Hamamatsu"),
        272: (ASCII, "C13210"),
        273: (LONG, [place]),
        277: (SHORT, [samples]),
        278: (LONG, [height]),
        279: (LONG, [length]),
        282: (RATIONAL, per_centimetre),
        283: (RATIONAL, per_centimetre),
        296: (SHORT, [3]),
        65420: (LONG, [1]),
        65422: (SIGNED, [12538720]),
        65423: (SIGNED, [-96063]),
        65441: (LONG, [0]),
        65449: (ASCII, "Created=2011/05/23\r\nUpdated=2017/01/27\r\nProduct=C13210\r\nNDP.S/N=950291\r\n"),
    }
    if ndpi.plant:
        tags |= {code: (ASCII, ndpi.plant(f"tag {code} {name} of {where}")) for code, name in _WORDS.items()}
        keys = ("Created", "NDP.S/N", "Macro.S/N", "UserName", "Operator")
        pairs = [f"{key}={ndpi.plant(f'tag 65449, {key} of {where}')}" for key in keys]
        tags[65449] = (ASCII, "\r\n".join(pairs) + "\r\n")
        tags[700] = (UNDEFINED, f"<x>{ndpi.plant(f'XMP of {where}')}</x>".encode())
        tags[65459] = (UNDEFINED, ndpi.plant(f"private tag in UTF-16 of {where}").encode("utf-16-le"))
    return tags
