"""In compressed pixels nothing can be decoded in reasonable time, so each byte is compared with all anchors at once.

Hyperscan does that at several gigabytes a second, and lets other threads run meanwhile. Where an anchor stands, the
surroundings are decoded and the whole needle is looked for in them.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import hyperscan

from ingest.auditor.compressed import MAGICS
from ingest.auditor.encodings import Anchor, Encoding, anchors, texts_around
from ingest.auditor.folding import fold
from ingest.auditor.identifiers import IdentifierClass
from ingest.auditor.needles import DataKind, Needle, Needles

WINDOW_BYTES = 1 << 30
"""Scanned at once; hyperscan counts in 32 bits."""

OVERLAP_BYTES = 256
"""More than the longest anchor, so that none is cut by the end of a window."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The needles that were found, each with where it (or what encodes it) begins; and where compressed data may begin.

    Most of the latter is chance.
    """

    needles: tuple[tuple[Needle, int], ...]
    compressed: tuple[int, ...]


class CodedSearch:
    """Searches bytes that are no text for the needles that do not occur there by chance."""

    def __init__(self, needles: Needles) -> None:
        self._anchors, self._needles = _anchored(needles)
        self._database = _compiled(self._anchors)

    def find(self, data: memoryview, kind: DataKind) -> Findings:
        """Search bytes of one kind; each needle is told once."""
        found: dict[Needle, int] = {}
        compressed: list[int] = []
        for number, end in self._places(data):
            if number >= len(self._anchors):
                compressed.append(end - len(MAGICS[number - len(self._anchors)]))
                continue
            encoding, start = self._anchors[number].encoding, end - len(self._anchors[number].pattern)
            wanted = [n for n in self._needles[number] if n not in found and n.counts(kind, encoding)]
            found.update(dict.fromkeys(_confirmed(data, start, encoding, wanted), start))
        return Findings(tuple(found.items()), tuple(compressed))

    def _places(self, data: memoryview) -> Iterator[tuple[int, int]]:
        """Give the number of an anchor (or, after those, of a magic) and where it ends."""
        scratch = hyperscan.Scratch(self._database)
        for begin in range(0, len(data), WINDOW_BYTES):
            first = max(0, begin - OVERLAP_BYTES)
            for number, end in self._scan(data[first : begin + WINDOW_BYTES], scratch):
                yield number, first + end

    def _scan(self, window: memoryview, scratch: hyperscan.Scratch) -> list[tuple[int, int]]:
        places: list[tuple[int, int]] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            places.append((number, end))

        # The library's type hints know of bytes only; it takes any buffer.
        self._database.scan(cast(bytes, window), match_event_handler=note, scratch=scratch)
        return places


def _anchored(needles: Needles) -> tuple[list[Anchor], list[list[Needle]]]:
    """Give the anchors, each with its needles. A needle is anchored at its longest word only."""
    found: dict[Anchor, list[Needle]] = defaultdict(list)
    for needle in needles.all:
        for anchor in dict.fromkeys(_anchors_of(needle)):
            if needle.counts(DataKind.CODED, anchor.encoding):
                found[anchor].append(needle)
    return list(found), list(found.values())


def _anchors_of(needle: Needle) -> Iterator[Anchor]:
    for word, written in needle.rarest:
        forms = {written}
        if needle.kind is not IdentifierClass.SOURCE_METADATA:  # what only a machine has copied keeps its case
            forms |= {written.lower(), written.upper(), written.title()}
        for spelt in {word, written.lower()}:
            yield from anchors(spelt, frozenset(forms))


def _compiled(found: list[Anchor]) -> "hyperscan.Database":
    patterns = [anchor.pattern for anchor in found] + list(MAGICS)
    flags = [hyperscan.HS_FLAG_CASELESS if anchor.caseless else 0 for anchor in found] + [0] * len(MAGICS)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[_literal(pattern) for pattern in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=flags,
    )
    return database


def _literal(pattern: bytes) -> bytes:
    """Write bytes as an expression that means just them; a zero byte would end the expression."""
    return b"".join(bytes([b]) if chr(b).isalnum() and b < 128 else b"\\x%02x" % b for b in pattern)


def _confirmed(data: memoryview, start: int, encoding: Encoding, wanted: list[Needle]) -> Iterator[Needle]:
    texts = [fold(text) for text in texts_around(data, start, encoding)] if wanted else []
    for needle in wanted:
        if any(needle.pattern.search(text) for text in texts):
            yield needle
