"""A word in a file may be UTF-8, UTF-16 either way, hexadecimal or base64, and base64 shifts it by up to two bytes.

For each encoding there are two questions. Which bytes must stand in a file that holds the word (its *anchors*, which
are looked for in every byte)? And which text stands around such a place (so that the rest of an identifier can be
compared in the text, whatever lies between its words)?
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote_to_bytes

ANCHOR_BYTES = 8
"""The first bytes of an encoded word are rare enough; longer anchors take longer to prepare and find nothing more."""

REACH = 256
"""Characters that are read to either side of an anchor: more than the longest identifier."""

_BASE64_GAPS = re.compile(rb"[\r\n]")


class Encoding(StrEnum):
    """How a text lies in bytes."""

    PLAIN = "plain"
    UTF_16_LE = "utf-16-le"
    UTF_16_BE = "utf-16-be"
    HEX = "hex"
    BASE64 = "base64"

    def bytes_of(self, characters: int) -> int:
        """Bytes that so many ASCII characters take, at least."""
        return {Encoding.PLAIN: characters, Encoding.BASE64: characters * 4 // 3}.get(self, 2 * characters)


@dataclass(frozen=True, slots=True)
class Anchor:
    """Bytes that tell an encoded word; without `caseless` they are compared as they are."""

    pattern: bytes
    encoding: Encoding
    caseless: bool


def anchors(
    words: frozenset[str], forms: frozenset[str], codecs: tuple[str, ...] = ("utf-8", "utf-16-le")
) -> Iterator[Anchor]:
    """Give the anchors of a word.

    Parameters
    ----------
    words
        The word in the ways in which its letters are written; case matters only for letters beyond ASCII.
    forms
        The word in the cases in which it is looked for where case cannot be ignored: hexadecimal and base64.
    codecs
        What hexadecimal and base64 may be of.
    """
    for word in words:
        for codec in ("utf-8", "latin-1"):
            yield from (Anchor(raw[:ANCHOR_BYTES], Encoding.PLAIN, caseless=True) for raw in _encoded(word, codec))
        for wide in (Encoding.UTF_16_LE, Encoding.UTF_16_BE):
            yield Anchor(word.encode(wide)[:ANCHOR_BYTES], wide, caseless=True)
    for form in forms:
        for codec in codecs:
            raw = form.encode(codec)
            yield Anchor(raw.hex().encode()[:ANCHOR_BYTES], Encoding.HEX, caseless=True)
            for shift in range(3):
                yield Anchor(_base64_core(raw, shift)[:ANCHOR_BYTES], Encoding.BASE64, caseless=False)


def _encoded(text: str, codec: str) -> list[bytes]:
    try:
        return [text.encode(codec)]
    except UnicodeEncodeError:
        return []


def _base64_core(raw: bytes, shift: int) -> bytes:
    """Give those base64 characters of some bytes that do not depend on what stands before and after."""
    whole = base64.b64encode(bytes(shift) + raw)
    return whole[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]


def texts_around(data: memoryview, start: int, encoding: Encoding) -> Iterator[str]:
    """Give what stands around a place, decoded in each way that fits.

    Parameters
    ----------
    data
        The bytes.
    start
        Where an anchor of `encoding` begins.
    encoding
        How to decode.
    """
    if encoding in (Encoding.UTF_16_LE, Encoding.UTF_16_BE):
        first = start % 2 if start < 2 * REACH else start - 2 * REACH
        yield bytes(data[first : start + 2 * REACH]).decode(encoding, "replace")
    elif encoding is Encoding.PLAIN:
        yield from _plain_texts(bytes(data[max(0, start - REACH) : start + REACH]))
    else:
        first = max(0, start - 2 * REACH)
        window = bytes(data[first : start + 4 * REACH])
        decode = from_hex if encoding is Encoding.HEX else from_base64
        for raw in decode(window, start - first):
            yield from _plain_texts(raw)
            yield from (raw[odd:].decode("utf-16-le", "replace") for odd in (0, 1))


def _plain_texts(raw: bytes) -> Iterator[str]:
    for plain in {raw, unquote_to_bytes(raw)}:
        yield plain.decode("latin-1")
        if not plain.isascii():
            yield plain.decode("utf-8", "replace")


def from_hex(window: bytes, at: int) -> Iterator[bytes]:
    """Decode the hexadecimal digits around a place at which a pair begins."""
    first, last = _run(rb"[0-9A-Fa-f]*", window, at)
    first += (at - first) % 2
    yield bytes.fromhex(window[first : last - (last - first) % 2].decode())


def from_base64(window: bytes, at: int) -> Iterator[bytes]:
    """Decode the base64 characters around a place, at each of the four places where a group of them may begin."""
    first, last = _run(rb"[0-9A-Za-z+/\r\n]*", window, at)
    run = _BASE64_GAPS.sub(b"", window[first:last])
    for skipped in range(4):
        group = run[skipped:]
        group = group[: len(group) - (len(group) % 4 == 1)]
        yield base64.b64decode(group + b"=" * (-len(group) % 4))


def _run(pattern: bytes, window: bytes, at: int) -> tuple[int, int]:
    """Give begin and end of the stretch around a place that consists of a pattern's characters."""
    after = re.compile(pattern).match(window, at)
    before = re.compile(pattern).match(window[:at][::-1])
    return at - (before.end() if before else 0), after.end() if after else at
