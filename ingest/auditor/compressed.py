"""Compressed data begins with a few known bytes: where they stand, what follows is decompressed, as far as it goes.

Most places where these bytes stand are chance, and fail within microseconds. What decompresses is bounded, because a
kilobyte can pretend to be a terabyte; what lies beyond the bound is reported as not searched.
"""

import zlib
from dataclasses import dataclass

import zstandard

MAGICS = (b"\x28\xb5\x2f\xfd", b"\x1f\x8b\x08", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""How Zstandard frames, gzip members and zlib streams begin."""

LARGEST_BYTES = 64 << 20
"""Decompressed bytes of one stream: a stored tile has 0.2 to 12 MB."""

_FIRST_READ_BYTES = 1 << 10
_READ_BYTES = 1 << 20
_EITHER_HEADER = 32 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Expanded:
    """What came out; ``is_whole`` is false if there was more."""

    data: bytes
    is_whole: bool = True


def expand(data: memoryview, start: int) -> Expanded | None:
    """Decompress what begins at a place, None if nothing does."""
    if bytes(data[start : start + 4]) == MAGICS[0]:
        return _from_zstandard(data[start:])
    return _from_zlib(data[start:])


def _from_zstandard(data: memoryview) -> Expanded | None:
    found = bytearray()
    with zstandard.ZstdDecompressor().stream_reader(data) as reader:
        try:
            while len(found) <= LARGEST_BYTES and (piece := reader.read(_READ_BYTES)):
                found += piece
        except zstandard.ZstdError:
            pass  # damaged, or no frame at all: what came out so far is searched
    return _bounded(found)


def _from_zlib(data: memoryview) -> Expanded | None:
    stream, found, at = zlib.decompressobj(_EITHER_HEADER), bytearray(), 0
    try:  # one place in ten thousand is a zlib header by chance, so the first read is short
        while not stream.eof and len(found) <= LARGEST_BYTES and (at < len(data) or stream.unconsumed_tail):
            size = _READ_BYTES if at else _FIRST_READ_BYTES
            found += stream.decompress(stream.unconsumed_tail or data[at : at + size], _READ_BYTES)
            at += 0 if stream.unconsumed_tail else size
    except zlib.error:
        return _bounded(found) if len(found) > _FIRST_READ_BYTES else None
    return _bounded(found)


def _bounded(found: bytearray) -> Expanded | None:
    if not found:
        return None
    return Expanded(bytes(found[:LARGEST_BYTES]), is_whole=len(found) <= LARGEST_BYTES)
