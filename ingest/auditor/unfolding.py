"""What is stored may be text or data, and either may hold the other: text in gzip, gzip in base64, escapes in text.

So what is read is taken apart until nothing is left to take apart, to a depth beyond which nobody would look either.
"""

from bisect import bisect_right
from collections.abc import Iterable

from ingest.auditor.compressed import expand
from ingest.auditor.identifiers import IdentifierClass
from ingest.auditor.needle import LONG, DataKind, Needle
from ingest.auditor.needles import Needles
from ingest.auditor.text import LARGEST_TEXT_BYTES, Text, as_text, decoded, find, unescaped, visible

DEEPEST = 4
"""Encodings within encodings, such as an escape in base64 in compressed JSON."""

SHORTEST_TEXT = 3
"""Bytes, letters and digits. Shorter words come out of any word that is read as base64."""

TEXT_ENDINGS = (".json", ".xml", ".txt", ".csv", ".toml", ".yaml")
"""Files that are searched as texts even if something in them is none."""


class Unfolding:
    """Searches one file or name, and keeps for each class of identifier the first place where one was found.

    Parameters
    ----------
    needles
        What to look for.
    tile_bytes
        How many bytes a decompressed tile may have.
    """

    def __init__(self, needles: Needles, tile_bytes: frozenset[int] = frozenset()) -> None:
        self.found: dict[IdentifierClass, int] = {}
        self.is_whole = True
        self._needles = needles
        self._tile_bytes = tile_bytes

    def file(self, data: memoryview, name: str) -> None:
        """Search the content of a file."""
        was_text = self._data(data, DataKind.CODED, DEEPEST)
        if not was_text and name.endswith(TEXT_ENDINGS):
            self.is_whole &= len(data) <= LARGEST_TEXT_BYTES
            self.text(Text(str(data[:LARGEST_TEXT_BYTES], "latin-1")))

    def text(self, text: Text, depth: int = DEEPEST, lightest: int = 1) -> None:
        """Search a text for the needles of at least `lightest` letters and digits, and for what is encoded in it."""
        self._note(find(text, (needle for needle in self._needles.all if needle.weight >= lightest)))
        if depth:
            for plain in unescaped(text.characters):
                self.text(text.of([(0, plain)]), depth - 1, lightest)
            self._encoded(text, depth - 1)

    def _data(self, data: memoryview, kind: DataKind, depth: int, inside: int | None = None) -> bool:
        """Search bytes and say whether they were a text; `inside` is where that begins which they came out of."""
        characters = as_text(data)
        if characters is None:
            self._coded_data(data, kind, depth, inside)
            return False
        text = visible(characters, self._needles.vocabulary)
        self.text(text if inside is None else Text(text.characters, offsets=(inside,), is_inside=True), depth)
        return True

    def _coded_data(self, data: memoryview, kind: DataKind, depth: int, inside: int | None) -> None:
        places = self._needles.coded.places(data)
        tiles = self._expand(data, places.compressed, depth - 1, inside) if depth and kind is DataKind.CODED else []
        ends = [end for _, end in tiles]

        def kind_at(offset: int) -> DataKind:
            at = bisect_right(ends, offset)
            return DataKind.PIXELS if at < len(tiles) and tiles[at][0] <= offset else kind

        for needle, offset in self._needles.coded.confirmed(data, places, kind_at):
            self._note([(needle, offset if inside is None else inside)])

    def _expand(
        self, data: memoryview, beginnings: Iterable[int], depth: int, inside: int | None
    ) -> list[tuple[int, int]]:
        """Search what is compressed, and tell where tiles are: begin and end of each.

        A tile is known by its size. It is searched as pixels, even where all its values are those of letters; and so
        is its compressed form, which repeats some of them.
        """
        tiles: list[tuple[int, int]] = []
        searched = 0
        for start in beginnings:
            if start < searched or (expanded := expand(data, start)) is None:
                continue
            searched = expanded.end
            self.is_whole &= expanded.is_whole
            within = start if inside is None else inside
            if len(expanded.data) in self._tile_bytes:
                tiles.append((start, expanded.end))
                self._coded_data(memoryview(expanded.data), DataKind.PIXELS, depth, within)
            else:
                self._data(memoryview(expanded.data), DataKind.PIXELS, depth, within)
        return tiles

    def _encoded(self, text: Text, depth: int) -> None:
        """Search what the words of a text are when they are read as base64 or hexadecimal."""
        texts, data = [], []
        for position, raw in decoded(text.characters):
            characters = as_text(raw) if len(raw) >= SHORTEST_TEXT else None
            if characters is not None:
                texts.append((position, characters))
            # A text in UTF-16 that begins in the middle of something looks like another text.
            if len(raw) >= LONG and (characters is None or 0 in raw):
                data.append(raw)
        if texts:
            self.text(text.of(texts), depth, SHORTEST_TEXT)
        if data:
            self._coded_data(memoryview(b"\xff\xff\xff\xff".join(data)), DataKind.CODED, depth, text.offset(0))

    def _note(self, found: Iterable[tuple[Needle, int]]) -> None:
        for needle, offset in found:
            self.found[needle.kind] = min(offset, self.found.get(needle.kind, offset))
