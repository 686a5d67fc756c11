"""A needle is one spelling of one identifier. What is looked for in a case is the sum of its needles.

Short words occur by chance in compressed pixels, and short numbers in digests. How often is known: in 220 MB of random
bytes a word of seven letters in either case is met once in two million slides, one of six once in twenty thousand, one
of three a hundred times a slide. So the fewest letters and digits that count depend on what is read (`DataKind`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from ingest.auditor.encodings import Encoding
from ingest.auditor.folding import fold, squeeze, written_as_two
from ingest.auditor.identifiers import IdentifierClass, KnownIdentifier, Vocabulary
from ingest.auditor.spellings import Spelling, spellings

LONG = 7
"""Letters and digits from which an identifier fails anywhere; a shorter one only as a word of a text."""

MOST_METADATA_NEEDLES = 400
"""Needles from the source's metadata, which may hold any number of words."""


USUALLY_BETWEEN = (" ", "-", ".", "/", ":", "_")


class DataKind(IntEnum):
    """What kind of bytes is read; the value is the fewest bytes of a needle that are no chance there."""

    CODED = LONG
    """Compressed pixels: each byte is as good as random."""
    PIXELS = 12
    """Decompressed pixels: neighbours are alike, and the values of dark tissue are those of digits and letters."""


@dataclass(frozen=True)
class Needle:
    """One spelling of one identifier."""

    kind: IdentifierClass
    words: tuple[str, ...] = field(repr=False)
    """Folded."""
    written: tuple[str, ...] = field(repr=False)
    """As they were delivered."""
    apart: bool = False

    @property
    def weight(self) -> int:
        """Letters and digits, and what must stand between them."""
        return len(self.squeezed) + (len(self.words) - 1 if self.apart else 0)

    @cached_property
    def squeezed(self) -> str:
        """All words together; what holds the needle holds this, once everything between words is taken out."""
        return "".join(self.words)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The needle in folded text. A short one stands for itself; a long one may stand in any word."""
        if self.apart:
            row = r"[-/.:, _]{1,2}".join(f"0?{re.escape(word)}" for word in self.words)
            return re.compile(rf"(?<!\d){row}(?!\d)")
        row = r"[\W_]{0,3}".join(map(re.escape, self.words))
        return re.compile(row if self.weight >= LONG else rf"(?<![^\W_]){row}(?![^\W_])")

    @property
    def rarest(self) -> tuple[tuple[str, str], ...]:
        """What must stand in any text that holds the needle, folded and as delivered; one of several suffices.

        That is its longest word; if all are of one or two letters, the whole with a usual character between the words.
        """
        at = max(range(len(self.words)), key=lambda number: len(self.words[number]))
        if len(self.words) == 1 or len(self.words[at]) > 2:
            return ((self.words[at], self.written[at]),)
        return tuple((between.join(self.words), between.join(self.written)) for between in ("", *USUALLY_BETWEEN))

    def counts(self, kind: DataKind, encoding: Encoding) -> bool:
        """Whether meeting this needle among such bytes is no chance."""
        if kind is DataKind.PIXELS:
            return self.weight >= kind.value
        return encoding.bytes_of(self.weight) >= kind.value


@dataclass(frozen=True)
class Needles:
    """All that is looked for in what is stored for one slide, and the words that may stand there."""

    all: tuple[Needle, ...] = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    left_out: int = 0
    """Spellings of the source's metadata beyond `MOST_METADATA_NEEDLES`."""

    @classmethod
    def of(cls, identifiers: Iterable[KnownIdentifier], vocabulary: Vocabulary | None = None) -> "Needles":
        """Make the needles of a case.

        Parameters
        ----------
        identifiers
            Everything that is known, the most telling first.
        vocabulary
            Words and numbers that the archive is written in. A value of the source's metadata that is one of them,
            such as ``JPEG``, is no needle; a name that is one of them is a needle everywhere else.
        """
        vocabulary = vocabulary or Vocabulary()
        common = {squeeze(fold(term)) for term in vocabulary.terms}
        found: dict[tuple[tuple[str, ...], bool], Needle] = {}
        from_metadata = left_out = 0
        for needle in _every_needle(identifiers):
            key, is_metadata = (needle.words, needle.apart), needle.kind is IdentifierClass.SOURCE_METADATA
            if key in found or (is_metadata and needle.squeezed in common):
                continue
            if is_metadata and from_metadata == MOST_METADATA_NEEDLES:
                left_out += 1
                continue
            from_metadata += is_metadata
            found[key] = needle
        return cls(tuple(found.values()), vocabulary, left_out)


def _every_needle(identifiers: Iterable[KnownIdentifier]) -> Iterator[Needle]:
    for identifier in identifiers:
        for spelling in spellings(identifier):
            yield from _folded(identifier.kind, spelling)


def _folded(kind: IdentifierClass, spelling: Spelling) -> Iterator[Needle]:
    """Give a spelling with accents left out, and with umlauts written as two letters where there are any."""
    for folding in (fold,) if all(map(str.isascii, spelling.words)) else (fold, written_as_two):
        pairs = [(folded, word) for word in spelling.words if (folded := squeeze(folding(word)))]
        if pairs:
            words, written = zip(*pairs, strict=True)
            yield Needle(kind, words, written, spelling.apart)
