"""In a text every word counts, short ones too, except those that the archive itself is written in.

A JSON string that as a whole is a term of the vocabulary, and a JSON number that is a measured one, are not searched;
every other character is, after its escapes are undone. Long numbers in base 16 or 64 (digests, colour profiles) hold
any short number by chance; they are decoded and searched as data, and for short needles passed over as text.
"""

import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from urllib.parse import unquote

from ingest.auditor.encodings import from_base64, from_hex
from ingest.auditor.folding import fold, squeeze
from ingest.auditor.identifiers import Vocabulary
from ingest.auditor.needle import Needle

Buffer = bytes | memoryview

LARGEST_TEXT_BYTES = 2 << 20
"""A larger text is searched as data only, in which short words are no evidence, and reported as not searched whole."""

HEAD_BYTES = 4096

FEWEST_BY_CHANCE = 12
"""Letters and digits from which a needle does not occur in a digest by chance."""

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_JSON_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s,:\[\]{}"]+')
_DIGEST = re.compile(r"(?=\d{0,31}[a-f])[0-9a-f]{32,}")
_BLOB = re.compile(r"[a-z0-9+/]{200,}")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{4,}")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_FAR_APART = "\n" * 4
"""More than may stand between the words of a needle."""


@dataclass(frozen=True, slots=True)
class Text:
    """Characters to be searched, and where stretches of them come from.

    ``positions`` are where stretches begin in ``characters``, ``offsets`` where they begin in the file. What stands in
    a stretch stands as it is in the file, unless ``is_inside``: then a stretch was decoded from what begins there.
    """

    characters: str
    positions: tuple[int, ...] = (0,)
    offsets: tuple[int, ...] = (0,)
    is_inside: bool = False

    def offset(self, position: int) -> int:
        """Give the place of a character in the file; exact if what stands before it in its stretch is ASCII."""
        stretch = bisect_right(self.positions, position) - 1
        return self.offsets[stretch] + (0 if self.is_inside else position - self.positions[stretch])

    def of(self, stretches: list[tuple[int, str]]) -> "Text":
        """Give the text of stretches that were decoded from this one, each from a position in it."""
        positions, length = [], 0
        for _, characters in stretches:
            positions.append(length)
            length += len(characters) + len(_FAR_APART)
        offsets = tuple(self.offset(position) for position, _ in stretches)
        return Text(_FAR_APART.join(text for _, text in stretches), tuple(positions), offsets, is_inside=True)


def as_text(data: Buffer) -> str | None:
    """Decode bytes that are a text in UTF-8 or UTF-16, else give None."""
    codec = None if len(data) > LARGEST_TEXT_BYTES else _codec(bytes(data[:HEAD_BYTES]))
    if codec is None:
        return None
    try:
        text = str(data, codec)
    except UnicodeDecodeError:
        return None
    return None if _CONTROL.search(text) else text


def _codec(head: bytes) -> str | None:
    """Give the codec that the first bytes of a text speak for, None for what is no text."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    zeros = head[0::2].count(0), head[1::2].count(0)
    if not any(zeros):
        return "utf-8"
    if min(zeros) == 0 and max(zeros) > len(head) * 0.4:
        return "utf-16-le" if zeros[1] else "utf-16-be"
    return None


def visible(text: str, vocabulary: Vocabulary) -> Text:
    """Give what is searched of a text: of JSON everything but the vocabulary, of other texts everything."""
    try:
        json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return Text(text)
    pieces, positions, offsets, length = [], [0], [0], 0
    for token in _JSON_TOKEN.finditer(text):
        quoted = token[0].startswith('"')
        piece = _string(token[0], vocabulary) if quoted else _scalar(token[0], vocabulary)
        if piece:
            # A row of measured numbers is no date; two strings beside each other may be one name.
            before, after = ("\n", "") if quoted else (_FAR_APART, _FAR_APART)
            positions.append(length + len(before))
            offsets.append(token.start() + quoted)
            pieces.append(before + piece + after)
            length += len(pieces[-1])
    return Text("".join(pieces), tuple(positions), tuple(offsets))


def _string(token: str, vocabulary: Vocabulary) -> str:
    string = str(json.loads(token))
    return "" if vocabulary.has_string(string) else string


def _scalar(token: str, vocabulary: Vocabulary) -> str:
    return "" if token in ("true", "false", "null") or vocabulary.has_number(token) else token


def find(text: Text, needles: Iterable[Needle]) -> Iterator[tuple[Needle, int]]:
    """Give the needles that are in a text, each with the offset of its first place."""
    whole = fold(text.characters)
    calm = _BLOB.sub(_blank, _DIGEST.sub(_blank, whole))
    squeezed_whole, squeezed_calm = squeeze(whole), squeeze(calm)
    for needle in needles:
        by_chance = needle.weight < FEWEST_BY_CHANCE
        if needle.squeezed in (squeezed_calm if by_chance else squeezed_whole) or needle.apart:
            place = needle.pattern.search(calm if by_chance else whole)
            if place:
                yield needle, text.offset(place.start())


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def unescaped(text: str) -> Iterator[str]:
    """Undo the escapes of addresses, of HTML and XML, and of JSON, where there are any."""
    for mark, undo in (("%", unquote), ("&", html.unescape), ("\\u", _from_json_escapes)):
        if mark in text and (plain := undo(text)) != text:
            yield plain


def _from_json_escapes(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def decoded(text: str) -> Iterator[tuple[int, bytes]]:
    """Read every stretch of a text that can be read as base64 or hexadecimal, from each place where it may begin."""
    for stretch in _ENCODED.finditer(text):
        raw = stretch[0].encode().translate(_URL_SAFE)
        for bytes_ in chain(from_base64(raw, 0), from_hex(raw, 0), from_hex(raw[1:], 0)):
            yield stretch.start(), bytes_


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
