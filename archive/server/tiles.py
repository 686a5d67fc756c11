"""The route that answers by far the most requests: two look-ups and one read for a stored tile, no framework.

Everything that is a picture is answered here. Work is done where the request arrives: a stored tile takes
microseconds and a made one about a millisecond, less than handing it to another thread and back; and files that
belong to one thread can be closed safely.

Every picture has two addresses: one for its colours as they were scanned, and one with ``/srgb`` in it for colours that
are managed. So no cache can take one for the other.
"""

import re

from archive.server.access import ShownSlide, SlideAccess
from archive.server.headers import DZI, JPEG, Answer, content, matches, unchanged
from archive.server.managed import ManagedPictures
from archive.server.pictures import Pictures
from archive.server.status import MalformedAddress, WrongMethod

_NUMBER = "(0|[1-9][0-9]{0,6})"
_NATIVE = re.compile(f"/slides/([^/]+)(/srgb)?/tiles/{_NUMBER}/{_NUMBER}_{_NUMBER}[.]jpg")
_DEEPZOOM = re.compile(f"/slides/([^/]+)(/srgb)?_files/{_NUMBER}/{_NUMBER}_{_NUMBER}[.]jpeg")
_WHOLE = re.compile("/slides/([^/]+)(/srgb)?([.]dzi|/thumbnail[.]jpg)")
_ANY_TILE = re.compile("/slides/[^/]+(/srgb)?(/tiles|_files)(/.*)?", re.DOTALL)


def is_picture(path: str) -> bool:
    """Whether an address is a picture's, or could only ever be one's."""
    return bool(_ANY_TILE.fullmatch(path) or _WHOLE.fullmatch(path))


class TileRoute:
    """Answers requests for pictures.

    Parameters
    ----------
    access : SlideAccess
        Decides, at each request, whether the slide may be seen.
    pictures : Pictures
        Reads or makes what is to be sent.
    """

    def __init__(self, access: SlideAccess, pictures: Pictures) -> None:
        self._access = access
        self._pictures = pictures
        self._managed = ManagedPictures(pictures)
        access.when_withdrawn(pictures.forget)

    def answer(self, method: str, path: str, known_tag: str | None) -> Answer | None:
        """Answer a request; None when its address is not a picture's.

        Parameters
        ----------
        method, path : str
            As in the request, the path decoded.
        known_tag : str or None
            Its ``If-None-Match``.

        Raises
        ------
        ArchiveError
            If there is no such picture, it must not be seen, or it is damaged.
        """
        if not path.startswith("/slides/"):
            return None
        found = _NATIVE.fullmatch(path) or _DEEPZOOM.fullmatch(path) or _WHOLE.fullmatch(path)
        if found is None:
            if _ANY_TILE.fullmatch(path):
                raise MalformedAddress
            return None
        if method not in ("GET", "HEAD"):
            raise WrongMethod
        slide = self._access.slide(found[1])
        tag = f'"{slide.tag}{path[found.end(1) :]}"'
        if matches(known_tag, tag):
            return unchanged(tag)
        kind, body = self._picture(slide, found)
        return content(kind, body, tag)

    def _picture(self, slide: ShownSlide, found: re.Match[str]) -> tuple[str, bytes]:
        pictures = self._managed if found[2] else self._pictures
        if found.re is _NATIVE:
            return JPEG, pictures.native(slide, int(found[3]), int(found[4]), int(found[5]))
        if found.re is _DEEPZOOM:
            return JPEG, pictures.deepzoom(slide, int(found[3]), int(found[4]), int(found[5]))
        if found[3] == ".dzi":
            return DZI, pictures.descriptor(slide)
        return JPEG, pictures.thumbnail(slide)
