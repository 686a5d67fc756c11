"""Thousands of planted tokens are looked for at once: one after the other would take longer than making the slides."""

from collections.abc import Sequence
from pathlib import Path

import hyperscan

from tests.slides.planted import Plant, encodings


class AnyOf:
    """Many runs of bytes, looked for in one pass.

    Parameters
    ----------
    patterns
        What is looked for.
    caseless
        Of each, whether letters of the other case count; of none unless given.
    """

    def __init__(self, patterns: Sequence[bytes], caseless: Sequence[bool] = ()) -> None:
        flags = [hyperscan.HS_FLAG_CASELESS if one else 0 for one in caseless or [False] * len(patterns)]
        self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        self._database.compile(
            expressions=["".join(f"\\x{byte:02x}" for byte in pattern).encode() for pattern in patterns],
            ids=list(range(len(patterns))),
            elements=len(patterns),
            flags=[flag | hyperscan.HS_FLAG_SINGLEMATCH for flag in flags],
        )

    def found_in(self, data: bytes) -> list[int]:
        """Give the numbers of those that are in the data."""
        found: set[int] = set()

        def told(number: int, *_: object) -> None:
            found.add(number)

        if data:
            self._database.scan(data, match_event_handler=told)
        return sorted(found)


class Searched:
    """All tokens of a plant in every spelling, as `Plant.survivors` tells them, in one pass over the data."""

    def __init__(self, plant: Plant) -> None:
        self._named = [
            (f"{place} ({name})", pattern, not name.startswith("base64"))
            for place, token in plant.tokens.items()
            for name, pattern in encodings(token).items()
        ]
        self._any = AnyOf([pattern for _, pattern, _ in self._named], [caseless for *_, caseless in self._named])

    def survivors(self, data: bytes) -> list[str]:
        """Tell which tokens are in the data, as ``place (encoding)``."""
        return [self._named[number][0] for number in self._any.found_in(data)]

    def survivors_under(self, folder: Path) -> list[str]:
        """Tell which tokens are in any file's bytes or any name below a folder."""
        found = []
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            found += [f"{one} in {name}" for one in self.survivors(name.encode())]
            if path.is_file():
                found += [f"{one} in {name}" for one in self.survivors(path.read_bytes())]
        return found
