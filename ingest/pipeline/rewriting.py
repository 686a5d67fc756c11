"""Inside the jail: a scanner's JPEG tile is put under a plain header, and nothing else of it travels but its pixels."""

from archive.holdings.pixels import Header, HeaderReader, NotPlainJpeg, decode_jpeg, plain_header, scan_end
from ingest.scanners import SourceLevel


class Rewriter:
    """Puts the plain header on the tiles of one level.

    The archive's own decoder makes wrong pixels of damaged entropy-coded data, but refuses a tile only for what its
    header says. So the first tile of each distinct header is decoded once, and whatever is copied can be shown.
    """

    def __init__(self, level: SourceLevel) -> None:
        self._level = level
        self._headers = HeaderReader(level.jpeg_tables)
        self._written: dict[int, tuple[Header, bytes]] = {}
        self.left_behind = 0

    def plain(self, stream: bytes) -> tuple[bytes, int, int]:
        """Give the plain tile, and where in `stream` its entropy-coded data begins and how long it is.

        Raises
        ------
        NotPlainJpeg
            If the tile cannot be copied.
        """
        header = self._headers.read(stream)
        known = self._written.get(id(header))
        is_known = known is not None and known[0] is header
        start = known[1] if known and is_known else self._write(header)
        end = scan_end(stream, header.length)
        tile = start + stream[header.length : end + 2]
        if not is_known:
            self._require_readable(tile)
        self.left_behind += header.left_behind + (end + 2 < len(stream))
        return tile, header.length, end - header.length

    def _require_readable(self, tile: bytes) -> None:
        level = self._level
        try:
            decode_jpeg(tile, width=level.tile.width, height=level.tile.height, channels=level.channels)
        except ValueError as error:
            raise NotPlainJpeg("a tile cannot be decoded") from error

    def _write(self, header: Header) -> bytes:
        level = self._level
        if (header.width, header.height) != (level.tile.width, level.tile.height):
            raise NotPlainJpeg("a tile has another size than its level says")
        if len(header.components) != level.channels:
            raise NotPlainJpeg("a tile has another number of components than its level says")
        start = plain_header(header, ycbcr=level.channels == 3 and header.is_ycbcr(level.tag_says_ycbcr))
        if len(self._written) < HeaderReader.KNOWN:
            self._written[id(header)] = header, start
        return start
