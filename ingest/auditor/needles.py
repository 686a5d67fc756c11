"""What is looked for in a case is the sum of its needles: who the patient is, and every word of the file's metadata."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from ingest.auditor.coded import CodedSearch
from ingest.auditor.folding import fold, squeeze
from ingest.auditor.identifiers import IdentifierClass, KnownIdentifier, Vocabulary
from ingest.auditor.needle import Needle, needles_of
from ingest.auditor.spellings import spellings

MOST_METADATA_NEEDLES = 1000
"""Needles from the source's metadata, which may hold any number of words; a DICOM slide of five files has some 500."""


@dataclass(frozen=True)
class Needles:
    """All that is looked for in what is stored for one slide, and the words that may stand there."""

    all: tuple[Needle, ...] = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    left_out: int = 0
    """Spellings of the source's metadata beyond `MOST_METADATA_NEEDLES`."""

    @cached_property
    def coded(self) -> CodedSearch:
        """The search for the needles in bytes that are no text; it takes some tens of milliseconds to prepare."""
        return CodedSearch(self.all)

    def with_numbers(self, numbers: frozenset[float]) -> "Needles":
        """Give the same needles, with more measured numbers that may stand in the metadata."""
        return replace(self, vocabulary=replace(self.vocabulary, numbers=self.vocabulary.numbers | numbers))

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
            yield from needles_of(identifier.kind, spelling)
