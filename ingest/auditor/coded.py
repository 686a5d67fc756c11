"""In compressed pixels nothing can be decoded in reasonable time, so each byte is compared with all anchors at once.

Hyperscan does that at several gigabytes a second, and lets other threads run meanwhile. Where an anchor stands, the
surroundings are decoded and the whole needle is looked for in them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

import hyperscan

from ingest.auditor.compressed import MAGICS
from ingest.auditor.encodings import Anchor, Encoding, anchors, texts_around
from ingest.auditor.folding import accents_both_ways, fold, in_cases
from ingest.auditor.identifiers import IdentifierClass
from ingest.auditor.needle import DataKind, Needle

WINDOW_BYTES = 1 << 30
"""Scanned at once; hyperscan counts in 32 bits."""

OVERLAP_BYTES = 16
"""More than the longest anchor, so that none is cut by the end of a window."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where something may be; most of it is chance.

    ``anchors`` are pairs of an anchor's number and its end, ``compressed`` are beginnings of compressed data.
    """

    anchors: tuple[tuple[int, int], ...]
    compressed: tuple[int, ...]


class CodedSearch:
    """Searches bytes that are no text for the needles that do not occur there by chance."""

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._anchors, self._needles = _anchored(needles)
        self._database = _compiled(self._anchors)

    def places(self, data: memoryview) -> Places:
        """Compare every byte with all anchors and with the beginnings of compressed data."""
        scratch = hyperscan.Scratch(self._database)
        anchored: list[tuple[int, int]] = []
        compressed: list[int] = []
        for begin in range(0, len(data), WINDOW_BYTES):
            first = max(0, begin - OVERLAP_BYTES)
            for number, end in self._scan(data[first : begin + WINDOW_BYTES], scratch):
                if number < len(self._anchors):
                    anchored.append((number, first + end))
                else:
                    compressed.append(first + end - len(MAGICS[number - len(self._anchors)]))
        return Places(tuple(anchored), tuple(compressed))

    def confirmed(
        self, data: memoryview, places: Places, kind_at: Callable[[int], DataKind]
    ) -> Iterator[tuple[Needle, int]]:
        """Give each needle that really stands at one of the places, once, and where it or its encoding begins.

        Parameters
        ----------
        data
            The bytes in which the places are.
        places
            Where to look.
        kind_at
            Says of an offset what kind of bytes are there.
        """
        found: set[Needle] = set()
        for number, end in places.anchors:
            encoding, start = self._anchors[number].encoding, end - len(self._anchors[number].pattern)
            kind = kind_at(start)
            wanted = [n for n in self._needles[number] if n not in found and n.counts(kind, encoding)]
            for needle in _confirmed(data, start, encoding, wanted):
                found.add(needle)
                yield needle, start

    def _scan(self, window: memoryview, scratch: hyperscan.Scratch) -> list[tuple[int, int]]:
        places: list[tuple[int, int]] = []

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            places.append((number, end))

        # The library's type hints know of bytes only; it takes any buffer.
        self._database.scan(cast(bytes, window), match_event_handler=note, scratch=scratch)
        return places


def _anchored(needles: Iterable[Needle]) -> tuple[list[Anchor], list[list[Needle]]]:
    """Give the anchors, each with its needles. A needle is anchored at its longest word only."""
    found: dict[Anchor, list[Needle]] = defaultdict(list)
    for needle in needles:
        for anchor in dict.fromkeys(_anchors_of(needle)):
            if needle.counts(DataKind.CODED, anchor.encoding):
                found[anchor].append(needle)
    return list(found), list(found.values())


def _anchors_of(needle: Needle) -> Iterator[Anchor]:
    for word, written in needle.rarest:
        cased = in_cases(word) | in_cases(written)
        words = frozenset(form if not form.isascii() else form.lower() for form in cased)
        if needle.kind is IdentifierClass.SOURCE_METADATA:  # only machines copy it, and they keep its case
            yield from anchors(words, accents_both_ways(written), codecs=("utf-8",))
        else:
            yield from anchors(words, cased)


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
