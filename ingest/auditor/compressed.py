"""Compressed data begins with a few known bytes: where they stand, what follows is decompressed, as far as it goes.

Most places where these bytes stand are chance, and fail within microseconds. What decompresses is bounded, because a
kilobyte can pretend to be a terabyte; what lies beyond the bound is reported as not searched.
"""

import zlib
from dataclasses import dataclass

import zstandard

ZSTANDARD = b"\x28\xb5\x2f\xfd"

MAGICS = (ZSTANDARD, b"\x1f\x8b\x08", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
"""How Zstandard frames, gzip members and zlib streams begin."""

LARGEST_BYTES = 64 << 20
"""Decompressed bytes of one stream: a stored tile has 0.2 to 12 MB."""

_FIRST_READ_BYTES = 1 << 10
_READ_BYTES = 1 << 20
_EITHER_HEADER = 32 + zlib.MAX_WBITS

_BLOCK_HEADER_BYTES = 3
_RUN_LENGTH = 1
_CHECKSUM_BYTES = 4


@dataclass(frozen=True, slots=True)
class Expanded:
    """What came out of compressed data.

    Parameters
    ----------
    data
        The decompressed bytes, at most `LARGEST_BYTES`.
    end
        Where the compressed data ends, or where it begins if it has no proper end.
    is_whole
        False if there was more.
    """

    data: bytes
    end: int
    is_whole: bool = True


def expand(data: memoryview, start: int) -> Expanded | None:
    """Decompress what begins at a place, None if nothing does."""
    if data[start : start + len(ZSTANDARD)] == ZSTANDARD:
        return _from_zstandard(data, start)
    return _from_zlib(data, start)


def _from_zstandard(data: memoryview, start: int) -> Expanded | None:
    found = bytearray()
    try:
        end = _end_of_frame(data, start)
        with zstandard.ZstdDecompressor().stream_reader(data[start:end]) as reader:
            while len(found) <= LARGEST_BYTES and (piece := reader.read(_READ_BYTES)):
                found += piece
    except zstandard.ZstdError:
        end = start  # damaged, or no frame at all: what came out so far is searched
    return _bounded(found, end if end <= len(data) else start)


def _end_of_frame(data: memoryview, start: int) -> int:
    """Give where a frame ends: after its last block and its checksum (RFC 8878, section 3.1.1)."""
    head = bytes(data[start : start + 18])
    has_checksum = zstandard.get_frame_parameters(head).has_checksum
    at, is_last = start + zstandard.frame_header_size(head), False
    while not is_last and at < len(data):
        block = int.from_bytes(data[at : at + _BLOCK_HEADER_BYTES], "little")
        is_last, kind, size = bool(block & 1), block >> 1 & 3, block >> 3
        at += _BLOCK_HEADER_BYTES + (1 if kind == _RUN_LENGTH else size)
    return at + _CHECKSUM_BYTES * has_checksum


def _from_zlib(data: memoryview, start: int) -> Expanded | None:
    stream, found, at = zlib.decompressobj(_EITHER_HEADER), bytearray(), start
    try:  # one place in ten thousand is a zlib header by chance, so the first read is short
        while not stream.eof and len(found) <= LARGEST_BYTES and (at < len(data) or stream.unconsumed_tail):
            size = _READ_BYTES if at > start else _FIRST_READ_BYTES
            found += stream.decompress(stream.unconsumed_tail or data[at : at + size], _READ_BYTES)
            at += 0 if stream.unconsumed_tail else size
    except zlib.error:
        return _bounded(found, start) if len(found) > _FIRST_READ_BYTES else None
    return _bounded(found, min(at, len(data)) - len(stream.unused_data) if stream.eof else start)


def _bounded(found: bytearray, end: int) -> Expanded | None:
    if not found:
        return None
    return Expanded(bytes(found[:LARGEST_BYTES]), end, is_whole=len(found) <= LARGEST_BYTES)
