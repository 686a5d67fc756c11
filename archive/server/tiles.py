"""The route that answers by far the most requests: two look-ups and one read for a stored tile, no framework.

Everything that is a picture is answered here. Work is done where the request arrives: a stored tile takes
microseconds and a made one about a millisecond, less than handing it to another thread and back; and files that
belong to one thread can be closed safely.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from archive.server.access import Access, ShownSlide
from archive.server.headers import DZI, JPEG, Answer, content, header, matches, unchanged
from archive.server.pictures import Pictures
from archive.server.status import MalformedAddress, WrongMethod

_NUMBER = "(0|[1-9][0-9]{0,6})"
_NATIVE = re.compile(f"/slides/([^/]+)/tiles/{_NUMBER}/{_NUMBER}_{_NUMBER}[.]jpg")
_DEEPZOOM = re.compile(f"/slides/([^/]+)_files/{_NUMBER}/{_NUMBER}_{_NUMBER}[.]jpeg")
_WHOLE = re.compile("/slides/([^/]+)([.]dzi|/thumbnail[.]jpg)")
_ANY_TILE = re.compile("/slides/[^/]+(/tiles|_files)(/.*)?", re.DOTALL)

Scope = Mapping[str, Any]


class TileRoute:
    """Answers requests for pictures.

    Parameters
    ----------
    access : Access
        Decides, at each request, whether the slide may be seen.
    pictures : Pictures
        Reads or makes what is to be sent.
    """

    def __init__(self, access: Access, pictures: Pictures) -> None:
        self._access = access
        self._pictures = pictures

    def answer(self, scope: Scope) -> Answer | None:
        """Answer a request; None when its address is not a picture's.

        Raises
        ------
        ArchiveError
            If there is no such picture, it must not be seen, or it is damaged.
        """
        found = _NATIVE.fullmatch(scope["path"])
        if found is None:
            return self._less_common(scope)
        handle, level, column, row = found.groups()
        return self._decided(
            scope, handle, JPEG, lambda slide: self._pictures.native(slide, int(level), int(column), int(row))
        )

    def _less_common(self, scope: Scope) -> Answer | None:
        path: str = scope["path"]
        if found := _DEEPZOOM.fullmatch(path):
            level, column, row = map(int, found.groups()[1:])
            return self._decided(
                scope, found[1], JPEG, lambda slide: self._pictures.deepzoom(slide, level, column, row)
            )
        if found := _WHOLE.fullmatch(path):
            if found[2] == ".dzi":
                return self._decided(scope, found[1], DZI, lambda slide: slide.deepzoom.descriptor())
            return self._decided(scope, found[1], JPEG, self._pictures.thumbnail)
        if _ANY_TILE.fullmatch(path):
            raise MalformedAddress
        return None

    def _decided(self, scope: Scope, handle: str, kind: bytes, make: Callable[[ShownSlide], bytes]) -> Answer:
        """Decide first; only then look whether the browser already has the picture, and else give it."""
        if scope["method"] not in ("GET", "HEAD"):
            raise WrongMethod
        slide = self._access.slide(handle)
        tag = b'"%b%b"' % (slide.tag, scope["path"][len("/slides/") + len(handle) :].encode())
        if matches(header(scope["headers"], b"if-none-match"), tag):
            return unchanged(tag)
        return content(kind, make(slide), tag)
