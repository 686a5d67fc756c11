"""Files that lie, break off, loop or explode, and what may be said when one of them is refused.

Each is made from a sound small slide by one named fault. Reasons are codes of ``ingest.errors.Reason``, written as
text so that this truth does not come from the code under test.
"""

import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.slides import jpegs
from tests.slides.svs import make_svs
from tests.slides.tiff import Compression, Directory, Type, Writer, picture


@dataclass(frozen=True)
class Malformed:
    """A way to spoil a file. ``reasons`` are the refusals that are true of it; any other, or none, is wrong."""

    name: str
    make: Callable[[Path], object]
    reasons: frozenset[str]


STRUCTURE = frozenset({"damaged-structure", "truncated"})
_SOUND: list[bytes] = []
PIXELS = frozenset({"unreadable-pixels", "damaged-structure", "truncated"})


def _fault(name: str, reasons: frozenset[str] | set[str]) -> Callable[[Callable[[Path], object]], Malformed]:
    return lambda make: Malformed(name, make, frozenset(reasons))


def sound(path: Path) -> bytes:
    """Write the slide that the others are spoilt copies of, and return its bytes."""
    if not _SOUND:
        _SOUND.append(make_svs(path, width=600, height=500, factors=(1, 4)).path.read_bytes())
    path.write_bytes(_SOUND[0])
    return _SOUND[0]


@_fault("an empty file", {"empty-file"})
def empty(path: Path) -> None:
    path.write_bytes(b"")


@_fault("text", {"not-a-slide"})
def text(path: Path) -> None:
    path.write_text("Case report\n" * 100)


@_fault("random bytes", {"not-a-slide"})
def noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(7).bytes(100_000))


@_fault("a zip archive", {"not-a-slide", "unsupported-format"})
def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("slide.svs", b"II*\0")


@_fault("only a TIFF header", STRUCTURE)
def header_only(path: Path) -> None:
    path.write_bytes(b"II*\0\x08\0\0\0")


@_fault("a BigTIFF header with odd offset size", STRUCTURE | {"not-a-slide"})
def odd_offset_size(path: Path) -> None:
    path.write_bytes(struct.pack("<2sHHHQ", b"II", 43, 7, 0, 16) + bytes(200))


@_fault("cut off in the middle", STRUCTURE)
def cut_in_half(path: Path) -> None:
    whole = sound(path)
    path.write_bytes(whole[: len(whole) // 2])


@_fault("cut off inside the last tile", PIXELS)
def cut_in_last_tile(path: Path) -> None:
    # Directory first, pixels last, as some programs write: the chain is whole and the data is not.
    length, start = 256 * 256 * 3, 1024
    directory = picture(512, 512, [], tile=(256, 256))
    directory.tags[324] = (Type.LONG, [start + k * length for k in range(4)])
    directory.tags[325] = (Type.LONG, [length] * 4)
    writer = Writer()
    writer.append(directory)
    path.write_bytes((bytes(writer.data).ljust(start, b"\0") + bytes(4 * length))[:-1000])


@_fault("a directory chain that loops", {"endless-structure", "damaged-structure"})
def loop(path: Path) -> None:
    whole = bytearray(sound(path))
    chain = _chain(whole)
    struct.pack_into("<I", whole, _link_of(whole, chain[-1]), chain[0])
    path.write_bytes(whole)


@_fault("a directory that follows itself", {"endless-structure", "damaged-structure"})
def self_loop(path: Path) -> None:
    whole = bytearray(sound(path))
    first = _chain(whole)[0]
    struct.pack_into("<I", whole, _link_of(whole, first), first)
    path.write_bytes(whole)


@_fault("sub-directories that contain themselves", {"endless-structure", "damaged-structure"})
def nested_loop(path: Path) -> None:
    writer = Writer()
    directory = picture(256, 256, [bytes(196_608)], tile=(256, 256))
    directory.tags[330] = (Type.LONG, [0])
    at = writer.append(directory)
    whole = writer.data
    struct.pack_into("<I", whole, _entry(whole, at, 330) + 8, at)
    path.write_bytes(whole)


@_fault("sixty thousand directories", {"endless-structure", "too-large", "damaged-structure"})
def many_directories(path: Path) -> None:
    body = b"".join(struct.pack("<HHHIII", 1, 256, 4, 1, 16, 8 + 18 * (k + 1)) for k in range(60_000))
    path.write_bytes(struct.pack("<2sHI", b"II", 42, 8) + body)


@_fault("the chain leads beyond the end", STRUCTURE)
def chain_beyond_end(path: Path) -> None:
    whole = bytearray(sound(path))
    struct.pack_into("<I", whole, _link_of(whole, _chain(whole)[0]), len(whole) + 1000)
    path.write_bytes(whole)


@_fault("tiles beyond the end", STRUCTURE)
def tiles_beyond_end(path: Path) -> None:
    _change_first(path, 324, lambda values: [value + 10_000_000 for value in values])


@_fault("byte counts of four gigabytes", STRUCTURE | {"too-large"})
def huge_byte_counts(path: Path) -> None:
    _change_first(path, 325, lambda values: [0xFFFFFFF0 for _ in values])


@_fault("a slide of a million pixels each way in a small file", STRUCTURE | {"too-large"})
def huge_dimensions(path: Path) -> None:
    _change_first(path, 256, lambda _: [1_000_000])
    whole = bytearray(path.read_bytes())
    _put(whole, _chain(whole)[0], 257, [1_000_000])
    path.write_bytes(whole)


@_fault("no pixels at all across", STRUCTURE)
def zero_width(path: Path) -> None:
    _change_first(path, 256, lambda _: [0])


@_fault("tiles of no pixels", STRUCTURE)
def zero_tile(path: Path) -> None:
    _change_first(path, 322, lambda _: [0])


@_fault("fewer tiles than the size needs", STRUCTURE)
def too_few_tiles(path: Path) -> None:
    _change_first(path, 256, lambda _: [60_000])


@_fault("a tag of four thousand million values", STRUCTURE | {"too-large"})
def huge_tag(path: Path) -> None:
    whole = bytearray(sound(path))
    struct.pack_into("<I", whole, _entry(whole, _chain(whole)[0], 324) + 4, 0xFFFFFFFF)
    path.write_bytes(whole)


@_fault("a tile that inflates to a gigabyte", PIXELS | {"too-large", "too-much-memory"})
def bomb(path: Path) -> None:
    # A flushed block stands for itself, so one of a mebibyte, repeated, is a valid stream of a gibibyte.
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    checksum = struct.pack(">HH", (1 << 30) % 65521, 1)
    raw = b"\x78\xda" + block * 1024 + b"\x01\0\0\xff\xff" + checksum
    _one_tile(path, raw, Compression.DEFLATE)


@_fault("a compression that nobody knows", {"forbidden-compression", "damaged-structure", "unsupported-format"})
def unknown_compression(path: Path) -> None:
    _one_tile(path, bytes(1000), 12345)


@_fault("old-style JPEG", {"forbidden-compression", "damaged-structure", "unsupported-format"})
def old_jpeg(path: Path) -> None:
    _one_tile(path, bytes(1000), 6)


@_fault("a JPEG tile of random bytes", PIXELS)
def noisy_tile(path: Path) -> None:
    _spoil_tile(path, lambda stream: np.random.default_rng(7).bytes(len(stream)))


@_fault("a JPEG tile cut off in its scan", PIXELS)
def short_tile(path: Path) -> None:
    _spoil_tile(path, lambda stream: stream[: len(stream) // 2])


@_fault("a JPEG tile whose frame is larger than the tile", PIXELS | {"too-large", "too-much-memory"})
def tile_of_other_size(path: Path) -> None:
    _spoil_tile(path, lambda stream: _patched_frame(stream, 5, struct.pack(">HH", 60_000, 60_000)))


@_fault("a JPEG tile whose height is to be told later", PIXELS)
def tile_without_height(path: Path) -> None:
    _spoil_tile(path, lambda stream: _patched_frame(stream, 5, b"\0\0"))


@_fault("a JPEG tile with two frames", PIXELS)
def two_frames(path: Path) -> None:
    def twice(stream: bytes) -> bytes:
        frame = next(s for code, s in jpegs.segments(stream) if code in jpegs.FRAMES)
        return jpegs.insert(stream, frame)

    _spoil_tile(path, twice)


@_fault("a JPEG tile that is another file", PIXELS)
def foreign_tile(path: Path) -> None:
    _spoil_tile(path, lambda stream: b"\x89PNG\r\n\x1a\n" + stream[8:])


@_fault("JPEG tables that break off", PIXELS)
def broken_tables(path: Path) -> None:
    whole = bytearray(sound(path))
    first = _chain(whole)[0]
    at = _entry(whole, first, 347)
    (place,) = struct.unpack_from("<I", whole, at + 8)
    whole[place + 4 : place + 6] = b"\xff\xff"
    path.write_bytes(whole)


@_fault("a label and nothing else", {"not-a-whole-slide", "damaged-structure"})
def only_a_label(path: Path) -> None:
    writer = Writer()
    writer.append(
        picture(387, 463, [bytes(387 * 463 * 3)], subfile=1, description="Aperio Image Library\r\nlabel 387x463")
    )
    writer.save(path)


MALFORMED: tuple[Malformed, ...] = tuple(value for value in globals().values() if isinstance(value, Malformed))


def mutants(whole: bytes, count: int, seed: int = 7) -> list[bytes]:
    """Return copies with a few bytes changed, a stretch zeroed, doubled or cut out, or the end missing."""
    rng = np.random.default_rng(seed)
    spoilt = []
    for _ in range(count):
        data = bytearray(whole)
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 64))
        kind = int(rng.integers(5))
        if kind == 0:
            for k in rng.integers(len(data), size=8):
                data[int(k)] = int(rng.integers(256))
        elif kind == 1:
            data[at : at + length] = bytes(len(data[at : at + length]))
        elif kind == 2:
            data[at:at] = data[at : at + length]
        elif kind == 3:
            del data[at : at + length]
        else:
            del data[at:]
        spoilt.append(bytes(data))
    return spoilt


def _chain(whole: bytes | bytearray) -> list[int]:
    found, at = [], struct.unpack_from("<I", whole, 4)[0]
    while at:
        found.append(at)
        at = struct.unpack_from("<I", whole, _link_of(whole, at))[0]
    return found


def _link_of(whole: bytes | bytearray, directory: int) -> int:
    return directory + 2 + 12 * struct.unpack_from("<H", whole, directory)[0]


def _entry(whole: bytes | bytearray, directory: int, code: int) -> int:
    places = range(directory + 2, _link_of(whole, directory), 12)
    return next(at for at in places if struct.unpack_from("<H", whole, at)[0] == code)


def _values(whole: bytearray, directory: int, code: int) -> tuple[int, list[int]]:
    """Where the LONG values of a tag lie, and the values."""
    at = _entry(whole, directory, code)
    (count,) = struct.unpack_from("<I", whole, at + 4)
    place = at + 8 if count == 1 else struct.unpack_from("<I", whole, at + 8)[0]
    return place, list(struct.unpack_from(f"<{count}I", whole, place))


def _put(whole: bytearray, directory: int, code: int, values: list[int]) -> None:
    place, _ = _values(whole, directory, code)
    struct.pack_into(f"<{len(values)}I", whole, place, *values)


def _change_first(path: Path, code: int, change: Callable[[list[int]], list[int]]) -> None:
    whole = bytearray(sound(path))
    first = _chain(whole)[0]
    _put(whole, first, code, change(_values(whole, first, code)[1]))
    path.write_bytes(whole)


def _one_tile(path: Path, raw: bytes, compression: int) -> None:
    writer = Writer()
    directory: Directory = picture(256, 256, [raw], tile=(256, 256), compression=compression)
    writer.append(directory)
    writer.save(path)


def _spoil_tile(path: Path, spoil: Callable[[bytes], bytes]) -> None:
    make_svs(
        path,
        width=600,
        height=500,
        factors=(1, 4),
        change=lambda at, _, stream: spoil(stream) if at == (0, 1, 1) else stream,
    )


def _patched_frame(stream: bytes, at: int, raw: bytes) -> bytes:
    frame = next(s for code, s in jpegs.segments(stream) if code in jpegs.FRAMES)
    return stream.replace(frame, frame[:at] + raw + frame[at + len(raw) :])
