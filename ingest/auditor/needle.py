"""A needle is one spelling of one identifier.

Short words occur by chance in compressed pixels, and short numbers in digests. How often is known: in 220 MB of random
bytes a word of seven letters in either case is met once in two million slides, one of six once in twenty thousand, one
of three a hundred times a slide. So the fewest letters and digits that count depend on what is read (`DataKind`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property

from ingest.auditor.encodings import Encoding
from ingest.auditor.folding import fold, squeeze, written_as_two
from ingest.auditor.identifiers import IdentifierClass
from ingest.auditor.spellings import Spelling

LONG = 7
"""Letters and digits from which an identifier fails anywhere; a shorter one only as a word of a text."""

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


def needles_of(kind: IdentifierClass, spelling: Spelling) -> Iterator[Needle]:
    """Give a spelling with accents left out, and with umlauts written as two letters where there are any."""
    for folding in (fold,) if all(map(str.isascii, spelling.words)) else (fold, written_as_two):
        pairs = [(folded, word) for word in spelling.words if (folded := squeeze(folding(word)))]
        if pairs:
            words, written = zip(*pairs, strict=True)
            yield Needle(kind, words, written, spelling.apart)
